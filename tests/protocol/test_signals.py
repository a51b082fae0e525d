"""Signals as requests say them: names, what is kept, and bodies by their own type."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headwater.errors import BadRequest, HeadwaterError, InvalidBody, MethodNotAllowed, UnsupportedCoding
from headwater.protocol.commands import Preflight, SendSignal
from headwater.protocol.signals import (
    MAX_NAME,
    Addressed,
    content_of,
    make_signal,
    parse_addressed,
    told,
    wants_signals,
)
from headwater.protocol.urls import split_url
from headwater.protocol.words import parse_word

JSON = "application/json"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (b"", Addressed()),
        (b"from=ada&to=bob&topic=typing&keep=5", Addressed("ada", "bob", "typing", 5)),
        (b"from=%C3%A9+x&other=%zz&to", Addressed("é x")),
        (b"%66rom=ada&keep=0&t\xff=1", Addressed("ada", keep=0)),
    ],
)
def test_what_a_query_says(query: bytes, found: Addressed) -> None:
    if query.endswith(b"&to"):
        with pytest.raises(BadRequest, match="to must have"):
            parse_addressed(query)
        query = query[:-3]
    assert parse_addressed(query) == found


@pytest.mark.parametrize(
    "query",
    [
        b"from=a&from=a",
        b"from=",
        b"from=%00",
        b"to=a%0Ab",
        b"topic=" + b"x" * (MAX_NAME + 1),
        b"from=%ff",
        b"keep=",
        b"keep=-1",
        b"keep=1.5",
        b"keep=1e9",
        b"keep=" + b"9" * 30,
    ],
)
def test_what_no_query_may_say(query: bytes) -> None:
    with pytest.raises(BadRequest):
        parse_addressed(query)


@pytest.mark.parametrize(
    ("kind", "content", "expected"),
    [
        (JSON, b' {"a":\r\n 1} ', {"data": {"a": 1}}),
        (JSON, b"[]", {"data": []}),
        (JSON, b"[1, 2]", {"data": [1, 2]}),
        (JSON, b"null", {"data": None}),
        (JSON, b'"\\ud800"', {"data": "\ud800"}),
        ("text/plain", b"a\nb\0", {"data": "a\nb\0"}),
        ("text/plain", b"\xff", {"base64": "/w=="}),
        ("image/png", b"\0\1", {"base64": "AAE="}),
    ],
)
def test_the_body_is_told_by_its_type(kind: str, content: bytes, expected: dict[str, Any]) -> None:
    signal = make_signal(Addressed("ada"), kind, content)
    assert json.loads(told(signal).body) == {"from": "ada", **expected}
    assert b"\n" not in told(signal).body


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (JSON, b""),
        (JSON, b"  "),
        (JSON, b"{"),
        (JSON, b"1 2"),
        (JSON, b"NaN"),
        (JSON, b'"\xff"'),
        (JSON, b"[" * 100_000),
        ("text/plain", b""),
    ],
)
def test_what_is_no_signal(kind: str, content: bytes) -> None:
    with pytest.raises(InvalidBody):
        make_signal(Addressed("ada"), kind, content)


def test_what_is_kept_has_a_sender() -> None:
    with pytest.raises(BadRequest, match="say from"):
        make_signal(Addressed(keep=1), JSON, b"1")


def test_values_of_python() -> None:
    """Bytes as they are, all else as JSON."""
    assert content_of(b"\xff") == ("application/octet-stream", b"\xff")
    assert content_of({"a": "x"}) == (JSON, b'{"a":"x"}')
    assert make_signal(Addressed(), *content_of("é")).data == "é"
    assert make_signal(Addressed(), *content_of(bytearray(b"x"))).data == b"x"
    with pytest.raises(InvalidBody):
        content_of(object())
    with pytest.raises(InvalidBody):
        content_of("\ud800")


def test_requests_to_the_word() -> None:
    target = split_url("a/b/-/signal")
    headers = {b"content-type": b"text/plain", b"content-length": b"3"}
    assert parse_word(target, "POST", b"from=x", headers) == SendSignal("a/b", "text/plain", Addressed("x"), 3)
    assert parse_word(target, "OPTIONS", b"", {}) == Preflight("a/b")
    assert parse_word(split_url("a/-/cancel"), "POST", b"", {}) is None
    assert parse_word(split_url("a"), "POST", b"", {}) is None
    refused: list[tuple[str, dict[bytes, bytes], type[HeadwaterError]]] = [
        ("GET", {}, MethodNotAllowed),
        ("POST", {}, BadRequest),
        ("POST", {b"content-type": b"x"}, BadRequest),
        ("POST", {**headers, b"content-encoding": b"gzip"}, UnsupportedCoding),
    ]
    for method, sent, error in refused:
        with pytest.raises(error):
            parse_word(target, method, b"", sent)


def test_who_asks_for_signals() -> None:
    assert not wants_signals(None, has_place=False)
    assert wants_signals("1", has_place=True)
    with pytest.raises(BadRequest, match="takes 1"):
        wants_signals("true", has_place=True)
    with pytest.raises(BadRequest, match="long-poll"):
        wants_signals("1", has_place=False)
