"""What every tutorial parses.

dialect  how it is told
"""
