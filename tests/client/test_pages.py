"""Pages of a stream, of servers and of caches that answer another request than was sent."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.client.codec import Codec
from headwater.client.errors import BadAnswer
from headwater.client.items import Batch
from headwater.client.told import UpToDate
from headwater.client.ways import PageWay, Place

KINDS: dict[str, tuple[list[bytes], Any]] = {
    "application/json": ([b"[1,2]", b"[3]", b"[1,2,3,4]"], [[1, 2], [3], [4]]),
    "text/plain": ([b"ab", b"c", b"abcd"], ["ab", "c", "d"]),
}
#: As Headwater and the reference server make them.
TAGS = ['"{start}:{end}"', '"{start}:{end}:c:gzip"', 'W/"L2E=:{start}:{end}"']


def page(place: Place, kind: str, start: str, end: str, body: bytes, tag: str) -> list[Any]:
    way = PageWay(Codec(kind), place, live=True)
    way.begin(200, {"content-type": kind, "stream-next-offset": end, "stream-up-to-date": "true"})
    way._head = {**way._head, "etag": tag.format(start=start, end=end)}
    way.feed(body)
    told = way.finish()
    assert isinstance(told[-1], UpToDate)
    place.offset = end
    return [item.data for each in told if isinstance(each, Batch) for item in each.items]


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_cache_that_answers_from_the_start(kind: str, tag: str) -> None:
    """What was given before is left out, and what is new is given once."""
    bodies, values = KINDS[kind]
    place = Place("-1")
    first = "00" if "L2E" not in tag else "-1"
    found = [
        page(place, kind, first, "02", bodies[0], tag),
        page(place, kind, "02", "03", bodies[1], tag),
        page(place, kind, first, "04", bodies[2], tag),
    ]
    together = [value for each in found for value in each]
    assert together == [value for each in values for value in (each if isinstance(each, list) else [each])]


def test_an_answer_from_anywhere_else_is_asked_for_again_past_the_cache() -> None:
    """How much of it was given before, nobody knows."""
    place = Place("-1")
    page(place, "application/json", "00", "02", b"[1,2]", TAGS[0])
    page(place, "application/json", "02", "03", b"[3]", TAGS[0])
    with pytest.raises(BadAnswer, match="cache"):
        page(place, "application/json", "01", "04", b"[2,3,4]", TAGS[0])
    assert place.offset == "03"
    assert PageWay(Codec("application/json"), place, live=True).headers(place)["cache-control"] == "no-cache"
    assert page(place, "application/json", "03", "04", b"[4]", TAGS[0]) == [4]
    assert "cache-control" not in PageWay(Codec("application/json"), place, live=True).headers(place)


def test_a_server_that_does_not_tell_is_believed() -> None:
    """Most caches do what they should."""
    place = Place("02")
    assert page(place, "application/json", "x", "03", b"[3]", '"abc"') == [3]
    assert page(place, "application/json", "x", "04", b"[4]", "") == [4]
