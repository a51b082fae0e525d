"""Answers of a model to many at once: `python -m benchmarks llm`.

command  what is measured, in which order     servers  what is compared, and how each is started
trial    one run of one server                viewers  the C process with all the viewers
"""
