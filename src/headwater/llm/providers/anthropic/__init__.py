"""Anthropic messages.

source   how it is read
dialect  how it is told
"""
