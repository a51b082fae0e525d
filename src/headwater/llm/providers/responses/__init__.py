"""OpenAI Responses.

source   how it is read
hosted   items of tools that OpenAI runs, as calls with results
dialect  how it is told
items    the items of its output, as they are told
"""
