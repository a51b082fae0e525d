"""The parts as they are stored.

dialect  how it is told
"""
