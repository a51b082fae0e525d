"""HTTP requests into commands: everything a request's head can say, checked here and nowhere else.

Rule: a command is complete but for the body, which the driver reads up to its limit and hands over beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

from headwater.errors import BadRequest, InvalidOffset, InvalidProducer, MethodNotAllowed, UnsupportedCoding
from headwater.model import BEGINNING, Failure, ForkPoint, Last, Mode, Principal, Producer, SlowPolicy, StreamConfig
from headwater.protocol import names
from headwater.protocol.accept import accepted
from headwater.protocol.commands import Command, Create, Delete, Inspect, Preflight, Read, Undecided, Write
from headwater.protocol.expiry import parse_expiry, parse_integer, parse_retention
from headwater.protocol.failure import parse_failure
from headwater.protocol.framing import check_body, check_content_type
from headwater.protocol.headers import Headers
from headwater.protocol.heartbeat import asked_heartbeat
from headwater.protocol.hosts import path_of_url
from headwater.protocol.ledger import Append
from headwater.protocol.offsets import check_offset
from headwater.protocol.paths import (
    MAX_PATH_BYTES,
    NOTHING_PRIVATE,
    PrivatePaths,
    check_encoding,
    strip_prefix,
)
from headwater.protocol.preconditions import Condition, parse_condition
from headwater.protocol.presence.requests import joins_of, wants_presence
from headwater.protocol.producers import MAX_INTEGER
from headwater.protocol.query import parse_last, parse_query
from headwater.protocol.signals import wants_signals
from headwater.protocol.slow import REPLAY, parse_slow
from headwater.protocol.urls import stream_at

__all__ = [
    "Command",
    "Create",
    "Delete",
    "Inspect",
    "Preflight",
    "Read",
    "Undecided",
    "Write",
    "append_of",
    "check_coding",
    "check_write",
    "content_type_of",
    "last_event_id",
    "parse_request",
    "reader_name",
    "slow_policy",
    "text",
    "wants_closed",
]

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS")
#: Characters of a producer id, a Stream-Seq or an event key.
MAX_TOKEN: Final = 256
#: Characters of the name that a reader gives itself.
MAX_READER_NAME: Final = 64

_FORK_HEADERS: Final = (names.STREAM_FORKED_FROM, names.STREAM_FORK_OFFSET, names.STREAM_FORK_SUB_OFFSET)
_LIVE_MODES: Final = {"long-poll": Mode.LONG_POLL, "sse": Mode.SSE}


def parse_request(
    method: str,
    path: str,
    query: bytes,
    headers: Headers,
    *,
    prefixes: tuple[str, ...] = (),
    max_path_bytes: int = MAX_PATH_BYTES,
    private: PrivatePaths = NOTHING_PRIVATE,
    content_type: str | None = None,
) -> Command | Undecided:
    """The command of a request to a stream's URL.

    Args:
        method: upper case.
        path: of the URL, decoded, without the server's prefix: the stream's path.
        query: the query string, as sent.
        headers: as `headers.collect` gives them.
        prefixes: what precedes a stream's path in a URL, for `Stream-Forked-From`.
        max_path_bytes: limit of a stream's path.
        private: what no request may name.
        content_type: the stream's own, if known: some values of `Accept` need it.

    Raises:
        BadRequest and its kinds, PathTooLong: the request is malformed.
        StreamPrivate: it names what is private.
        RouteNotFound: the URL is one of those that are reserved; see `urls`.
        UnsupportedCoding: the body is coded.
        MethodNotAllowed: no such method here.
    """
    path = stream_at(path, maximum=max_path_bytes, private=private)
    match method:
        case "POST":
            check_coding(headers)
            return _parse_write(path, headers)
        case "GET":
            return _parse_read(path, query, headers, content_type)
        case "PUT":
            check_coding(headers)
            create = _parse_create(path, headers, prefixes, max_path_bytes)
            if create.config.fork is not None:
                private.check(create.config.fork.source)
            return create
        case "HEAD":
            return Inspect(path)
        case "DELETE":
            return Delete(path, _condition(headers))
        case "OPTIONS":
            return Preflight(path)
    raise MethodNotAllowed(f"{method[:20]!r} is not a method of streams", allow=", ".join(METHODS))


def text(headers: Headers, name: bytes) -> str | None:
    """A header's value as text; None: not sent.

    Raises:
        BadRequest: it is not UTF-8, or has a control character.
    """
    value = headers.get(name)
    if value is None:
        return None
    try:
        decoded = value.decode()
    except UnicodeDecodeError:
        decoded = "\0"
    if not decoded.isprintable():
        raise BadRequest(f"the header {name.decode()} has characters that are not allowed")
    return decoded


def last_event_id(headers: Headers, query: Mapping[str, str]) -> str | None:
    """Where a client of an event stream was before, by its header or else by a parameter; None: nowhere.

    Raises:
        BadRequest: the header has characters that are not allowed.
    """
    return (
        text(headers, names.LAST_EVENT_ID)
        or query.get(names.QUERY_LAST_EVENT_ID)
        or query.get(names.QUERY_LAST_EVENT_ID_TOO)
        or None
    )


def wants_closed(headers: Headers) -> bool:
    """Whether `Stream-Closed` is `true`, in any case; every other value counts as absent (section 4.1)."""
    return headers.get(names.STREAM_CLOSED, b"").lower() == b"true"


def content_type_of(headers: Headers) -> str | None:
    """The body's type; None: not sent.

    Raises:
        BadRequest: it is none.
    """
    value = headers.get(names.CONTENT_TYPE)
    if not value:
        return None
    return check_content_type(value.decode("latin-1"))


def check_coding(headers: Headers) -> None:
    """Refuse a coded body: stored as it is, it would be served as what `Content-Type` says.

    Raises:
        UnsupportedCoding: it is one.
    """
    coding = text(headers, names.CONTENT_ENCODING) or ""
    if any(part.strip(" \t").lower() not in ("", "identity") for part in coding.split(",")):
        raise UnsupportedCoding(f"the body has the content coding {coding[:80]!r}", accept_encoding="identity")


def _parse_write(path: str, headers: Headers) -> Write:
    failure = _failure(headers)
    return Write(
        path,
        content_type=content_type_of(headers),
        producer=_producer(headers),
        seq=_token(headers, names.STREAM_SEQ),
        close=wants_closed(headers) or failure is not None,
        failure=failure,
        condition=_condition(headers),
        create=_config(headers, None) if _creates(headers) else None,
    )


def _creates(headers: Headers) -> bool:
    """Whether an append may create its stream. Ours, so that a slip is told, other than in `Stream-Closed`."""
    value = (text(headers, names.STREAM_CREATE) or "").lower()
    if value not in ("", "true", "false"):
        raise BadRequest(f"Stream-Create must be true or false, not {value[:40]!r}")
    if value == "true" and any(name in headers for name in _FORK_HEADERS):
        raise BadRequest("an append cannot create a fork: use PUT for Stream-Forked-From")
    return value == "true"


def _condition(headers: Headers) -> Condition | None:
    if names.IF_MATCH not in headers and names.IF_NONE_MATCH not in headers:
        return None
    return parse_condition(text(headers, names.IF_MATCH), text(headers, names.IF_NONE_MATCH))


def _failure(headers: Headers) -> Failure | None:
    """A failure closes the stream, with or without `Stream-Closed`."""
    if names.STREAM_FAILURE not in headers and names.STREAM_FAILURE_MESSAGE not in headers:
        return None
    return parse_failure(text(headers, names.STREAM_FAILURE), text(headers, names.STREAM_FAILURE_MESSAGE))


def check_write(command: Write, body: bytes) -> None:
    """What can only be checked with the body at hand (section 5.2).

    Raises:
        BadRequest: an empty body that closes nothing, or a body without a content type.
    """
    check_body(body, close=command.close)
    if body and command.content_type is None:
        raise BadRequest("a body needs a Content-Type")


def append_of(command: Write, body: bytes, by: Principal | None) -> Append:
    """What the stores are asked for; `by` is who the request is proven to be of, and nothing that it says."""
    return Append(
        body,
        command.content_type,
        command.producer,
        command.seq,
        command.close,
        command.failure,
        command.condition,
        command.create,
        by=by,
    )


def _token(headers: Headers, name: bytes) -> str | None:
    value = text(headers, name)
    if value is not None and not 0 < len(value) <= MAX_TOKEN:
        raise BadRequest(f"{name.decode()} must have 1 to {MAX_TOKEN} characters")
    return value


def _producer(headers: Headers) -> Producer | None:
    values = [headers.get(name) for name in (names.PRODUCER_ID, names.PRODUCER_EPOCH, names.PRODUCER_SEQ)]
    if values == [None, None, None]:
        return None
    if None in values:
        raise InvalidProducer("Producer-Id, Producer-Epoch and Producer-Seq must be sent together")
    return Producer(
        _token(headers, names.PRODUCER_ID) or "",
        parse_integer(text(headers, names.PRODUCER_EPOCH) or "", name="Producer-Epoch", maximum=MAX_INTEGER),
        parse_integer(text(headers, names.PRODUCER_SEQ) or "", name="Producer-Seq", maximum=MAX_INTEGER),
    )


def _parse_create(path: str, headers: Headers, prefixes: tuple[str, ...], max_path_bytes: int) -> Create:
    config = _config(headers, _fork(headers, prefixes, max_path_bytes))
    return Create(path, config, wants_closed(headers), _condition(headers))


def _config(headers: Headers, fork: ForkPoint | None) -> StreamConfig:
    return StreamConfig(
        content_type=content_type_of(headers),
        expiry=parse_expiry(text(headers, names.STREAM_TTL), text(headers, names.STREAM_EXPIRES_AT)),
        retention=parse_retention(text(headers, names.STREAM_RETENTION)),
        fork=fork,
        slow=slow_policy(text(headers, names.STREAM_SLOW)) or REPLAY,
    )


def _fork(headers: Headers, prefixes: tuple[str, ...], max_path_bytes: int) -> ForkPoint | None:
    source = text(headers, names.STREAM_FORKED_FROM)
    offset = text(headers, names.STREAM_FORK_OFFSET)
    sub_offset = text(headers, names.STREAM_FORK_SUB_OFFSET)
    if source is None:
        if offset is not None or sub_offset is not None:
            raise BadRequest("Stream-Fork-Offset and Stream-Fork-Sub-Offset need Stream-Forked-From")
        return None
    url_path = path_of_url(source, headers.get(names.HOST, b""))
    check_encoding(url_path.encode())
    source_path = stream_at(strip_prefix(unquote(url_path), prefixes), maximum=max_path_bytes)
    count = 0
    if sub_offset is not None:
        count = parse_integer(sub_offset, name="Stream-Fork-Sub-Offset", maximum=MAX_INTEGER)
        if count and offset is None:
            raise BadRequest("Stream-Fork-Sub-Offset needs Stream-Fork-Offset")
    return ForkPoint(source_path, None if offset is None else check_offset(offset), count)


def _parse_read(path: str, query: bytes, headers: Headers, content_type: str | None) -> Read | Undecided:
    fields = parse_query(query)
    mode, name = _mode(fields.get(names.QUERY_LIVE), headers, content_type)
    if mode is None:
        return Undecided(path, names.QUERY_PRESENCE in fields)
    offset, last = fields.get(names.QUERY_OFFSET), parse_last(fields, live=mode is not Mode.CATCH_UP)
    resumed, has_place = False, mode in (Mode.EVENTS, Mode.NDJSON)
    if mode is Mode.EVENTS and (event_id := last_event_id(headers, fields)):
        offset, last, resumed = event_id, None, True
    if offset is None and last is None and mode in (Mode.LONG_POLL, Mode.SSE):
        raise InvalidOffset(f"live={mode.value} needs an offset")
    return Read(
        path,
        check_offset(BEGINNING if offset is None else offset),
        mode,
        resumed=resumed,
        cursor=fields.get(names.QUERY_CURSOR),
        if_none_match=text(headers, names.IF_NONE_MATCH),
        event_key=_event_key(fields.get(names.QUERY_EVENT)),
        as_json=mode is Mode.EVENTS and _as_json(fields.get(names.QUERY_DATA)),
        slow=slow_policy(fields.get(names.QUERY_SLOW)),
        reader=reader_name(fields.get(names.QUERY_READER)),
        accept_encoding=text(headers, names.ACCEPT_ENCODING),
        media_type=name,
        last=last,
        envelope=_envelope(fields.get(names.QUERY_ENVELOPE), mode, last),
        waits=_waits(fields.get(names.QUERY_MISSING), mode),
        signals=wants_signals(fields.get(names.QUERY_SIGNALS), has_place=has_place),
        presence=wants_presence(fields.get(names.QUERY_PRESENCE), has_place=has_place),
        joins=joins_of(fields),
        heartbeat=asked_heartbeat(fields.get(names.QUERY_HEARTBEAT), is_live=has_place or mode is Mode.SSE),
    )


def _as_json(value: str | None) -> bool:
    if value not in (None, "json"):
        raise BadRequest(f"?data= takes json, not {value[:40]!r}")
    return value is not None


def _envelope(value: str | None, mode: Mode, last: Last | None) -> bool:
    if value is None:
        return False
    if value != "1":
        raise BadRequest(f"?envelope= takes 1, not {value[:40]!r}")
    is_page = mode is Mode.CATCH_UP and last is not None
    if mode not in (Mode.EVENTS, Mode.NDJSON) and not is_page:
        raise BadRequest(
            "?envelope=1 is for plain SSE and NDJSON, for which Accept asks, and for pages; other forms have no place "
            "for it"
        )
    return True


def _waits(value: str | None, mode: Mode) -> bool:
    if value is None:
        return False
    if value != "wait":
        raise BadRequest(f"?missing= takes wait, not {value[:40]!r}")
    # Forms of the protocol stay as it says: 404 where there is no stream.
    return mode in (Mode.EVENTS, Mode.NDJSON, Mode.LONG_POLL)


def slow_policy(value: str | None) -> SlowPolicy | None:
    """What a slow reader gets, as a request says; None: it says nothing.

    Raises:
        BadRequest: there is no such policy.
    """
    return None if value is None else parse_slow(value)


def _event_key(value: str | None) -> str | None:
    if value and len(value) > MAX_TOKEN:
        raise BadRequest(f"event must have 1 to {MAX_TOKEN} characters")
    return value or None


def reader_name(value: str | None) -> str | None:
    """What a client calls itself; None: nothing.

    Raises:
        BadRequest: it is too long, or has characters that are not printable.
    """
    if value and (len(value) > MAX_READER_NAME or not value.isprintable()):
        raise BadRequest(f"reader must have 1 to {MAX_READER_NAME} printable characters")
    return value or None


def _mode(live: str | None, headers: Headers, content_type: str | None) -> tuple[Mode | None, bytes | None]:
    """The form, None: it depends on the stream's type; and the name by which it was asked for."""
    if live is not None:
        if live not in _LIVE_MODES:
            raise BadRequest(f"live must be long-poll or sse, not {live[:40]!r}")
        return _LIVE_MODES[live], None
    value = text(headers, names.ACCEPT)
    if not value:
        return Mode.CATCH_UP, None
    found = accepted(value)
    mode = found.always if content_type is None else found.mode(content_type)
    return mode, None if mode is Mode.CATCH_UP else found.name
