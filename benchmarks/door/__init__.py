"""WebSocket: `python -m benchmarks websocket`, the door beside our SSE and beside others' WebSockets.

command  what is measured, in which order     servers   what is compared
trial    one run of one server                starved   a subscription out of credit, and its neighbours
sizes    bytes around a record                shapes    what the connections do
"""
