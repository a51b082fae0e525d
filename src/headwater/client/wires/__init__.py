"""Wire formats, the client's side: bytes go in, what they tell comes out. No I/O, no clock.

lines            whole parts out of bytes that are cut anywhere
ndjson           one line a record
events           plain event streams: one event a record
control_events   `live=sse` of the protocol: an event and a control event a batch
http1            HTTP/1.1 responses, where no HTTP client is
bodies           bodies that hold what there is: catch-up, pages, long-poll
"""
