"""The UI message stream of the AI SDK.

source      how it is read
dialect     how it is told
ui_message  a message of a client as the chunks that make it
"""
