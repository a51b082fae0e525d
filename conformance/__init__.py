"""Scenarios for clients: faults in front of a real server, and what a client must do; see README.md.

scenario     a scenario as data, and the runs that it is
adapter      a client in a process of its own, by JSON lines
origin       the real server behind the faults
exchange     HTTP/1.1 messages on streams
fault_server  the server that makes faults
answers      one response, with its fault
bodies       the parts of a body, and where it ends
sockets      messages inside the bytes of a WebSocket
forged       responses of Headwater's own encoders that tell what a scenario says
toxics       a bad network, which knows no protocol
judge        what was expected beside what came
runs         scenarios, one after the other, and their counts
"""
