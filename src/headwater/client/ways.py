"""Transports as requests and answers: what is asked, and what the bytes tell. No I/O.

Rule: a wire format is loaded when it is read.

A way belongs to one connection. `begin` takes the head of the answer, `feed` its bytes and `finish` its end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol
from urllib.parse import unquote

import msgspec

from headwater.client.codec import Codec
from headwater.client.errors import BadAnswer, Truncated
from headwater.client.told import Bad, Closed, Detached, Failed, Told, UpToDate
from headwater.model import BEGINNING, NOW
from headwater.protocol import names

Headers = Mapping[str, str]

_NEXT: Final = names.STREAM_NEXT_OFFSET.decode()
_UP_TO_DATE: Final = names.STREAM_UP_TO_DATE.decode()
_CLOSED: Final = names.STREAM_CLOSED.decode()
_CURSOR: Final = names.STREAM_CURSOR.decode()
_FAILURE: Final = names.STREAM_FAILURE.decode()
_MESSAGE: Final = names.STREAM_FAILURE_MESSAGE.decode()
_ENCODING: Final = names.STREAM_SSE_DATA_ENCODING.decode()


class Place(msgspec.Struct):
    """Where a request begins, and what goes with it.

    Attributes:
        offset: an offset, `-1` or `now`.
        cursor: of caches, as the last answer told it.
        came: a record was received, so that an event stream has a last event id.
        pages: where the pages that lie behind each other began, how much they held, and where they ended.
        fresh: a cache has answered another request than was sent: it is to be asked past.
        query: further parameters.
    """

    offset: str
    cursor: str | None = None
    came: bool = False
    query: dict[str, str] = {}
    pages: tuple[str, int, str] = ("", 0, "")
    fresh: bool = False


class Way(Protocol):
    """One connection by one transport."""

    def query(self, place: Place) -> dict[str, str]:
        """The parameters of the request."""
        ...

    def headers(self, place: Place) -> dict[str, str]:
        """The headers of the request."""
        ...

    def begin(self, status: int, headers: Headers) -> list[Told]:
        """Take the head of an answer that is no error.

        Raises:
            BadAnswer: it is not what was asked for.
        """
        ...

    def feed(self, chunk: bytes) -> list[Told]:
        """Take bytes and give what they complete."""
        ...

    def finish(self) -> list[Told]:
        """Take the end of the answer.

        Raises:
            Truncated: it has none that was told.
        """
        ...


class _Live:
    """What is common to answers that do not end by themselves."""

    accept = ""
    _wire: Any

    def query(self, place: Place) -> dict[str, str]:
        return {names.QUERY_OFFSET: place.offset, **place.query}

    def headers(self, place: Place) -> dict[str, str]:
        return {"accept": self.accept}

    def begin(self, status: int, headers: Headers) -> list[Told]:
        if status == 204:  # who comes back to the end of a closed stream
            return [_ended(headers)]
        check_type(headers, self.accept)
        return []

    def feed(self, chunk: bytes) -> list[Told]:
        return self._wire.feed(chunk)  # type: ignore[no-any-return]

    def finish(self) -> list[Told]:
        raise Truncated("the answer ended before its end was told")


class NdjsonWay(_Live):
    """NDJSON."""

    accept = "application/x-ndjson"

    def __init__(self, codec: Codec[Any], *, envelope: bool = False) -> None:
        from headwater.client.wires.ndjson import JsonLines

        self._wire = JsonLines(codec, envelope=envelope)


class EventsWay(_Live):
    """Plain event streams."""

    accept = "text/event-stream"

    def __init__(self, codec: Codec[Any], *, envelope: bool = False) -> None:
        from headwater.client.wires.events import Events

        self._wire = Events(codec, envelope=envelope)

    def headers(self, place: Place) -> dict[str, str]:
        """See `Way.headers`."""
        last = {names.LAST_EVENT_ID.decode(): place.offset} if place.came else {}
        return {"accept": self.accept, **last}


class ControlWay(_Live):
    """`live=sse` of the protocol."""

    accept = "text/event-stream"

    def __init__(self, codec: Codec[Any], place: Place) -> None:
        from headwater.client.wires.control_events import ControlEvents

        self._codec = codec
        self._place = place
        self._events = ControlEvents
        self._wire = ControlEvents(codec, place.offset, base64=not codec.is_text)

    def query(self, place: Place) -> dict[str, str]:
        """See `Way.query`."""
        cursor = {names.QUERY_CURSOR: place.cursor} if place.cursor else {}
        slow = {name: value for name, value in place.query.items() if name == names.QUERY_SLOW}
        return {names.QUERY_OFFSET: place.offset, names.QUERY_LIVE: "sse", **cursor, **slow}

    def begin(self, status: int, headers: Headers) -> list[Told]:
        """See `Way.begin`."""
        told = super().begin(status, headers)
        if (encoding := headers.get(_ENCODING)) is not None:
            self._wire = self._events(self._codec, self._place.offset, base64=encoding == "base64")
        return told

    def feed(self, chunk: bytes) -> list[Told]:
        """See `Way.feed`."""
        told = super().feed(chunk)
        self._place.cursor = self._wire.cursor or self._place.cursor
        return told

    def finish(self) -> list[Told]:
        """The server ends these by a plan, which it has no word for."""
        return [Detached()]


class PageWay:
    """What there is, as one body; with `live=long-poll` the server waits until there is something.

    Args:
        codec: makes values of records.
        place: where it begins.
        live: wait for what comes.
    """

    def __init__(self, codec: Codec[Any], place: Place, *, live: bool) -> None:
        self._codec = codec
        self._place = place
        self._live = live
        self._body: list[bytes] = []
        self._head: Headers = {}
        self._status = 200

    def query(self, place: Place) -> dict[str, str]:
        """See `Way.query`."""
        if not self._live:
            return {names.QUERY_OFFSET: place.offset}
        cursor = {names.QUERY_CURSOR: place.cursor} if place.cursor else {}
        waits = {name: value for name, value in place.query.items() if name == names.QUERY_MISSING}
        return {names.QUERY_OFFSET: place.offset, names.QUERY_LIVE: "long-poll", **cursor, **waits}

    def headers(self, place: Place) -> dict[str, str]:
        """See `Way.headers`."""
        return {"accept": "*/*", **({"cache-control": "no-cache"} if place.fresh else {})}

    def begin(self, status: int, headers: Headers) -> list[Told]:
        """See `Way.begin`."""
        self._head, self._status = headers, status
        if _NEXT not in headers and not (status == 204 and headers.get(_CLOSED) == "true"):
            raise BadAnswer(f"the answer has no {_NEXT}: it is not a stream's")
        if status != 204:
            check_type(headers, self._codec.content_type)
        return []

    def feed(self, chunk: bytes) -> list[Told]:
        """See `Way.feed`."""
        self._body.append(chunk)
        return []

    def finish(self) -> list[Told]:
        """See `Way.finish`."""
        head, begin = self._head, self._place.offset
        end = head.get(_NEXT) or begin
        if begin not in (BEGINNING, NOW) and end <= begin:
            told, end = [], begin  # all of it was given before: a cache or a server began too early
        else:
            told = self._new_records(begin, end)
        self._place.cursor = head.get(_CURSOR) or self._place.cursor
        if _CLOSED in head or _FAILURE in head:
            told.append(_ended(head))
        elif head.get(_UP_TO_DATE) == "true":
            told.append(UpToDate(end))
        else:
            told.append(Detached())  # there is more
        return told

    def _new_records(self, begin: str, end: str) -> list[Told]:
        """The records that were not given before: the ETag tells where the page begins, and that may be too early."""
        place, body = self._place, b"".join(self._body)
        origin, size, behind = place.pages
        started = _started(self._head, end) or begin
        if begin in (BEGINNING, NOW) or behind != begin:
            origin, size = (started if begin in (BEGINNING, NOW) else begin), 0
        skip = 0
        if begin not in (BEGINNING, NOW) and (started == BEGINNING or started < begin):
            if started != origin or not size:
                place.fresh = True
                raise BadAnswer(f"the answer begins at {started}, where {begin} was asked for: a cache mixes them up")
            skip = size
        from headwater.client.wires.bodies import size_of

        told = self._records(skip)
        place.pages = origin, size + size_of(self._codec, body[skip:] if skip else body, told), end
        place.fresh = False
        return told

    def items(self) -> list[Any]:
        """The records of a page that is whole.

        Raises:
            BadRecord: one is not of the type that is read.
        """
        return items_of(self._records())

    def _records(self, skip: int = 0) -> list[Told]:
        begin, body = self._place.offset, b"".join(self._body)
        end = self._head.get(_NEXT) or begin
        if not body and self._codec.is_json and self._status == 200:
            raise Truncated("a page of JSON is a list at least; this one has nothing")
        from headwater.client.wires.bodies import split_page

        return split_page(self._codec, body, begin, end, skip)


def items_of(told: list[Told]) -> list[Any]:
    """The records of what was told.

    Raises:
        BadRecord: one is not of the type that is read.
    """
    found: list[Any] = []
    for each in told:
        if isinstance(each, Bad):
            raise each.error
        found += getattr(each, "items", ())
    return found


def _started(headers: Headers, end: str) -> str | None:
    """Where a page begins, by its ETag, which this protocol's servers make of both ends; None: it does not tell."""
    parts = headers.get("etag", "").removeprefix("W/").strip('"').split(":")
    at = parts.index(end) if end in parts else 0
    return parts[at - 1] if at else None


def check_type(headers: Headers, wanted: str) -> None:
    """Refuse an answer of another type.

    Raises:
        BadAnswer: it is one.
    """
    found = headers.get("content-type", "")
    if found.partition(";")[0].strip().lower() != wanted.partition(";")[0].strip().lower():
        raise BadAnswer(f"the answer is {found or 'of no type'}, where {wanted} was asked for")


def _ended(headers: Headers) -> Closed | Failed:
    offset = headers.get(_NEXT, "")
    if (code := headers.get(_FAILURE)) is not None:
        return Failed(offset, code, unquote(headers.get(_MESSAGE, "")))
    return Closed(offset)


def way_of(name: str, codec: Codec[Any], place: Place, *, is_held: bool = False) -> Way:
    """A connection by a transport.

    Args:
        name: `sse`, `ndjson`, `live-sse`, `long-poll`, or `page`.
        codec: makes values of records.
        place: where it begins.
        is_held: a page that is empty is waited for.
    """
    envelope = names.QUERY_ENVELOPE in place.query
    match name:
        case "sse":
            return EventsWay(codec, envelope=envelope)
        case "ndjson":
            return NdjsonWay(codec, envelope=envelope)
        case "live-sse":
            return ControlWay(codec, place)
        case _:
            return PageWay(codec, place, live=is_held)


def over_connection(codec_of: Callable[[str], Codec[Any]], place: Place) -> Way:
    """A subscription on a connection, which says of what type the stream is."""
    from headwater.client.connection.way import MessagesWay  # with the messages of the protocol, which few need

    return MessagesWay(codec_of, place)
