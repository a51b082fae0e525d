"""OpenAI chat completions, and what others speak in their form.

source   how it is read
dialect  how it is told
"""
