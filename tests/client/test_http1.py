"""HTTP/1.1 answers come out the same however they are cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.client.errors import BadAnswer
from headwater.client.wires.http1 import MAX_HEAD, Answer

BODY = b'id:1\ndata:{"n":"1"}\n\nid:2\ndata:2\n\n'


def chunked(sizes: list[int]) -> bytes:
    found, at = b"", 0
    for size in sizes:
        piece = BODY[at : at + size]
        if piece:
            found += b"%x;name=value\r\n%b\r\n" % (len(piece), piece)
        at += size
    rest = BODY[at:]
    last = b"%X\r\n%b\r\n" % (len(rest), rest) if rest else b""
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + found + last + b"0\r\n\r\n"


@given(sizes=st.lists(st.integers(1, 40), max_size=6), cuts=st.lists(st.integers(0, 200), max_size=20))
def test_a_chunked_body_is_put_together(sizes: list[int], cuts: list[int]) -> None:
    """Whatever the chunks and the reads are."""
    answer, data = Answer(), chunked(sizes)
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [data[a:b] for a, b in pairwise(places)]
    assert b"".join(map(answer.feed, pieces)) == BODY
    assert (answer.status, answer.is_done) == (200, True)


@given(cut=st.integers(0, 80))
def test_a_body_of_known_length_ends_there(cut: int) -> None:
    """What comes after it is not of it."""
    data = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 204 No"
    answer = Answer()
    assert answer.feed(data[:cut]) + answer.feed(data[cut:]) == b"hello"
    assert answer.is_done


@pytest.mark.parametrize("head", [b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"])
def test_an_empty_answer_is_done_with_its_head(head: bytes) -> None:
    """204 and a length of 0 have no body."""
    answer = Answer()
    assert (answer.feed(head), answer.is_done) == (b"", True)


def test_a_body_without_a_length_goes_on() -> None:
    """Its end is the connection's."""
    answer = Answer()
    assert answer.feed(b"HTTP/1.1 200 OK\r\nRetry-After: 3\r\n\r\none") == b"one"
    assert (answer.feed(b"two"), answer.is_done, answer.headers) == (b"two", False, {"retry-after": "3"})


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"x" * (MAX_HEAD + 1),
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b"0" * 300,
    ],
)
def test_what_is_no_answer_is_refused(data: bytes) -> None:
    """Another protocol, an endless head, a chunk without a size."""
    with pytest.raises(BadAnswer):
        Answer().feed(data)
