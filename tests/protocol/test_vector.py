"""The cursor of a read of many streams, as text."""

from __future__ import annotations

import gc
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.errors import InvalidOffset
from headwater.protocol.offsets import MAX_HALF, format_offset
from headwater.protocol.patterns import is_pattern
from headwater.protocol.vector import (
    MAX_VECTOR,
    NOT_BEGUN,
    REMEMBERED_MATCHES,
    REMEMBERED_PLACES,
    Matched,
    Stood,
    begun,
    decode_vector,
    encode_vector,
    ended,
    head_of,
    matched,
)

_INCARNATION = st.integers(1, MAX_HALF)
_OFFSET = st.builds(format_offset, _INCARNATION, st.integers(0, MAX_HALF))


@st.composite
def _matched(draw: st.DrawFn) -> Matched:
    offsets = {}
    for own in draw(st.sets(_INCARNATION, max_size=5)):
        offsets[own] = format_offset(draw(st.integers(0, own)), draw(st.integers(0, MAX_HALF)))
    return Matched(draw(st.integers(0, MAX_HALF)), offsets, draw(st.booleans()))


_PLACE = st.one_of(st.none(), st.builds(Stood, _OFFSET), st.builds(Stood, st.none(), _INCARNATION), _matched())


def _piece(place: Stood | Matched | None) -> bytes:
    if place is None:
        return NOT_BEGUN
    if isinstance(place, Matched):
        return matched(place)
    return ended(place.incarnation) if place.offset is None else begun(place.offset)


def _names(places: list[Stood | Matched | None]) -> list[str]:
    return [f"s{index}/*" if isinstance(each, Matched) else f"s{index}" for index, each in enumerate(places)]


@given(st.lists(_PLACE, min_size=1, max_size=8))
def test_what_is_encoded_is_decoded(places: list[Stood | Matched | None]) -> None:
    names = _names(places)
    text = encode_vector(head_of(names), [_piece(each) for each in places])
    assert text.replace("-", "").replace("_", "").isalnum()
    assert list(decode_vector(text, names)) == places


@given(st.lists(_PLACE, min_size=1, max_size=4), st.data())
def test_a_cut_or_longer_one_is_refused(places: list[Stood | Matched | None], data: st.DataObject) -> None:
    names = _names(places)
    text = encode_vector(head_of(names), [_piece(each) for each in places])
    cut = text[: data.draw(st.integers(0, len(text) - 1))]
    with pytest.raises(InvalidOffset):
        decode_vector(cut, names)
    with pytest.raises(InvalidOffset):
        decode_vector(encode_vector(head_of(names), [*map(_piece, places), b"\x00"]), names)


@given(st.text(max_size=40), st.lists(st.sampled_from(["a", "b/*"]), min_size=1, max_size=3))
def test_no_text_does_anything_else(text: str, names: list[str]) -> None:
    with pytest.raises(InvalidOffset):
        decode_vector(text, names)


@given(st.binary(max_size=60), st.lists(st.sampled_from(["a", "c", "b/*"]), min_size=1, max_size=3))
def test_no_bytes_of_the_right_read_do_anything_else(data: bytes, names: list[str]) -> None:
    """They are places, or refused."""
    try:
        places = decode_vector(encode_vector(head_of(names), [data]), names)
    except InvalidOffset:
        return
    for name, place in zip(names, places, strict=True):
        assert place is None or isinstance(place, Matched) == is_pattern(name)


@pytest.mark.parametrize("names", [["b", "a"], ["a"], ["a", "b", "c"]])
def test_it_is_bound_to_its_read(names: list[str]) -> None:
    text = encode_vector(head_of(["a", "b"]), [NOT_BEGUN, NOT_BEGUN])
    with pytest.raises(InvalidOffset, match="of a read of other streams"):
        decode_vector(text, names)


def test_it_has_a_limit() -> None:
    with pytest.raises(InvalidOffset, match="the limit is"):
        decode_vector("A" * (MAX_VECTOR + 1), ["a"])


def test_thirty_two_streams_are_short() -> None:
    """It fits into a header that proxies take: 1,056 characters as plain offsets."""
    names = [f"s{index}" for index in range(32)]
    pieces = [begun(format_offset(1_000_000 + index, 50_000_000)) for index in range(32)]
    assert len(encode_vector(head_of(names), pieces)) < 400


@pytest.mark.slow
def test_what_is_remembered_has_a_bound() -> None:
    """Its bytes are those of docs/explanation/cost.md, whatever is told."""
    begun.cache_clear()
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(1, 2 * REMEMBERED_MATCHES):
            matched(Matched(number, {number: format_offset(number, number)}))
            if number <= 2 * REMEMBERED_PLACES:
                begun(format_offset(number, number))
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - before < 9_000_000
    finally:
        tracemalloc.stop()
        begun.cache_clear()
