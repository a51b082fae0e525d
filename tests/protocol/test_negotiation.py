"""`Accept-Encoding`: the table of what clients send and what they get."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.errors import NotAcceptable
from headwater.protocol.negotiation import choose_coding, parse_accept_encoding

OFFERED = ("zstd", "br", "gzip")

TABLE: list[tuple[str | None, str]] = [
    (None, "identity"),
    ("", "identity"),
    (" ,, ,", "identity"),
    ("gzip", "gzip"),
    ("GZip", "gzip"),
    ("x-gzip", "gzip"),
    ("gzip, deflate, br, zstd", "zstd"),
    ("gzip, deflate, br", "br"),
    ("deflate, compress", "identity"),
    # Weights decide, then the server.
    ("gzip;q=1.0, zstd;q=0.5", "gzip"),
    ("gzip;q=0.5, br;q=0.5", "br"),
    ("gzip;q=0.001", "gzip"),
    ("gzip ; q=0.9 ,\tbr\t;\tq=0.8", "gzip"),
    ("gzip;Q=0.9, br;q=0.8", "gzip"),
    ("gzip;q=0", "identity"),
    ("gzip;q=0.000", "identity"),
    ("gzip;q=1.", "gzip"),
    # What is no weight takes its coding out.
    ("gzip;q=1.5", "identity"),
    ("gzip;q=-1", "identity"),
    ("gzip;q=.5", "identity"),
    ("gzip;q=0.1234", "identity"),
    ("gzip;q=1.001", "identity"),
    ("gzip;q=", "identity"),
    ("gzip;q=nan", "identity"),
    ("gzip;q=1e0", "identity"),
    ("gzip;q=\N{ARABIC-INDIC DIGIT ZERO}", "identity"),
    ("gzip;level=9", "identity"),
    ("gzip q=1", "identity"),
    ("gzip;q=1.5, br;q=0.1", "br"),
    # Everything, and everything else.
    ("*", "zstd"),
    ("*;q=0.5, gzip", "gzip"),
    ("*;q=0.5, gzip;q=0.1", "zstd"),
    ("zstd;q=0, *", "br"),
    ("*;q=0, gzip", "gzip"),
    # Identity is acceptable, and preferred only when it says so.
    ("identity", "identity"),
    ("identity, gzip", "gzip"),
    ("identity;q=0.5, gzip;q=0.4", "identity"),
    ("identity;q=0.4, gzip;q=0.5", "gzip"),
    ("identity;q=0, gzip;q=0.1", "gzip"),
    ("*;q=0.1, identity;q=0.2", "identity"),
    # Refused once is refused.
    ("gzip, gzip;q=0", "identity"),
    ("gzip;q=0, gzip", "identity"),
    ("gzip;q=0.2, br;q=0.1, gzip;q=0.05", "br"),
]

REFUSED = [
    "identity;q=0",
    "*;q=0",
    "identity;q=0, deflate",
    "*;q=0, deflate",
    "identity;q=0, gzip;q=0, br;q=0, zstd;q=0",
]


@pytest.mark.parametrize(("value", "coding"), TABLE)
def test_the_preferred_coding_is_chosen(value: str | None, coding: str) -> None:
    assert choose_coding(value, OFFERED) == coding


@pytest.mark.parametrize("value", REFUSED)
def test_a_client_that_accepts_nothing_is_told_so(value: str) -> None:
    """With the codings that there are, in the message."""
    with pytest.raises(NotAcceptable, match="zstd, br, gzip"):
        choose_coding(value, OFFERED)


def test_small_answers_are_sent_as_they_are() -> None:
    """Unless the client refuses that."""
    assert choose_coding("gzip, br", OFFERED, small=True) == "identity"
    assert choose_coding("gzip, identity;q=0", OFFERED, small=True) == "gzip"
    assert choose_coding("gzip, *;q=0", OFFERED, small=True) == "gzip"


def test_only_what_is_offered_is_chosen() -> None:
    """The server's order holds among equal weights, whatever the client's order."""
    assert choose_coding("zstd, br, gzip", ("gzip", "br")) == "gzip"
    assert choose_coding("*", ()) == "identity"


@given(st.text(max_size=60) | st.text("gzipbrstdentq=;,.*01 \t", max_size=60))
def test_any_header_gives_an_answer(value: str) -> None:
    """A coding that was listed with a weight above zero, identity, or the refusal."""
    weights = parse_accept_encoding(value)
    assert all(0 <= weight <= 1 for weight in weights.values())
    try:
        coding = choose_coding(value, OFFERED)
    except NotAcceptable:
        assert weights.get("identity", weights.get("*")) == 0
        return
    assert coding == "identity" or weights.get(coding, weights.get("*", 0)) > 0
