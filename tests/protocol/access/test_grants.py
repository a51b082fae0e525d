"""Grants: what a pattern means, against a model that is too simple to be wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.protocol.access.grants import MAX_PATTERNS, Grants
from headwater.protocol.access.identity import Access
from headwater.protocol.access.patterns import covers, from_claims, of_nobody, parse_pattern
from headwater.protocol.asks import Operation

R, A, L = Operation.READ, Operation.APPEND, Operation.LIST

SEGMENTS = st.sampled_from(["a", "b", "aa", "é", "-", "x y", "A"])
PATHS = st.lists(SEGMENTS, min_size=1, max_size=4).map("/".join)
PATTERNS = st.builds(
    lambda head, tail: "/".join([*head, *tail]),
    st.lists(st.one_of(SEGMENTS, st.just("*")), min_size=1, max_size=3),
    st.sampled_from([[], ["**"]]),
) | st.just("**")


def naive(pattern: str, path: str) -> bool:
    """Segment by segment, with nothing compiled and nothing remembered."""
    if pattern == "**":
        return True
    asked, given = pattern.split("/"), path.split("/")
    if asked[-1] == "**":
        return len(given) >= len(asked) and all(
            wanted in ("*", found) for wanted, found in zip(asked[:-1], given, strict=False)
        )
    return len(asked) == len(given) and all(wanted in ("*", found) for wanted, found in zip(asked, given, strict=True))


@given(st.lists(PATTERNS, max_size=6), st.lists(PATHS, max_size=8))
def test_the_union_of_patterns(patterns: list[str], paths: list[str]) -> None:
    """As the model says, in any order, asked once and again."""
    grants, reverse = Grants({R: patterns}), Grants({R: patterns[::-1]})
    for path in paths + paths:
        expected = any(naive(pattern, path) for pattern in patterns)
        assert grants.allows(R, path) is expected
        assert reverse.allows(R, path) is expected
        assert not grants.allows(A, path)
        rule = grants.rule(R, path)
        assert (rule is not None) is expected
        assert rule is None or naive(rule, path)


@given(PATTERNS, PATTERNS, st.lists(PATHS, max_size=12))
def test_one_inside_another(outer: str, inner: str, paths: list[str]) -> None:
    """What is said to lie inside does, for every path."""
    if covers(parse_pattern(outer, of_nobody), parse_pattern(inner, of_nobody)):
        assert all(naive(outer, path) for path in paths if naive(inner, path))


@pytest.mark.parametrize(
    ("outer", "inner", "is_inside"),
    [
        ("**", "**", True),
        ("**", "a/*", True),
        ("a/**", "a/**", True),
        ("a/**", "a/*/b", True),
        ("a/**", "a", False),
        ("a/**", "**", False),
        ("a/*", "a/**", False),
        ("a/*", "a/b", True),
        ("a/b", "a/*", False),
        ("a/*", "a/%2A", True),
        ("a/%2A", "a/*", False),
        ("*/**", "a/b/**", True),
        ("*", "*", True),
    ],
)
def test_what_lies_inside(outer: str, inner: str, is_inside: bool) -> None:
    """By segments, a wildcard only inside a wildcard."""
    assert covers(parse_pattern(outer, of_nobody), parse_pattern(inner, of_nobody)) is is_inside
    assert Grants({R: [outer]}).cover(Grants({R: [inner]})) is is_inside
    assert not Grants({A: [outer]}).cover(Grants({R: [inner]}))


NO_PATTERNS = ["", "/x", "x/", "a//b", "a*b", "*a", "**/x", "a/**/b", "***", ".", "..", "a/../b", "a\x00b", "a\\b", "{"]
NO_PATTERNS += ["}", "{}", "{sub}x", "x{sub}", "{a-b}", "a%2Fb", "a%", "a%zz", "e\u0301", "x" * 257, "\ud800", "a\nb"]
NO_PATTERNS += ["{unknown}"]


@pytest.mark.parametrize("pattern", NO_PATTERNS, ids=repr)
def test_what_is_no_pattern(pattern: str) -> None:
    """Each is refused, and so are the others beside it."""
    with pytest.raises(ValueError, match=r"pattern|claim|surrogate"):
        Grants({R: ["fine/**", pattern]}, from_claims({"sub": "u"}, ("sub",)))


def test_there_are_few() -> None:
    """64 for an operation."""
    Grants({R: ["a"] * MAX_PATTERNS})
    with pytest.raises(ValueError, match="64"):
        Grants({R: ["a"] * (MAX_PATTERNS + 1)})


BAD_VALUES = ["../x", "..", ".", "", "a/**", "*", "**", "{sub}", "a%2Fb", "a%2fb", "x" * 256, "a\x00", "a\\b"]
BAD_VALUES += ["e\u0301", "\u202e", "a\nb", "\ud800"]


@pytest.mark.parametrize("value", BAD_VALUES, ids=repr)
def test_what_may_not_stand_in_a_pattern(value: str) -> None:
    """A subject that would be more than a segment gives nothing at all."""
    with pytest.raises(ValueError, match=r"stand in a pattern|surrogate"):
        Grants({R: ["users/{sub}/**"]}, from_claims({"sub": value}, ("sub",)))


def test_claims_fill_in() -> None:
    """The subject, and text claims that are named; a value that looks like another's name is none."""
    grants = Grants({R: ["{tenant}/{sub}/**"]}, from_claims({"sub": "u4", "tenant": "acme"}, ("sub", "tenant")))
    assert grants.allows(R, "acme/u4/inbox")
    assert not grants.allows(R, "acme/u42/inbox")
    assert not grants.allows(R, "acme/u4")
    cases: list[tuple[dict[str, object], tuple[str, ...]]] = [
        ({"sub": "u"}, ("sub", "tenant")),
        ({"sub": "u", "tenant": 7}, ("sub", "tenant")),
    ]
    for claims, names in cases:
        with pytest.raises(ValueError, match="tenant"):
            Grants({R: ["{tenant}/x"]}, from_claims(claims, names))
    with pytest.raises(ValueError, match="tenant"):
        Grants({R: ["{tenant}/x"]}, from_claims({"sub": "u", "tenant": "acme"}, ("sub",)))


def test_grants_to_nobody_have_no_names() -> None:
    """A public grant of somebody's own streams means nothing."""
    with pytest.raises(ValueError, match="nobody in particular"):
        Grants({R: ["users/{sub}/**"]})


@pytest.mark.parametrize(
    ("pattern", "path"),
    [("acl/%2A", "acl/*"), ("acl/%2a", "acl/*"), ("acl/%7Bx", "acl/{x"), ("acl/%25", "acl/%"), ("%252F", "%2F")],
)
def test_what_looks_like_a_pattern(pattern: str, path: str) -> None:
    """Old streams may be called so; the literal is that stream alone."""
    grants = Grants({R: [pattern]})
    assert grants.allows(R, path)
    assert not grants.allows(R, "acl/other")


@pytest.mark.parametrize(
    ("pattern", "prefix", "may"),
    [
        ("**", "", True),
        ("**", "rooms", True),
        ("rooms/**", "rooms/", True),
        ("rooms/**", "rooms/7", True),
        ("rooms/**", "rooms", False),
        ("rooms/**", "", False),
        ("rooms/7/**", "rooms/7", False),
        ("rooms/7/**", "rooms/7/", True),
        ("rooms/7/**", "rooms/7/x", True),
        ("rooms/7/**", "rooms/77/", False),
        ("*/log/**", "a/log/", True),
        ("rooms/*", "rooms/", False),
        ("rooms/7", "rooms/7", False),
    ],
)
def test_listing(pattern: str, prefix: str, may: bool) -> None:
    """All that a prefix begins must be below the pattern: `rooms/7` begins `rooms/77`, too."""
    assert Grants({L: [pattern]}).allows(L, prefix) is may


def test_who_somebody_is() -> None:
    """A principal is an issuer and a subject."""
    mine, theirs = Access("7", issuer="a", read=["x/*"]), Access("7", issuer="b", read=["x/*"])
    assert mine.principal != theirs.principal
    assert mine != theirs
    assert mine == Access("7", issuer="a", read=["x/*"])
    assert len({mine, Access("7", issuer="a", read=["x/*"]), theirs}) == 2
    assert mine.allows(R, "x/1")
    assert not mine.allows(A, "x/1")
    assert Access(None).principal is None
    assert "x/*" in repr(mine)
    with pytest.raises(ValueError, match="several"):
        Access("u", read="news/**")


def test_what_is_remembered_is_bounded() -> None:
    """A flood of paths costs no memory, and changes no decision."""
    grants = Grants({R: ["a/*"]})
    for number in range(2000):
        assert grants.allows(R, f"a/{number}")
        assert not grants.allows(R, f"b/{number}")
    assert len(grants._known or ()) <= 512
