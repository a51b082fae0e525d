"""Wherever the bytes are cut the server does the same, and however slow commits are, all are answered in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.corpus.cases import Case
from tests.corpus.check import Segments, run
from tests.corpus.servers import Target

pytestmark = pytest.mark.slow

APPEND = "POST {a} HTTP/1.1\nHost: app.example\nContent-Type: application/json\n"
#: Appends of every way through the server: alone, from a page, chunked, with an upgrade, and reads between them.
PIPELINE = Case(
    name="a pipeline of everything",
    why="RFC 9112 9.3.2: responses in the order of the requests",
    before={"a": "[]"},
    send=f"{APPEND}Content-Length: 1\n\n1"
    f"{APPEND}Origin: https://app.example\nContent-Length: 1\n\n2"
    "GET {a} HTTP/1.1\nHost: app.example\n\n"
    f"{APPEND}Transfer-Encoding: chunked\n\n1\n3\n0\n\n"
    f"{APPEND}Connection: Upgrade\nUpgrade: h2c\nContent-Length: 1\n\n4"
    f"{APPEND}Content-Length: 1\n\n5",
    expect=[204, 204, 200, 204, 204, 204],
    after={"a": "[1,2,3,4,5]"},
    slow=True,
)
LENGTH = 720


def cut_at(*places: int) -> Callable[[Segments], Segments]:
    """Cuts everything that is sent, as one piece, at these bytes."""

    def cut(segments: Segments) -> Iterator[bytes | None]:
        pieces = list(segments)
        whole = b"".join(piece for piece in pieces if piece is not None)
        start = 0
        for place in (*places, len(whole)):
            if start < place <= len(whole):
                yield whole[start:place]
                start = place
        if pieces[-1] is None:
            yield None

    return cut


def test_a_pipeline_is_answered_in_order_while_commits_are_slow(target: Callable[[str], Target]) -> None:
    """Every request gets its response, whatever came in which segment; `make soak` cuts at every byte."""
    for place in range(1, LENGTH, 23):
        run(PIPELINE, target("serve-sqlite"), cut_at(place))
