"""The protocol, sans I/O: pure functions and state machines fed with bytes and a time.

offsets    positions and their text            framing    bodies into records and back
producing  idempotent producers                ledger     what may happen to a stream
forking    streams that share a beginning     retention  what is kept
batches    rows of a log into a read's batch
reading    a reader's states and events        slow       what slow readers get
sse        event streams, both ways            wire, sse_control, sse_plain, ndjson   encoders
expiry     TTL and dates                       caching    cursors, ETags, Cache-Control
paths      which stream a URL means            cors       pages: origins and hosts
requests   HTTP into commands                  responses  results into HTTP
backoff    when to reconnect                   names      headers, parameters, event names
"""
