"""The opening handshake: what is one, what is refused, and what is answered."""

from __future__ import annotations

import pytest

from headwater.errors import (
    BadRequest,
    OriginNotAllowed,
    SubprotocolNotSupported,
    UpgradeRequired,
    WebSocketVersionNotSupported,
)
from headwater.protocol.cors import CorsPolicy
from headwater.protocol.websocket import handshake

#: Of RFC 6455 section 1.3.
KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
HEADERS = {
    b"host": b"server.example.com",
    b"upgrade": b"websocket",
    b"connection": b"Upgrade",
    b"sec-websocket-key": KEY,
    b"sec-websocket-version": b"13",
}


def test_the_example_of_the_standard() -> None:
    """Its key gives its accept."""
    assert handshake.is_handshake("GET", "1.1", HEADERS)
    assert handshake.check_key(HEADERS, KEY) == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@pytest.mark.parametrize(
    ("method", "version", "change"),
    [
        ("POST", "1.1", {}),
        ("GET", "1.0", {}),
        ("GET", "1.1", {b"upgrade": b"h2c"}),
        ("GET", "1.1", {b"connection": b"keep-alive"}),
        ("GET", "1.1", {b"connection": b""}),
        ("GET", "1.1", {b"content-length": b"5"}),
        ("GET", "1.1", {b"transfer-encoding": b"chunked"}),
        ("GET", "1.1", {b"sec-websocket-key": None, b"sec-websocket-version": None}),
        ("GET", "1.1", {b"upgrade": None}),
    ],
)
def test_other_requests_are_none(method: str, version: str, change: dict[bytes, bytes | None]) -> None:
    """They are requests like others: nothing behind them is taken for frames."""
    headers = {name: value for name, value in (HEADERS | change).items() if value is not None}
    assert not handshake.is_handshake(method, version, headers)


@pytest.mark.parametrize("value", [b"websocket", b"WebSocket", b"h2c, websocket"])
@pytest.mark.parametrize("connection", [b"Upgrade", b"keep-alive, upgrade"])
def test_names_are_compared_as_tokens(value: bytes, connection: bytes) -> None:
    """In any case, also in a list (Firefox sends `keep-alive, Upgrade`)."""
    assert handshake.is_handshake("GET", "1.1", HEADERS | {b"upgrade": value, b"connection": connection})


@pytest.mark.parametrize("key", [b"", b"dGhl", b"dGhlIHNhbXBsZSBub25jZSE=", b"dGhlIHNhbXBsZSBub25jZQ", b"!" * 24])
def test_a_key_is_sixteen_bytes(key: bytes) -> None:
    """Whatever else it is, it is refused."""
    with pytest.raises(BadRequest, match="16 bytes"):
        handshake.check_key(HEADERS, key)


@pytest.mark.parametrize("version", [b"8", b"0", b"13, 8", b""])
def test_another_version_is_told_which_is_spoken(version: bytes) -> None:
    """426, as RFC 6455 section 4.4 wants."""
    with pytest.raises(WebSocketVersionNotSupported) as caught:
        handshake.check_key(HEADERS | {b"sec-websocket-version": version}, KEY)
    assert caught.value.status == 426
    assert caught.value.details == {"upgrade": "websocket"}


def test_the_first_subprotocol_that_is_spoken_is_chosen() -> None:
    """In the client's order."""
    offered = handshake.offered({b"sec-websocket-protocol": b"other, headwater.v1+json ,headwater.v1+msgpack"})
    assert offered == ("other", "headwater.v1+json", "headwater.v1+msgpack")
    assert handshake.choose(offered, ["headwater.v1+msgpack", "headwater.v1+json"]) == "headwater.v1+json"


@pytest.mark.parametrize("offered", [(), ("graphql-transport-ws",)])
def test_a_subprotocol_that_is_not_spoken(offered: tuple[str, ...]) -> None:
    """The refusal names those that are."""
    with pytest.raises(SubprotocolNotSupported, match=r"spoken here: headwater\.v1\+json"):
        handshake.choose(offered, ["headwater.v1+json"])


def test_a_streams_url_has_none() -> None:
    """A browser would fail without a reason, if none were chosen of those it offers."""
    handshake.check_none(())
    with pytest.raises(SubprotocolNotSupported, match="-/connect"):
        handshake.check_none(("headwater.v1+json",))


def test_pages_of_others() -> None:
    """The rule of CORS, for a request that browsers do not ask about before; programs have no origin."""
    policy = CorsPolicy(("https://app.example",))
    handshake.check_page(policy, None, b"server.example.com")
    handshake.check_page(policy, b"https://app.example", b"server.example.com")
    handshake.check_page(policy, b"https://server.example.com", b"server.example.com")
    for origin in (b"https://app.example.evil", b"null", b"https://evil.example"):
        with pytest.raises(OriginNotAllowed):
            handshake.check_page(policy, origin, b"server.example.com")


def test_a_plain_request_is_told_what_is_needed() -> None:
    """426 with `Upgrade` (RFC 9110 section 15.5.22)."""
    error = handshake.required()
    assert isinstance(error, UpgradeRequired)
    assert error.status == 426
    assert error.details["upgrade"] == "websocket"
