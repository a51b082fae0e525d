"""The client for programs that are not asynchronous: the same names, `for` in place of `async for`.

`attempts`, `doors`, `reader` and `stream` are generated from the asynchronous ones by scripts/sync_client.py. What has
to go on by itself, a connection and an outbox, is the asynchronous one in a thread of its own.

stream         `Stream`: a handle, and what can be asked of it
reader         `Reader`: a cursor that outlives its connections
appends        the half of a stream's handle that writes, by `headwater.publisher`
writer         `StreamWriter`: appends in order, many under way at once
pipeline       several requests under way on one connection
connection     `Connection`: many streams on one WebSocket
presence       `Presence`: who is at a stream, and being there
outbox         `Outbox`: appends that survive a restart of the program
portal         the thread with the event loop
bridge         the way from here to the loop, and back
attempts       one request, sent again
http           HTTP
clock          time and luck
doors          what readers and handles ask of their way to the server
"""

from headwater.client.sync.connection import Connection
from headwater.client.sync.outbox import Outbox
from headwater.client.sync.presence import Presence
from headwater.client.sync.reader import Reader
from headwater.client.sync.stream import Stream
from headwater.client.sync.writer import StreamWriter
from headwater.publisher import Publisher

__all__ = ["Connection", "Outbox", "Presence", "Publisher", "Reader", "Stream", "StreamWriter"]
