"""Results into HTTP: the status, headers and body of every answer.

Rule: a driver sends what these functions return and adds nothing but CORS, the date and the connection's framing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from zlib import crc32

import msgspec

from headwater.errors import HeadwaterError
from headwater.model import NOW, Appended, Batch, Created, Extent, Failure, Last, Page, StreamInfo
from headwater.protocol import names
from headwater.protocol.cache_headers import CACHEABLE, LIVE, NO_STORE, REVALIDATE, entity_tag, matches, tail_tag
from headwater.protocol.cursor import HEARTBEAT_SECONDS
from headwater.protocol.envelope import enveloped
from headwater.protocol.expiry import format_retention
from headwater.protocol.failure import failure_headers
from headwater.protocol.framing import is_text
from headwater.protocol.heartbeat import told_heartbeat
from headwater.protocol.ndjson import JsonLines
from headwater.protocol.producers import KEPT_SECONDS
from headwater.protocol.slow import REPLAY, format_slow
from headwater.protocol.spans import body_of
from headwater.protocol.together import MEDIA_TYPE, encode_answers
from headwater.protocol.wire import problem

HeaderList = list[tuple[bytes, bytes]]

_TRUE: Final = b"true"
#: Says how a credential is shown (RFC 9110 section 15.5.2, RFC 6750 section 3).
_CLOSED: Final = (names.STREAM_CLOSED, _TRUE)
_UP_TO_DATE: Final = (names.STREAM_UP_TO_DATE, _TRUE)
_NO_STORE: Final = (names.CACHE_CONTROL, NO_STORE)
#: On every answer (section 12.7).
_SNIFFED: Final = (b"x-content-type-options", b"nosniff")
_SECURITY: Final = (_SNIFFED, (b"cross-origin-resource-policy", b"cross-origin"))
_OWN_PAGES: Final = (b"cross-origin-resource-policy", b"same-origin")
#: What a response to one alone may be kept for, by what it is for everybody; all else is asked for again.
_CACHING_OF_ONE: Final = {NO_STORE: NO_STORE, LIVE: b"private, " + LIVE}
_OF_ONE: Final[HeaderList] = [
    (b"referrer-policy", b"no-referrer"),
    _OWN_PAGES,
    (names.VARY, b"authorization, cookie"),
]
#: A stream's bytes may be a page; opened in a tab it gets no script and no origin of ours (CSP level 3, "sandbox").
_SANDBOX: Final = (b"content-security-policy", b"sandbox")
_PRODUCER_AGE: Final = (names.STREAM_PRODUCER_AGE, b"%d" % KEPT_SECONDS)
#: How every stream can be read live.
TRANSPORTS: Final = b"sse, ndjson, long-poll, live-sse"
#: Details of an error that the protocol wants as headers too.
_ERROR_HEADERS: Final = {
    "next_offset": names.STREAM_NEXT_OFFSET,
    "epoch": names.PRODUCER_EPOCH,
    "expected": names.PRODUCER_EXPECTED_SEQ,
    "received": names.PRODUCER_RECEIVED_SEQ,
    "accept_encoding": names.ACCEPT_ENCODING,
}


class Answer(msgspec.Struct, frozen=True, gc=False):
    """A response.

    Attributes:
        status: of HTTP.
        headers: without those of the connection's framing.
        body: the whole of it, or empty for the head of a live one.
        unread: it comes before the end of the request's body; over HTTP/1.1 the connection closes behind it.
    """

    status: int
    headers: HeaderList
    body: bytes = b""
    unread: bool = False


def created(answer: Created, location: bytes, transports: bytes = TRANSPORTS) -> Answer:
    """To PUT: 201 for a new stream, 200 for the same one again (section 5.1).

    Args:
        answer: the store's.
        location: the stream's URL.
        transports: by which it can be read live.
    """
    info = answer.info
    headers = [
        (names.CONTENT_TYPE, info.content_type.encode()),
        (names.STREAM_NEXT_OFFSET, info.tail.encode()),
        (names.ETAG, tail_tag(info.tail, closed=info.closed).encode()),
        (names.STREAM_TRANSPORTS, transports),
        _PRODUCER_AGE,
        *_SECURITY,
    ]
    if answer.created:
        headers.append((names.LOCATION, location))
    if info.closed:
        headers += _closed(info.failure)
    return Answer(201 if answer.created else 200, headers)


def appended(answer: Appended, *, with_body: bool, location: bytes = b"") -> Answer:
    """To POST: 204; 200 for new data of an idempotent producer (sections 5.2, 5.2.1); 201 if it made the stream.

    Args:
        answer: the store's.
        with_body: the request had one.
        location: the stream's URL; told if it was made.
    """
    headers = [
        (names.STREAM_NEXT_OFFSET, answer.next_offset.encode()),
        (names.ETAG, tail_tag(answer.next_offset, closed=answer.closed).encode()),
        *_SECURITY,
    ]
    if answer.closed:
        headers += _closed(answer.failure)
    status, producer = 204, answer.producer
    if producer is not None:
        headers.append((names.PRODUCER_EPOCH, b"%d" % producer.epoch))
        headers.append((names.PRODUCER_SEQ, b"%d" % producer.seq))
        if not producer.seq:
            headers.append(_PRODUCER_AGE)  # once is enough, and it is for those who begin
        if with_body and not answer.duplicate:
            status = 200
    if answer.created:
        headers.append((names.LOCATION, location))
        status = 201
    return Answer(status, headers)


def appended_together(answers: Sequence[Appended]) -> Answer:
    """To several appends in one request: 200, with a line for each."""
    return Answer(200, [(names.CONTENT_TYPE, MEDIA_TYPE), _NO_STORE, *_SECURITY], encode_answers(answers))


def page_of_many(body: bytes) -> Answer:
    """To a read of many streams that does not go on: 200, with lines of all of them."""
    return Answer(200, [(names.CONTENT_TYPE, MEDIA_TYPE), _NO_STORE, *_SECURITY], body)


def inspected(info: StreamInfo, *, transports: bytes = TRANSPORTS, described_by: bytes = b"") -> Answer:
    """To HEAD (section 5.5).

    Args:
        info: the stream's state.
        transports: by which it can be read live.
        described_by: URL path of its schema; empty: it has none.
    """
    headers = [
        (names.CONTENT_TYPE, info.content_type.encode()),
        (names.STREAM_NEXT_OFFSET, info.tail.encode()),
        (names.STREAM_EARLIEST_OFFSET, info.earliest.encode()),
        (names.ETAG, tail_tag(info.tail, closed=info.closed).encode()),
        (names.STREAM_TRANSPORTS, transports),
        _PRODUCER_AGE,
        _NO_STORE,
        *_SECURITY,
    ]
    if info.expiry.ttl is not None:
        headers.append((names.STREAM_TTL, b"%d" % info.expiry.ttl))
    if info.expiry.at_text is not None:
        headers.append((names.STREAM_EXPIRES_AT, info.expiry.at_text.encode()))
    if retention := format_retention(info.retention):
        headers.append((names.STREAM_RETENTION, retention.encode()))
    if info.slow != REPLAY:
        headers.append((names.STREAM_SLOW, format_slow(info.slow).encode()))
    if described_by:
        headers.append((names.LINK, b'<%b>; rel="describedby"; type="application/schema+json"' % described_by))
    if info.closed:
        headers += _closed(info.failure)
    return Answer(200, headers)


def deleted() -> Answer:
    """To DELETE."""
    return Answer(204, list(_SECURITY))


def caught_up(
    extent: Extent, if_none_match: str | None, *, now_asked: bool, coding: str = "", body: bytes = b""
) -> Answer:
    """To a catch-up GET: everything up to the tail, or 304 (sections 5.6, 10.1).

    Args:
        extent: what is promised.
        if_none_match: as sent.
        now_asked: the offset was `now`: the answer holds for this moment only, and has no ETag.
        coding: the content coding that the body will have, which the ETag names; empty: none.
        body: the whole of it, or empty where it follows in pieces.
    """
    headers = _position(extent, up_to_date=True)
    if now_asked:
        headers.append(_NO_STORE)
    else:
        tag = entity_tag(extent, coding)
        headers += [(names.ETAG, tag.encode()), (names.CACHE_CONTROL, CACHEABLE)]
        if matches(if_none_match, tag):
            return Answer(304, headers)
    headers.append((names.CONTENT_TYPE, extent.content_type.encode()))
    return Answer(200, headers, body)


def paged(page: Page, if_none_match: str | None, *, before: str, coding: str = "", envelope: bool = False) -> Answer:
    """To a GET that asks from behind: the page, or 304.

    Args:
        page: what was found.
        if_none_match: as sent.
        before: where it was asked to end. From an offset it never changes; from the tail it is for this moment.
        coding: see `caught_up`.
        envelope: the records are lines of NDJSON, with offset and time; the page is read with `times`.
    """
    batch = page.batch
    tag = entity_tag(batch, ":".join(part for part in ("envelope" if envelope else "", coding) if part))
    headers = [*_position(batch, up_to_date=batch.up_to_date), *_earlier(page)]
    headers += [(names.ETAG, tag.encode()), (names.CACHE_CONTROL, REVALIDATE if before == NOW else CACHEABLE)]
    if matches(if_none_match, tag):
        return Answer(304, headers)
    if envelope:
        lines = [line + b"\n" for line in enveloped(batch.content_type, batch.records)]
        return Answer(200, [*headers, (names.CONTENT_TYPE, JsonLines.media_type)], b"".join(lines))
    headers.append((names.CONTENT_TYPE, batch.content_type.encode()))
    return Answer(200, headers, body_of(batch.content_type, batch.records))


def polled(page: Page, cursor: str, *, start: str | Last, coding: str = "") -> Answer:
    """To a long-poll: the records, or 204 when there are none yet or no more (section 5.7).

    Args:
        page: what was found.
        cursor: to be echoed.
        start: as asked for. From an offset on the response never changes; from `now` and from behind it is for this
            moment.
        coding: see `caught_up`.
    """
    batch = page.batch
    headers = [*_position(batch, up_to_date=batch.up_to_date), *_earlier(page)]
    if not batch.closed:
        headers.append((names.STREAM_CURSOR, cursor.encode()))
    if not batch.records:
        headers.append(_NO_STORE)
        return Answer(204, headers)
    if start == NOW:
        headers.append(_NO_STORE)
    else:
        headers.append((names.ETAG, entity_tag(batch, coding).encode()))
        headers.append((names.CACHE_CONTROL, REVALIDATE if isinstance(start, Last) else CACHEABLE))
    headers.append((names.CONTENT_TYPE, batch.content_type.encode()))
    return Answer(200, headers, body_of(batch.content_type, batch.records))


def streaming(media_type: bytes, content_type: str, heartbeat: float = HEARTBEAT_SECONDS) -> Answer:
    """The head of a live answer.

    Args:
        media_type: the wire format's.
        content_type: the stream's; tells whether an event stream is base64.
        heartbeat: seconds of silence after which it has one.
    """
    headers = [
        (names.CONTENT_TYPE, media_type),
        (names.CACHE_CONTROL, LIVE),
        # nginx buffers proxied answers unless told not to.
        (b"x-accel-buffering", b"no"),
        (names.VARY, b"accept"),
        told_heartbeat(heartbeat),
        *_SECURITY,
    ]
    if media_type == b"text/event-stream" and not is_text(content_type):
        headers.append((names.STREAM_SSE_DATA_ENCODING, b"base64"))
    return Answer(200, headers)


def coding_headers(coding: str, *, varies: bool) -> HeaderList:
    """What a content coding adds to the head of an answer to a read.

    Args:
        coding: empty: none.
        varies: another request could have got another one.
    """
    headers = [(names.VARY, b"accept-encoding")] if varies else []
    if coding:
        headers.append((names.CONTENT_ENCODING, coding.encode()))
    return headers


def complete(batch: Batch) -> Answer:
    """To an `EventSource` that comes back to the end of a closed stream: 204, on which browsers stop for good."""
    next_offset = (names.STREAM_NEXT_OFFSET, batch.next_offset.encode())
    return Answer(204, [next_offset, *_closed(batch.failure), _NO_STORE, *_SECURITY])


def nothing() -> Answer:
    """To a reader for whom there is nothing, now or for good: 204."""
    return Answer(204, [_NO_STORE, *_SECURITY])


def allowed(headers: HeaderList) -> Answer:
    """To OPTIONS."""
    return Answer(204, [*headers, *_SECURITY])


def failed(error: HeadwaterError) -> Answer:
    """Any error as a JSON problem (RFC 9457); `code`, `detail` and `advice` are for people and programs."""
    headers: HeaderList = [(names.CONTENT_TYPE, b"application/problem+json"), _NO_STORE, *_SECURITY]
    for key, value in error.details.items():
        if key == "closed":
            headers.append(_CLOSED)
        elif key in _ERROR_HEADERS:
            headers.append((_ERROR_HEADERS[key], str(value).encode()))
        elif key == "allow":
            headers.append((names.ALLOW, str(value).encode()))
        elif key == "upgrade":
            headers.append((names.UPGRADE, str(value).encode()))
            headers.append((names.SEC_WEBSOCKET_VERSION, b"13"))
    if error.challenge is not None:
        headers.append((names.WWW_AUTHENTICATE, error.challenge.encode()))
    if error.retry_after is not None:
        headers.append((names.RETRY_AFTER, b"%d" % error.retry_after))
    return Answer(error.status, headers, msgspec.json.encode(problem(error)) + b"\n", error.unread)


def for_one(answer: Answer) -> Answer:
    """A read's response to who showed a proof: no cache gives it to somebody else, or after the proof has ended."""
    headers, caching = list(_OF_ONE), REVALIDATE
    for field in answer.headers:
        if field[0] == names.CACHE_CONTROL:
            caching = _CACHING_OF_ONE.get(field[1], REVALIDATE)
        elif field[0] != _OWN_PAGES[0]:
            headers.append(field)
    headers.append((names.CACHE_CONTROL, caching))
    return Answer(answer.status, headers, answer.body, answer.unread)


def with_headers(answer: Answer, headers: HeaderList) -> Answer:
    """The same response with further headers."""
    return Answer(answer.status, [*answer.headers, *headers], answer.body, answer.unread)


def json_answer(value: object, *, status: int = 200) -> Answer:
    """A JSON document of the introspection routes; no page of another origin embeds it."""
    headers = [(names.CONTENT_TYPE, b"application/json"), _NO_STORE, _SNIFFED, _OWN_PAGES]
    return Answer(status, headers, msgspec.json.encode(value) + b"\n")


def schema(document: object, if_none_match: str | None) -> Answer:
    """A JSON Schema, or 304. It is the same until the server starts again, so that it is asked for again."""
    body = msgspec.json.encode(document) + b"\n"
    tag = f'"{crc32(body):08x}-{len(body):x}"'
    headers = [(names.ETAG, tag.encode()), (names.CACHE_CONTROL, REVALIDATE), *_SECURITY]
    if matches(if_none_match, tag):
        return Answer(304, headers)
    return Answer(200, [(names.CONTENT_TYPE, b"application/schema+json"), *headers], body)


def _position(found: Batch | Extent, *, up_to_date: bool) -> HeaderList:
    headers = [(names.STREAM_NEXT_OFFSET, found.next_offset.encode()), (names.VARY, b"accept"), _SANDBOX, *_SECURITY]
    if up_to_date:
        headers.append(_UP_TO_DATE)
    if found.closed:
        headers += _closed(found.failure)
    return headers


def _earlier(page: Page) -> HeaderList:
    return [(names.STREAM_PREVIOUS_OFFSET, page.batch.offset.encode())] if page.has_earlier else []


def _closed(failure: Failure | None) -> HeaderList:
    return [_CLOSED, *failure_headers(failure)]
