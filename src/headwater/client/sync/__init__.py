"""The client for programs that are not asynchronous: the same names, `for` in place of `async for`.

`reader` and `stream` are generated from the asynchronous ones by scripts/sync_client.py.

stream         `Stream`: a handle, and what can be asked of it
reader         `Reader`: a cursor that outlives its connections
appends        the half of a stream's handle that writes, by `headwater.publisher`
http           HTTP, and time
doors          what readers and handles ask of their way to the server
"""

from headwater.client.sync.reader import Reader
from headwater.client.sync.stream import Stream
from headwater.publisher import Publisher

__all__ = ["Publisher", "Reader", "Stream"]
