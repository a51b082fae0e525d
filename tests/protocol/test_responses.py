"""Answers: the status and the headers that the protocol wants, and nothing that breaks a header."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from headwater import errors
from headwater.errors import HeadwaterError, error_table
from headwater.model import (
    Appended,
    Batch,
    Created,
    Expiry,
    Failure,
    Last,
    Page,
    Policy,
    Producer,
    Record,
    Retention,
    SlowPolicy,
    StreamInfo,
)
from headwater.protocol import names, responses
from headwater.protocol.catch_up import promise
from headwater.protocol.cors import preflight_headers
from headwater.protocol.expiry import parse_expiry, parse_retention
from headwater.protocol.requests import Create, parse_request
from headwater.protocol.responses import Answer

if TYPE_CHECKING:
    from tests.protocol.conftest import Log

TAIL = "0000000000000007_0000000000000003"
#: Headers that a page may always read, or that are not for pages (Fetch standard, section 2.2.1).
NOT_EXPOSED = {
    *(b"cache-control", b"content-length", b"vary", b"allow", b"x-accel-buffering", b"x-content-type-options"),
    *(b"cross-origin-resource-policy", b"content-security-policy"),
}


def info(
    *,
    content_type: str = "text/plain",
    closed: bool = False,
    expiry: Expiry = Expiry(),  # noqa: B008
    retention: Retention = Retention(),  # noqa: B008
) -> StreamInfo:
    earliest = "0000000000000007_0000000000000000"
    return StreamInfo("a", content_type, earliest, TAIL, closed, 0.0, expiry, retention, None, 3, 7)


def headers_of(answer: Answer) -> dict[bytes, bytes]:
    """The headers, none of which may come twice."""
    headers = dict(answer.headers)
    assert len(headers) == len(answer.headers)
    return headers


def polled(batch: Batch, cursor: str = "5", *, start: str | Last = "start", has_earlier: bool = False) -> Answer:
    return responses.polled(Page(batch, has_earlier), cursor, start=start)


def check_answer(answer: Answer) -> None:
    """What holds for every answer."""
    headers = headers_of(answer)
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert headers[b"cross-origin-resource-policy"] in (b"cross-origin", b"same-origin")
    for name, value in headers.items():
        assert name == name.lower()
        assert not set(value) & set(b"\r\n\0")
        assert name in names.CORS_RESPONSE_HEADERS or name in NOT_EXPOSED or name.startswith(b"access-control-")
    if answer.status in (204, 304):
        assert answer.body == b""


def answers(log: Log) -> Iterator[Answer]:
    """An answer of every kind about one stream."""
    stream = log.state.info()
    for new in (True, False):
        yield responses.created(Created(stream, new), b"http://host/v1/stream/a")
    producer = Producer("p", 1, 2)
    for known in (None, producer):
        for duplicate in (True, False):
            for with_body in (True, False):
                told = Appended(stream.tail, stream.closed, duplicate, known)
                yield responses.appended(told, with_body=with_body)
    yield responses.inspected(stream)
    yield responses.deleted()
    for batch in log.batches(limit=2):
        for now_asked in (True, False):
            for if_none_match in (None, "*", "x"):
                yield responses.caught_up(promise(batch), if_none_match, now_asked=now_asked)
        for start in (batch.offset, "now", Last(2)):
            for has_earlier in (True, False):
                yield responses.polled(Page(batch, has_earlier), "5", start=start)
    yield polled(log.read(log.tail))
    for media_type in (b"text/event-stream", b"application/x-ndjson"):
        yield responses.streaming(media_type, stream.content_type)
    yield responses.complete(log.read(log.tail))
    yield responses.allowed(preflight_headers())
    yield responses.json_answer({"a": 1})


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "image/png"])
@pytest.mark.parametrize("close", [False, True])
@pytest.mark.parametrize("bodies", [(), (b"1", b'"\\r\\n"', b"[3]")])
def test_what_holds_for_every_answer(make_log: type[Log], content_type: str, close: bool, bodies: tuple[bytes]) -> None:
    """Security headers, one value a header, no body where there is none, and every header readable by pages."""
    for answer in answers(make_log(content_type, *bodies, close=close)):
        check_answer(answer)


@given(
    content_type=st.binary(max_size=30)
    | st.text(st.sampled_from('text/plain; \t\r\n\0é="'), max_size=12).map(str.encode),
    ttl=st.none() | st.text(max_size=8).map(str.encode),
    expires=st.none() | st.binary(max_size=30) | st.just(b"2026-03-04T05:06:07Z"),
    retention=st.none() | st.binary(max_size=12) | st.just(b"age=1"),
    body=st.binary(max_size=20),
)
def test_no_input_breaks_a_header(
    make_log: type[Log],
    content_type: bytes,
    ttl: bytes | None,
    expires: bytes | None,
    retention: bytes | None,
    body: bytes,
) -> None:
    """A stream is refused, or all that is told of it later is made of single lines."""
    sent = {names.CONTENT_TYPE: content_type, names.STREAM_TTL: ttl, names.STREAM_EXPIRES_AT: expires}
    sent[names.STREAM_RETENTION] = retention
    try:
        command = parse_request("PUT", "a", b"", {name: value for name, value in sent.items() if value is not None})
        assert isinstance(command, Create)
        log = make_log(command.config.content_type or "application/octet-stream", *([body] if body else []))
    except HeadwaterError as error:
        check_answer(responses.failed(error))
        return
    log.state.config = command.config
    for answer in answers(log):
        check_answer(answer)


@pytest.mark.parametrize("kind", error_table())
def test_every_error_is_a_problem(kind: type[HeadwaterError]) -> None:
    """Its status, its code, what to do, and when to try again."""
    answer = responses.failed(kind("a\r\nb\0c"))
    check_answer(answer)
    headers = headers_of(answer)
    told = json.loads(answer.body)
    assert (answer.status, told["code"], told["detail"]) == (kind.status, kind.code, "a\r\nb\0c")
    assert headers[b"content-type"] == b"application/problem+json"
    assert headers[b"cache-control"] == b"no-store"
    assert headers.get(b"retry-after") == (None if kind.retry_after is None else str(kind.retry_after).encode())
    assert answer.body.endswith(b"}\n")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            errors.StreamClosed("", next_offset=TAIL, closed=True),
            {b"stream-closed": b"true", b"stream-next-offset": TAIL.encode()},
        ),
        (errors.ProducerFenced("", epoch=5), {b"producer-epoch": b"5"}),
        (
            errors.ProducerGap("", expected=3, received=9),
            {b"producer-expected-seq": b"3", b"producer-received-seq": b"9"},
        ),
        (errors.MethodNotAllowed("", allow="GET, PUT"), {b"allow": b"GET, PUT"}),
        (errors.OffsetGone("", earliest=TAIL), {}),
    ],
)
def test_errors_carry_the_protocol_s_headers(error: HeadwaterError, expected: dict[bytes, bytes]) -> None:
    """So that a client needs no body to go on (sections 5.2, 5.2.1); the details are in the body too."""
    answer = responses.failed(error)
    headers = headers_of(answer)
    ours = {name: value for name, value in headers.items() if name.startswith((b"stream-", b"producer-", b"allow"))}
    assert ours == expected
    assert error.details.items() <= json.loads(answer.body).items()


@pytest.mark.parametrize(("new", "status"), [(True, 201), (False, 200)])
@pytest.mark.parametrize("closed", [True, False])
def test_create(new: bool, status: int, closed: bool) -> None:
    """The type, the tail and the closure; the URL of a new stream (section 5.1)."""
    answer = responses.created(Created(info(closed=closed), new), b"http://host/v1/stream/a")
    headers = headers_of(answer)
    assert (answer.status, answer.body) == (status, b"")
    assert headers[b"content-type"] == b"text/plain"
    assert headers[b"stream-next-offset"] == TAIL.encode()
    assert headers.get(b"location") == (b"http://host/v1/stream/a" if new else None)
    assert headers.get(b"stream-closed") == (b"true" if closed else None)


@pytest.mark.parametrize(
    ("producer", "duplicate", "with_body", "status"),
    [
        (None, False, True, 204),
        (None, True, False, 204),
        (Producer("p", 3, 4), False, True, 200),
        (Producer("p", 3, 4), True, True, 204),
        (Producer("p", 3, 4), False, False, 204),
    ],
)
@pytest.mark.parametrize("closed", [True, False])
def test_append(producer: Producer | None, duplicate: bool, with_body: bool, status: int, closed: bool) -> None:
    """204; for a producer's new data 200; the producer's numbers are told either way (section 5.2.1)."""
    answer = responses.appended(Appended(TAIL, closed, duplicate, producer), with_body=with_body)
    headers = headers_of(answer)
    assert answer.status == status
    assert headers[b"stream-next-offset"] == TAIL.encode()
    assert headers.get(b"stream-closed") == (b"true" if closed else None)
    assert headers[b"etag"] == f'"{TAIL}:{TAIL}{":c" if closed else ""}"'.encode()
    expected = (None, None) if producer is None else (b"3", b"4")
    assert (headers.get(b"producer-epoch"), headers.get(b"producer-seq")) == expected


@pytest.mark.parametrize("producer", [None, Producer("p", 3, 4)])
def test_an_append_that_made_its_stream(producer: Producer | None) -> None:
    """201 with its URL, a producer's numbers too."""
    answer = responses.appended(
        Appended(TAIL, closed=False, producer=producer, created=True), with_body=True, location=b"http://host/a"
    )
    headers = headers_of(answer)
    assert (answer.status, headers[b"location"]) == (201, b"http://host/a")
    assert headers[b"etag"] == f'"{TAIL}:{TAIL}"'.encode()
    assert headers.get(b"producer-seq") == (None if producer is None else b"4")


def test_head_tells_what_was_asked_for() -> None:
    """Expiry and retention as they were given, the ends of the log, and never from a cache (section 5.5)."""
    expiry = parse_expiry(None, "2026-03-04T05:06:07+00:00")
    stream = info(closed=True, expiry=expiry, retention=parse_retention("count=3,age=1"))
    headers = headers_of(responses.inspected(stream))
    assert headers[b"stream-expires-at"] == b"2026-03-04T05:06:07+00:00"
    assert headers[b"stream-retention"] == b"age=1, count=3"
    assert headers[b"stream-closed"] == b"true"
    assert headers[b"stream-next-offset"] == TAIL.encode()
    assert headers[b"etag"] == f'"{TAIL}:{TAIL}:c"'.encode()
    assert headers[b"stream-earliest-offset"] == b"0000000000000007_0000000000000000"
    assert headers[b"cache-control"] == b"no-store"
    assert headers_of(responses.inspected(info(expiry=Expiry(ttl=0))))[b"stream-ttl"] == b"0"


def test_head_of_a_plain_stream_has_nothing_else() -> None:
    """No expiry, no retention, no policy, no closure."""
    headers = headers_of(responses.inspected(info()))
    assert not {b"stream-ttl", b"stream-expires-at", b"stream-retention", b"stream-slow", b"stream-closed"} & set(
        headers
    )
    latest = msgspec.structs.replace(info(), slow=SlowPolicy(Policy.LATEST))
    assert headers_of(responses.inspected(latest))[b"stream-slow"] == b"latest"


def batch(*data: bytes, up_to_date: bool = True, closed: bool = False, content_type: str = "text/plain") -> Batch:
    records = tuple(Record(str(number), item) for number, item in enumerate(data))
    return Batch("start", records, "next", up_to_date, closed, content_type)


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "image/png"])
def test_catch_up(content_type: str) -> None:
    """What was read, with the type of the stream and the range (sections 5.6, 9.1.5)."""
    answer = responses.caught_up(promise(batch(content_type=content_type)), None, now_asked=False, body=b"the body")
    headers = headers_of(answer)
    assert (answer.status, answer.body) == (200, b"the body")
    assert headers[b"content-type"] == content_type.encode()
    assert headers[b"stream-next-offset"] == b"next"
    assert headers[b"etag"] == b'"start:next"'
    assert headers[b"cache-control"] == b"private, max-age=60, stale-while-revalidate=300"
    assert headers[b"vary"] == b"accept"
    assert headers[b"content-security-policy"] == b"sandbox"


@pytest.mark.parametrize(
    ("up_to_date", "closed", "expected"),
    [(False, False, (None, None)), (True, False, (b"true", None)), (True, True, (b"true", b"true"))],
)
def test_where_a_read_ends_is_told(up_to_date: bool, closed: bool, expected: tuple[bytes | None, bytes | None]) -> None:
    """Before the tail, at the tail, at the end; a catch-up and its 304 always end at the tail."""
    read = batch(b"1", up_to_date=up_to_date, closed=closed)
    answers = [polled(read)]
    if up_to_date:
        for if_none_match, now_asked in ((None, False), ("*", False), (None, True)):
            answers.append(responses.caught_up(promise(read), if_none_match, now_asked=now_asked))
    for answer in answers:
        headers = headers_of(answer)
        assert (headers.get(b"stream-up-to-date"), headers.get(b"stream-closed")) == expected


def test_a_known_tag_gets_no_body() -> None:
    """304 with the tag and the position; not after the closure, which is news (section 10.1)."""
    answer = responses.caught_up(promise(batch(b"1")), '"start:next"', now_asked=False)
    assert (answer.status, answer.body) == (304, b"")
    assert headers_of(answer)[b"etag"] == b'"start:next"'
    assert b"content-type" not in headers_of(answer)
    assert responses.caught_up(promise(batch(b"1", closed=True)), '"start:next"', now_asked=False).status == 200


def test_an_answer_to_now_is_for_now() -> None:
    """No ETag and no cache: the tail moves (section 8)."""
    answer = responses.caught_up(promise(batch(content_type="application/json")), "*", now_asked=True, body=b"[]")
    assert (answer.status, answer.body) == (200, b"[]")
    assert headers_of(answer)[b"cache-control"] == b"no-store"
    assert b"etag" not in headers_of(answer)


def test_long_poll_with_records() -> None:
    """200, cacheable under its cursor (section 5.7)."""
    answer = polled(batch(b"1", content_type="application/json"), "17")
    headers = headers_of(answer)
    assert (answer.status, answer.body) == (200, b"[1]")
    assert headers[b"stream-cursor"] == b"17"
    assert headers[b"etag"] == b'"start:next"'
    assert headers[b"content-type"] == b"application/json"


@pytest.mark.parametrize(
    ("start", "caching", "has_tag"),
    [
        ("start", b"private, max-age=60, stale-while-revalidate=300", True),
        ("-1", b"private, max-age=60, stale-while-revalidate=300", True),
        ("now", b"no-store", False),
        (Last(2), b"private, no-cache", True),
    ],
)
def test_a_long_poll_is_kept_as_long_as_its_start_names_its_range(
    start: str | Last, caching: bytes, has_tag: bool
) -> None:
    """Bytes from an offset on never change; what `now` and the last records are does."""
    headers = headers_of(polled(batch(b"1", content_type="application/json"), start=start))
    assert headers[b"cache-control"] == caching
    assert (b"etag" in headers) == has_tag
    empty = headers_of(polled(batch(), start=start))
    assert (empty[b"cache-control"], b"etag" in empty) == (b"no-store", False)


@pytest.mark.parametrize(("has_earlier", "previous"), [(True, b"start"), (False, None)])
def test_a_long_poll_from_behind_says_where_it_begins(has_earlier: bool, previous: bytes | None) -> None:
    """As a page does: the offset to ask before, where something lies there."""
    told = polled(batch(b"1", content_type="application/json"), start=Last(2), has_earlier=has_earlier)
    assert headers_of(told).get(b"stream-previous-offset") == previous


@pytest.mark.parametrize("closed", [True, False])
def test_long_poll_without_records(closed: bool) -> None:
    """204, up to date, not to be stored; a cursor only if there is something to wait for (section 5.7)."""
    answer = polled(batch(closed=closed), "17")
    headers = headers_of(answer)
    assert (answer.status, answer.body) == (204, b"")
    assert headers[b"stream-next-offset"] == b"next"
    assert headers[b"stream-up-to-date"] == b"true"
    assert headers[b"cache-control"] == b"no-store"
    assert headers.get(b"stream-cursor") == (None if closed else b"17")
    assert headers.get(b"stream-closed") == (b"true" if closed else None)


@pytest.mark.parametrize(
    ("media_type", "content_type", "encoding"),
    [
        (b"text/event-stream", "image/png", b"base64"),
        (b"text/event-stream", "text/plain", None),
        (b"text/event-stream", "application/json; charset=utf-8", None),
        (b"application/x-ndjson", "image/png", None),
    ],
)
def test_live_answers_are_not_buffered(media_type: bytes, content_type: str, encoding: bytes | None) -> None:
    """Proxies pass every piece on at once; event streams say if they are base64 (section 5.8)."""
    headers = headers_of(responses.streaming(media_type, content_type))
    assert headers[b"content-type"] == media_type
    assert headers[b"cache-control"] == b"no-cache, no-transform"
    assert headers[b"x-accel-buffering"] == b"no"
    assert headers.get(b"stream-sse-data-encoding") == encoding


def test_the_end_stops_a_browser() -> None:
    """204 with the closure: an `EventSource` does not come back."""
    batch = Batch(TAIL, (), TAIL, up_to_date=True, closed=True, content_type="text/plain")
    answer = responses.complete(batch)
    headers = headers_of(answer)
    assert (answer.status, headers[b"stream-closed"], headers[b"stream-next-offset"]) == (204, b"true", TAIL.encode())
    assert b"stream-failure" not in headers


def test_every_answer_to_the_end_of_a_failed_stream_says_so() -> None:
    """PUT, POST, HEAD, GET, long-poll and the browser's 204 carry the code, and the message percent-encoded."""
    failure = Failure("timeout", "100 % \u00fcber \u4e16")
    batch = Batch(TAIL, (), TAIL, up_to_date=True, closed=True, content_type="text/plain", failure=failure)
    stream = structs.replace(info(closed=True), failure=failure)
    for answer in (
        responses.created(Created(stream, created=False), b"http://host/a"),
        responses.appended(Appended(TAIL, closed=True, failure=failure), with_body=False),
        responses.inspected(stream),
        responses.caught_up(promise(batch), None, now_asked=False),
        responses.caught_up(promise(batch), "*", now_asked=False),
        polled(batch),
        responses.complete(batch),
    ):
        headers = headers_of(answer)
        assert headers[b"stream-closed"] == b"true"
        assert headers[b"stream-failure"] == b"timeout"
        assert headers[b"stream-failure-message"] == b"100 %25 %C3%BCber %E4%B8%96"


def test_the_rest() -> None:
    """DELETE, OPTIONS and the introspection's documents."""
    assert responses.deleted().status == 204
    assert (b"x", b"y") in responses.allowed([(b"x", b"y")]).headers
    answer = responses.json_answer({"a": [1]}, status=503)
    assert (answer.status, answer.body) == (503, b'{"a":[1]}\n')
    assert headers_of(answer)[b"content-type"] == b"application/json"
