"""Offsets: text of a fixed width whose order is the order of places."""

from __future__ import annotations

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from headwater.errors import InvalidOffset, OffsetGone
from headwater.protocol.offsets import (
    MAX_HALF,
    ZERO,
    Lineage,
    Segment,
    check_offset,
    cut_lineage,
    format_offset,
    locate,
    offset_at,
    parse_offset,
    step_into,
)

halves = st.integers(0, MAX_HALF)
positions = st.integers(0, 1000)


@st.composite
def lineages(draw: st.DrawFn) -> Lineage:
    """Of a stream, or of forks of forks: incarnations grow, starts do not shrink."""
    incarnations = draw(st.lists(st.integers(1, 99), min_size=1, max_size=5, unique=True).map(sorted))
    starts = draw(st.lists(positions, min_size=len(incarnations) - 1, max_size=len(incarnations) - 1).map(sorted))
    return tuple(map(Segment, incarnations, (0, *starts)))


@st.composite
def streams(draw: st.DrawFn) -> tuple[Lineage, int, int]:
    """A lineage with an earliest position and a tail."""
    lineage = draw(lineages())
    tail = draw(st.integers(lineage[-1].start, 2000))
    return lineage, draw(st.integers(0, tail)), tail


@given(halves, halves)
def test_a_number_pair_survives_its_text(incarnation: int, position: int) -> None:
    """Parsing what was formatted gives the same numbers, in 33 characters."""
    text = format_offset(incarnation, position)
    assert parse_offset(text) == (incarnation, position)
    assert len(text) == 33


@given(st.tuples(halves, halves), st.tuples(halves, halves))
def test_text_order_is_number_order(left: tuple[int, int], right: tuple[int, int]) -> None:
    """Offsets compare as text as their (incarnation, position) pairs do."""
    assert (format_offset(*left) < format_offset(*right)) == (left < right)


@pytest.mark.parametrize(("incarnation", "position"), [(-1, 0), (0, -1), (MAX_HALF + 1, 0), (0, MAX_HALF + 1)])
def test_numbers_that_do_not_fit_are_refused(incarnation: int, position: int) -> None:
    """A number that would break the width, and so the order, has no text."""
    with pytest.raises(ValueError, match="out of range"):
        format_offset(incarnation, position)


@given(st.text())
@example("0000000000000001_0000000000000001\n")
@example("\N{ARABIC-INDIC DIGIT ONE}" * 16 + "_0000000000000001")
@example("+000000000000001_0000000000000001")
@example("0000000000000001_00000000000000010")
@example("0000000000000001-0000000000000001")
def test_garbage_is_no_offset(text: str) -> None:
    """Text of any other form is refused, everywhere an offset is taken."""
    assume(text not in ("-1", "now"))
    for take in (parse_offset, check_offset, lambda text: locate((Segment(1, 0),), text, earliest=0, tail=9)):
        with pytest.raises(InvalidOffset):
            take(text)


def test_a_long_text_is_not_repeated() -> None:
    """The message quotes the beginning of a bad offset only."""
    with pytest.raises(InvalidOffset) as failure:
        parse_offset("9" * 100_000)
    assert len(failure.value.message) < 120


@pytest.mark.parametrize("text", ["-1", "now", ZERO, format_offset(3, 7)])
def test_a_form_can_be_checked_without_a_stream(text: str) -> None:
    """The two reserved words and everything of an offset's form pass unchanged."""
    assert check_offset(text) == text


@given(streams())
def test_every_place_of_a_stream_is_found_again(stream: tuple[Lineage, int, int]) -> None:
    """The offset of a position locates that position, over all segments."""
    lineage, earliest, tail = stream
    for position in {earliest, tail, (earliest + tail) // 2, *(s.start for s in lineage if earliest <= s.start)}:
        assert locate(lineage, offset_at(lineage, position), earliest=earliest, tail=tail) == position


@given(lineages(), positions, positions)
def test_offsets_of_one_stream_grow_with_the_position(lineage: Lineage, left: int, right: int) -> None:
    """Within a stream text order is position order, also over a fork point."""
    assert (offset_at(lineage, left) < offset_at(lineage, right)) == (left < right)


@given(streams())
def test_the_reserved_words_are_places(stream: tuple[Lineage, int, int]) -> None:
    """-1 (and the reference servers' zero) is the earliest kept position, now is the tail."""
    lineage, earliest, tail = stream
    assert locate(lineage, "-1", earliest=earliest, tail=tail) == earliest
    assert locate(lineage, ZERO, earliest=earliest, tail=tail) == earliest
    assert locate(lineage, "now", earliest=earliest, tail=tail) == tail


@given(streams(), st.integers(0, 120), st.integers(0, 3000))
def test_no_offset_leads_outside(stream: tuple[Lineage, int, int], incarnation: int, position: int) -> None:
    """Any offset is a position between earliest and tail, or is refused: never read from the wrong place."""
    lineage, earliest, tail = stream
    try:
        found = locate(lineage, format_offset(incarnation, position), earliest=earliest, tail=tail)
    except (InvalidOffset, OffsetGone):
        return
    assert earliest <= found <= tail
    if (incarnation, position) != (0, 0):
        assert found == position
        assert incarnation in [segment.incarnation for segment in lineage]


def test_why_an_offset_is_refused() -> None:
    """Past the tail or from a later stream: invalid. From an earlier stream or dropped records: gone, with a way on."""
    lineage = (Segment(5, 0), Segment(8, 10))
    for text in (format_offset(8, 21), format_offset(5, 11), format_offset(8, 9), format_offset(9, 0)):
        with pytest.raises(InvalidOffset):
            locate(lineage, text, earliest=4, tail=20)
    for text in (format_offset(4, 7), format_offset(7, 7), format_offset(5, 3)):
        with pytest.raises(OffsetGone) as failure:
            locate(lineage, text, earliest=4, tail=20)
        assert failure.value.details == {"earliest": format_offset(5, 4)}


def test_a_fork_point_has_two_names() -> None:
    """At a fork point both the source's offset and the fork's own lead to the same place."""
    lineage = (Segment(5, 0), Segment(8, 10))
    assert offset_at(lineage, 10) == format_offset(8, 10)
    assert locate(lineage, format_offset(5, 10), earliest=0, tail=20) == 10
    assert locate(lineage, format_offset(8, 10), earliest=0, tail=20) == 10


@given(streams(), st.integers(100, 200))
def test_a_fork_answers_to_its_sources_offsets(stream: tuple[Lineage, int, int], incarnation: int) -> None:
    """Every offset of the source up to the fork point is the same place in the fork, whichever segment it is from."""
    lineage, earliest, tail = stream
    point = (earliest + tail) // 2
    fork = cut_lineage(lineage, point, incarnation)
    assert fork[-1] == Segment(incarnation, point)
    for segment in lineage:
        for position in {segment.start, earliest, point}:
            offset = format_offset(segment.incarnation, position)
            try:
                expected = locate(lineage, offset, earliest=earliest, tail=tail)
            except (InvalidOffset, OffsetGone):
                continue
            if expected <= point:
                assert locate(fork, offset, earliest=min(earliest, point), tail=point) == expected


def test_a_position_before_the_stream_has_no_offset() -> None:
    """A lineage that does not begin at 0 is a mistake, and said to be one."""
    with pytest.raises(ValueError, match="before the first segment"):
        offset_at((Segment(1, 5),), 4)


@given(halves.filter(bool), st.integers(0, MAX_HALF - 9), st.integers(0, 9))
def test_a_step_into_a_record(incarnation: int, position: int, count: int) -> None:
    """An offset inside a record counts on from the record's start, in the same segment."""
    start = format_offset(incarnation, position)
    assert step_into(start, count) == format_offset(incarnation, position + count)


def test_a_step_up_to_a_fork_point_can_be_read_from() -> None:
    """The bytes before a fork point are the source's, so an offset among them is too, although their end is not."""
    lineage = (Segment(5, 0), Segment(8, 10))
    inside = step_into(offset_at(lineage, 7), 2)
    assert locate(lineage, inside, earliest=0, tail=20) == 9
    assert inside < offset_at(lineage, 10)
