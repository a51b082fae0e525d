"""Queries: ours are decoded and must be good, all else is let through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.errors import BadRequest
from headwater.protocol.query import parse_query


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        (b"", {}),
        (b"offset=-1&live=sse&cursor=", {"offset": "-1", "live": "sse", "cursor": ""}),
        (b"reader=K%C3%BCche+7&event", {"reader": "Küche 7", "event": ""}),
        (b"off%73et=a%3Db=c&x=\xff&%ff=1&&=", {"offset": "a=b=c"}),
        (b"cursor=1&cursor=2", {"cursor": "2"}),
        (b"OFFSET=1&offset[]=1&offset =1", {}),
    ],
)
def test_ours_are_decoded(query: bytes, fields: dict[str, str]) -> None:
    """By their exact names; what is unknown is not looked at."""
    assert parse_query(query) == fields


@pytest.mark.parametrize("query", [b"offset=%ff", b"live=\xc3\xa4", b"offset=1&x&offset=1", b"live=a&l%69ve=a"])
def test_ours_that_are_wrong_are_refused(query: bytes) -> None:
    """No UTF-8, no ASCII, or twice."""
    with pytest.raises(BadRequest, match=r"offset|live"):
        parse_query(query)


@given(st.lists(st.binary(max_size=8).filter(lambda part: b"&" not in part and b"%" not in part), max_size=60))
def test_others_change_nothing(parts: list[bytes]) -> None:
    """However many there are, in any bytes."""
    others = [b"x" + part for part in parts]
    assert parse_query(b"&".join([*others, b"offset=now", *others])) == {"offset": "now"}
