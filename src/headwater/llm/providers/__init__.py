"""How each provider is read, how it is told, and how it refuses: a folder each, and what they share.

registry    the folders, a line each, and what follows from them
provider    what a folder may have
source      how a source is read: the interface, and fields that may be missing
dialect     how a run is told: the interface, how a run can end, and event streams
left_out    what of a run a dialect has no place for
builder     what a source says as well-formed parts
open_part   a part that is open
recogniser  items of any source as parts
wire        bytes of a provider as parts
json_array  the elements of an array, as its bytes come
translator  a log with bytes of a provider in it as parts only
reasons     why a model stopped, in everybody's words
usage       tokens, as several name them
figures     tokens of one response, and of several
"""
