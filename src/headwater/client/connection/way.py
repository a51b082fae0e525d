"""A stream's messages on a connection, as what they tell. No I/O. See `headwater.client.ways`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

import msgspec

from headwater.client.codec import Codec, make_item
from headwater.client.connection.calls import refusal
from headwater.client.errors import BadAnswer, BadRecord, Truncated
from headwater.client.items import Batch, Gap, Item
from headwater.client.problems import problem_of
from headwater.client.told import Absent, Alive, Bad, Closed, Detached, Failed, Heard, Made, Refused, Told, UpToDate
from headwater.errors import HeadwaterError
from headwater.model import NOW
from headwater.protocol import names
from headwater.protocol.websocket import messages as m

T = TypeVar("T")

#: Fields of a message that are of the connection, and of no stream.
_OURS: Final = frozenset({"t", "s"})


class MessagesWay(Generic[T]):
    """One subscription.

    Args:
        codec_of: what makes values of records of a content type.
        place: where it begins. What is told of `now` is kept there, so that nothing is lost by a cut.
    """

    def __init__(self, codec_of: Callable[[str], Codec[T]], place: Any) -> None:
        self._codec_of: Final = codec_of
        self._place: Final = place
        self._codec: Codec[T] | None = None

    def query(self, place: Any) -> dict[str, str]:
        """See `Way.query`."""
        return {names.QUERY_OFFSET: place.offset, **place.query}

    def headers(self, place: Any) -> dict[str, str]:
        """See `Way.headers`."""
        return {}

    def begin(self, status: int, headers: Mapping[str, str]) -> list[Told]:
        """See `Way.begin`."""
        if kind := headers.get("content-type"):
            self._codec = self._codec_of(kind)
        return []

    def feed(self, piece: Any) -> list[Told]:
        """See `Way.feed`; a piece is a message."""
        message = piece.told.message
        match message:
            case m.Data():
                return self._data(message)
            case m.Live(_, offset):
                return [UpToDate(offset)]
            case m.Subscribed():
                return self._subscribed(message)
            case m.Waiting(_, _, offset):
                self._stands(offset)
                return [Absent()]
            case m.Gap(from_=start, to=end, o=offset, why=why):
                return [Gap(start, end, offset, why or "slow")]
            case m.Signal() | m.Presence():
                return [Heard(_line(piece.told.raw))]
            case m.Drain(after):
                return [Detached(after, "stopping")]
            case m.Problem():
                head, body = refusal(message)
                return [Refused(problem_of(head.status, body, head.retry_after))]
            case m.End():
                return [_ended(message)]
            case _:
                return [Alive()]

    def finish(self) -> list[Told]:
        """See `Way.finish`."""
        raise Truncated("the connection ended before the end of the stream was told")

    def _stands(self, offset: str) -> None:
        if self._place.offset == NOW:
            self._place.offset = offset

    def _subscribed(self, message: m.Subscribed) -> list[Told]:
        self._stands(message.from_)
        if self._codec is not None:
            return [Alive()]
        self._codec = self._codec_of(message.type)
        return [Made(message.type, message.from_)]

    def _data(self, message: m.Data) -> list[Told]:
        codec = self._codec
        if codec is None:
            raise BadAnswer("the server sent records before it said of what type they are")
        last = message.o
        offsets = [*(last[: len(last) - len(end)] + end for end in message.e or ()), last]
        records = _records(message, codec)
        known = {len(each) for each in (records, message.at, message.by) if each}
        if known != {len(offsets)}:
            raise BadAnswer("the server sent records and offsets that are not as many")
        items: list[Item[T]] = []
        told: list[Told] = []
        times: Sequence[float | None] = message.at or [None] * len(offsets)
        writers = message.by or [None] * len(offsets)
        try:
            for raw, offset, at, by in zip(records, offsets, times, writers, strict=True):
                items.append(make_item(codec, raw, offset, at, by))
        except BadRecord as error:
            told = [Bad(error)]
        return [*([Batch(items, items[-1].offset)] if items else []), *told]


def _records(message: m.Data, codec: Codec[Any]) -> list[bytes]:
    if message.r is None:
        return message.b or []
    if codec.is_json:
        return [bytes(each) for each in message.r]
    return [msgspec.json.decode(each, type=str).encode() for each in message.r]


def _line(raw: bytes) -> bytes:
    """A signal, or who is there, as a line of NDJSON."""
    found = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    kind = msgspec.json.decode(found["t"])
    return msgspec.json.encode({"control": kind, **{name: value for name, value in found.items() if name not in _OURS}})


def _ended(message: m.End) -> Told:
    match message.why:
        case "closed":
            return Closed(message.o)
        case "failed":
            return Failed(message.o, message.code, message.message)
        case "detached":
            return Detached(message.after or None, message.code or "slow")
        case "left":
            return Detached()
        case "deleted":
            return Refused(_error(404, message.code or "stream-not-found", message.message or "the stream was deleted"))
        case "forbidden":
            return Refused(_error(403, message.code or "refused", message.message or "it may not be read any more"))
        case _:
            return Refused(_error(500, message.code, message.message))


def _error(status: int, code: str, detail: str) -> HeadwaterError:
    return problem_of(status, msgspec.json.encode({"code": code, "detail": detail}))
