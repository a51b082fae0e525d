"""Requests: every header and parameter, with values that are good and values that are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.errors import (
    BadRequest,
    HeadwaterError,
    InvalidOffset,
    InvalidPath,
    InvalidProducer,
    MethodNotAllowed,
    PathTooLong,
    error_table,
)
from headwater.model import Expiry, ForkPoint, Mode, Policy, Producer, Retention, SlowPolicy, StreamConfig
from headwater.protocol import names
from headwater.protocol.headers import collect
from headwater.protocol.preconditions import Condition
from headwater.protocol.producers import MAX_INTEGER
from headwater.protocol.requests import (
    MAX_TOKEN,
    METHODS,
    Command,
    Create,
    Delete,
    Inspect,
    Preflight,
    Read,
    Undecided,
    Write,
    check_write,
    parse_request,
    text,
)

OFFSET = "0000000000000001_0000000000000002"
PREFIXES = ("/root/v1/stream/", "/v1/stream/")

#: Values that no header of ours takes as they are: control characters, no UTF-8, what only looks like space.
UNPRINTABLE = [
    *(b"a\0", b"\0", b"a\nb", b"a\r\nx-evil: 1", b"\ra", b"a\r", b"a\n", b"a\x0bb", b"a\tb", b"\x1fa", b"a\x7f"),
    *(b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\x80", b"\xf5\x80\x80\x80", b"a\xc2\x85", b"\xc2\xa0a", b"\xe2\x80\xa8"),
    *(b"\xe2\x80\xaea", b"\xef\xbb\xbfa"),
]
#: Headers that are text, with the method that reads them and what must come with them.
TEXT_HEADERS: list[tuple[str, bytes, dict[bytes, bytes]]] = [
    ("POST", names.STREAM_SEQ, {}),
    ("POST", names.PRODUCER_ID, {names.PRODUCER_EPOCH: b"0", names.PRODUCER_SEQ: b"0"}),
    ("POST", names.PRODUCER_EPOCH, {names.PRODUCER_ID: b"p", names.PRODUCER_SEQ: b"0"}),
    ("POST", names.PRODUCER_SEQ, {names.PRODUCER_ID: b"p", names.PRODUCER_EPOCH: b"0"}),
    ("POST", names.CONTENT_TYPE, {}),
    ("PUT", names.CONTENT_TYPE, {}),
    ("PUT", names.STREAM_TTL, {}),
    ("PUT", names.STREAM_EXPIRES_AT, {}),
    ("PUT", names.STREAM_RETENTION, {}),
    ("PUT", names.STREAM_SLOW, {}),
    ("PUT", names.STREAM_FORKED_FROM, {}),
    ("PUT", names.STREAM_FORK_OFFSET, {names.STREAM_FORKED_FROM: b"b"}),
    ("PUT", names.STREAM_FORK_SUB_OFFSET, {names.STREAM_FORKED_FROM: b"b"}),
    ("GET", names.ACCEPT, {}),
    ("GET", names.IF_NONE_MATCH, {}),
    ("POST", names.IF_MATCH, {}),
    ("POST", names.STREAM_CREATE, {}),
    ("POST", names.STREAM_TTL, {names.STREAM_CREATE: b"true"}),
    ("POST", names.STREAM_RETENTION, {names.STREAM_CREATE: b"true"}),
    ("PUT", names.IF_NONE_MATCH, {}),
    ("DELETE", names.IF_MATCH, {}),
    ("GET", names.LAST_EVENT_ID, {names.ACCEPT: b"text/event-stream"}),
]


def parse(method: str, query: bytes = b"", /, **headers: bytes) -> Command:
    """A request with headers given as keywords: `stream_seq=b"1"`."""
    sent = {name.replace("_", "-").encode(): value for name, value in headers.items()}
    command = parse_request(method, "a/b", query, collect(sent.items()), prefixes=PREFIXES)
    assert not isinstance(command, Undecided)
    return command


def write(**headers: bytes) -> Write:
    command = parse("POST", **headers)
    assert isinstance(command, Write)
    return command


def read(query: bytes = b"", /, **headers: bytes) -> Read:
    command = parse("GET", query, **headers)
    assert isinstance(command, Read)
    return command


def test_a_reader_says_what_it_gets_and_who_it_is() -> None:
    """Without a policy the stream's counts; a name is up to 64 printable characters."""
    assert read().slow is None
    assert read(b"slow=replay").slow == SlowPolicy()
    assert read(b"slow=conflate:k").slow == SlowPolicy(Policy.CONFLATE, "k")
    assert read(b"reader=").reader is None
    assert read("reader=K%C3%BCche 7".replace(" ", "+").encode()).reader == "Küche 7"
    assert read(b"reader=" + b"n" * 64).reader == "n" * 64
    for query in (b"reader=" + b"n" * 65, b"reader=a%0Ab", b"reader=%00", b"reader=%FF", b"slow=fast", b"slow="):
        with pytest.raises(BadRequest):
            read(query)


def create(**headers: bytes) -> Create:
    command = parse("PUT", **headers)
    assert isinstance(command, Create)
    return command


def test_a_method_is_a_command() -> None:
    """Each of the methods, with nothing else said."""
    assert parse("PUT") == Create("a/b", StreamConfig(), False)
    assert parse("POST") == Write("a/b", None, None, None, False)
    assert parse("GET") == Read("a/b", "-1", Mode.CATCH_UP)
    assert parse("HEAD") == Inspect("a/b")
    assert parse("DELETE") == Delete("a/b")
    assert parse("OPTIONS") == Preflight("a/b")


@pytest.mark.parametrize("method", ["PATCH", "TRACE", "get", "", "PROPFIND", "X" * 1000, "A\r\nB"])
def test_other_methods_are_not_allowed(method: str) -> None:
    """The error says which are, and quotes little."""
    with pytest.raises(MethodNotAllowed) as caught:
        parse(method)
    assert caught.value.details == {"allow": ", ".join(METHODS)}
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 80


@pytest.mark.parametrize("method", [*METHODS, "PATCH"])
def test_the_path_is_checked_first(method: str) -> None:
    """For every method, by the limit given."""
    with pytest.raises(InvalidPath):
        parse_request(method, "a/../b", b"", {})
    with pytest.raises(PathTooLong):
        parse_request(method, "abcd", b"", {}, max_path_bytes=3)


# --- All text headers


@pytest.mark.parametrize("value", UNPRINTABLE)
@pytest.mark.parametrize(
    ("method", "name", "others"), TEXT_HEADERS, ids=[f"{t[0]}-{t[1].decode()}" for t in TEXT_HEADERS]
)
def test_no_header_takes_control_characters(method: str, name: bytes, others: dict[bytes, bytes], value: bytes) -> None:
    """Nor what is no UTF-8, at either end or inside: what is stored and echoed is printable."""
    if name == names.CONTENT_TYPE:
        value = b"text/plain; a=" + value
    if value == b"text/plain; a=a\tb":  # a tab may be in a parameter
        return
    with pytest.raises(BadRequest) as caught:
        parse_request(method, "a", b"", {**others, name: value})
    assert caught.value.message.isprintable()
    assert name.decode() in caught.value.message.lower()


def test_text_is_the_value() -> None:
    """Or None, when there is none."""
    assert text({b"x": b"a b"}, b"x") == "a b"
    assert text({b"x": "ä😀".encode()}, b"x") == "ä😀"
    assert text({b"x": b""}, b"x") == ""
    assert text({}, b"x") is None


@pytest.mark.parametrize("value", [b"true", b"TRUE", b"True", b" true ", b"tRuE"])
def test_true_closes(value: bytes) -> None:
    """In any case, on create and on append (section 4.1)."""
    assert create(stream_closed=value).closed
    assert write(stream_closed=value).close


@pytest.mark.parametrize(
    "value", [b"", b"false", b"yes", b"1", b"true,true", b"true;", b"\xff", b"t\0rue", b"x" * 9000]
)
def test_all_else_does_not_close(value: bytes) -> None:
    """Nor is it an error (section 4.1)."""
    assert not create(stream_closed=value).closed
    assert not write(stream_closed=value).close


# --- Content-Type


@pytest.mark.parametrize(
    "value",
    [
        *("text/plain", "application/json", "Application/JSON", "application/vnd.api+json", "x/y", "a/b;c=d"),
        *(
            'text/plain; charset="utf-8"',
            "text/plain ;a=b; c=d",
            "text/plain;",
            "text/plain\t;a=\tb",
            "!#$%&'*+.^_`|~/x",
        ),
        "x/" + "y" * (MAX_TOKEN - 2),
    ],
)
def test_media_types_are_taken_as_they_are(value: str) -> None:
    """Any type with any parameters, for a create and for an append."""
    assert create(content_type=value.encode()).config.content_type == value
    assert write(content_type=value.encode()).content_type == value


@pytest.mark.parametrize(
    "value",
    [
        *(b"text", b"/", b"text/", b"/plain", b"text/plain/x", b"text /plain", b"text/ plain", b"text/plain x"),
        *(b"text/plain, text/html", b"t@xt/plain", b"text/(x)", b"text/pl\xc3\xa4in", b"text/plain; a=\xc3\xa4"),
        *(b"text/plain\r\nx-evil: 1", b"text/plain;\r\n a=b", b"text/plain\n", b"text/plain\0", b"text/plain;\x7f"),
        *(b"text/plain\r\n\r\n<script>", b"\ntext/plain", b"x/" + b"y" * (MAX_TOKEN - 1), b"x/" + b"y" * 100_000),
    ],
)
def test_other_content_types_are_refused(value: bytes) -> None:
    """What would come back to every reader as a header is checked when it comes in."""
    for method in ("PUT", "POST"):
        with pytest.raises(BadRequest, match="is not a media type") as caught:
            parse(method, content_type=value)
        assert caught.value.message.isprintable()
        assert len(caught.value.message) < 500


def test_an_empty_content_type_is_none() -> None:
    """As if it was not sent."""
    assert create(content_type=b"").config.content_type is None
    assert write(content_type=b"").content_type is None


# --- POST


@pytest.mark.parametrize(
    "value", ["0", "a b", "ä", "00000000000000000001", "2026-03-04", "~", "x" * MAX_TOKEN, "é" * MAX_TOKEN]
)
def test_stream_seq_is_any_short_text(value: str) -> None:
    """It is only compared."""
    assert write(stream_seq=value.encode()).seq == value


@pytest.mark.parametrize("value", [b"", b"  ", b"\t", b"x" * (MAX_TOKEN + 1), "é".encode() * (MAX_TOKEN + 1)])
def test_an_empty_or_long_stream_seq_is_refused(value: bytes) -> None:
    """With its limit in the message."""
    with pytest.raises(BadRequest, match="stream-seq must have 1 to 256 characters"):
        write(stream_seq=value)


@pytest.mark.parametrize("epoch", [0, 1, MAX_INTEGER])
@pytest.mark.parametrize("seq", [0, 7, MAX_INTEGER])
@pytest.mark.parametrize("name", ["p", "order service/1", "ä" * MAX_TOKEN])
def test_a_producer_has_three_headers(name: str, epoch: int, seq: int) -> None:
    """An id, an epoch and a sequence, up to what JavaScript can hold (section 5.2.1)."""
    command = write(producer_id=name.encode(), producer_epoch=b"%d" % epoch, producer_seq=b"%d" % seq)
    assert command.producer == Producer(name, epoch, seq)


@pytest.mark.parametrize("present", range(1, 7))
def test_some_producer_headers_are_not_enough(present: int) -> None:
    """All three, or none."""
    headers = {"producer_id": b"p", "producer_epoch": b"0", "producer_seq": b"0"}
    sent = {name: value for bit, (name, value) in enumerate(headers.items()) if present >> bit & 1}
    with pytest.raises(InvalidProducer, match="together"):
        parse("POST", **sent)


NOT_NUMBERS = [
    b"",
    b"-1",
    b"+1",
    b"01",
    b"1.0",
    b"1e3",
    b" ",
    b"x",
    b"0x1",
    b"9007199254740992",
    b"9" * 5000,
    b"1 2",
    b"\xd9\xa3",
]


@pytest.mark.parametrize("value", NOT_NUMBERS)
@pytest.mark.parametrize("name", ["producer_epoch", "producer_seq"])
def test_producer_numbers_are_whole_and_bounded(name: str, value: bytes) -> None:
    """Up to 2**53 - 1; any other form is refused, by the header's name."""
    headers = {"producer_id": b"p", "producer_epoch": b"0", "producer_seq": b"0", name: value}
    with pytest.raises(BadRequest, match=name.replace("_", "-").title()):
        parse("POST", **headers)


@pytest.mark.parametrize("value", [b"", b" ", b"x" * (MAX_TOKEN + 1)])
def test_a_producer_id_is_not_empty_or_long(value: bytes) -> None:
    """1 to 256 characters (section 5.2.1)."""
    with pytest.raises(BadRequest, match="producer-id must have 1 to 256"):
        write(producer_id=value, producer_epoch=b"0", producer_seq=b"0")


def test_a_body_needs_a_type_and_no_body_needs_a_closure() -> None:
    """What only the driver knows, once the body is here (section 5.2)."""
    plain, close, typed = write(), write(stream_closed=b"true"), write(content_type=b"text/plain")
    check_write(close, b"")
    check_write(typed, b"a")
    with pytest.raises(BadRequest, match="empty"):
        check_write(typed, b"")
    for command in (plain, close):
        with pytest.raises(BadRequest, match="Content-Type"):
            check_write(command, b"a")


# --- PUT


def test_a_create_says_how_long_and_how_much() -> None:
    """TTL or date, retention, and closure."""
    assert create(stream_ttl=b"60", stream_retention=b"count=5", stream_closed=b"true") == Create(
        "a/b", StreamConfig(expiry=Expiry(ttl=60), retention=Retention(count=5)), True
    )
    date = b"2026-03-04T05:06:07Z"
    assert create(stream_expires_at=date).config.expiry == Expiry(at=1772600767.0, at_text=date.decode())


@pytest.mark.parametrize(
    "headers",
    [
        {"stream_ttl": b"1", "stream_expires_at": b"2026-03-04T05:06:07Z"},
        *({"stream_ttl": value} for value in (b"", b"-1", b"+1", b"01", b"1.0", b"3.6e3", b"9" * 16)),
        *({"stream_expires_at": value} for value in (b"", b"tomorrow", b"2026-02-30T00:00:00Z", b"2026-03-04")),
        *({"stream_slow": value} for value in (b"", b"fast", b"conflate", b"latest:k", b"conflate:" + b"k" * 257)),
        *({"stream_retention": value} for value in (b"", b"age", b"age=-1", b"x=1", b"age=1,age=1")),
    ],
)
def test_other_lifetimes_are_refused(headers: dict[str, bytes]) -> None:
    """Both at once, and every malformed value, as of what is kept and what slow readers get."""
    with pytest.raises(BadRequest, match="Stream-"):
        parse("PUT", **headers)


@pytest.mark.parametrize(
    ("headers", "fork"),
    [
        ({}, None),
        ({"stream_forked_from": b"/v1/stream/c/d"}, ForkPoint("c/d")),
        ({"stream_forked_from": b"/root/v1/stream/c"}, ForkPoint("c")),
        ({"stream_forked_from": b"c"}, ForkPoint("c")),
        ({"host": b"h:1", "stream_forked_from": b"http://H:1/root/v1/stream/c%20d"}, ForkPoint("c d")),
        ({"host": b"h", "stream_forked_from": b"HTTPS://h:443/v1/stream/c"}, ForkPoint("c")),
        ({"host": b"h", "stream_forked_from": b"http://h/v1/stream/c"}, ForkPoint("c")),
        ({"stream_forked_from": b"/v1/stream/gr%C3%BC%C3%9Fe%20x"}, ForkPoint("grüße x")),
        ({"stream_forked_from": "/v1/stream/ä".encode()}, ForkPoint("ä")),
        ({"stream_forked_from": b"c", "stream_fork_offset": OFFSET.encode()}, ForkPoint("c", OFFSET)),
        ({"stream_forked_from": b"c", "stream_fork_offset": b"-1"}, ForkPoint("c", "-1")),
        ({"stream_forked_from": b"c", "stream_fork_offset": b"now"}, ForkPoint("c", "now")),
        ({"stream_forked_from": b"c", "stream_fork_sub_offset": b"0"}, ForkPoint("c")),
        (
            {"stream_forked_from": b"c", "stream_fork_offset": b"-1", "stream_fork_sub_offset": b"9007199254740991"},
            ForkPoint("c", "-1", MAX_INTEGER),
        ),
    ],
)
def test_a_fork_says_where_it_leaves(headers: dict[str, bytes], fork: ForkPoint | None) -> None:
    """The source as its URL's path, an offset, and how far past it (section 4.2)."""
    command = parse("PUT", **headers)
    assert isinstance(command, Create)
    assert command.config.fork == fork


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({"stream_fork_offset": b"-1"}, BadRequest),
        ({"stream_fork_sub_offset": b"0"}, BadRequest),
        ({"stream_forked_from": b"c", "stream_fork_sub_offset": b"1"}, BadRequest),
        *(({"stream_forked_from": source}, InvalidPath) for source in (b"", b"/", b"/v1/stream/", b"a//b", b"-/stats")),
        *(
            ({"stream_forked_from": source}, InvalidPath)
            for source in (b"../a", b"a/%2e%2e/b", b"a%0ab", b"a%00", b"%5c")
        ),
        *(({"stream_forked_from": source}, InvalidPath) for source in (b"//h/c", b"c/", b"a%zz", b"c#d")),
        *(
            ({"host": b"h:1", "stream_forked_from": source}, BadRequest)
            for source in (
                b"http://h/c",
                b"https://h:2/c",
                b"http://u@h:1/c",
                b"http://h:1/c?x",
                b"http://h:1/c#x",
                b"http:///c",
            )
        ),
        ({"stream_forked_from": b"http://h/v1/stream/c"}, BadRequest),
        ({"stream_forked_from": b"c" * 2000}, PathTooLong),
        *(
            ({"stream_forked_from": b"c", "stream_fork_offset": offset}, InvalidOffset)
            for offset in (b"", b"0", b"-2", b"NOW", b"1_2", OFFSET.encode() + b"0", OFFSET.encode() + b",", b"x" * 999)
        ),
        *(
            ({"stream_forked_from": b"c", "stream_fork_offset": b"-1", "stream_fork_sub_offset": number}, BadRequest)
            for number in NOT_NUMBERS
        ),
    ],
)
def test_other_forks_are_refused(headers: dict[str, bytes], error: type[HeadwaterError]) -> None:
    """Parts without the source, sources that are no path, offsets and numbers that are none."""
    with pytest.raises(error) as caught:
        parse("PUT", **headers)
    assert caught.value.message.isprintable()


# --- GET


@pytest.mark.parametrize(
    ("query", "accept", "mode"),
    [
        (b"", b"", Mode.CATCH_UP),
        (b"", b"*/*", Mode.CATCH_UP),
        (b"", b"text/html, application/xhtml+xml;q=0.9, */*;q=0.8", Mode.CATCH_UP),
        (b"", b"text/event-stream", Mode.EVENTS),
        (b"", b"Text/Event-Stream; charset=utf-8", Mode.EVENTS),
        (b"", b"application/json;q=0.1, text/event-stream", Mode.EVENTS),
        (b"", b"application/x-ndjson", Mode.NDJSON),
        (b"", b"application/x-ndjson, text/event-stream", Mode.NDJSON),
        (b"", b",, ,text/event-stream,", Mode.EVENTS),
        (b"", b",,;,text/event-stream,", Mode.CATCH_UP),
        (b"", b"text/event-streams", Mode.CATCH_UP),
        (b"offset=-1&live=long-poll", b"text/event-stream", Mode.LONG_POLL),
        (b"offset=-1&live=sse", b"application/x-ndjson", Mode.SSE),
    ],
)
def test_live_and_accept_choose_the_mode(query: bytes, accept: bytes, mode: Mode) -> None:
    """`live` first, then what Accept prefers."""
    assert read(query, accept=accept).mode is mode


def test_some_values_of_accept_need_the_stream_s_type() -> None:
    """With it, the same request is a read; and the name that was asked for is kept."""
    headers = {names.ACCEPT: b"application/json, application/jsonl"}
    assert parse_request("GET", "a", b"", headers) == Undecided("a")
    found = parse_request("GET", "a", b"", headers, content_type="application/json; charset=utf-8")
    assert found == Read("a", "-1", Mode.CATCH_UP)
    found = parse_request("GET", "a", b"", headers, content_type="text/plain")
    assert found == Read("a", "-1", Mode.NDJSON, media_type=b"application/jsonl")


@pytest.mark.parametrize(
    "value", [b"", b"SSE", b"true", b"websocket", b"long_poll", b"sse%00", b"sse%0d%0a", b"x" * 500]
)
def test_another_live_is_refused(value: bytes) -> None:
    """The message names the two there are, and quotes little."""
    with pytest.raises(BadRequest, match="live must be long-poll or sse") as caught:
        read(b"offset=-1&live=" + value)
    assert len(caught.value.message) < 120


@pytest.mark.parametrize(
    "offset", ["-1", "now", OFFSET, "0000000000000000_0000000000000000", "9" * 16 + "_" + "9" * 16]
)
@pytest.mark.parametrize("more", [b"", b"&live=sse", b"&live=long-poll"])
def test_offsets_are_taken_in_every_mode(offset: str, more: bytes) -> None:
    """The two words, and any offset by its form."""
    assert read(b"offset=" + offset.encode() + more).offset == offset


@pytest.mark.parametrize(
    "offset",
    [
        *(b"", b"0", b"1", b"-2", b"--1", b"NOW", b"now%20", b"%20-1", b"-1%0a", b"start", b"1_2", b"a,b", b"%00"),
        *(
            b"0000000000000001_000000000000000",
            b"0000000000000001_00000000000000020",
            b"0000000000000001-0000000000000002",
        ),
        *(b"0000000000000001_000000000000000%D9%A3", b"%2B000000000000001_0000000000000002", b"x" * 5000),
    ],
)
@pytest.mark.parametrize("more", [b"", b"&live=sse", b"&live=long-poll"])
def test_other_offsets_are_refused(offset: bytes, more: bytes) -> None:
    """The message quotes little of it, and nothing that is not printable."""
    with pytest.raises(InvalidOffset) as caught:
        read(b"offset=" + offset + more)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 400


@pytest.mark.parametrize("live", ["sse", "long-poll"])
def test_the_protocol_s_live_modes_need_an_offset(live: str) -> None:
    """Sections 5.7 and 5.8; all others begin at the start."""
    with pytest.raises(InvalidOffset, match=f"live={live} needs an offset"):
        read(b"live=" + live.encode())
    assert read(accept=b"text/event-stream").offset == read(accept=b"application/x-ndjson").offset == "-1"


def test_a_browser_comes_back_with_its_last_event_id() -> None:
    """It is newer than the offset in the URL, and only plain event streams have it."""
    query = b"offset=now"
    back = read(query, accept=b"text/event-stream", last_event_id=OFFSET.encode())
    assert (back.offset, back.resumed) == (OFFSET, True)
    for headers in (
        {"accept": b"text/event-stream", "last_event_id": b""},
        {"accept": b"application/x-ndjson", "last_event_id": OFFSET.encode()},
        {"last_event_id": OFFSET.encode()},
    ):
        command = read(query, **headers)
        assert (command.offset, command.resumed) == ("now", False)
    with pytest.raises(InvalidOffset):
        read(query, accept=b"text/event-stream", last_event_id=b"7")


@pytest.mark.parametrize("name", [b"lastEventId", b"last-event-id"])
def test_a_polyfill_comes_back_with_a_parameter(name: bytes) -> None:
    """In place of the header, which is newer if both are there."""
    events = b"text/event-stream"
    query = b"offset=now&" + name + b"=" + OFFSET.encode()
    assert (read(query, accept=events).offset, read(query, accept=events).resumed) == (OFFSET, True)
    other = OFFSET.replace("2", "3")
    assert read(query, accept=events, last_event_id=other.encode()).offset == other
    assert read(query).offset == "now"
    assert read(b"offset=now&" + name + b"=", accept=events).offset == "now"
    with pytest.raises(InvalidOffset):
        read(name + b"=7", accept=events)


def test_the_other_parameters() -> None:
    """The cursor and the tag as they were sent, the event's key, and what is unknown let through."""
    command = read(b"offset=-1&live=sse&cursor=12+3&event=ki%6ed&access_token=x", if_none_match=b'"a", W/"b"')
    assert command == Read("a/b", "-1", Mode.SSE, False, "12 3", '"a", W/"b"', "kind")
    assert read(b"event=&cursor=") == Read("a/b", "-1", Mode.CATCH_UP, cursor="")
    assert read(b"event=" + b"x" * MAX_TOKEN).event_key == "x" * MAX_TOKEN


@pytest.mark.parametrize(
    "query",
    [
        *(b"offset=-1&offset=now", b"offset=-1&offset=-1", b"offset=-1&live=sse&live=sse", b"offset=-1&off%73et=-1"),
        *(b"offset=%ff", b"reader=%c3", b"reader=\xc3\xa4", b"%65vent=\xff", b"event=" + b"x" * (MAX_TOKEN + 1)),
    ],
)
def test_other_queries_are_refused(query: bytes) -> None:
    """Ours, when they are repeated, no UTF-8, no ASCII, or too long."""
    with pytest.raises(BadRequest) as caught:
        read(query)
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    "query",
    [
        *(b"a=1&a=2", b"&&", b"=", b"a", b"=&=", b"%", b"%zz=%", b"a=b=c;d", b"cursor=1&cursor=2"),
        *(b"x=%c3", b"%80=1", b"a=\xc3\xa4", b"\xff", b"xoffset=1", b"offset%00=1", b"&" * 30_000),
        b"&".join(b"utm_%d=1" % number for number in range(5000)),
    ],
)
def test_odd_queries_are_harmless(query: bytes) -> None:
    """Nothing of ours in them, or nothing that decides anything."""
    assert read(query).offset == "-1"


@pytest.mark.parametrize("method", ["PUT", "POST", "HEAD", "DELETE", "OPTIONS"])
def test_only_reads_have_a_query(method: str) -> None:
    """Elsewhere it is let through unread."""
    assert parse(method, b"offset=x&offset=y&\xff") == parse(method)


# --- Anything

DOCUMENTED = set(error_table())
KNOWN_HEADERS = sorted(
    {value for name, value in vars(names).items() if isinstance(value, bytes) and not name.startswith("EVENT_")}
)
values = (
    st.binary(max_size=20)
    | st.text(max_size=12).map(lambda value: value.encode(errors="replace"))
    | st.sampled_from([b"true", b"0", b"1", b"-1", b"now", OFFSET.encode(), b"text/event-stream", b"text/plain", b"c"])
)


def outcome(method: str, path: str, query: bytes, headers: dict[bytes, bytes]) -> Command | Undecided | HeadwaterError:
    try:
        return parse_request(method, path, query, headers, prefixes=PREFIXES)
    except HeadwaterError as error:
        return error


@given(
    method=st.sampled_from([*METHODS, "PATCH"]) | st.text(max_size=8),
    path=st.text(st.characters(), max_size=12) | st.just("a"),
    query=st.binary(max_size=30)
    | st.lists(st.tuples(st.sampled_from([b"offset", b"live", b"cursor", b"event"]), values), max_size=4).map(
        lambda pairs: b"&".join(name + b"=" + value for name, value in pairs)
    ),
    headers=st.dictionaries(st.sampled_from(KNOWN_HEADERS), values, max_size=6),
)
def test_any_head_is_a_command_or_a_documented_error(
    method: str, path: str, query: bytes, headers: dict[bytes, bytes]
) -> None:
    """Nothing else is ever raised, and what is let in to be stored or told is printable."""
    command = outcome(method, path, query, headers)
    if isinstance(command, HeadwaterError):
        assert type(command) in DOCUMENTED
        assert command.message.isprintable()
        return
    assert command.path.isprintable()
    if isinstance(command, Write):
        assert (command.seq or "").isprintable()
        assert (command.producer.id if command.producer else "").isprintable()
    if isinstance(command, Read):
        assert (command.if_none_match or "").isprintable()
        assert command.offset.isascii()
    if isinstance(command, Create):
        assert (command.config.expiry.at_text or "").isprintable()
        assert (command.config.fork.source if command.config.fork else "").isprintable()


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_writes_take_conditions(method: str) -> None:
    """`If-Match` and `If-None-Match`, by where the tags end; without them there is no condition."""
    command = parse(method, if_match=b'"a:b", "c:d:c:gzip", W/"e:f"', if_none_match=b"*")
    assert isinstance(command, Create | Write | Delete)
    assert command.condition == Condition(("b", "d"), ("*",))
    plain = parse(method)
    assert isinstance(plain, Create | Write | Delete)
    assert plain.condition is None


def test_an_append_can_create() -> None:
    """With the headers of PUT, which mean nothing without `Stream-Create`; anything but true or false is a slip."""
    headers = {
        "content_type": b"text/plain",
        "stream_ttl": b"5",
        "stream_retention": b"count=3",
        "stream_slow": b"latest",
    }
    command, created = parse("POST", stream_create=b"True", **headers), parse("PUT", **headers)
    assert isinstance(command, Write)
    assert isinstance(created, Create)
    assert command.create == created.config
    for plain in (parse("POST", **headers), parse("POST", stream_create=b"false", **headers)):
        assert isinstance(plain, Write)
        assert plain.create is None
    for wrong in (b"yes", b"1", b"true, true"):
        with pytest.raises(BadRequest):
            parse("POST", stream_create=wrong)
    with pytest.raises(BadRequest):
        parse("POST", stream_create=b"true", stream_ttl=b"-1")


@pytest.mark.parametrize("header", ["stream_forked_from", "stream_fork_offset", "stream_fork_sub_offset"])
def test_an_append_creates_no_fork(header: str) -> None:
    """400; without `Stream-Create` an append does not look at them."""
    with pytest.raises(BadRequest, match="PUT"):
        parse("POST", stream_create=b"true", **{header: b"1"})
    assert isinstance(parse("POST", **{header: b"1"}), Write)


def test_plain_events_may_have_json_data() -> None:
    """With `data=json`, and nowhere else; another word is refused."""
    events = {b"accept": b"text/event-stream"}
    for query, as_json in ((b"", False), (b"data=json", True)):
        command = parse_request("GET", "s", query, events)
        assert isinstance(command, Read)
        assert command.as_json is as_json
    with pytest.raises(BadRequest, match="data= takes json"):
        parse_request("GET", "s", b"data=xml", events)
    command = parse_request("GET", "s", b"data=xml", {})
    assert isinstance(command, Read)
    assert not command.as_json
