"""Records of many streams on one response: each says of which stream it is.

A record is `{"stream", "offset", "data"}`, with `at` in envelopes: bytes are `base64` in place of `data`. What happens
to a stream is told with its name, and ends no other. The read as a whole has a cursor, keep-alives and an end.

Server-Sent Events: records are `message` events without an id; all else has a name. Only `stream-cursor` and
`stream-detached` have an id, the cursor, which a browser brings back.

Rule: the bytes of a record are the same for all who read its stream so, whatever else they read.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from headwater.errors import HeadwaterError, OffsetGone
from headwater.model import BEGINNING, NOW, Batch, Record
from headwater.protocol import names
from headwater.protocol.cursor import Data, Detached, Event, Failed, Gap, Idle, Made, Missing
from headwater.protocol.envelope import enveloped, fields_of, made
from headwater.protocol.spans import data_of, offsets_of
from headwater.protocol.sse import encode_comment, encode_event, encode_retry
from headwater.protocol.sse_plain import RETRY_MILLISECONDS
from headwater.protocol.wire import Regrouper, problem, reason

_EVENTS: Final = {
    "closed": names.EVENT_CLOSED,
    "failed": names.EVENT_FAILED,
    "error": names.EVENT_ERROR,
    "gap": names.EVENT_GAP,
    "waiting": names.EVENT_WAITING,
    "created": names.EVENT_CREATED,
}


class StreamOfMany(ABC):
    """Encoder of one stream among others.

    Args:
        content_type: the stream's.
        stream: its path.
        envelope: records have the time of their append.

    Attributes:
        error: with which reading ended; None: it did not, or the stream is complete.
    """

    media_type: bytes
    must_cut = False

    def __init__(self, content_type: str, *, stream: str, envelope: bool = False) -> None:
        self._content_type = content_type
        self._stream = stream
        self._head = b'{"stream":' + msgspec.json.encode(stream) + b","
        self._envelope = envelope
        self._regrouper = Regrouper(content_type)
        self.error: HeadwaterError | None = None

    def opening(self) -> bytes:
        """Nothing: the read as a whole begins once."""
        return b""

    def encode(self, event: Event, now: float) -> bytes:
        """See `Encoder.encode`. The read as a whole is kept alive and let go, not each of its streams."""
        match event:
            case Data(batch):
                return self._encode_batch(batch)
            case Idle() | Detached():
                return b""
            case Failed(offset, error):
                self.error = error
                # It goes on behind a gap.
                if isinstance(error, OffsetGone) and offset not in (BEGINNING, NOW):
                    return b""
                return self._say("error", **problem(error), offset=self.told(offset))
            case Gap(start, end, _, why):
                told = {"from": self._regrouper.skip(start), "to": end}
                return self._say("gap", **told, **({"reason": why} if why else {}))
            case Missing():
                return self._say("waiting")
            case Made(content_type, offset):  # pragma: no branch - there is no other event
                return self._say("created", **made(content_type, offset))

    def state(self) -> object:
        """See `Encoder.state`."""
        return self._regrouper.held

    def told(self, offset: str) -> str:
        """The offset to tell for a reader that stands at `offset`: before what is held back."""
        return self._regrouper.told(offset)

    def _encode_batch(self, batch: Batch) -> bytes:
        records, next_offset = self._regrouper.regroup(batch)
        data = self._records(self._objects(records)) if records else b""
        if batch.closed:
            kind = "closed" if batch.failure is None else "failed"
            data += self._say(kind, offset=next_offset, **reason(batch.failure))
        return data

    def _objects(self, records: Sequence[Record]) -> list[bytes]:
        if self._envelope:
            return [self._head + each[1:] for each in enveloped(self._content_type, records)]
        fields = fields_of(self._content_type, data_of(records))
        head = self._head + b'"offset":"'
        return [head + offset + b'",' + field + b"}" for offset, field in zip(offsets_of(records), fields, strict=True)]

    def _say(self, kind: str, **fields: str | float | bool) -> bytes:
        return self._event(kind, {"stream": self._stream, **fields})

    @abstractmethod
    def _records(self, objects: list[bytes]) -> bytes: ...

    @abstractmethod
    def _event(self, kind: str, fields: Mapping[str, str | float | bool]) -> bytes: ...


class EventsOfMany(StreamOfMany):
    """In Server-Sent Events."""

    media_type = b"text/event-stream"

    def _records(self, objects: list[bytes]) -> bytes:
        return b"data:" + b"\n\ndata:".join(objects) + b"\n\n"

    def _event(self, kind: str, fields: Mapping[str, str | float | bool]) -> bytes:
        return encode_event(msgspec.json.encode(fields), event=_EVENTS[kind])


class LinesOfMany(StreamOfMany):
    """In NDJSON."""

    media_type = b"application/x-ndjson"

    def _records(self, objects: list[bytes]) -> bytes:
        return b"\n".join(objects) + b"\n"

    def _event(self, kind: str, fields: Mapping[str, str | float | bool]) -> bytes:
        return _line({"control": kind, **fields})


class Whole(ABC):
    """What is told of the read as a whole."""

    media_type: bytes

    @abstractmethod
    def opening(self) -> bytes:
        """What the body starts with."""

    @abstractmethod
    def beat(self) -> bytes:
        """Nothing happened for a while."""

    @abstractmethod
    def cursor(self, vector: str) -> bytes:
        """Where the reader stands; it may come back there."""

    @abstractmethod
    def detached(self, vector: str, retry_after: float, why: str) -> bytes:
        """The server lets the reader go; it may come back there after so many seconds.

        Args:
            vector: where it stands.
            retry_after: seconds.
            why: see `Detached`.
        """

    @abstractmethod
    def refused(self, name: str, fields: Mapping[str, str | float | bool]) -> bytes:
        """A name that is not read, and the problem with it."""


class WholeEvents(Whole):
    """In Server-Sent Events."""

    media_type = EventsOfMany.media_type

    def opening(self) -> bytes:
        """See `Whole.opening`."""
        return encode_retry(RETRY_MILLISECONDS)

    def beat(self) -> bytes:
        """See `Whole.beat`."""
        return encode_comment()

    def cursor(self, vector: str) -> bytes:
        """See `Whole.cursor`. It has data: an event without any moves the id in browsers, but not in every library."""
        return encode_event(b"{}", event=names.EVENT_CURSOR, event_id=vector.encode())

    def detached(self, vector: str, retry_after: float, why: str) -> bytes:
        """See `Whole.detached`."""
        data = msgspec.json.encode({"retry_after": round(retry_after, 3), **({"reason": why} if why else {})})
        event = encode_event(data, event=names.EVENT_DETACHED, event_id=vector.encode())
        return encode_retry(RETRY_MILLISECONDS + int(retry_after * 1000)) + event

    def refused(self, name: str, fields: Mapping[str, str | float | bool]) -> bytes:
        """See `Whole.refused`."""
        return encode_event(msgspec.json.encode({"stream": name, **fields}), event=names.EVENT_ERROR)


class WholeLines(Whole):
    """In NDJSON."""

    media_type = LinesOfMany.media_type

    def opening(self) -> bytes:
        """See `Whole.opening`."""
        return b""

    def beat(self) -> bytes:
        """See `Whole.beat`."""
        return _line({"control": "keepalive"})

    def cursor(self, vector: str) -> bytes:
        """See `Whole.cursor`."""
        return _line({"control": "cursor", "cursor": vector})

    def detached(self, vector: str, retry_after: float, why: str) -> bytes:
        """See `Whole.detached`."""
        reasons = {"reason": why} if why else {}
        return _line({"control": "detached", "cursor": vector, "retry_after": round(retry_after, 3), **reasons})

    def refused(self, name: str, fields: Mapping[str, str | float | bool]) -> bytes:
        """See `Whole.refused`."""
        return _line({"control": "error", "stream": name, **fields})

    def page_end(self, vector: str, *, up_to_date: bool) -> bytes:
        """Behind a page that does not go on: where the next one begins.

        Args:
            vector: where it begins.
            up_to_date: no stream had more.
        """
        return _line({"control": "cursor", "cursor": vector, "up_to_date": up_to_date})


def _line(fields: Mapping[str, str | float | bool]) -> bytes:
    return msgspec.json.encode(fields) + b"\n"
