"""Patterns of paths, and the index that finds those that a path matches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.errors import BadRequest
from headwater.protocol.patterns import PatternIndex, check_pattern, is_pattern, literal_prefix, matches


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("rooms/*", "rooms/7", True),
        ("rooms/*", "rooms", False),
        ("rooms/*", "rooms/7/log", False),
        ("rooms/*/log", "rooms/7/log", True),
        ("rooms/*/log", "rooms/7/8/log", False),
        ("rooms/**", "rooms/7", True),
        ("rooms/**", "rooms/7/8/9", True),
        ("rooms/**", "rooms", False),
        ("*", "rooms", True),
        ("*", "rooms/7", False),
        ("**", "rooms/7", True),
        ("*/7", "rooms/7", True),
        ("*/**", "rooms", False),
    ],
)
def test_segments_decide(pattern: str, path: str, fits: bool) -> None:
    assert matches(pattern, path) is fits
    assert not fits or path.startswith(literal_prefix(pattern))


def test_an_asterisk_makes_a_pattern() -> None:
    assert is_pattern("a/*")
    assert not is_pattern("a/b")


@pytest.mark.parametrize("pattern", ["a*", "a/*b", "a/**/b", "***", "a/b**"])
def test_an_asterisk_stands_for_whole_segments(pattern: str) -> None:
    with pytest.raises(BadRequest, match="stands for a whole segment"):
        check_pattern(pattern)


_SEGMENT = st.sampled_from("abc")
_PATH = st.lists(_SEGMENT, min_size=1, max_size=4).map("/".join)
_PATTERN = st.tuples(st.lists(st.sampled_from("abc*"), max_size=3), st.sampled_from(["a", "b", "*", "**"])).map(
    lambda found: "/".join([*found[0], found[1]])
)


@given(st.lists(_PATTERN, unique=True, max_size=12), _PATH, st.data())
def test_the_index_finds_what_matches(patterns: list[str], path: str, data: st.DataObject) -> None:
    """Whatever was put and removed before."""
    index: PatternIndex[str] = PatternIndex()
    for pattern in patterns:
        index.put(pattern, pattern)
    gone = data.draw(st.sets(st.sampled_from(patterns)) if patterns else st.just(set()))
    for pattern in gone:
        index.remove(pattern)
    left = [pattern for pattern in patterns if pattern not in gone]
    assert sorted(index.matching(path)) == sorted(pattern for pattern in left if matches(pattern, path))
    assert len(index) == len(left)
    assert [index.get(pattern) for pattern in patterns] == [p if p in left else None for p in patterns]
