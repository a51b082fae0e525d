"""Heads: what httptools says they are, and what is remembered of them."""

from __future__ import annotations

import pytest

from headwater.server.heads import MAX_HEAD_BYTES, MAX_HEADS, Head, Heads, parse_head

PLAIN = b"POST /s HTTP/1.1\r\nHost: localhost\r\nContent-Type: a/b\r\nContent-Length: 3\r\n\r\n"


def test_a_head_is_parsed() -> None:
    """Names are in lower case; of a repeated header the last one counts."""
    head = parse_head(b"GET /s?x=1 HTTP/1.1\r\nA: 1\r\na:  2\r\n\r\n")
    assert head == Head(b"GET", b"/s?x=1", {b"a": b"2"})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        PLAIN[:-2],
        PLAIN[:-1],
        PLAIN + b"x",
        PLAIN + b"xyz",
        PLAIN.replace(b"Content-Length: 3", b"Content-Length: 3\nContent-Length: 4"),
        PLAIN.replace(b"Host: localhost\r\n", b"Host: localhost\n\n"),
        PLAIN.replace(b"HTTP/1.1", b"HTTP/1.0"),
        PLAIN.replace(b"HTTP/1.1", b"HTTP/2.0"),
        PLAIN.replace(b"POST", b"P\x00ST"),
        PLAIN.replace(b"Host: localhost", b"Host : localhost"),
        PLAIN.replace(b"Host: localhost", b"Connection: upgrade\r\nUpgrade: websocket"),
        b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\n\nGET / HTTP/1.1\r\n\r\n",
    ],
)
def test_anything_else_is_none(data: bytes) -> None:
    """Half a head, a head with more behind it, another version, an upgrade, or what the parser refuses."""
    assert parse_head(data) is None


def test_heads_are_understood_once() -> None:
    """Also those that mean nothing; a head that may not be remembered is asked about again."""
    asked: list[bytes] = []

    def understand(head: Head) -> tuple[str | None, bool]:
        asked.append(head.url)
        return (None if head.url == b"/nothing" else head.url.decode()), head.url != b"/again"

    heads = Heads(understand)
    for url in (b"/a", b"/a", b"/nothing", b"/nothing", b"/again", b"/again"):
        expected = None if url == b"/nothing" else url.decode()
        assert heads.meaning(b"GET " + url + b" HTTP/1.1\r\n\r\n") == expected
    assert asked == [b"/a", b"/nothing", b"/again", b"/again"]
    assert len(heads) == 2


def test_memory_is_bounded() -> None:
    """Large heads are not taken, and of many small ones the last used are remembered."""
    asked: list[bytes] = []

    def understand(head: Head) -> tuple[bytes, bool]:
        asked.append(head.url)
        return head.url, True

    heads = Heads(understand)
    assert heads.meaning(b"GET / HTTP/1.1\r\nlarge: " + b"x" * MAX_HEAD_BYTES + b"\r\n\r\n") is None
    hot = b"GET /hot HTTP/1.1\r\n\r\n"
    for number in range(2 * MAX_HEADS):
        heads.meaning(b"GET /%d HTTP/1.1\r\n\r\n" % number)
        heads.meaning(hot)
    assert len(heads) == MAX_HEADS
    assert asked.count(b"/hot") == 1
