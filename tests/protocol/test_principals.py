"""Principals as they are kept and told: any names that there can be come back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.model import Batch, Principal, Record
from headwater.protocol.offsets import format_offset
from headwater.protocol.principals import MAX_PRINCIPAL_BYTES, check_principal, from_text, to_text, told
from headwater.protocol.wire import TextRecords

names = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
principals = st.builds(Principal, names.filter(bool), names)


@given(principals)
def test_what_is_kept_comes_back(principal: Principal) -> None:
    """In one line, so that many can stand in one text."""
    text = to_text(principal)
    assert from_text(text) == principal
    assert "\n" not in text


@given(principals)
def test_what_is_told(principal: Principal) -> None:
    """An object; without an issuer where there is none."""
    found = json.loads(told(principal))
    assert found.pop("issuer", "") == principal.issuer
    assert found == {"subject": principal.subject}


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_what_is_no_principal(text: str) -> None:
    """Of a damaged file, such as."""
    try:
        found = from_text(text)
    except ValueError:
        return
    assert isinstance(found, Principal)


@pytest.mark.parametrize(
    ("subject", "issuer", "why"),
    [
        ("", "", "not empty"),
        ("x" * (MAX_PRINCIPAL_BYTES + 1), "", "subject has 1025 bytes, and 1024 are the most"),
        ("é" * 513, "", "subject has 1026 bytes"),
        ("u", "x" * 1025, "issuer has 1025 bytes"),
        ("\ud800", "", "surrogate"),
        ("u", "\udfff", "surrogate"),
    ],
)
def test_what_is_refused(subject: str, issuer: str, why: str) -> None:
    """Before it is anybody's: it could not be kept, or not be told."""
    with pytest.raises(ValueError, match=why):
        check_principal(subject, issuer)
    assert check_principal("é" * 512, "é" * 512) == Principal("é" * 512, "é" * 512)


def test_a_character_of_two() -> None:
    """What one begins and another one ends is nobody's; what one writes alone is theirs."""
    one, two = Principal("u1"), Principal("u2")
    half, rest = b"\xc3", b"\xa9!"
    for first, second, expected in ((one, two, None), (one, one, one), (None, two, None), (None, None, None)):
        begin, *ends = (format_offset(1, end) for end in (0, 1, 3, 4))
        parts = zip(ends, (half, rest, b"."), (first, second, two), strict=True)
        records = [Record(offset, data, 1.0, by) for offset, data, by in parts]
        batch = Batch(begin, records, ends[-1], up_to_date=True, closed=False, content_type="text/plain")
        found, _ = TextRecords().regroup(batch)
        assert [(record.data, record.by) for record in found] == [(half + rest, expected), (b".", two)]
