"""The bytes of a connection as requests: whole, byte by byte, and cut at every place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.errors import HeadwaterError
from headwater.server.head_cache import HeadCache
from headwater.server.inbound import Inbound

MAX = 400

Found = list[tuple[str, bytes] | str]


def head(method: str = "POST", *fields: str, target: str = "/s", version: str = "1.1") -> bytes:
    return "\r\n".join([f"{method} {target} HTTP/{version}", "host: a", *fields, "", ""]).encode()


def chunked(*parts: bytes, trailer: bytes = b"") -> bytes:
    return b"".join([b"%x\r\n%b\r\n" % (len(part), part) for part in parts]) + b"0\r\n" + trailer + b"\r\n"


CHUNKED = head("POST", "transfer-encoding: chunked")

#: What is sent, and the requests that are found in it: method and body; or the code of the fault, with which it ends.
VECTORS: dict[str, tuple[bytes, Found]] = {
    "a read": (head("GET"), [("GET", b"")]),
    "an append": (head("POST", "content-length: 3") + b"abc", [("POST", b"abc")]),
    "a body of nothing": (head("POST", "content-length: 0"), [("POST", b"")]),
    "chunks": (CHUNKED + chunked(b"ab", b"c"), [("POST", b"abc")]),
    "no chunks": (CHUNKED + chunked(), [("POST", b"")]),
    "a trailer": (CHUNKED + chunked(b"ab", trailer=b"host: evil\r\nx: y\r\n"), [("POST", b"ab")]),
    "a chunk of ends": (CHUNKED + chunked(b"\r\n\r\n", b"0\r\n\r\n", b"\r\n"), [("POST", b"\r\n\r\n0\r\n\r\n\r\n")]),
    "a chunk extension": (CHUNKED + b'2;a="b"\r\nab\r\n0;c\r\n\r\n', [("POST", b"ab")]),
    "an upgrade": (head("POST", "connection: upgrade", "upgrade: x", "content-length: 2") + b"ab", [("POST", b"ab")]),
    "an upgrade in chunks": (
        head("POST", "connection: upgrade", "upgrade: x", "transfer-encoding: chunked") + chunked(b"ab"),
        [("POST", b"ab")],
    ),
    "empty lines": (b"\r\n\n\r\n" + head("GET") + b"\r\n", [("GET", b"")]),
    "a pipeline": (
        head("GET")
        + head("POST", "content-length: 1")
        + b"1"
        + CHUNKED
        + chunked(b"GET / HTTP/1.1\r\n\r\n")
        + b"\r\n"
        + head("DELETE")
        + CHUNKED
        + chunked(b"2")
        + head("GET"),
        [
            ("GET", b""),
            ("POST", b"1"),
            ("POST", b"GET / HTTP/1.1\r\n\r\n"),
            ("DELETE", b""),
            ("POST", b"2"),
            ("GET", b""),
        ],
    ),
    "no HTTP": (b"\x16\x03\x01\x02\x00" + b"a" * 50 + b"\r\n\r\n", ["bad-request"]),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ["version-not-supported"]),
    "HTTP/3.0": (head("GET", version="3.0"), ["version-not-supported"]),
    "a bare line feed": (b"GET / HTTP/1.1\nhost: a\n\n" + head("GET"), ["bad-request"]),
    "a bad request behind": (head("GET") + b"nonsense\r\n\r\n" + head("GET"), [("GET", b""), "bad-request"]),
    "two lengths": (head("POST", "content-length: 1", "content-length: 2") + b"12", ["bad-request"]),
    "a length and chunks": (head("POST", "content-length: 1", "transfer-encoding: chunked") + b"1", ["bad-request"]),
    "a large head": (head("GET", "x: " + "y" * MAX), ["headers-too-large"]),
    "a head without an end": (b"GET / HTTP/1.1\r\nx: " + b"y" * MAX, ["headers-too-large"]),
    "a bad chunk": (CHUNKED + b"2\r\nabc\r\n0\r\n\r\n", ["bad-request"]),
    "a chunk size that is none": (CHUNKED + b"zz\r\n", ["bad-request"]),
    "a large trailer": (CHUNKED + chunked(b"1", trailer=b"x: " + b"y" * 2 * MAX + b"\r\n"), ["headers-too-large"]),
    "a large chunk extension": (CHUNKED + b"1;" + b"y" * 2 * MAX + b"\r\n1\r\n0\r\n\r\n", ["headers-too-large"]),
}


def found_in(pieces: Sequence[bytes]) -> Found:
    """The requests in the pieces, fed one after the other, as a connection takes them."""
    inbound, found, body = Inbound(HeadCache(), MAX), Found(), b""
    method: str | None = None
    for piece in pieces:
        inbound.feed(piece)
        while True:
            if method is None:
                request = inbound.head()
                if request is None:
                    break
                if request.fault is not None:
                    return [*found, request.fault.code]
                method, body = request.method, b""
            try:
                body += b"" if inbound.is_whole else inbound.body()
            except HeadwaterError as error:
                return [*found, error.code]
            if not inbound.is_whole:
                break
            found.append((method, body))
            method = None
    return found


def cuts(data: bytes) -> Iterator[list[bytes]]:
    yield [data]
    yield [data[at : at + 1] for at in range(len(data))]
    for cut in range(1, len(data)):
        yield [data[:cut], data[cut:]]


@pytest.mark.parametrize("name", VECTORS)
def test_requests_are_the_same_however_they_are_cut(name: str) -> None:
    """Whole, byte by byte, and in two at every place."""
    sent, expected = VECTORS[name]
    for pieces in cuts(sent):
        assert found_in(pieces) == expected, pieces


def test_a_faulty_head_tells_the_lines_in_front_of_its_fault() -> None:
    """So that the page that sent it can read the refusal."""
    for sent in (
        b"GET / HTTP/1.1\r\norigin: https://a.example\r\nx: 1\r\n\x00bad: 1\r\n\r\n",
        b"GET / HTTP/1.1\r\norigin: https://a.example\r\nx: " + b"y" * MAX,
        b"GET / HTTP/1.1\r\norigin: https://a.example\r\nhost: a\r\nhost: b\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\norigin: https://a.example\r\nhost: a\r\n\r\n",
    ):
        inbound = Inbound(HeadCache(), MAX)
        inbound.feed(sent)
        request = inbound.head()
        assert request is not None
        assert request.fault is not None
        assert request.fault.unread
        if b"host: b" not in sent:
            assert request.origin == b"https://a.example"


def test_nothing_is_taken_in_front_of_its_request() -> None:
    """What is behind a request is left where it is."""
    inbound = Inbound(HeadCache(), MAX)
    inbound.feed(head("POST", "content-length: 2") + b"1")
    assert inbound.head() is not None
    assert (inbound.is_whole, inbound.body(), inbound.is_whole) == (False, b"1", False)
    inbound.feed(b"2GET")
    assert (inbound.body(), inbound.is_whole, inbound.waiting) == (b"2", True, 3)
    assert inbound.head() is None


def test_small_chunks_are_not_taken_for_trailers() -> None:
    """However many: a chunk's own size line does not count."""
    body = b"x" * 3000
    pieces = [CHUNKED, chunked(*[body[at : at + 1] for at in range(len(body))])]
    assert found_in(pieces) == found_in([b"".join(pieces)]) == [("POST", body)]


SOUND = [name for name, (_, expected) in VECTORS.items() if not isinstance(expected[-1], str)]


@settings(deadline=None, max_examples=200)
@given(st.lists(st.sampled_from(SOUND), min_size=1, max_size=4), st.lists(st.integers(1, 60), max_size=40))
def test_any_requests_in_any_pieces(names: list[str], sizes: list[int]) -> None:
    """They are found in their order."""
    sent = b"".join(VECTORS[name][0] for name in names)
    expected = [request for name in names for request in VECTORS[name][1]]
    pieces, at = [], 0
    for size in sizes:
        pieces.append(sent[at : at + size])
        at += size
    pieces.append(sent[at:])
    assert found_in([piece for piece in pieces if piece]) == expected


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=200), st.sampled_from([b"", head("GET"), CHUNKED, head("POST", "content-length: 50")]))
def test_whatever_comes_is_a_request_or_a_fault(data: bytes, before: bytes) -> None:
    """Nothing else is raised, and pieces make no difference."""
    whole = found_in([before + data])
    assert found_in([before, *[data[at : at + 1] for at in range(len(data))]]) == whole
