"""OpenAI Responses.

source   how it is read
dialect  how it is told
items    the items of its output, as they are told
"""
