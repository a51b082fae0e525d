"""Forks: from where they may leave, and what they take along."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.errors import (
    BadRequest,
    ContentTypeMismatch,
    ForkTooDeep,
    InvalidOffset,
    OffsetGone,
    SourceGone,
    StreamNotFound,
)
from headwater.model import Expiry, ForkPoint, StreamConfig
from headwater.protocol import forks
from headwater.protocol.forks import MAX_SOURCES
from headwater.protocol.ledger import StreamState, new_stream, nobody
from headwater.protocol.offsets import Segment, format_offset

JSON = "application/json"


def source(content_type: str = "text/plain", expiry: Expiry = Expiry(), *, tail: int = 20) -> StreamState:  # noqa: B008
    """A stream of 20 bytes."""
    state = new_stream("a", 3, StreamConfig(content_type, expiry), 0.0)
    state.tail = tail
    return state


def config(content_type: str | None = None, expiry: Expiry = Expiry()) -> StreamConfig:  # noqa: B008
    return StreamConfig(content_type, expiry, fork=ForkPoint("a"))


def test_a_source_that_can_be_forked() -> None:
    """Any usable stream can be forked, by a request of its type or of none; a closed one too."""
    state = source()
    state.closed = True
    for content_type in (None, "text/plain", "TEXT/plain; x=1"):
        assert forks.check_source(state, config(content_type), 0.0, nobody) is state


def test_sources_that_cannot_be_forked() -> None:
    """No stream, an expired or a deleted one, and one of another type are refused, each with its own error."""
    state = source(expiry=Expiry(ttl=5))
    with pytest.raises(StreamNotFound):
        forks.check_source(None, config(), 0.0, nobody)
    with pytest.raises(StreamNotFound):
        forks.check_source(state, config(), 5.0, nobody)
    with pytest.raises(ContentTypeMismatch):
        forks.check_source(state, config(JSON), 0.0, nobody)
    state.deleted = True
    with pytest.raises(SourceGone):
        forks.check_source(state, config(), 0.0, nobody)


def test_a_fork_point_is_an_offset_of_the_source() -> None:
    """Without an offset a fork leaves at the tail; with one, where it lies, if it lies in the source."""
    state = source()
    state.earliest = 5
    assert forks.fork_anchor(state, None) == 20
    assert forks.fork_anchor(state, format_offset(3, 7)) == 7
    assert forks.fork_anchor(state, "-1") == 5
    assert forks.fork_anchor(state, "now") == 20
    with pytest.raises(InvalidOffset):
        forks.fork_anchor(state, format_offset(3, 21))
    with pytest.raises(OffsetGone):
        forks.fork_anchor(state, format_offset(3, 4))


def test_a_sub_offset_counts_bytes_of_a_record() -> None:
    """For bytes a sub-offset goes up to the end of the record at the anchor, and not past it."""
    following = (b"hello", b"you")
    assert [forks.resolve_sub_offset(source(), 7, count, following) for count in (0, 1, 5)] == [7, 8, 12]
    with pytest.raises(BadRequest, match="5 more bytes"):
        forks.resolve_sub_offset(source(), 7, 6, following)
    with pytest.raises(BadRequest, match="0 more bytes"):
        forks.resolve_sub_offset(source(), 20, 1, ())


def test_a_sub_offset_counts_values() -> None:
    """For JSON a sub-offset counts values, as many as follow."""
    following = (b"1", b"22", b"333")
    assert [forks.resolve_sub_offset(source(JSON), 7, count, following) for count in (0, 1, 2, 3)] == [7, 8, 10, 13]
    with pytest.raises(BadRequest, match="3 records follow"):
        forks.resolve_sub_offset(source(JSON), 7, 4, following)


def test_a_fork_begins_where_it_leaves() -> None:
    """A new fork has its source's type and records up to the point, and nothing of its writers, closure or forks."""
    state = source(JSON)
    state.closed, state.last_seq, state.forks, state.earliest = True, "9", 2, 5
    fork = forks.new_fork("f", 8, config(), state, 12, 100.0)
    assert (fork.path, fork.incarnation, fork.source, fork.content_type) == ("f", 8, 3, JSON)
    assert (fork.earliest, fork.tail, fork.fork_position) == (5, 12, 12)
    assert (fork.created_at, fork.touched_at) == (100.0, 100.0)
    assert (fork.closed, fork.closed_by, fork.last_seq, fork.forks, fork.deleted) == (False, None, None, 0, False)
    assert fork.lineage == (Segment(3, 0), Segment(8, 12))


@pytest.mark.parametrize("have", [Expiry(), Expiry(ttl=60), Expiry(at=50.0, at_text="text")])
@pytest.mark.parametrize("want", [Expiry(), Expiry(ttl=10), Expiry(at=99.0)])
def test_a_forks_expiry(have: Expiry, want: Expiry) -> None:
    """A fork has the expiry it asks for, else its source's (protocol section 4.2)."""
    fork = forks.new_fork("f", 8, config(expiry=want), source(expiry=have), 12, 0.0)
    assert fork.config.expiry == (have if want == Expiry() else want)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=6), st.integers(0, 60))
def test_the_stretches_of_a_fork_join(lengths: list[int], position: int) -> None:
    """The stretches from a position are without gap or overlap, each in its own incarnation, up to the tail."""
    starts = list(accumulate(lengths, initial=0))
    state = source(tail=starts[-1])
    state.lineage = tuple(Segment(number + 1, start) for number, start in enumerate(starts[:-1]))
    stretches = forks.segments_from(state, min(position, state.tail))
    places = [(place, incarnation) for incarnation, first, end in stretches for place in range(first, end)]
    owners = [number + 1 for number, length in enumerate(lengths) for _ in range(length)]
    assert places == list(enumerate(owners))[position:]


def test_a_fork_shares_a_bounded_number_of_streams() -> None:
    """One more than the bound is refused; a fork that leaves before the newest of them is not."""
    state = source(tail=2 * MAX_SOURCES)
    state.lineage = tuple(Segment(number + 1, number) for number in range(MAX_SOURCES))
    forks.check_depth(state, state.tail)
    state.lineage = (*state.lineage, Segment(MAX_SOURCES + 1, MAX_SOURCES))
    with pytest.raises(ForkTooDeep, match=r"1001 streams.*1000"):
        forks.check_depth(state, state.tail)
    forks.check_depth(state, MAX_SOURCES - 1)
