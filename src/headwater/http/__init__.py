"""HTTP as Headwater speaks it, whatever carries it: commands in, responses out. Knows no server and no framework.

service        the one gate: every request passes it
exchange       one request under way: what a driver has for the service
request        a request's head
authorize      who may do what: the question to the application
access         who asks: tokens, the application's function, public grants
permission     how it is asked, and its answer checked
streams        the service of a hub
writes         writes of one stream
several        what concerns several streams: the words below the root
revocation     what a server takes back, and whose connections it ends
together       several appends in one request
presence       who is at a stream, and readers that are members
sessions       a browser's sign-in
tickets        what a page shows in a URL, once
signals        messages to a stream's live readers
many           reads of many streams in one response
live           live reads: their formats, their lifetimes, who reads
live_reads     live reads served
plan           what a service makes of a head, once
catch_up       reads that end
schemas        what the records of a stream must be
content_coding  finished bodies in a content coding
bodies         what is said of a body that is too large, too late, or one of too many
duplex         a connection with two ways
websocket      the WebSocket door
http1          responses as bytes
socket_sink    a live reader's connection as a sink
socket_options  what the kernel holds for a slow reader
forwarded      who is at the other end of a request that came through proxies
introspection  what is under /-/
figures        the hub's figures as JSON
metrics        the same for Prometheus
process        what the process takes of the machine
page           the page at /
"""
