"""What a token's claims say, once its signature is known to be right: who, what, until when.

Rule 1: one thing that is wrong makes the whole token worthless. Half a token would be a guess at what was meant.
Rule 2: what the standards leave open is closed here: `exp` is a whole number and not far away, `iat` and `sub` are
        there, names are there once, and a type of token that was made for something else is none of ours.
Rule 3: why a token is refused is for logs and for `headwater access explain`, never for the client that shows it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from headwater.protocol.access.grants import NOTHING, Grants
from headwater.protocol.access.identity import Access
from headwater.protocol.access.patterns import SUBJECT, from_claims
from headwater.protocol.asks import Operation

#: Bytes of a token that are looked at.
MAX_TOKEN_BYTES: Final = 8 * 1024
#: Bytes of a key's name.
MAX_KID_BYTES: Final = 256
#: Seconds by which the clock of who made a token may go before ours. What has expired has, to the second.
LEEWAY: Final = 5.0
#: Types of token; none is the same as `JWT` (RFC 7519 section 5.1, RFC 9068 section 2.1).
TYPES: Final = frozenset({"at+jwt", "application/at+jwt", "jwt", "hw+jwt"})
#: The type of an entry of `authorization_details` (RFC 9396) that is ours.
DETAILS_TYPE: Final = "https://headwater.dev/streams"
#: Header fields with which a token would choose its own key, or ask for what is not understood (RFC 7515 section 4.1).
_NOT_TAKEN: Final = ("jku", "jwk", "x5u", "x5c", "crit", "b64", "zip")
#: Nesting of a token's JSON.
_MAX_DEPTH: Final = 16
_OPERATIONS: Final = {str(operation): operation for operation in Operation}


class InvalidToken(Exception):
    """A token is worthless; the text says why, for logs alone."""


class Header(msgspec.Struct, frozen=True):
    """What the head of a token says.

    Attributes:
        alg: the algorithm.
        kid: the key's name; None: it has none.
    """

    alg: str
    kid: str | None


class Issuer(msgspec.Struct, frozen=True, kw_only=True):
    """What is demanded of the tokens of one issuer, and what they can grant at most.

    Attributes:
        issuer: as `iss` has it.
        audience: what `aud` must have.
        claims: names of text claims that may stand in patterns, besides `sub`.
        ceiling: grants that no token of theirs exceeds; None: there is none.
        max_seconds: for which a token may still be good.
    """

    issuer: str
    audience: str
    claims: tuple[str, ...] = ()
    ceiling: Mapping[str, tuple[str, ...]] | None = None
    max_seconds: float = 24 * 3600.0


def parse_json(data: bytes, what: str) -> dict[str, Any]:
    """An object of JSON in which no name is twice and nothing is nested deep.

    Raises:
        InvalidToken: it is none.
    """
    # Before the parser, which would go as deep as the text says.
    depth = most = 0
    for byte in data:
        if byte in b"[{":
            depth += 1
            most = max(most, depth)
        elif byte in b"]}":
            depth -= 1
    if most > _MAX_DEPTH:
        raise InvalidToken(f"the {what} is nested too deeply")
    try:
        found = json.loads(data, object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise InvalidToken(f"the {what} is no JSON of ours: {error}") from None
    if not isinstance(found, dict):
        raise InvalidToken(f"the {what} is no object")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is there twice")
    return found


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number of JSON")


def read_header(data: bytes) -> Header:
    """The head of a token.

    Raises:
        InvalidToken: it is none of ours.
    """
    found = parse_json(data, "head")
    for name in _NOT_TAKEN:
        if name in found:
            raise InvalidToken(f"the head has {name!r}")
    alg, kid, kind = found.get("alg"), found.get("kid"), found.get("typ", "JWT")
    if not isinstance(alg, str):
        raise InvalidToken("the head has no algorithm")
    if not isinstance(kind, str) or kind.lower() not in TYPES:
        raise InvalidToken(f"the type {str(kind)[:40]!r} is none of an access token")
    if kid is not None and (not isinstance(kid, str) or len(kid.encode("utf-8", "replace")) > MAX_KID_BYTES):
        raise InvalidToken("the key's name is no text, or too long")
    return Header(alg, kid)


def access_of(claims: Mapping[str, Any], issuer: Issuer, now: float) -> Access:
    """What a token gives whose signature is right.

    Args:
        claims: of the token.
        issuer: whose key signed it.
        now: seconds since the Unix epoch.

    Raises:
        InvalidToken: it gives nothing.
    """
    if claims.get("iss") != issuer.issuer:
        raise InvalidToken("iss is another issuer")
    _check_audience(claims.get("aud"), issuer.audience)
    subject, token_id = claims.get("sub"), claims.get("jti")
    if not isinstance(subject, str) or not subject or len(subject.encode("utf-8", "replace")) > MAX_KID_BYTES:
        raise InvalidToken("sub is no text, or too long")
    if token_id is not None and (not isinstance(token_id, str) or not 0 < len(token_id) <= MAX_KID_BYTES):
        raise InvalidToken("jti is no text")
    expires, issued = _number(claims, "exp"), _number(claims, "iat")
    if expires <= now:
        raise InvalidToken("it has expired")
    if expires - now > issuer.max_seconds + LEEWAY:
        raise InvalidToken(f"it is good for longer than {issuer.max_seconds:g} seconds")
    if issued > now + LEEWAY:
        raise InvalidToken("iat has not come yet")
    if "nbf" in claims and _number(claims, "nbf") > now + LEEWAY:
        raise InvalidToken("nbf has not come yet")
    grants = _grants(claims, issuer)
    try:
        return Access(subject, expires=expires, issuer=issuer.issuer, token_id=token_id, issued=issued, grants=grants)
    except ValueError as error:
        raise InvalidToken(str(error)) from None


def _number(claims: Mapping[str, Any], name: str) -> int:
    found = claims.get(name)
    if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found < 1 << 53:
        raise InvalidToken(f"{name} is no whole number of seconds")
    return found


def _check_audience(given: Any, wanted: str) -> None:
    many = [given] if isinstance(given, str) else given
    if not isinstance(many, list) or not all(isinstance(each, str) for each in many) or wanted not in many:
        raise InvalidToken("aud is another audience")


def _grants(claims: Mapping[str, Any], issuer: Issuer) -> Grants:
    found: dict[Operation, list[str]] = {}
    if "streams" in claims:
        _add_streams(found, claims["streams"])
    if "authorization_details" in claims:
        _add_details(found, claims["authorization_details"])
    if not found:
        return NOTHING
    fill = from_claims(claims, (SUBJECT, *issuer.claims))
    try:
        grants = Grants(found, fill)
        if issuer.ceiling is not None:
            most = Grants({_OPERATIONS[name]: texts for name, texts in issuer.ceiling.items()}, fill)
            if not most.cover(grants):
                raise InvalidToken("it grants more than its issuer may")
    except ValueError as error:
        raise InvalidToken(str(error)) from None
    return grants


def _add_streams(found: dict[Operation, list[str]], given: Any) -> None:
    if not isinstance(given, dict):
        raise InvalidToken("streams is no object")
    for name, patterns in given.items():
        _add(found, [name], patterns)


def _add_details(found: dict[Operation, list[str]], given: Any) -> None:
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise InvalidToken("authorization_details is no list of objects")
    for each in given:
        if each.get("type") == DETAILS_TYPE:
            _add(found, each.get("actions"), each.get("locations"))


def _add(found: dict[Operation, list[str]], names: Any, patterns: Any) -> None:
    if not (_is_texts(names) and _is_texts(patterns)):
        raise InvalidToken("a grant is no list of texts")
    for name in names:
        if name not in _OPERATIONS:
            raise InvalidToken(f"{name[:40]!r} is no operation")
        found.setdefault(_OPERATIONS[name], []).extend(patterns)


def _is_texts(given: Any) -> bool:
    return isinstance(given, Sequence) and not isinstance(given, str) and all(isinstance(each, str) for each in given)
