"""The text itself.

dialect  how it is told
"""
