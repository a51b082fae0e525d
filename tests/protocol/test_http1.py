"""Heads of HTTP/1: what is refused before anybody asks what it wants."""

from __future__ import annotations

import pytest

from headwater.errors import HeadwaterError
from headwater.protocol.headers import collect
from headwater.protocol.http1 import (
    body_length,
    check_head,
    expects_continue,
    may_have_body,
    offers_upgrade,
    unparsable,
)

CHUNKED = (b"transfer-encoding", b"chunked")


def refusal(*fields: tuple[bytes, bytes], method: str = "POST", version: str = "1.1") -> str | None:
    """The code; None: it is taken. Behind a refusal the connection must close."""
    found = None
    try:
        check_head(method, version, collect(fields))
    except HeadwaterError as error:
        found = error
    assert found is None or found.unread
    return None if found is None else found.code


@pytest.mark.parametrize(
    "fields",
    [
        (),
        ((b"content-length", b"0"),),
        ((b"content-length", b" 12 "),),
        (CHUNKED,),
        ((b"transfer-encoding", b" Chunked "),),
        ((b"transfer-encoding", b", chunked"),),
        ((b"expect", b"100-Continue"), CHUNKED),
        ((b"expect", b"100-continue, 100-continue"),),
    ],
)
def test_a_clear_head_is_taken(fields: tuple[tuple[bytes, bytes], ...]) -> None:
    """Lengths, chunks, and the one expectation there is."""
    assert refusal(*fields) is None


@pytest.mark.parametrize("length", [b"", b"+1", b"-1", b"1, 1", b"0x1", b"1 2", b"1" * 19, "\u0661".encode()])
def test_a_length_that_is_no_number_is_refused(length: bytes) -> None:
    """Signed, listed, too long: 400."""
    assert refusal((b"content-length", length)) == "bad-request"


@pytest.mark.parametrize(
    ("coding", "code"),
    [
        (b"gzip, chunked", "coding-not-supported"),
        (b"chunked, gzip", "bad-request"),
        (b"chunked, chunked", "bad-request"),
        (b"xchunked", "bad-request"),
        (b"identity", "bad-request"),
        (b"", "bad-request"),
    ],
)
def test_a_transfer_coding_must_be_chunked_alone(coding: bytes, code: str) -> None:
    """501 for one that is not known, 400 where the end of the body is not."""
    assert refusal((b"transfer-encoding", coding)) == code


def test_what_lets_two_servers_see_two_ends_is_refused() -> None:
    """Both framings, and chunks in HTTP/1.0, which has none."""
    assert refusal(CHUNKED, (b"content-length", b"1")) == "bad-request"
    assert refusal(CHUNKED, version="1.0") == "bad-request"


@pytest.mark.parametrize("version", ["0.9", "1.2", "2.0", "3.0"])
def test_other_versions_are_refused(version: str) -> None:
    """505."""
    assert refusal(version=version) == "version-not-supported"


def test_expectations_that_nobody_can_meet_are_refused() -> None:
    """417; HTTP/1.0 has no expectations, so they say nothing there."""
    assert refusal((b"expect", b"200-ok")) == "expectation-failed"
    assert refusal((b"expect", b"100-continue, x")) == "expectation-failed"
    assert refusal((b"expect", b"200-ok"), version="1.0") is None
    assert expects_continue("1.1", {b"expect": b"100-CONTINUE"})
    assert not expects_continue("1.0", {b"expect": b"100-continue"})
    assert not expects_continue("1.1", {})


def test_a_tunnel_is_refused() -> None:
    """405 for CONNECT."""
    assert refusal(method="CONNECT") == "method-not-allowed"


def test_the_length_of_a_body() -> None:
    """As announced; None where nothing is."""
    assert body_length({b"content-length": b"007"}) == 7
    assert body_length({}) is None
    assert may_have_body({b"content-length": b"1"})
    assert may_have_body({b"transfer-encoding": b"chunked"})
    assert not may_have_body({b"content-length": b"0"})
    assert not may_have_body({})


@pytest.mark.parametrize(
    ("connection", "upgrade", "offered"),
    [
        (b"Upgrade", b"h2c", True),
        (b"keep-alive, UPGRADE, HTTP2-Settings", b"websocket", True),
        (b"keep-alive", b"h2c", False),
        (b"upgrades", b"h2c", False),
        (b"Upgrade", None, False),
    ],
)
def test_an_upgrade_is_offered_by_two_headers(connection: bytes, upgrade: bytes | None, offered: bool) -> None:
    """One alone is none (RFC 9110 section 7.8)."""
    headers = {b"connection": connection} | ({} if upgrade is None else {b"upgrade": upgrade})
    assert offers_upgrade(headers) is offered


def test_what_no_parser_takes_is_refused_by_its_kind() -> None:
    """A version that is not spoken: 505; everything else: 400, with the parser's word for it."""
    assert unparsable("Invalid HTTP version").status == 505
    assert unparsable("Pause on PRI/Upgrade").status == 505
    error = unparsable("Invalid header token")
    assert (error.status, error.unread) == (400, True)
    assert "Invalid header token" in error.message
