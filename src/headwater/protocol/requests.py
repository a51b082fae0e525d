"""HTTP requests into commands: everything a request's head can say, checked here and nowhere else.

Rule: a command is complete but for the body, which the driver reads up to its limit and hands over beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, unquote

import msgspec

from headwater.errors import BadRequest, InvalidOffset, InvalidProducer, MethodNotAllowed, UnsupportedCoding
from headwater.model import BEGINNING, Failure, ForkPoint, Mode, Producer, SlowPolicy, StreamConfig
from headwater.protocol import names
from headwater.protocol.expiry import parse_expiry, parse_integer, parse_retention
from headwater.protocol.failure import parse_failure
from headwater.protocol.framing import check_content_type, media_type
from headwater.protocol.offsets import check_offset
from headwater.protocol.paths import MAX_PATH_BYTES, NOTHING_PRIVATE, PrivatePaths, check_path, strip_prefix
from headwater.protocol.producing import MAX_INTEGER
from headwater.protocol.slow import REPLAY, parse_slow

#: Header names in lower case to values; of a repeated header, the last one.
Headers = Mapping[bytes, bytes]

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS")
#: Characters of a producer id, a Stream-Seq or an event key.
MAX_TOKEN: Final = 256
#: Parameters of a query string; more is no honest request.
MAX_QUERY_FIELDS: Final = 32
#: Characters of the name that a reader gives itself.
MAX_READER_NAME: Final = 64

_ONCE: Final = (names.QUERY_OFFSET, names.QUERY_LIVE)
_LIVE_MODES: Final = {"long-poll": Mode.LONG_POLL, "sse": Mode.SSE}
_ACCEPT_MODES: Final = {"text/event-stream": Mode.EVENTS, "application/x-ndjson": Mode.NDJSON}


class Create(msgspec.Struct, frozen=True, gc=False):
    """PUT: create a stream or a fork; the body is its first content."""

    path: str
    config: StreamConfig
    closed: bool


class Write(msgspec.Struct, frozen=True, gc=False):
    """POST: append the body, close, or both."""

    path: str
    content_type: str | None
    producer: Producer | None
    seq: str | None
    close: bool
    failure: Failure | None = None


class Read(msgspec.Struct, frozen=True, gc=False):
    """GET: records from an offset on.

    Attributes:
        path: the stream.
        offset: an offset, `-1` or `now`.
        mode: how to answer.
        resumed: the offset came from `Last-Event-ID`: a browser that was here before.
        cursor: the echoed cursor.
        if_none_match: as sent.
        event_key: plain SSE: key of the records that names the events.
        slow: live reads: what the reader gets when it was too slow; None: as the stream says.
        reader: live reads: what the client calls itself.
        accept_encoding: as sent.
    """

    path: str
    offset: str
    mode: Mode
    resumed: bool = False
    cursor: str | None = None
    if_none_match: str | None = None
    event_key: str | None = None
    slow: SlowPolicy | None = None
    reader: str | None = None
    accept_encoding: str | None = None


class Inspect(msgspec.Struct, frozen=True, gc=False):
    """HEAD: the stream's state."""

    path: str


class Delete(msgspec.Struct, frozen=True, gc=False):
    """DELETE: the stream and its data."""

    path: str


class Preflight(msgspec.Struct, frozen=True, gc=False):
    """OPTIONS: what a page from another origin may do."""

    path: str


Command = Create | Write | Read | Inspect | Delete | Preflight


def parse_request(
    method: str,
    path: str,
    query: bytes,
    headers: Headers,
    *,
    prefixes: tuple[str, ...] = (),
    max_path_bytes: int = MAX_PATH_BYTES,
    private: PrivatePaths = NOTHING_PRIVATE,
) -> Command:
    """The command of a request to a stream's URL.

    Args:
        method: upper case.
        path: the stream's path, decoded, without the server's prefix.
        query: the query string, as sent.
        headers: names in lower case.
        prefixes: what precedes a stream's path in a URL, for `Stream-Forked-From`.
        max_path_bytes: limit of a stream's path.
        private: what no request may name.

    Raises:
        BadRequest and its kinds, PathTooLong: the request is malformed.
        StreamPrivate: it names what is private.
        UnsupportedCoding: the body is coded.
        MethodNotAllowed: no such method here.
    """
    check_path(path, maximum=max_path_bytes)
    private.check(path)
    match method:
        case "POST":
            _check_coding(headers)
            return _parse_write(path, headers)
        case "GET":
            return _parse_read(path, query, headers)
        case "PUT":
            _check_coding(headers)
            create = _parse_create(path, headers, prefixes, max_path_bytes)
            if create.config.fork is not None:
                private.check(create.config.fork.source)
            return create
        case "HEAD":
            return Inspect(path)
        case "DELETE":
            return Delete(path)
        case "OPTIONS":
            return Preflight(path)
    raise MethodNotAllowed(f"{method[:20]!r} is not a method of streams", allow=", ".join(METHODS))


def text(headers: Headers, name: bytes) -> str | None:
    """A header's value as text, without surrounding space; None: not sent.

    Raises:
        BadRequest: it is not UTF-8, or has a control character.
    """
    value = headers.get(name)
    if value is None:
        return None
    try:
        decoded = value.decode().strip(" \t")
    except UnicodeDecodeError:
        decoded = "\0"
    if not decoded.isprintable():
        raise BadRequest(f"the header {name.decode()} has characters that are not allowed")
    return decoded


def wants_closed(headers: Headers) -> bool:
    """Whether `Stream-Closed` is `true`, in any case; every other value counts as absent (section 4.1)."""
    return headers.get(names.STREAM_CLOSED, b"").strip().lower() == b"true"


def _content_type(headers: Headers) -> str | None:
    value = headers.get(names.CONTENT_TYPE)
    if not value:
        return None
    return check_content_type(value.decode("latin-1").strip(" \t"))


def _check_coding(headers: Headers) -> None:
    """Coded bodies are refused: stored as they are, they would be served as what `Content-Type` says."""
    coding = text(headers, names.CONTENT_ENCODING)
    if coding and coding.lower() != "identity":
        raise UnsupportedCoding(f"the body has the content coding {coding[:80]!r}", accept_encoding="identity")


def _parse_write(path: str, headers: Headers) -> Write:
    failure = _failure(headers)
    return Write(
        path,
        content_type=_content_type(headers),
        producer=_producer(headers),
        seq=_token(headers, names.STREAM_SEQ),
        close=wants_closed(headers) or failure is not None,
        failure=failure,
    )


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
    if not body and not command.close:
        raise BadRequest("the body is empty, and Stream-Closed: true is not set")
    if body and command.content_type is None:
        raise BadRequest("a body needs a Content-Type")


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
    config = StreamConfig(
        content_type=_content_type(headers),
        expiry=parse_expiry(text(headers, names.STREAM_TTL), text(headers, names.STREAM_EXPIRES_AT)),
        retention=parse_retention(text(headers, names.STREAM_RETENTION)),
        fork=_fork(headers, prefixes, max_path_bytes),
        slow=_slow(text(headers, names.STREAM_SLOW)) or REPLAY,
    )
    return Create(path, config, wants_closed(headers))


def _fork(headers: Headers, prefixes: tuple[str, ...], max_path_bytes: int) -> ForkPoint | None:
    source = text(headers, names.STREAM_FORKED_FROM)
    offset = text(headers, names.STREAM_FORK_OFFSET)
    sub_offset = text(headers, names.STREAM_FORK_SUB_OFFSET)
    if source is None:
        if offset is not None or sub_offset is not None:
            raise BadRequest("Stream-Fork-Offset and Stream-Fork-Sub-Offset need Stream-Forked-From")
        return None
    source_path = check_path(strip_prefix(unquote(source), prefixes), maximum=max_path_bytes)
    count = 0
    if sub_offset is not None:
        count = parse_integer(sub_offset, name="Stream-Fork-Sub-Offset", maximum=MAX_INTEGER)
        if count and offset is None:
            raise BadRequest("Stream-Fork-Sub-Offset needs Stream-Fork-Offset")
    return ForkPoint(source_path, None if offset is None else check_offset(offset), count)


def _parse_read(path: str, query: bytes, headers: Headers) -> Read:
    fields = _query(query)
    mode = _mode(fields.get(names.QUERY_LIVE), headers)
    offset = fields.get(names.QUERY_OFFSET)
    resumed = False
    if mode is Mode.EVENTS and (last := text(headers, names.LAST_EVENT_ID)):
        offset, resumed = last, True
    if offset is None:
        if mode in (Mode.LONG_POLL, Mode.SSE):
            raise InvalidOffset(f"live={mode.value} needs an offset")
        offset = BEGINNING
    return Read(
        path,
        check_offset(offset),
        mode,
        resumed=resumed,
        cursor=fields.get(names.QUERY_CURSOR),
        if_none_match=text(headers, names.IF_NONE_MATCH),
        event_key=fields.get(names.QUERY_EVENT) or None,
        slow=_slow(fields.get(names.QUERY_SLOW)),
        reader=_reader_name(fields.get(names.QUERY_READER)),
        accept_encoding=text(headers, names.ACCEPT_ENCODING),
    )


def _slow(value: str | None) -> SlowPolicy | None:
    return None if value is None else parse_slow(value)


def _reader_name(value: str | None) -> str | None:
    if value and (len(value) > MAX_READER_NAME or not value.isprintable()):
        raise BadRequest(f"reader must have 1 to {MAX_READER_NAME} printable characters")
    return value or None


def _mode(live: str | None, headers: Headers) -> Mode:
    if live is not None:
        if live not in _LIVE_MODES:
            raise BadRequest(f"live must be long-poll or sse, not {live[:40]!r}")
        return _LIVE_MODES[live]
    for part in (text(headers, names.ACCEPT) or "").split(","):
        mode = _ACCEPT_MODES.get(media_type(part))
        if mode is not None:
            return mode
    return Mode.CATCH_UP


def _query(query: bytes) -> dict[str, str]:
    """Query parameters; unknown ones are let through unread (section 11.1), ours must come once."""
    if not query:
        return {}
    try:
        pairs = parse_qsl(
            query.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_QUERY_FIELDS, errors="strict"
        )
    except ValueError:
        raise BadRequest("the query string is not URL-encoded UTF-8, or has too many parameters") from None
    fields = dict(pairs)
    if len(fields) < len(pairs) and any([name for name, _ in pairs].count(name) > 1 for name in _ONCE):
        raise BadRequest("offset and live must be given once")
    if len(fields.get(names.QUERY_EVENT, "")) > MAX_TOKEN:
        raise BadRequest(f"event must have 1 to {MAX_TOKEN} characters")
    return fields
