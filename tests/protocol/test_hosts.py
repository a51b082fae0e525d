"""Hosts and origins: one form for all that mean the same, and nothing for what is none."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headwater.protocol.hosts import Authority, Origin, is_loopback, parse_authority, parse_origin

#: What may stand in a `Host` header and is none.
NO_HOSTS = [
    *(b"user@localhost", b"localhost/x", b"localhost:abc", b"localhost:99999", b"localhost:1:2", b"localhost:-1", b"/"),
    *(
        b"localhost, evil",
        b"localhost,evil",
        b"localhost evil",
        b"a b",
        b"[",
        b"[]",
        b"[::1",
        b"::1",
        b"[x]",
        b"[::1]x",
    ),
    *(b"\xff", b"b\xc3\xbccher.example", b"%6cocalhost", b"localhost%00", b"local\0host", b":80", b".", b".a", b"a..b"),
    *(b"localhost#", b"localhost?", b"http://localhost", b"[fe80::1%25eth0]", b"[v1.a]", b"*", b"a" * 301, b"a\\b"),
    *(b"localhost:\xb2", b"localhost\r\nx: y"),
]


@pytest.mark.parametrize(
    ("value", "host", "port"),
    [
        (b"localhost", "localhost", None),
        (b"LocalHost.:8080", "localhost", 8080),
        (b"my_service-1.example:00080", "my_service-1.example", 80),
        (b"10.0.0.1:65535", "10.0.0.1", 65535),
        (b"[2001:DB8:0:0::1]:", "2001:db8::1", None),
        (b"xn--bcher-kva.example", "xn--bcher-kva.example", None),
    ],
)
def test_a_host_has_one_form(value: bytes, host: str, port: int | None) -> None:
    """Lower case, without the root's dot, addresses short."""
    assert parse_authority(value) == Authority(host, port, host == "localhost")


@pytest.mark.parametrize("value", [*NO_HOSTS, b""])
def test_what_is_no_host_is_none(value: bytes) -> None:
    """Users, paths, ports that are none, several, other letters."""
    assert parse_authority(value) is None
    assert parse_origin(b"http://" + value) is None


def test_an_origin_has_a_port() -> None:
    """The default of its scheme, when it says none."""
    assert parse_origin(b"HTTPS://App.Example") == Origin("https", "app.example", 443, False)
    assert parse_origin(b"http://[::1]:8000") == Origin("http", "::1", 8000, True)
    assert parse_origin(b"null") is None


names = st.from_regex(r"[a-z0-9_-]{1,9}(\.[a-z0-9_-]{1,9}){0,3}", fullmatch=True)
hosts = names | st.ip_addresses(v=4).map(str) | st.ip_addresses(v=6).map(lambda six: f"[{six}]")
ports = st.none() | st.integers(0, 65535)


@given(host=hosts, port=ports, upper=st.booleans(), scheme=st.sampled_from(["http", "https"]))
def test_a_host_and_the_origin_of_its_pages_are_the_same(host: str, port: int | None, upper: bool, scheme: str) -> None:
    """In any case, with its port."""
    text = host if port is None else f"{host}:{port}"
    found = parse_authority((text.upper() if upper else text).encode())
    origin = parse_origin(f"{scheme}://{text}".encode())
    assert found is not None
    assert origin is not None
    assert (origin.host, origin.loopback) == (found.host, found.loopback)
    assert origin.is_at(found)
    other = parse_authority(f"x.{text}".encode())
    assert other is None or not origin.is_at(other)


@given(st.ip_addresses())
@example(IPv4Address("127.255.255.255"))
@example(IPv6Address("::1"))
@example(IPv6Address("::ffff:127.0.0.1"))
@example(IPv6Address("::ffff:128.0.0.1"))
def test_addresses_of_this_machine(address: IPv4Address | IPv6Address) -> None:
    """As Python knows them; an IPv4 address may be told as an IPv6 one."""
    inner = address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
    assert is_loopback(str(address)) is inner.is_loopback


@given(names)
def test_names_of_this_machine_end_in_localhost(name: str) -> None:
    """As a whole label; an address that is written otherwise is a name."""
    assert is_loopback(f"{name}.localhost")
    assert not is_loopback(f"{name}localhost.example")
    assert is_loopback(f"x{name}") is f"x{name}".endswith(".localhost")


@given(st.binary(max_size=30) | st.text(max_size=30).map(str.encode))
def test_any_bytes_are_a_host_in_one_line_or_none(value: bytes) -> None:
    """Nothing is raised, and what is taken holds nothing that ends a host."""
    for found in (parse_authority(value), parse_origin(value), parse_origin(b"http://" + value)):
        assert found is None or not set(found.host) & set("/@#?\\%, \t\r\n\0")
