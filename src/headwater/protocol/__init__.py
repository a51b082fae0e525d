"""The protocol, sans I/O: pure functions and state machines fed with bytes and a time.

offsets                   positions and their text
spans                     records that follow each other in a log
framing                   bodies into records and back
json_values               JSON bodies into values
splitter, delimited, msgpack  records that lie one behind the other
objects                   Python objects as records
schemas                   what records must be
batches                   rows of a log into a read's batch
backwards                 reads from behind: where a page begins
ledger                    what may happen to a stream
recreate                  a create of what is there
without_body              what the head of a write decides by itself
producers                 idempotent producers
principals                who appended a record, as it is kept and told
preconditions             If-Match and If-None-Match
forks                     streams that share a beginning
failure                   streams that end before they are complete
expiry, jumps             TTL and dates, and a clock that is set
retention                 what is kept
envelope                  records with what is known of them
heartbeat                 how often silence is broken
ephemeral                 what is told to live readers and kept in no log
signals                   messages of that sort
rates                     how often something may be done
cursor                    a reader's place, its states and events
slow                      what slow readers get
catch_up                  what a catch-up read promises
http1                     what a request of HTTP/1 must be
headers                   header lines into a mapping
hosts                     `Host` and `Origin`, parsed
cors                      pages: origins and hosts
paths                     what a stream may be called
ticket_query              a ticket in the query of a URL
urls                      the stream of a URL, or a word behind `-`
query                     our parameters
accept                    in which form a stream is wanted
negotiation               which content coding is wanted
requests, words           HTTP into commands
commands                  what a request asks for
together, given           several appends in one request, and what clients give as JSON
many, patterns            reads of many streams, by name or by pattern
vector                    the cursor of such a read
asks                      what must be allowed for a command
access                    who may do what: grants, decisions, claims
responses                 results into HTTP
cache_headers             cursors, ETags, Cache-Control
sse                       event streams, both ways
wire, sse_control, sse_plain, ndjson, many_events  encoders
compression, compressors  which codings there are
coding, coding_gzip, coding_zstd, crc  coded once for all readers
backoff                   when to reconnect
websocket                 connections with two ways
presence                  who is at a stream
names                     headers, parameters, event names
"""
