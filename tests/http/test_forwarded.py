"""Who is at the other end of a request that came through proxies: a trusted one's word, and as far as trust goes."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address
from typing import Any, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from headwater.http.forwarded import MAX_HOPS, TrustedProxies
from headwater.protocol.headers import collect
from headwater.server.settings import Settings, proxies_of

FOR, PROTO = b"x-forwarded-for", b"x-forwarded-proto"
Fields = list[tuple[bytes, bytes]]


def ours(trusted: tuple[str, ...], peer: str | None, fields: Fields) -> tuple[str | None, str]:
    """The client and the scheme of a request over plain HTTP."""
    proxies, headers = TrustedProxies(trusted), collect(fields)
    return proxies.client(peer, headers), proxies.scheme(peer, headers, "http")


def uvicorns(trusted: tuple[str, ...], peer: str | None, fields: Fields) -> tuple[str | None, str]:
    """The same of uvicorn, configured as `headwater serve` does it."""
    seen: dict[str, Any] = {}

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.update(scope)

    middleware = ProxyHeadersMiddleware(cast("Any", app), proxies_of(Settings(trusted_proxies=trusted)))
    client = None if peer is None else (peer, 4711)
    scope: Any = {"type": "http", "scheme": "http", "client": client, "headers": fields}
    with pytest.raises(StopIteration):  # it waits for nothing, and an event loop a time takes long
        cast("Any", middleware(scope, cast("Any", None), cast("Any", None))).send(None)
    return seen["client"][0] if seen["client"] else None, seen["scheme"]


LOCAL = ("loopback",)
NET = ("10.0.0.0/8", "2001:db8::/32")

#: What is trusted, the peer, the header lines, the client and the scheme: ours and uvicorn's.
AGREED: list[tuple[tuple[str, ...], str | None, Fields, str | None, str]] = [
    # Whose word is taken.
    (LOCAL, "127.0.0.1", [], "127.0.0.1", "http"),
    (LOCAL, "127.0.0.1", [(FOR, b"203.0.113.7"), (PROTO, b"https")], "203.0.113.7", "https"),
    (LOCAL, "127.8.8.8", [(FOR, b"203.0.113.7"), (PROTO, b"https")], "203.0.113.7", "https"),
    (LOCAL, "::1", [(FOR, b"203.0.113.7"), (PROTO, b"https")], "203.0.113.7", "https"),
    (LOCAL, "192.0.2.1", [(FOR, b"203.0.113.7"), (PROTO, b"https")], "192.0.2.1", "http"),
    ((), "127.0.0.1", [(FOR, b"203.0.113.7"), (PROTO, b"https")], "127.0.0.1", "http"),
    (("10.1.2.3",), "10.1.2.3", [(FOR, b"203.0.113.7")], "203.0.113.7", "http"),
    (("10.1.2.3",), "10.1.2.4", [(FOR, b"203.0.113.7")], "10.1.2.4", "http"),
    (NET, "2001:db8:7::1", [(FOR, b"203.0.113.7")], "203.0.113.7", "http"),
    (("fe80::/10",), "fe80::1%eth0", [(FOR, b"203.0.113.7")], "203.0.113.7", "http"),
    (LOCAL, "testclient", [(FOR, b"203.0.113.7")], "testclient", "http"),
    # A Unix socket has no peer; only `*` and `unix` trust it.
    (LOCAL, None, [(FOR, b"203.0.113.7"), (PROTO, b"https")], None, "http"),
    (("*",), None, [(FOR, b"203.0.113.7"), (PROTO, b"https")], "203.0.113.7", "https"),
    (("*",), None, [], None, "http"),
    # How far it goes.
    (NET, "10.0.0.1", [(FOR, b"198.51.100.9, 203.0.113.7")], "203.0.113.7", "http"),
    (NET, "10.0.0.1", [(FOR, b"198.51.100.9,203.0.113.7 ,\t10.9.9.9")], "203.0.113.7", "http"),
    (NET, "10.0.0.1", [(FOR, b"198.51.100.9"), (b"host", b"x"), (FOR, b"203.0.113.7")], "203.0.113.7", "http"),
    (NET, "10.0.0.1", [(FOR, b"unknown, <b>, 203.0.113.7, 10.0.0.2")], "203.0.113.7", "http"),
    (NET, "10.0.0.1", [(FOR, b"10.7.7.7, 10.0.0.2")], "10.7.7.7", "http"),
    (("*",), "10.0.0.1", [(FOR, b"198.51.100.9, 203.0.113.7")], "198.51.100.9", "http"),
    # Ports and brackets.
    (NET, "10.0.0.1", [(FOR, b"203.0.113.7:80")], "203.0.113.7", "http"),
    (NET, "10.0.0.1", [(FOR, b"203.0.113.7:80, 10.0.0.2:81")], "203.0.113.7", "http"),
    (NET, "10.0.0.1", [(FOR, b"2001:4860::1")], "2001:4860::1", "http"),
    (NET, "10.0.0.1", [(FOR, b"[2001:4860::1]")], "2001:4860::1", "http"),
    (NET, "10.0.0.1", [(FOR, b"[2001:4860::1]:80, [2001:db8::2]:81")], "2001:4860::1", "http"),
    # Nothing is said.
    (NET, "10.0.0.1", [(FOR, b"")], "10.0.0.1", "http"),
    (NET, "10.0.0.1", [(FOR, b",")], "10.0.0.1", "http"),
    (NET, "10.0.0.1", [(FOR, b"203.0.113.7,")], "10.0.0.1", "http"),
    # Schemes: of several lines the last, which the nearest proxy wrote.
    (LOCAL, "127.0.0.1", [(PROTO, b"http")], "127.0.0.1", "http"),
    (LOCAL, "127.0.0.1", [(PROTO, b"http"), (PROTO, b"https")], "127.0.0.1", "https"),
    (LOCAL, "127.0.0.1", [(PROTO, b"https"), (PROTO, b"http")], "127.0.0.1", "http"),
    (LOCAL, "127.0.0.1", [(PROTO, b"gopher")], "127.0.0.1", "http"),
    (LOCAL, "127.0.0.1", [(PROTO, b"https://")], "127.0.0.1", "http"),
    (LOCAL, "127.0.0.1", [(PROTO, b"")], "127.0.0.1", "http"),
]

#: The same, then uvicorn's client and scheme, and why ours are others.
DIFFERENT: list[tuple[tuple[str, ...], str | None, Fields, tuple[str | None, str], tuple[str | None, str], str]] = [
    (NET, "10.0.0.1", [(FOR, b"unknown")], ("10.0.0.1", "http"), ("unknown", "http"), "a text is no address"),
    (NET, "10.0.0.1", [(FOR, b"1.1.1.1, _hidden")], ("10.0.0.1", "http"), ("_hidden", "http"), "nor is an alias"),
    (NET, "10.0.0.1", [(FOR, b"unix:, 10.0.0.2")], ("10.0.0.2", "http"), ("unix:", "http"), "nor nginx's peer"),
    (NET, "10.0.0.1", [(FOR, b"1.1.1.1,, 10.0.0.2")], ("10.0.0.2", "http"), ("10.0.0.1", "http"), "nor nothing"),
    (NET, "10.0.0.1", [(FOR, b"1.1.1.999")], ("10.0.0.1", "http"), ("1.1.1.999", "http"), "nor a number too many"),
    (NET, "10.0.0.1", [(FOR, b"[::1]x")], ("10.0.0.1", "http"), ("[::1]x", "http"), "nor half of one"),
    (NET, "10.0.0.1", [(FOR, b"[::1]:x")], ("10.0.0.1", "http"), ("::1", "http"), "a port is a number"),
    (NET, "10.0.0.1", [(FOR, b"1.1.1.1:")], ("1.1.1.1", "http"), ("1.1.1.1:", "http"), "or empty (RFC 3986)"),
    (NET, "10.0.0.1", [(FOR, b"fe80::1%<b>")], ("10.0.0.1", "http"), ("fe80::1%<b>", "http"), "a zone is any text"),
    (("*",), "10.0.0.1", [(FOR, b"unknown, 1.1.1.1")], ("1.1.1.1", "http"), ("unknown", "http"), "with * as well"),
    (NET, "10.0.0.1", [(FOR, b"2001:4860:0::1")], ("2001:4860::1", "http"), ("2001:4860:0::1", "http"), "one form"),
    (NET, "10.0.0.1", [(FOR, b"::ffff:1.1.1.1")], ("1.1.1.1", "http"), ("::ffff:1.1.1.1", "http"), "one form"),
    (NET, "::ffff:1.1.1.1", [], ("1.1.1.1", "http"), ("::ffff:1.1.1.1", "http"), "a socket of both families"),
    (NET, "::ffff:10.0.0.1", [(FOR, b"1.1.1.1")], ("1.1.1.1", "http"), ("::ffff:10.0.0.1", "http"), "and trust in it"),
    (LOCAL, "::ffff:127.0.0.1", [(PROTO, b"https")], ("127.0.0.1", "https"), ("::ffff:127.0.0.1", "http"), "the same"),
    (LOCAL, "127.0.0.1", [(PROTO, b"wss")], ("127.0.0.1", "https"), ("127.0.0.1", "wss"), "Location is for HTTP"),
    (LOCAL, "127.0.0.1", [(PROTO, b"ws")], ("127.0.0.1", "http"), ("127.0.0.1", "ws"), "Location is for HTTP"),
    (LOCAL, "127.0.0.1", [(PROTO, b"HTTPS")], ("127.0.0.1", "https"), ("127.0.0.1", "http"), "RFC 3986 section 3.1"),
    (LOCAL, "127.0.0.1", [(PROTO, b"http, https")], ("127.0.0.1", "https"), ("127.0.0.1", "http"), "two lines in one"),
]


@pytest.mark.parametrize(("trusted", "peer", "fields", "client", "scheme"), AGREED)
def test_what_uvicorn_says_too(
    trusted: tuple[str, ...], peer: str | None, fields: Fields, client: str | None, scheme: str
) -> None:
    """A server of ours in place of uvicorn believes the same."""
    assert ours(trusted, peer, fields) == (client, scheme)
    assert uvicorns(trusted, peer, fields) == (client, scheme)


@pytest.mark.parametrize(("trusted", "peer", "fields", "expected", "theirs", "why"), DIFFERENT)
def test_where_uvicorn_says_something_else(
    trusted: tuple[str, ...],
    peer: str | None,
    fields: Fields,
    expected: tuple[str | None, str],
    theirs: tuple[str | None, str],
    why: str,
) -> None:
    """On purpose; each with its reason."""
    assert ours(trusted, peer, fields) == expected, why
    assert uvicorns(trusted, peer, fields) == theirs


def test_a_long_chain_is_not_walked_to_its_end() -> None:
    """In 32 kB there is room for thousands of trusted addresses: the last ones count, uvicorn's first one does not."""
    chain = b",".join(b"10.0.%d.%d" % (number // 250, number % 250) for number in range(3000))
    assert len(chain) > 30_000
    last = 3000 - MAX_HOPS
    assert ours(NET, "10.0.0.1", [(FOR, chain)])[0] == f"10.0.{last // 250}.{last % 250}"
    assert ours(NET, "10.0.0.1", [(FOR, b"," * 32_000)])[0] == "10.0.0.1"
    assert ours(NET, "10.0.0.1", [(FOR, b"1" * 32_000)])[0] == "10.0.0.1"
    assert ours(NET, "10.0.0.1", [(FOR, b",".join([b"203.0.113.7"] + [b"10.0.0.2"] * 31))])[0] == "203.0.113.7"


def test_a_network_within_ipv6_is_one_of_ipv4() -> None:
    """Whoever named the peer of a socket of both families as it was shown is understood."""
    proxies = TrustedProxies(["::ffff:10.0.0.0/104", "::ffff:192.0.2.1"])
    for peer in ("10.9.9.9", "::ffff:10.9.9.9", "192.0.2.1"):
        assert proxies.trusts(peer)
    assert not proxies.trusts("192.0.2.2")
    assert not proxies.trusts("::1")
    assert TrustedProxies(["::/0"]).trusts("::1")


@pytest.mark.parametrize("value", ["proxy.example", "10.0.0.1/8", "10.0.0.0/40", "", "1" * 200])
def test_a_value_that_is_no_address_is_told(value: str) -> None:
    """With the value, and what it could be."""
    with pytest.raises(ValueError, match=r"neither an address nor a network such as 10\.0\.0\.0/8") as caught:
        TrustedProxies(["loopback", value])
    assert len(str(caught.value)) < 200


_ADDRESSES = st.one_of(
    st.ip_addresses().map(str), st.sampled_from(["10.0.0.1", "10.7.7.7", "2001:db8::7", "127.0.0.1"])
)
_ELEMENTS = st.one_of(
    st.binary(max_size=90),
    _ADDRESSES.map(str.encode),
    st.sampled_from([b"unknown", b"[::1]:80", b"1.2.3.4:5", b"[", b"]", b"%", b":", b"[]:"]),
)
_TRUSTED = st.sampled_from([(), LOCAL, NET, ("*",), ("loopback", "0.0.0.0/0", "::/0")])
_PEERS = st.one_of(st.none(), _ADDRESSES, st.text(max_size=90))


@given(_TRUSTED, _PEERS, st.lists(_ELEMENTS, max_size=40).map(b",".join), st.binary(max_size=40))
@example(NET, "10.0.0.1", b"10.0.0.1%" + b"a" * 300, b"https\xff")
def test_whatever_is_sent_gives_an_address_or_the_peer(
    trusted: tuple[str, ...], peer: str | None, chain: bytes, proto: bytes
) -> None:
    """Never an error, never a text that a client made up, and a scheme that is one of two."""
    proxies, headers = TrustedProxies(trusted), {FOR: chain, PROTO: proto}
    client = proxies.client(peer, headers)
    if client != peer:
        assert client is not None
        assert str(ip_address(client)) == client
    assert proxies.scheme(peer, headers, "http") in ("http", "https")
    assert proxies.scheme(peer, headers, "default") in ("http", "https", "default")


@given(st.binary(max_size=300), st.lists(st.sampled_from([b"10.0.0.2", b"[2001:db8::2]:443"]), max_size=MAX_HOPS - 1))
def test_a_client_cannot_choose_its_address(claimed: bytes, proxies: list[bytes]) -> None:
    """Whatever it sent itself, the address that the first trusted proxy saw counts."""
    chain = b",".join([claimed, b"203.0.113.7", *proxies])
    assert TrustedProxies(NET).client("10.0.0.1", {FOR: chain}) == "203.0.113.7"


def _is_mapped(text: str | None) -> bool:
    return text is not None and ":" in text and IPv6Address(text).ipv4_mapped is not None


_PLAIN = _ADDRESSES.filter(lambda text: not _is_mapped(text))


@given(_TRUSTED, st.none() | _PLAIN, st.lists(_PLAIN, max_size=MAX_HOPS))
def test_of_addresses_uvicorn_says_the_same(trusted: tuple[str, ...], peer: str | None, chain: list[str]) -> None:
    """As long as every address is in its one form."""
    fields = [(FOR, ", ".join(chain).encode())]
    assert ours(trusted, peer, fields) == uvicorns(trusted, peer, fields)


def test_who_connects_by_a_unix_socket() -> None:
    """The proxy's word is taken, as far as trust goes; nobody else's is for that."""
    fields: Fields = [(FOR, b"198.51.100.1, 203.0.113.7"), (PROTO, b"https")]
    assert ours(("unix",), None, fields) == ("203.0.113.7", "https")
    assert ours(("unix", "203.0.113.0/24"), None, fields) == ("198.51.100.1", "https")
    assert ours(("unix",), "127.0.0.1", fields) == ("127.0.0.1", "http")
