"""Events of a stream that are told to live readers and kept in no log: they have no offset and no id.

Rule: an event is one JSON object, made once. A wire puts its frame around it, and looks at nothing inside.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from headwater.protocol.sse import encode_event

#: The kind of signals; see `signals`.
SIGNAL: Final = "signal"
#: The kind of what is told of who is there; see `presence.frames`.
PRESENCE: Final = "presence"


class Ephemeral(msgspec.Struct, frozen=True):
    """One of them.

    Attributes:
        kind: readers ask for kinds: `signal`, `presence`. It stands in the name of an event and in `control` of a line.
        body: a JSON object in one line, with one field at least.
        origin: what it was made of, for loops in this process, and for wires that are not JSON.
    """

    kind: str
    body: bytes
    origin: Any = None


def as_event(event: Ephemeral) -> bytes:
    """In Server-Sent Events: a named event without an id, so that a browser comes back where it was before."""
    return encode_event(event.body, event=b"stream-" + event.kind.encode())


def as_line(event: Ephemeral) -> bytes:
    """In NDJSON: a line with `control`."""
    return b'{"control":"' + event.kind.encode() + b'",' + event.body[1:] + b"\n"


def of_stream(event: Ephemeral, stream: str) -> Ephemeral:
    """The same among those of other streams: it says of which one it is."""
    return Ephemeral(event.kind, b'{"stream":' + msgspec.json.encode(stream) + b"," + event.body[1:], event.origin)
