"""OpenAI chat completions, and what others speak in their form.

source      how it is read
calls       pieces of calls, as parts
dialect     how it is told
told_calls  the calls of a run, as pieces
"""
