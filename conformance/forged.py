"""Responses of Headwater's own encoders that tell what a scenario says.

Rule: nothing here writes a byte of a wire format but for what a newer server might send, which has no encoder yet.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from conformance.origin import Truth, encode
from headwater.errors import HeadwaterError, ShuttingDown, error_table
from headwater.model import Batch, Failure, Page, Record
from headwater.protocol.cursor import Data, Detached, Event, Failed, Gap, Idle
from headwater.protocol.ndjson import JsonLines
from headwater.protocol.responses import Answer, failed, polled, streaming
from headwater.protocol.sse_control import ControlEvents
from headwater.protocol.sse_plain import PlainEvents
from headwater.protocol.websocket import frames
from headwater.protocol.websocket import messages as m
from headwater.protocol.websocket.codec import JsonCodec
from headwater.protocol.websocket.stream_messages import StreamMessages
from headwater.protocol.wire import Encoder

#: What a newer server might tell, by transport.
UNKNOWN: Final = {
    "sse": ':novelty\n\nevent: stream-novelty\ndata:{"x":1}\nnovelty: 1\n\n',
    "ndjson": '{"control":"novelty","x":1}\n',
    "live-sse": "event: novelty\ndata:{}\n\n",
    "long-poll": "",
    "websocket": '{"t":"novelty","s":1,"x":1}',
}
#: The stream's number on a forged connection.
_NUMBER: Final = 1
_CLOSE_OF: Final = {"shutting-down": 1012, "unavailable": 1013}


class Stream:
    """What a forged response tells of.

    Args:
        truth: the stream's records.
        content_type: the stream's.
        beginning: the offset before the first one.
    """

    def __init__(self, truth: Sequence[Truth], content_type: str, beginning: str) -> None:
        self.content_type = content_type
        self.beginning = beginning
        self.records = [Record(each.offset or "", _stored(each.data, content_type)) for each in truth]

    def offset(self, count: int) -> str:
        """Behind so many records."""
        return self.records[count - 1].offset if count else self.beginning


def _stored(data: Any, content_type: str) -> bytes:
    return msgspec.json.encode(data) if content_type == "application/json" else encode(data, content_type)


def error_of(code: str) -> HeadwaterError:
    """The error of the table with this code."""
    return next(kind for kind in error_table() if kind.code == code)("as the scenario says")


def refusal(code: str) -> Answer:
    """The response that is an error's."""
    return failed(error_of(code))


def head_of(transport: str, stream: Stream) -> Answer:
    """The head of a live response."""
    media = {"ndjson": JsonLines.media_type}.get(transport, PlainEvents.media_type)
    return streaming(media, stream.content_type)


def encoder_of(transport: str, stream: Stream) -> Encoder:
    """The encoder of a transport."""
    made: dict[str, Callable[[], Encoder]] = {
        "sse": lambda: PlainEvents(stream.content_type),
        "ndjson": lambda: JsonLines(stream.content_type),
        "live-sse": lambda: ControlEvents(stream.content_type, None, 1),
        "websocket": lambda: StreamMessages(stream.content_type, codec=JsonCodec(), number=_NUMBER),
    }
    return made[transport]()


def told(events: Sequence[Any], transport: str, stream: Stream) -> bytes:
    """The body of a live response that tells these events."""
    encoder, at, parts = encoder_of(transport, stream), stream.beginning, []
    parts.append(encoder.opening())
    for event in events:
        if event == "cut" or (isinstance(event, dict) and "close" in event):
            continue  # see `close_of`
        if event == "unknown":
            text = UNKNOWN[transport].encode()
            parts.append(frames.text(text) if transport == "websocket" else text)
            continue
        found = event_of(event, at, stream)
        at = found.batch.next_offset if isinstance(found, Data) else at
        parts.append(encoder.encode(found, time.time()))
    return b"".join(parts)


def event_of(event: Any, at: str, stream: Stream) -> Event:
    """One event, of a reader that stands at an offset."""
    match event:
        case {"records": [first, last]}:
            return Data(_batch(at, stream, stream.records[first:last], stream.offset(last)))
        case "live":
            return Data(_batch(at, stream, (), at, up_to_date=True))
        case "closed":
            return Data(_batch(at, stream, (), at, up_to_date=True, closed=True))
        case {"failed": {"code": code, **more}}:
            failure = Failure(str(code), str(more.get("message", "")))
            return Data(_batch(at, stream, (), at, up_to_date=True, closed=True, failure=failure))
        case {"gap": [first, last]}:
            return Gap(stream.offset(first), stream.offset(last), stream.offset(last))
        case {"detached": seconds, **more}:
            return Detached(at, seconds, str(more.get("reason", "")))
        case {"error": code}:
            return Failed(at, error_of(code))
        case "heartbeat":
            return Idle(at)
        case _:
            raise ValueError(f"no event: {event}")


def _batch(at: str, stream: Stream, records: Sequence[Record], to: str, **more: Any) -> Batch:
    fields = {"up_to_date": False, "closed": False, **more}
    return Batch(at, records, to, content_type=stream.content_type, **fields)


def page(events: Sequence[Any], stream: Stream) -> Answer:
    """The response to a long-poll: it can tell records, the end, and errors."""
    at = stream.beginning
    records: list[Record] = []
    more: dict[str, Any] = {"up_to_date": False}
    for event in events:
        match event:
            case {"records": [first, last]}:
                records += stream.records[first:last]
                at = stream.offset(last)
            case "live":
                more["up_to_date"] = True
            case "closed" | {"failed": _}:
                batch = event_of(event, at, stream)
                assert isinstance(batch, Data)
                more |= {"up_to_date": True, "closed": True, "failure": batch.batch.failure}
            case {"error": code}:
                return refusal(code)
            case {"detached": _}:
                return failed(ShuttingDown("as the scenario says"))
            case _:
                continue
    page = Page(_batch(stream.beginning, stream, records, at, **more), has_earlier=False)
    return polled(page, "1", start=stream.beginning)


def welcome() -> bytes:
    """The answer to `hello`."""
    return JsonCodec().encode(m.Welcome("scenario", 15.0, 262144, {}))


def subscribed(asked: dict[str, Any], stream: Stream) -> bytes:
    """The answer to `sub`."""
    tail = stream.offset(len(stream.records))
    answer = m.Subscribed(
        asked["id"], _NUMBER, asked["path"], stream.content_type, stream.beginning, tail, stream.beginning
    )
    return JsonCodec().encode(answer)


def close_of(events: Sequence[Any]) -> bytes | None:
    """How a connection ends: the drain and the close frame, or nothing if it is cut; None: it stays."""
    for event in events:
        match event:
            case "cut":
                return b""
            case {"detached": seconds, "reason": "stopping"}:
                return JsonCodec().encode(m.Drain(seconds)) + frames.close(1012, "shutting-down")
            case {"close": code}:
                return frames.close(code)
    return None
