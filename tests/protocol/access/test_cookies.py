"""The cookie of a session, and what is written of an access."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.protocol.access.cookies import (
    LOOPBACK_NAME,
    SECURE_NAME,
    cookie_name,
    end_cookie,
    find_session,
    has_session,
    set_cookie,
)
from headwater.protocol.access.grants import Grants
from headwater.protocol.access.identity import Access
from headwater.protocol.access.kept import KeptAccess
from headwater.protocol.access.patterns import format_pattern, of_nobody, parse_pattern
from headwater.protocol.asks import Operation

NAME = "A" * 22


@pytest.mark.parametrize(
    ("scheme", "host", "name"),
    [
        ("https", b"app.example", SECURE_NAME),
        ("https", b"localhost", SECURE_NAME),
        ("http", b"localhost:4437", LOOPBACK_NAME),
        ("http", b"127.0.0.1", LOOPBACK_NAME),
        ("http", b"[::1]:80", LOOPBACK_NAME),
        ("http", b"app.example", None),
        ("http", b"localhost.evil.example", None),
        ("http", b"", None),
    ],
)
def test_the_name(scheme: str, host: bytes, name: bytes | None) -> None:
    """Without encryption on this machine alone."""
    assert cookie_name(scheme, host) == name


@pytest.mark.parametrize(
    ("cookies", "found"),
    [
        (f"headwater-loopback={NAME}", NAME),
        (f"a=b; headwater-loopback={NAME};c=d", NAME),
        ("a=b", None),
        (f"x-headwater-loopback={NAME}", None),
        (f"headwater-loopback={NAME}; headwater-loopback={NAME}", ""),
        (f'headwater-loopback="{NAME[2:]}"', NAME and f'"{NAME[2:]}"'),
        ("headwater-loopback", ""),
        (f"headwater-loopback={NAME}=", ""),
        ("headwater-loopback=é", ""),
    ],
)
def test_found_among_others(cookies: str, found: str | None) -> None:
    """Whatever the others are; of two neither counts."""
    data = cookies.encode("latin-1")
    assert find_session(data, LOOPBACK_NAME) == found
    assert has_session(data) or found is None


def test_set_and_forgotten() -> None:
    """With `Secure` where the name demands it."""
    assert set_cookie(SECURE_NAME, "x", 5) == (
        b"__Host-headwater=x; Path=/; Max-Age=5; HttpOnly; SameSite=Strict; Secure"
    )
    assert b"Secure" not in set_cookie(LOOPBACK_NAME, "x", 5)
    assert b"Max-Age=0" in end_cookie(SECURE_NAME)


SEGMENTS = st.one_of(
    st.just("*"),
    st.sampled_from(["a", "%2A", "%2A%2A", "x%25y", "%7Bsub}", "é", "-"]).filter(lambda part: "}" not in part),
)


@given(st.lists(SEGMENTS, min_size=1, max_size=5), st.booleans())
def test_a_pattern_is_written_as_it_is_read(segments: list[str], rest: bool) -> None:
    """What is read again is the same."""
    pattern = parse_pattern("/".join([*segments, *(["**"] if rest else [])]), of_nobody)
    assert parse_pattern(format_pattern(pattern), of_nobody) == pattern
    assert [type(each) for each in parse_pattern(format_pattern(pattern), of_nobody)] == [
        type(each) for each in pattern
    ]


def test_an_access_is_written_as_it_is() -> None:
    """With the longest claim filled in, too."""
    grants = Grants({Operation.READ: ["users/{sub}/**", "news/*"], Operation.APPEND: ["a%2Ab"]}, lambda _: "s" * 255)
    access = Access("u", issuer="i", expires=1.0, token_id="t", issued=0.5, recheck=3.0, grants=grants)
    found = KeptAccess.of(access).access()
    assert found == access
    assert found.allows(Operation.READ, f"users/{'s' * 255}/x")
    assert found.allows(Operation.APPEND, "a*b")
    assert not found.allows(Operation.APPEND, "aXb")
