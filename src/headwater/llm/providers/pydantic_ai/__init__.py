"""Pydantic AI.

source  how it is read
"""
