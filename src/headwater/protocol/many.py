"""Requests that read many streams: GET with a query, POST with a JSON body.

    GET  -/many?slow=replay&last=20&stream=jobs/7&offset=OFFSET&stream=rooms/*
    POST -/many?slow=replay  {"streams": {"jobs/7": "OFFSET", "rooms/*": {"last": 20}}, "cursor": "..."}

Rule 1: `offset` and `last` belong to the stream before them; before the first one they are for all that say nothing.
Rule 2: an exact name wins over a pattern, and no name comes twice.
Rule 3: a cursor wins over `offset` and `last`: these say where a read begins that was never there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import msgspec

from headwater.errors import BadRequest, HeadwaterError, TooManyStreams
from headwater.model import BEGINNING, Last, SlowPolicy
from headwater.protocol import names
from headwater.protocol.accept import accepted
from headwater.protocol.headers import Headers
from headwater.protocol.heartbeat import asked_heartbeat
from headwater.protocol.many_events import EventsOfMany, LinesOfMany
from headwater.protocol.offsets import check_offset
from headwater.protocol.paths import MAX_PATH_BYTES, NOTHING_PRIVATE, PrivatePaths, check_path
from headwater.protocol.patterns import check_pattern, is_pattern, literal_prefix
from headwater.protocol.presence.requests import wants_presence
from headwater.protocol.query import decoded, last_of
from headwater.protocol.requests import last_event_id, reader_name, slow_policy, text
from headwater.protocol.signals import wants_signals
from headwater.protocol.vector import Vector, decode_vector

#: Names in the query of one GET.
MAX_BY_GET: Final = 32
#: Names in one POST, and streams on one read, whatever its patterns match.
MAX_STREAMS: Final = 1000

#: Names that were looked at, and are not again.
_REMEMBERED: Final = 1024
_STREAM: Final = "stream"
_PARAMETERS: Final = frozenset(
    {
        _STREAM,
        names.QUERY_OFFSET,
        names.QUERY_LAST,
        names.QUERY_LAST_BYTES,
        names.QUERY_BEFORE,
        names.QUERY_SLOW,
        names.QUERY_READER,
        names.QUERY_ENVELOPE,
        names.QUERY_LIVE,
        names.QUERY_SIGNALS,
        names.QUERY_PRESENCE,
        names.QUERY_HEARTBEAT,
        names.QUERY_LAST_EVENT_ID,
        names.QUERY_LAST_EVENT_ID_TOO,
    }
)
_START: Final = (names.QUERY_OFFSET, names.QUERY_LAST, names.QUERY_LAST_BYTES)
_FOR_ALL: Final = (
    names.QUERY_SLOW,
    names.QUERY_READER,
    names.QUERY_ENVELOPE,
    names.QUERY_LIVE,
    names.QUERY_SIGNALS,
    names.QUERY_PRESENCE,
    names.QUERY_HEARTBEAT,
)


class Wanted(msgspec.Struct, frozen=True):
    """A stream or a pattern, and where it begins."""

    name: str
    start: str | Last = BEGINNING

    @property
    def is_pattern(self) -> bool:
        """Whether it stands for all streams that match."""
        return is_pattern(self.name)


class ReadMany(msgspec.Struct, frozen=True):
    """A read of many streams.

    Attributes:
        wanted: names in their order.
        places: where the reader was before; None: it is new.
        as_events: Server-Sent Events; False: NDJSON.
        live: it goes on; False: one page of all.
        envelope: records have the time of their append.
        slow: what the reader gets when it was slow; None: as each stream says.
        reader: what the client calls itself.
        signals: of its streams are told, too.
        presence: who is at its streams is told, too.
        heartbeat: seconds of silence before a heartbeat; 0: the server's own.
    """

    wanted: tuple[Wanted, ...]
    places: Vector | None = None
    as_events: bool = False
    live: bool = True
    envelope: bool = False
    slow: SlowPolicy | None = None
    reader: str | None = None
    signals: bool = False
    presence: bool = False
    heartbeat: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """What is asked for, in its order."""
        return tuple(each.name for each in self.wanted)

    @property
    def media_type(self) -> bytes:
        """Of the response."""
        return EventsOfMany.media_type if self.as_events else LinesOfMany.media_type


class Names(msgspec.Struct, frozen=True):
    """What a name in such a request may be.

    Attributes:
        max_path_bytes: limit of a stream's path.
        private: what no request may name.
    """

    max_path_bytes: int = MAX_PATH_BYTES
    private: PrivatePaths = NOTHING_PRIVATE

    def check(self, name: str) -> bool:
        """Refuse a name that no stream has, or none that is served; gives whether it is a pattern.

        Raises:
            BadRequest, InvalidPath, PathTooLong, StreamPrivate: it may not be.
        """
        try:
            found = _is_pattern(name, self.max_path_bytes)
            self.private.check(literal_prefix(name).rstrip("/") if found else name)
        except HeadwaterError as error:
            error.details["stream"] = _shown(name)
            raise
        return found


@lru_cache(_REMEMBERED)
def _is_pattern(name: str, most_bytes: int) -> bool:
    """Whether a name is a pattern; many clients name the same streams.

    Raises:
        BadRequest, InvalidPath, PathTooLong: no stream has such a name.
    """
    found = is_pattern(name)
    if found:
        check_pattern(name)
    check_path(name, maximum=most_bytes)
    return found


def parse_get(query: bytes, headers: Headers, names_allowed: Names) -> ReadMany:
    """The read that a GET asks for.

    Args:
        query: as sent.
        headers: of the request.
        names_allowed: what a name may be.

    Raises:
        BadRequest and its kinds, PathTooLong, StreamPrivate: the request is malformed.
        TooManyStreams: more than `MAX_BY_GET`.
        InvalidOffset: an offset is none, or `Last-Event-ID` is of another read.
    """
    fields = _fields(query)
    groups: list[tuple[str, dict[str, str]]] = []
    common: dict[str, str] = {}
    for name, value in fields:
        if name == _STREAM:
            groups.append((value, {}))
        elif name in _START and groups:
            _set(groups[-1][1], name, value)
        elif name == names.QUERY_BEFORE:
            raise BadRequest("?before= is for pages of one stream; here a stream begins at offset, last or last_bytes")
        else:
            _set(common, name, value)
    if len(groups) > MAX_BY_GET:
        raise TooManyStreams(f"{len(groups)} streams by GET; the limit is {MAX_BY_GET}, and {MAX_STREAMS} by POST")
    default = _start(common)
    wanted = [Wanted(stream, _start(own) if own else default) for stream, own in groups]
    return _read(wanted, last_event_id(headers, common), common, headers, names_allowed)


def parse_post(query: bytes, body: bytes, headers: Headers, names_allowed: Names) -> ReadMany:
    """The read that a POST asks for.

    Args:
        query: as sent; `slow`, `reader`, `envelope` and `live` stand there.
        body: a JSON object: `streams`, an object that gives each name its offset, null, or an object with `offset`,
            `last` or `last_bytes`; `cursor`, of a read that was cut.
        headers: of the request.
        names_allowed: what a name may be.

    Raises:
        see `parse_get`; TooManyStreams: more than `MAX_STREAMS`.
    """
    common: dict[str, str] = {}
    for name, value in _fields(query):
        if name not in _FOR_ALL:
            raise BadRequest(f"?{name}= is for GET; a POST has streams, offsets and the cursor in its body")
        _set(common, name, value)
    given = _json(body)
    streams, cursor = given.get("streams"), given.get("cursor")
    if not isinstance(streams, dict) or not (cursor is None or isinstance(cursor, str)) or given.keys() - _BODY:
        raise BadRequest('the body is a JSON object: {"streams": {"jobs/7": "OFFSET", ...}, "cursor": "..."}')
    if len(streams) > MAX_STREAMS:
        raise TooManyStreams(f"{len(streams)} streams; the limit is {MAX_STREAMS}")
    wanted = [Wanted(name, _start_of(name, value)) for name, value in streams.items()]
    return _read(wanted, cursor, common, headers, names_allowed)


_BODY: Final = frozenset({"streams", "cursor"})


def _read(
    wanted: list[Wanted], cursor: str | None, common: Mapping[str, str], headers: Headers, names_allowed: Names
) -> ReadMany:
    if not wanted:
        raise BadRequest("the request names no stream: ?stream=jobs/7&stream=rooms/*")
    seen: set[str] = set()
    for each in wanted:
        names_allowed.check(each.name)
        if each.name in seen:
            raise BadRequest(f"the stream {each.name[:80]!r} is named twice; one read gives each stream once")
        seen.add(each.name)
    envelope, live = common.get(names.QUERY_ENVELOPE), common.get(names.QUERY_LIVE)
    if envelope not in (None, "1"):
        raise BadRequest(f"?envelope= takes 1, not {envelope[:40]!r}")
    if live not in (None, "true", "false"):
        raise BadRequest(f"?live= of many streams takes true or false, not {live[:40]!r}")
    asked = tuple(wanted)
    is_live = live != "false"
    return ReadMany(
        asked,
        None if cursor is None else decode_vector(cursor, [each.name for each in asked]),
        as_events=is_live and accepted(text(headers, names.ACCEPT) or "").name == EventsOfMany.media_type,
        live=is_live,
        envelope=envelope is not None,
        slow=slow_policy(common.get(names.QUERY_SLOW)),
        reader=reader_name(common.get(names.QUERY_READER)),
        signals=wants_signals(common.get(names.QUERY_SIGNALS), has_place=is_live),
        presence=wants_presence(common.get(names.QUERY_PRESENCE), has_place=is_live, may_join=False),
        heartbeat=asked_heartbeat(common.get(names.QUERY_HEARTBEAT), is_live=is_live),
    )


def _fields(query: bytes) -> list[tuple[str, str]]:
    """Our parameters in their order; all others are let through unread, as everywhere."""
    found = []
    for part in query.split(b"&"):
        raw_name, _, value = part.partition(b"=")
        try:
            name = unquote_to_bytes(raw_name).decode("ascii")
        except UnicodeDecodeError:
            continue
        if name in _PARAMETERS:
            found.append((name, decoded(name, value)))
    return found


def _set(fields: dict[str, str], name: str, value: str) -> None:
    if name in fields:
        raise BadRequest(f"{name} is given twice for the same stream, or twice for all")
    fields[name] = value


def _start(fields: Mapping[str, str]) -> str | Last:
    offset, records, size = (fields.get(name) for name in _START)
    if records is None and size is None:
        return BEGINNING if offset is None else check_offset(offset)
    if offset is not None:
        raise BadRequest("give offset, or last or last_bytes: each says where to begin")
    return last_of(records, size)


def _start_of(name: str, value: Any) -> str | Last:
    if value is None:
        return BEGINNING
    if isinstance(value, str):
        return _start({names.QUERY_OFFSET: value})
    if isinstance(value, dict) and value.keys() <= set(_START):
        is_right = all(
            isinstance(given, str) if key == names.QUERY_OFFSET else type(given) is int for key, given in value.items()
        )
        if is_right:
            return _start({key: str(given) for key, given in value.items()})
    raise BadRequest(
        f"the value of {name[:80]!r} is an offset, null, or an object with offset, last or last_bytes",
        stream=_shown(name),
    )


def _shown(name: str) -> str:
    """A name in an answer, which is Unicode; one of JSON may have halves of surrogate pairs."""
    return name[:80].encode(errors="replace").decode()


def _json(body: bytes) -> dict[str, Any]:
    """The body; a name that comes twice in an object is refused, which most readers of JSON let pass."""
    try:
        found = json.loads(body.decode(), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"the body is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise BadRequest('the body is a JSON object: {"streams": {"jobs/7": "OFFSET", ...}, "cursor": "..."}')
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise BadRequest(f"the body has {twice[:80]!r} twice; one read gives each stream once")
    return found
