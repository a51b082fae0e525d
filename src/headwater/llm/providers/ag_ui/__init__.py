"""The Agent-User Interaction Protocol.

dialect  how it is told
"""
