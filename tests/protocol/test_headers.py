"""Headers of a request: lists of several lines, values that come once, and white space."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.errors import BadRequest
from headwater.protocol import names
from headwater.protocol.headers import collect

OURS = sorted(value for name, value in vars(names).items() if name.startswith(("STREAM_", "PRODUCER_", "HEADWATER_")))
SINGLE = [b"host", b"origin", b"content-type", b"content-length", b"authorization", b"last-event-id", *OURS]
LISTS = [b"accept", b"accept-encoding", b"if-match", b"if-none-match", b"connection", b"cache-control", b"x-unknown"]


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_several_lines_is_one_list(name: bytes) -> None:
    """In the order of the lines (RFC 9110 section 5.3)."""
    assert collect([(name, b"a"), (b"host", b"h"), (name, b"b, c"), (name, b"")]) == {
        name: b"a, b, c, ",
        b"host": b"h",
    }


@pytest.mark.parametrize("name", SINGLE)
@pytest.mark.parametrize("second", [b"1", b"2", b""])
def test_a_value_that_comes_once_is_not_chosen_from_two(name: bytes, second: bytes) -> None:
    """Also when both are the same: the error names the header."""
    assert collect([(name, b"1")]) == {name: b"1"}
    with pytest.raises(BadRequest, match=name.decode()):
        collect([(name, b"1"), (b"accept", b"x"), (name, second)])


def test_cookies_that_http_2_cut_are_whole_again() -> None:
    """A semicolon is between them (RFC 9113 section 8.2.3)."""
    assert collect([(b"cookie", b"a=1"), (b"cookie", b"b=2")]) == {b"cookie": b"a=1; b=2"}


def test_white_space_around_a_value_is_not_its_own() -> None:
    """Space and tab, nothing else (RFC 9110 section 5.5)."""
    assert collect([(b"a", b" \t x y\t "), (b"b", b" \x0b1\xa0"), (b"c", b" \t")]) == {
        b"a": b"x y",
        b"b": b"\x0b1\xa0",
        b"c": b"",
    }


@given(st.lists(st.tuples(st.sampled_from(LISTS), st.binary(max_size=5))))
def test_no_line_of_a_list_is_lost(fields: list[tuple[bytes, bytes]]) -> None:
    """Whatever comes in whatever order: each name has all its lines."""
    found = collect(fields)
    assert set(found) == {name for name, _ in fields}
    for name, value in found.items():
        assert value == b", ".join(line.strip(b" \t") for other, line in fields if other == name)
