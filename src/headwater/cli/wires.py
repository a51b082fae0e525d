"""Live answers into what they tell: the client's side of protocol/ndjson.py and protocol/sse_plain.py.

Rule: a place to go on from comes with a record, or with the news that there are no more, and from nowhere else: what
a heartbeat says of it is never needed, and so cannot be wrong.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from headwater.cli.failures import FailedStream, Failure, refused
from headwater.client import told
from headwater.client.codec import Codec
from headwater.client.errors import BadAnswer
from headwater.client.items import Batch
from headwater.client.wires.events import Events
from headwater.client.wires.ndjson import JsonLines
from headwater.model import Record


class UpToDate(msgspec.Struct, frozen=True):
    """There is no more up to this offset, for now."""

    offset: str


class Alive(msgspec.Struct, frozen=True):
    """Nothing happened, and the connection is well."""


class Closed(msgspec.Struct, frozen=True):
    """The stream is complete, and all of it was told."""

    offset: str


class Failed(msgspec.Struct, frozen=True):
    """The stream ended before it was complete, and all there is was told."""

    offset: str
    failure: Failure


class Ended(msgspec.Struct, frozen=True):
    """The server ended the answer, and said why."""

    failure: Failure


class Heard(msgspec.Struct, frozen=True):
    """A signal, or who is there, as a line of NDJSON without its end."""

    line: bytes


Told = Heard | Record | UpToDate | Alive | Closed | Failed | Ended


class Wire(Protocol):
    """A live wire format on one connection."""

    media_type: str

    def __init__(self, content_type: str) -> None: ...

    def feed(self, chunk: bytes) -> list[Told]:
        """Take bytes and give what they complete; what is unfinished at a cut is never told.

        Raises:
            Failure: the bytes are not of this format.
        """
        ...


class _ClientWire:
    """A wire of the client, whose values are the records' bytes."""

    _wire: JsonLines[bytes] | Events[bytes]

    def feed(self, chunk: bytes) -> list[Told]:
        """See `Wire.feed`."""
        try:
            return [item for each in self._wire.feed(chunk) for item in _ours(each)]
        except BadAnswer as error:
            raise Failure("malformed", error.message) from None


class JsonLinesWire(_ClientWire):
    """NDJSON."""

    media_type = JsonLines.media_type

    def __init__(self, content_type: str) -> None:
        self._wire = JsonLines(Codec(content_type, bytes))


class EventsWire(_ClientWire):
    """Plain event streams."""

    media_type = Events.media_type

    def __init__(self, content_type: str) -> None:
        self._wire = Events(Codec(content_type, bytes))


def _ours(item: told.Told) -> list[Told]:
    match item:
        case Batch(items):
            return [Record(each.offset, each.raw) for each in items]
        case told.UpToDate(offset):
            return [UpToDate(offset)]
        case told.Heard(line):
            return [Heard(line)]
        case told.Closed(offset):
            return [Closed(offset)]
        case told.Failed(offset, code, message):
            return [Failed(offset, FailedStream(code, message))]
        case told.Refused(error):
            return [Ended(refused(error))]
        case told.Detached(retry_after):
            return [Ended(let_go(retry_after or 0.0))]
        case _:  # no gap is told to who asks for ?slow=replay, as `tail` does
            return [Alive()]


def let_go(retry_after: float) -> Failure:
    """Why a response ended of a server that lets its readers go."""
    return Failure("detached", "the server asks to come back", passing=True, retry_after=retry_after)
