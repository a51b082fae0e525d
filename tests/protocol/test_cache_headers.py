"""Cursors that only grow, and ETags that change with everything an answer says (section 10)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.model import Batch
from headwater.protocol.cache_headers import (
    CURSOR_EPOCH,
    CURSOR_INTERVAL,
    MAX_JITTER,
    entity_tag,
    matches,
    next_cursor,
    tail_tag,
)

moments = st.floats(CURSOR_EPOCH, CURSOR_EPOCH + 1e10)
jitters = st.integers(1, MAX_JITTER)


def batch(offset: str, next_offset: str, *, closed: bool = False) -> Batch:
    return Batch(offset, (), next_offset, True, closed, "text/plain")


def test_the_cursor_is_the_interval_s_number() -> None:
    """Intervals of 20 seconds since 2024-10-09T00:00:00Z."""
    assert next_cursor(1728432000.0, None, 1) == "0"
    assert next_cursor(1728432019.9, None, 3600) == "0"
    assert next_cursor(1728432020.0, None, 1) == "1"
    assert next_cursor(1728432000.0 + 20 * 12345, None, 1) == "12345"


@pytest.mark.parametrize(
    ("client", "jitter", "cursor"),
    [
        ("999", 3600, "1000"),  # of an earlier interval
        ("1000", 1, "1001"),  # of this one: at least one more
        ("1000", 3600, "1180"),
        ("1001", 40, "1003"),  # of a later one, as an earlier jitter gave it
        ("0", 1, "1000"),
        ("0000000000001000", 1, "1000"),  # 16 digits: not ours
        ("000000000001000", 1, "1001"),
    ],
)
def test_a_client_s_cursor_is_passed(client: str, jitter: int, cursor: str) -> None:
    """The answer's cursor is the interval's, or beyond the client's by the jitter."""
    assert next_cursor(CURSOR_EPOCH + 1000 * CURSOR_INTERVAL, client, jitter) == cursor


@pytest.mark.parametrize("client", ["", "abc", "-5", "+5", "1.5", "1e9", " 5", "5 ", "٣", "²", "\0", "5\n", "9" * 5000])
def test_what_is_no_cursor_counts_as_nothing(client: str) -> None:
    """Anything else a client may send is no error, and no way to a cursor of its choice."""
    assert next_cursor(CURSOR_EPOCH + 100.0, client, 3600) == "5"


@given(now=moments, client=st.integers(0, 10**15 - 1), jitter=jitters)
def test_the_cursor_is_always_beyond_the_client_s(now: float, client: int, jitter: int) -> None:
    """Strictly greater than any number of up to 15 digits, and never before the interval."""
    cursor = int(next_cursor(now, str(client), jitter))
    assert cursor > client
    assert cursor >= (now - CURSOR_EPOCH) // CURSOR_INTERVAL


@given(now=moments, steps=st.lists(st.tuples(st.floats(0, 100), jitters), max_size=20))
def test_cursors_of_a_client_that_echoes_only_grow(now: float, steps: list[tuple[float, int]]) -> None:
    """Each answer has another cursor than all before it, so no cache answers the same request twice for ever."""
    cursor = next_cursor(now, None, 1)
    for wait, jitter in steps:
        now += wait
        further = next_cursor(now, cursor, jitter)
        assert int(further) > int(cursor)
        cursor = further


@given(now=moments, client=st.text(max_size=20), jitter=jitters)
def test_a_cursor_is_always_a_number(now: float, client: str, jitter: int) -> None:
    """Whatever was echoed, the header gets digits only."""
    cursor = next_cursor(now, client, jitter)
    assert cursor.isascii()
    assert cursor.isdigit()


def test_the_tag_tells_the_range_and_the_closure() -> None:
    """Quoted, and different for every start, end, closure and content coding."""
    assert entity_tag(batch("a", "b")) == '"a:b"'
    assert entity_tag(batch("a", "b", closed=True)) == '"a:b:c"'
    assert entity_tag(batch("a", "b"), "gzip") == '"a:b:gzip"'
    assert entity_tag(batch("a", "b", closed=True), "br") == '"a:b:c:br"'


def test_a_tail_has_the_tag_of_an_empty_range() -> None:
    """As a read from there has it."""
    assert tail_tag("b", closed=False) == entity_tag(batch("b", "b"))
    assert tail_tag("b", closed=True) == entity_tag(batch("b", "b", closed=True))


@pytest.mark.parametrize("sent", ['"a:b"', 'W/"a:b"', '"x", "a:b"', '"x" ,W/"a:b" , "y"', "*", '"x", *'])
def test_a_tag_that_is_named_matches(sent: str) -> None:
    """Alone, in a list, weak, or any (RFC 9110 section 13.1.2)."""
    assert matches(sent, '"a:b"')


@pytest.mark.parametrize("sent", [None, "", '"a:b:c"', "a:b", '"a:B"', "W/", 'w/"a:b"', '"a:b', ",,", '"a, :b"', "**"])
def test_another_tag_does_not_match(sent: str | None) -> None:
    """Not sent, another one, or not quoted: the answer is sent in full."""
    assert not matches(sent, '"a:b"')
