"""How each provider is read, how it is told, and how it refuses: a folder each, and what they share.

ag_ui, ai_sdk, anthropic, gemini, ollama, openai, plain, raw, responses, text  dialects, and mostly sources too
bedrock, cohere, langchain, llama_index, mistral, mistral_conversations, openai_agents, pydantic_ai, xai  sources

registry    all of them, a line each
provider    what a folder may have
source      how a source is read: the interface, and fields that may be missing
dialect     how a run is told: the interface, how a run can end, and event streams
left_out    what of a run a dialect has no place for
builder     what a source says as well-formed parts
growing     a part that is open
recogniser  items of any source as parts
wire        bytes of a provider as parts
json_array  the elements of an array, as its bytes come
translator  a log with bytes of a provider in it as parts only
reasons     why a model stopped, in everybody's words
usage       tokens, as several name them
figures     tokens of one response, and of several
"""
