"""Claims: what a token gives whose signature is right, and all that makes it worthless."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headwater.model import Principal
from headwater.protocol.access.claims import (
    DETAILS_TYPE,
    Header,
    InvalidToken,
    Issuer,
    access_of,
    parse_json,
    read_header,
)
from headwater.protocol.asks import Operation

NOW = 1_796_000_000
ISSUER = Issuer(issuer="https://app.example", audience="https://streams.example", claims=("tenant",))
GOOD: dict[str, Any] = {
    "iss": "https://app.example",
    "aud": "https://streams.example",
    "sub": "u42",
    "exp": NOW + 300,
    "iat": NOW,
    "jti": "t1",
    "streams": {"read": ["users/{sub}/**", "news/*"], "append": ["rooms/7"]},
}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in GOOD.items() if key != name}


def test_a_token() -> None:
    """Who, what, until when."""
    access = access_of(GOOD, ISSUER, NOW)
    assert access.principal == Principal("u42", "https://app.example")
    assert (access.expires, access.issued, access.token_id) == (NOW + 300, NOW, "t1")
    assert access.allows(Operation.READ, "users/u42/inbox")
    assert not access.allows(Operation.READ, "users/u4/inbox")
    assert access.allows(Operation.APPEND, "rooms/7")
    assert not access.allows(Operation.CLOSE, "rooms/7")


def test_the_same_as_an_oauth_server_says_it() -> None:
    """RFC 9396; entries of another type are another service's."""
    details = [
        {"type": DETAILS_TYPE, "actions": ["read", "signal"], "locations": ["rooms/*"]},
        {"type": "payment", "actions": 7},
    ]
    access = access_of({**without("streams"), "authorization_details": details}, ISSUER, NOW)
    assert access.allows(Operation.SIGNAL, "rooms/7")
    assert not access.allows(Operation.APPEND, "rooms/7")


def test_a_token_without_grants() -> None:
    """It says who somebody is, and grants nothing."""
    access = access_of(without("streams"), ISSUER, NOW)
    assert access.subject == "u42"
    assert not access.grants


BAD: dict[str, dict[str, Any]] = {
    "no exp": without("exp"),
    "exp as text": {**GOOD, "exp": str(NOW + 300)},
    "exp 1e308": {**GOOD, "exp": 1e308},
    "exp with a fraction": {**GOOD, "exp": NOW + 300.5},
    "exp true": {**GOOD, "exp": True},
    "exp null": {**GOOD, "exp": None},
    "exp in ten years": {**GOOD, "exp": NOW + 10 * 365 * 86400},
    "exp beyond a day": {**GOOD, "exp": NOW + 86400 + 6},
    "exp huge": {**GOOD, "exp": 10**30},
    "expired": {**GOOD, "exp": NOW},
    "no iat": without("iat"),
    "iat tomorrow": {**GOOD, "iat": NOW + 60},
    "iat as text": {**GOOD, "iat": "now"},
    "nbf tomorrow": {**GOOD, "nbf": NOW + 60},
    "nbf as text": {**GOOD, "nbf": "1"},
    "no aud": without("aud"),
    "aud of another service": {**GOOD, "aud": "https://other.example"},
    "aud list without ours": {**GOOD, "aud": ["a", "b"]},
    "aud list of no texts": {**GOOD, "aud": ["https://streams.example", 7]},
    "aud substring": {**GOOD, "aud": "https://streams.example.evil"},
    "aud object": {**GOOD, "aud": {"https://streams.example": 1}},
    "no iss": without("iss"),
    "iss unknown": {**GOOD, "iss": "https://evil.example"},
    "iss substring": {**GOOD, "iss": "https://app.exampl"},
    "iss list": {**GOOD, "iss": ["https://app.example"]},
    "no sub": without("sub"),
    "sub number": {**GOOD, "sub": 7},
    "sub empty": {**GOOD, "sub": ""},
    "sub long": {**GOOD, "sub": "u" * 300},
    "jti number": {**GOOD, "jti": 7},
    "streams list": {**GOOD, "streams": ["read"]},
    "streams unknown operation": {**GOOD, "streams": {"read": ["a"], "admin": ["**"]}},
    "streams text": {**GOOD, "streams": {"read": "**"}},
    "streams numbers": {**GOOD, "streams": {"read": [1]}},
    "one bad of ten": {**GOOD, "streams": {"read": [f"a/{n}" for n in range(9)] + ["a*b"]}},
    "65 patterns": {**GOOD, "streams": {"read": ["a"] * 65}},
    "details object": {**GOOD, "authorization_details": {"type": DETAILS_TYPE}},
    "details without actions": {**GOOD, "authorization_details": [{"type": DETAILS_TYPE, "locations": ["a"]}]},
    "details with unknown action": {
        **GOOD,
        "authorization_details": [{"type": DETAILS_TYPE, "actions": ["publish"], "locations": ["a"]}],
    },
    "a claim that is not named": {**GOOD, "email": "x", "streams": {"read": ["{email}/**"]}},
    "a claim that is not there": {**GOOD, "streams": {"read": ["{tenant}/**"]}},
    "a claim that is no text": {**GOOD, "tenant": 7, "streams": {"read": ["{tenant}/**"]}},
    **{
        f"sub {value!r}": {**GOOD, "sub": value}
        for value in ("../x", "a/**", "*", "{sub}", "a%2Fb", "a\x00", "e\u0301", ".", "..")
    },
}


@pytest.mark.parametrize("claims", BAD.values(), ids=BAD)
def test_one_fault_is_enough(claims: dict[str, Any]) -> None:
    """The whole token is worthless."""
    with pytest.raises(InvalidToken):
        access_of(claims, ISSUER, NOW)


def test_clocks_differ_a_little() -> None:
    """By five seconds; what has expired has."""
    assert access_of({**GOOD, "iat": NOW + 5, "nbf": NOW + 5, "exp": NOW + 86400 + 5}, ISSUER, NOW)


def test_an_issuer_grants_no_more_than_it_may() -> None:
    """Each pattern lies inside the ceiling of its issuer's key."""
    small = Issuer(
        issuer="https://app.example",
        audience="https://streams.example",
        ceiling={"read": ("users/{sub}/**", "news/*"), "append": ("rooms/*",)},
    )
    assert access_of(GOOD, small, NOW)
    for more in ({"read": ["**"]}, {"read": ["users/**"]}, {"delete": ["rooms/7"]}, {"append": ["rooms/**"]}):
        with pytest.raises(InvalidToken, match="more than its issuer"):
            access_of({**GOOD, "streams": more}, small, NOW)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"[]",
        b"7",
        b"{}",
        b'{"alg":7}',
        b'{"alg":"HS256","alg":"none"}',
        b'{"alg":"HS256","typ":"logout+jwt"}',
        b'{"alg":"HS256","typ":"dpop+jwt"}',
        b'{"alg":"HS256","typ":7}',
        b'{"alg":"HS256","kid":7}',
        b'{"alg":"HS256","kid":"' + b"k" * 10_000 + b'"}',
        *[b'{"alg":"HS256","%s":1}' % name for name in (b"jku", b"jwk", b"x5u", b"x5c", b"crit", b"b64", b"zip")],
        b'{"alg":"HS256","x":NaN}',
        b'{"alg":' * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b"\xff\xfe",
    ],
    ids=lambda head: head[:40].decode("latin-1"),
)
def test_what_is_no_head_of_ours(head: bytes) -> None:
    """Each is refused before a key is looked at."""
    with pytest.raises(InvalidToken):
        read_header(head)


@pytest.mark.parametrize("kind", ["JWT", "jwt", "at+jwt", "application/at+jwt", "hw+jwt", None])
def test_a_head(kind: str | None) -> None:
    """With a type of access tokens, or none."""
    head = {"alg": "HS256", "kid": "k1", **({} if kind is None else {"typ": kind})}
    assert read_header(json.dumps(head).encode()) == Header("HS256", "k1")


@pytest.mark.parametrize("text", [b'{"sub":"a","sub":"b"}', b'{"a":{"b":1,"b":2}}', b'{"exp":Infinity}', b"null"])
def test_json_that_can_be_read_in_two_ways(text: bytes) -> None:
    """Is refused, at any depth."""
    with pytest.raises(InvalidToken):
        parse_json(text, "body")
