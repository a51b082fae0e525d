"""Requests of a room: whatever comes is one, or a refusal; a state is told as one JSON value in one line."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.protocol.presence.room_model import key_of

from headwater.errors import BadRequest, HeadwaterError, InvalidBody, Refused
from headwater.model import Principal
from headwater.protocol.commands import Joins
from headwater.protocol.presence.claim import Claim
from headwater.protocol.presence.frames import Changes, Counted, Listing
from headwater.protocol.presence.keys import SECRET_BYTES, check_key, make_key, same_key
from headwater.protocol.presence.members import entry_of
from headwater.protocol.presence.requests import (
    Entering,
    Leaving,
    claim_of,
    parse_join,
    parse_page,
    parse_post,
    state_of,
)

KEY = key_of("ada")
_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "id": _JSON,
        "key": _JSON | st.just(KEY),
        "connection": _JSON,
        "state": _JSON,
        "leave": _JSON,
        "other": _JSON,
    },
)


@given(st.binary() | _FIELDS.map(lambda fields: json.dumps(fields).encode()), st.none() | st.text(max_size=200))
def test_whatever_comes_is_a_request_or_a_refusal(body: bytes, subject: str | None) -> None:
    found: Entering | Leaving | HeadwaterError
    try:
        found = parse_post(body, None if subject is None else Principal(subject, "issuer"))
    except HeadwaterError as error:
        found = error
    if isinstance(found, HeadwaterError):
        assert found.status in (400, 403)
        return
    assert isinstance(found, Entering | Leaving)
    assert subject is None or found.claim == Claim(subject, found.claim.key, proven=True, issuer="issuer")


@given(_JSON, st.sampled_from([None, 1, "\t"]))
def test_a_state_is_told_as_it_is(value: Any, indent: int | str | None) -> None:
    """In one line, for event streams and NDJSON; in an entry, a list and changes."""
    text = json.dumps(value, indent=indent).encode()
    state = state_of(text)
    assert b"\n" not in state
    assert b"\r" not in state
    entry = entry_of("ada", state)
    member = {"id": "ada"} if value is None else {"id": "ada", "state": json.loads(text)}
    assert msgspec.json.decode(entry) == msgspec.json.decode(json.dumps(member))
    for frame in (Listing(1, 1, [entry]), Changes(1, 1, [entry], [entry], ["ada"])):
        fields = msgspec.json.decode(b"{" + frame.fields() + b"}")
        assert fields["version"] == fields["count"] == 1
        assert (fields.get("members") or fields.get("joined")) == [msgspec.json.decode(entry)]


def test_frames_leave_out_what_they_have_not() -> None:
    assert Counted(3, 2).fields() == b'"version":3,"count":2,"members":null'
    assert Changes(3, 2, [], [], ['"<']).fields() == b'"version":3,"count":2,"left":["\\"<"]'
    assert Listing(0, 0, []).fields() == b'"version":0,"count":0,"members":[]'


@given(st.integers(0, 2**32 - 1), st.binary(min_size=SECRET_BYTES, max_size=SECRET_BYTES))
def test_a_key_that_is_made_is_one(process: int, secret: bytes) -> None:
    key = make_key(process, secret)
    assert int(check_key(key).partition(".")[0], 16) == process
    assert same_key(key, make_key(process, secret))
    assert not same_key(key, make_key(process, secret[:-1] + bytes([secret[-1] ^ 1])))


def test_a_uuid_is_a_key() -> None:
    assert check_key("0.6ba7b8109dad11d180b400c04fd430c8")
    for text in ("", "0.", f"0.{'x' * 21}", f"0.{'x' * 65}", f".{'x' * 22}", f"0.{'ä' * 22}", f"123456789.{'x' * 22}"):
        with pytest.raises(BadRequest):
            check_key(text)


def test_who_a_request_is_of() -> None:
    assert claim_of("ada", KEY, None) == Claim("ada", KEY)
    ada = Claim("ada", None, proven=True, issuer="i")
    assert claim_of(None, None, Principal("ada", "i")) == claim_of("ada", None, Principal("ada", "i")) == ada
    for id, principal, refusal in (
        ("bob", Principal("ada"), Refused),
        (None, None, BadRequest),
        (None, Principal("x" * 129), BadRequest),
    ):
        with pytest.raises(refusal):
            claim_of(id, None, principal)


def test_a_reader_that_joins() -> None:
    assert parse_join(Joins("ada", KEY, "tab", "[1]"), None) == Entering(
        Claim("ada", KEY), "tab", b"[1]", is_first=True
    )
    assert parse_join(Joins(), Principal("ada")) == Entering(Claim("ada", None, proven=True), "", None, is_first=True)
    for joins in (Joins("ada"), Joins("ada", "x"), Joins(None, KEY), Joins("ada", KEY, "x" * 65)):
        with pytest.raises(BadRequest):
            parse_join(joins, None)
    for state in ("", "nope", "1 2", "1e999", "[" * 9000 + "]" * 9000):
        with pytest.raises(InvalidBody):
            parse_join(Joins("ada", KEY, None, state), None)


def test_pages() -> None:
    assert parse_page(b"") == ("", 100)
    assert parse_page(b"after=a%20b&limit=0&other=%ff") == ("a b", 1)
    for query in (b"limit=1001", b"limit=-1", b"after=%ff", b"after=a&after=b"):
        with pytest.raises(BadRequest):
            parse_page(query)


@pytest.mark.parametrize("body", [b'{"id":"\xff"}', b'{"id":"x","key":"\xed\xa0\x80"}', b'{"\xff":1,"id":"x"}'])
def test_a_body_that_is_no_utf8(body: bytes) -> None:
    """Refused, as every body is that is no such object."""
    with pytest.raises(BadRequest):
        parse_post(body, None)
