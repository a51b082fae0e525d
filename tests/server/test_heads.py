"""Heads: what httptools says they are, and what is remembered of them."""

from __future__ import annotations

import pytest

from headwater.server.head_cache import MAX_HEAD_BYTES, MAX_HEADS, HeadCache, parse_head
from headwater.server.inbound import Inbound

PLAIN = b"POST /s HTTP/1.1\r\nHost: localhost\r\nContent-Type: a/b\r\nContent-Length: 3\r\n\r\n"


def test_a_head_is_parsed() -> None:
    """Names are in lower case, a list of several lines is one, and white space around values is left out."""
    head = parse_head(b"GET /a%20b?x=1 HTTP/1.1\r\nA: 1 \t\r\na:  2\r\n\r\n")
    assert (head.method, head.raw_path, head.path, head.query) == ("GET", "/a%20b", "/a b", b"x=1")
    assert (head.headers, head.length, head.keep_alive, head.version) == ({b"a": b"1, 2"}, 0, True, "1.1")
    assert head.fault is None
    assert parse_head(PLAIN).length == 3
    chunked = parse_head(PLAIN.replace(b"Content-Length: 3", b"Transfer-Encoding: chunked"))
    assert (chunked.length, chunked.fault) == (None, None)


@pytest.mark.parametrize(
    ("line", "version", "expected"),
    [
        ("", "1.1", True),
        ("connection: close", "1.1", False),
        ("connection: x, close", "1.1", False),
        ("", "1.0", False),
        ("connection: keep-alive", "1.0", False),
    ],
)
def test_who_goes_on_behind_a_response(line: str, version: str, expected: bool) -> None:
    """RFC 9112 section 9.3."""
    head = parse_head("\r\n".join([f"GET / HTTP/{version}", *([line] if line else []), "", ""]).encode())
    assert head.keep_alive is expected


@pytest.mark.parametrize(
    ("target", "host", "path", "query"),
    [
        ("/a?b?c", b"localhost", "/a", b"b?c"),
        ("http://other.example/a?b", b"other.example", "/a", b"b"),
        ("HTTPS://other.example:8443", b"other.example:8443", "/", b""),
        ("http://other.example?b", b"other.example", "/", b"b"),
        ("*", b"localhost", "*", b""),
    ],
)
def test_targets(target: str, host: bytes, path: str, query: bytes) -> None:
    """RFC 9112 section 3.2: of a URL, its authority is the host, whatever `Host` says."""
    head = parse_head(f"OPTIONS {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert head.fault is None
    assert (head.host, head.path, head.query) == (host, path, query)


@pytest.mark.parametrize("target", ["http://", "http:///a", "ftp://a/b", "http://u@a/b", "a", "/a#b", "http://a/b#c"])
def test_targets_that_are_none(target: str) -> None:
    """400, and the connection closes."""
    fault = parse_head(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()).fault
    assert fault is not None
    assert (fault.status, fault.unread) == (400, True)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "bad-request"),
        (PLAIN[:-2], "bad-request"),
        (PLAIN.replace(b"Content-Length: 3", b"Content-Length: 3\r\nContent-Length: 4"), "bad-request"),
        (PLAIN.replace(b"Host: localhost\r\n", b"Host: localhost\n\n"), "bad-request"),
        (PLAIN.replace(b"Host: localhost", b"Host: localhost\r\nHost: localhost"), "bad-request"),
        (PLAIN.replace(b"HTTP/1.1", b"HTTP/2.0"), "version-not-supported"),
        (PLAIN.replace(b"POST", b"P\x00ST"), "bad-request"),
        (PLAIN.replace(b"Host: localhost", b"Host : localhost"), "bad-request"),
        (PLAIN.replace(b"POST /s", b"CONNECT a:1"), "method-not-allowed"),
        (PLAIN.replace(b"/s", "/ä".encode()), "bad-request"),
    ],
)
def test_faults(data: bytes, code: str) -> None:
    """What is wrong with a head is found here, and refused by the service."""
    fault = parse_head(data).fault
    assert fault is not None
    assert (fault.code, fault.unread) == (code, True)


def test_heads_are_parsed_once() -> None:
    """But for those that are faulty, and those whose numbers change each time."""
    heads = HeadCache()
    assert heads.get(PLAIN) is heads.get(PLAIN)
    for line in (b"Producer-Id: p", b"Stream-Seq: 1", b'If-Match: "x"', b"Host: again"):
        other = PLAIN.replace(b"Content-Type", line + b"\r\nContent-Type")
        assert heads.get(other) is not heads.get(other)
    assert len(heads) == 1


def test_memory_is_bounded() -> None:
    """Large heads are not remembered, and of many small ones the last used are."""
    heads = HeadCache()
    large = b"GET / HTTP/1.1\r\nlarge: " + b"x" * MAX_HEAD_BYTES + b"\r\n\r\n"
    assert heads.get(large) is not heads.get(large)
    hot = b"GET /hot HTTP/1.1\r\n\r\n"
    first = heads.get(hot)
    for number in range(2 * MAX_HEADS):
        heads.get(b"GET /%d HTTP/1.1\r\n\r\n" % number)
        assert heads.get(hot) is first
    assert len(heads) == MAX_HEADS


TARGETS = (
    "/",
    "/a",
    "/a/b?offset=now",
    "/a?",
    "/%41/%zz?x=%20",
    "/a?b?c",
    "//a",
    "/a|b",
    "/a#b",
    "*",
    "http://other/a",
)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_what_is_known_of_another_target_changes_nothing(method: str, target: str) -> None:
    """A head that differs from a known one in its target only is what it would be if nothing were known."""
    heads = HeadCache()
    lines = b" HTTP/1.1\r\nHost: localhost:4437\r\nOrigin: http://a.test\r\nContent-Length: 2\r\n\r\n"
    known = heads.get(method.encode() + b" /known?x=1" + lines)
    known.memo, known.extra = "of /known", [(b"let", b"in")]
    data = f"{method} {target}".encode() + lines
    found, parsed = heads.get(data), parse_head(data)
    assert (found.fault is None) == (parsed.fault is None)
    assert found.memo is None
    for field in ("method", "raw_path", "path", "query", "headers", "version", "fields", "host", "origin"):
        assert getattr(found, field) == getattr(parsed, field), field
    for field in ("is_origin_form", "length", "keep_alive", "expects"):
        assert getattr(found, field) == getattr(parsed, field), field
    if target in ("*", "http://other/a", "/a#b"):
        assert found.extra is None  # it is asked about by itself


def test_heads_of_other_lines_are_not_alike() -> None:
    """Whatever else differs, what was let in under one head is asked about again under the other."""
    heads = HeadCache()
    plain = b"GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n"
    heads.get(plain).extra = []
    assert heads.get(plain.replace(b"/a", b"/b")).extra == []
    for one, other in ((b"GET", b"PUT"), (b"1.1", b"1.0"), (b"localhost", b"evil.test"), (b"Host", b"host")):
        assert heads.get(plain.replace(b"/a", b"/c").replace(one, other)).extra is None


HANDSHAKE = (
    b"GET /v1/stream/-/connect HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"sec-websocket-KEY: %b\r\nSec-WebSocket-Version: 13\r\n%b\r\n"
)
KEYS = (b"dGhlIHNhbXBsZSBub25jZQ==", b"AAAAAAAAAAAAAAAAAAAAAA==", b"/+//+//+//+//+//+//+/w==")


def test_a_handshake_is_parsed_once_for_all_keys() -> None:
    """Each has its own key, and shares what was made of the rest; whether it comes alone or with others."""
    heads = HeadCache()
    first = heads.get(HANDSHAKE % (KEYS[0], b""))
    first.memo, first.extra = "of the rest", [(b"let", b"in")]
    for key in KEYS:
        data = HANDSHAKE % (key, b"")
        found, parsed = heads.get(data), parse_head(data)
        assert (found.memo, found.extra) == ("of the rest", [(b"let", b"in")])
        assert (found.is_keyed, heads.key) == (True, key)
        assert {**found.headers, b"sec-websocket-key": key} == parsed.headers
        assert [*found.fields, (b"sec-websocket-key", key)] == sorted(parsed.fields, key=lambda each: each[1] == key)
        for field in ("method", "raw_path", "path", "query", "version", "host", "length"):
            assert getattr(found, field) == getattr(parsed, field), field
        alone, behind = Inbound(heads, MAX_HEAD_BYTES), Inbound(heads, MAX_HEAD_BYTES)
        alone.feed(data)
        behind.feed(data + b"frames")
        for inbound in (alone, behind):
            assert inbound.head() is found
            assert inbound.key == key
        assert behind.rest() == b"frames"


@pytest.mark.parametrize("key", [b"AAAAAAAAAAAAAAAAAAAAAB==", b"AAAAAA\r\nHost: a.test\r\nX:", b"A" * 24])
def test_what_stands_in_place_of_a_key_is_parsed(key: bytes) -> None:
    """A head of the same size is another one when those bytes are no key."""
    heads = HeadCache()
    heads.get(HANDSHAKE % (KEYS[0], b"")).memo = "of the plain one"
    data = HANDSHAKE % (key, b"")
    assert len(data) == len(HANDSHAKE % (KEYS[0], b""))
    inbound = Inbound(heads, MAX_HEAD_BYTES)
    inbound.feed(data)
    found, parsed = inbound.head(), parse_head(data)
    assert found is not None
    assert (found.memo, found.is_keyed, found.fields) == (None, False, parsed.fields)


def test_a_key_alone_says_what_is_wanted() -> None:
    """Without a version the key is a field of the request like others, which is refused for the other."""
    data = HANDSHAKE.replace(b"Sec-WebSocket-Version: 13\r\n", b"") % (KEYS[0], b"")
    found = HeadCache().get(data)
    assert not found.is_keyed
    assert found.headers[b"sec-websocket-key"] == KEYS[0]


@pytest.mark.parametrize(
    "data",
    [
        HANDSHAKE % (b"short", b""),
        HANDSHAKE % (KEYS[0], b"Sec-WebSocket-Key: " + KEYS[1] + b"\r\n"),
        HANDSHAKE % (KEYS[0], b"Sec-WebSocket-Key:\r\n"),
        HANDSHAKE % (KEYS[0] + b" x", b""),
        HANDSHAKE % (KEYS[0], b"large: " + b"x" * MAX_HEAD_BYTES + b"\r\n"),
        (HANDSHAKE % (KEYS[0], b"Host: again\r\n")),
    ],
    ids=["short", "two", "one-empty", "more", "large", "faulty"],
)
def test_what_is_no_plain_handshake_is_parsed_each_time(data: bytes) -> None:
    """And is what it would be if nothing were known."""
    heads = HeadCache()
    heads.get(HANDSHAKE % (KEYS[2], b"")).memo = "of the plain one"
    for _ in range(2):
        found, parsed = heads.get(data), parse_head(data)
        assert found.memo is None
        found.memo = "seen"
        assert (found.headers, found.fields, found.fault is None) == (
            parsed.headers,
            parsed.fields,
            parsed.fault is None,
        )
    # A head that has the same bytes without a key is another one.
    assert heads.get(HANDSHAKE % (b"", b"")).memo is None
