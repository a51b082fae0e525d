"""Clients of a server: streams that are read and written from anywhere, and go on by themselves after every cut.

Rule: the core is without I/O: what is asked, what bytes tell, when to try again. `http`, `reader`, `stream` and
`writer` drive it with httpx2 and asyncio. `headwater.client.sync` has the same names for programs that are not
asynchronous: generated from these, or these in a thread of their own. Nothing here imports the hub. A name is loaded
when it is used first, and what needs more than httpx2 loads it late.

stream         `Stream`: a handle, and what can be asked of it
reader         `Reader`: a cursor that outlives its connections
writer         `StreamWriter`: appends, each once
appends        the half of a stream's handle that writes
attempts       one request beside reading, sent again
http           HTTP: the module that knows httpx2
inside         a hub in this process
clock          time and luck, of who waits and tries again
answers        heads of answers, and what can go wrong on the way
session        one read, from its first request to its end: all rules of it
reading        what is asked of a read, and what it asks of its driver
states         the states of a reader
checkpoint     where the place of a reader is kept
sync           the same for programs that are not asynchronous
retry          when to try again
trouble        what a read does when an attempt is over
transports     which way is taken, and when another one is
ways           transports as requests and answers
told           what a wire format tells
codec          records as values of a type
items          what a reader gives
producer       numbers of an idempotent producer, and what answers say of them
requests       requests beside reading
wires          wire formats
doors          what readers, writers and handles ask of their way to the server
connection     many streams on one WebSocket
presence       who is at a stream, and being there
outbox         appends that survive a restart of the program
problems       responses that are errors
errors         what can go wrong on the client's side
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from headwater.client.checkpoint import Checkpoint
    from headwater.client.connection.connection import Connection
    from headwater.client.errors import (
        BadAnswer,
        BadRecord,
        ClientError,
        ConnectTimeout,
        NetworkError,
        OutboxExpired,
        OutboxFull,
        OutboxStorage,
        Overflow,
        Silent,
        Stopped,
        Truncated,
        UnknownOutcome,
        Unsupported,
    )
    from headwater.client.items import Batch, End, Ending, Gap, Info, Item, Progress
    from headwater.client.outbox.fates import Fate
    from headwater.client.outbox.outbox import Outbox
    from headwater.client.presence import Member, Presence
    from headwater.client.reader import Reader
    from headwater.client.retry import Retry
    from headwater.client.states import ReaderState
    from headwater.client.stream import Stream
    from headwater.client.told import Heard, Signal
    from headwater.client.writer import StreamWriter
    from headwater.errors import HeadwaterError
    from headwater.model import Principal

__all__ = [
    "BadAnswer",
    "BadRecord",
    "Batch",
    "Checkpoint",
    "ClientError",
    "ConnectTimeout",
    "Connection",
    "End",
    "Ending",
    "Fate",
    "Gap",
    "HeadwaterError",
    "Heard",
    "Info",
    "Item",
    "Member",
    "NetworkError",
    "Outbox",
    "OutboxExpired",
    "OutboxFull",
    "OutboxStorage",
    "Overflow",
    "Presence",
    "Principal",
    "Progress",
    "Reader",
    "ReaderState",
    "Retry",
    "Signal",
    "Silent",
    "Stopped",
    "Stream",
    "StreamWriter",
    "Truncated",
    "UnknownOutcome",
    "Unsupported",
]

# Loaded when first used (PEP 562), as in `headwater`: the command line needs the wires alone.
_HOMES: Final = {
    "BadAnswer": "headwater.client.errors",
    "BadRecord": "headwater.client.errors",
    "Batch": "headwater.client.items",
    "Checkpoint": "headwater.client.checkpoint",
    "ClientError": "headwater.client.errors",
    "ConnectTimeout": "headwater.client.errors",
    "Connection": "headwater.client.connection.connection",
    "End": "headwater.client.items",
    "Ending": "headwater.client.items",
    "Fate": "headwater.client.outbox.fates",
    "Gap": "headwater.client.items",
    "HeadwaterError": "headwater.errors",
    "Heard": "headwater.client.told",
    "Info": "headwater.client.items",
    "Item": "headwater.client.items",
    "Member": "headwater.client.presence",
    "NetworkError": "headwater.client.errors",
    "Outbox": "headwater.client.outbox.outbox",
    "OutboxExpired": "headwater.client.errors",
    "OutboxFull": "headwater.client.errors",
    "OutboxStorage": "headwater.client.errors",
    "Overflow": "headwater.client.errors",
    "Presence": "headwater.client.presence",
    "Principal": "headwater.model",
    "Progress": "headwater.client.items",
    "Reader": "headwater.client.reader",
    "ReaderState": "headwater.client.states",
    "Retry": "headwater.client.retry",
    "Signal": "headwater.client.told",
    "Silent": "headwater.client.errors",
    "Stopped": "headwater.client.errors",
    "Stream": "headwater.client.stream",
    "StreamWriter": "headwater.client.writer",
    "Truncated": "headwater.client.errors",
    "UnknownOutcome": "headwater.client.errors",
    "Unsupported": "headwater.client.errors",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(_HOMES[name]), name)
    globals()[name] = found
    return found
