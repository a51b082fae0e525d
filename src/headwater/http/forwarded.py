"""Who is at the other end of a request that came through proxies: `X-Forwarded-For` and `X-Forwarded-Proto`.

No standard describes these headers; RFC 7239 describes their successor. Each proxy appends the address that it was
called from, so what stands further left was said by somebody further away.

Rule 1: only a trusted peer is believed, and only as far as trust goes: the walk is from right to left, over addresses
        that are trusted, and ends at the first one that is not. What a client wrote itself stands left of that.
Rule 2: what is no address (`unknown`, `_hidden`, nothing between two commas) ends the walk too. The request is then
        from the address right of it, the last one that somebody vouched for. The result is an address or the peer,
        never a text that a client chose.
Rule 3: the work is bounded: `MAX_HOPS` addresses are looked at.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from headwater.protocol import names
from headwater.protocol.cors import ANY, LOOPBACK
from headwater.protocol.headers import Headers

#: Who connects by a Unix socket, in the setting.
UNIX: Final = "unix"
#: Addresses of `X-Forwarded-For` that are looked at, from the right.
MAX_HOPS: Final = 32
#: Characters of an address: 45 in its longest form, brackets and a port.
_MAX_ADDRESS: Final = 64
#: Addresses that are remembered as parsed, with whether they are trusted.
_REMEMBERED: Final = 1024

_SCHEMES: Final = {b"https": "https", b"http": "http", b"wss": "https", b"ws": "http"}

#: An IPv6 address in brackets or an IPv4 address, with a port; or an address of either kind alone. No zone (RFC 4007):
#: it means something on one machine only, and may be any text.
_ELEMENT: Final = re.compile(
    r"\[(?P<six>[0-9a-fA-F:.]+)\](?::[0-9]*)?|(?P<four>[0-9.]+):[0-9]*|(?P<bare>[0-9a-fA-F:.]+)", re.ASCII
)


class TrustedProxies:
    """The proxies whose word is taken.

    Args:
        values: of the setting `trusted_proxies`: `loopback`, `unix`, addresses, networks such as `10.0.0.0/8`, or `*`;
            none: nobody is believed.

    Raises:
        ValueError: one of them is none of these.
    """

    def __init__(self, values: Collection[str]) -> None:
        self._any = ANY in values
        self._unix = self._any or UNIX in values
        self._networks = _networks(value for value in values if value not in (ANY, UNIX))
        # Peers and proxies are few, and come with every request.
        self._known = lru_cache(maxsize=_REMEMBERED)(self._judge)

    def trusts(self, peer: str | None) -> bool:
        """Whether the word of a peer is taken.

        Args:
            peer: its address; None: it has none, as on a Unix socket, and is trusted with `unix` and `*`.
        """
        return self._unix if peer is None else self._any or self._look_at(_without_zone(peer))[1]

    def client(self, peer: str | None, headers: Headers) -> str | None:
        """The address of the client.

        Args:
            peer: the address of whoever made the connection; None: it has none.
            headers: of the request.

        Returns:
            The rightmost address of `X-Forwarded-For` that is not trusted; the leftmost, if all are. The peer, if it
            is not trusted, or the header names no address. Ports, brackets and the peer's zone are taken off; IPv6 is
            in its short form, and IPv4 within IPv6 (`::ffff:1.2.3.4`) is IPv4.
        """
        client = peer if peer is None else (self._look_at(_without_zone(peer))[0] or peer)
        chain = headers.get(names.X_FORWARDED_FOR)
        if chain is None or not self.trusts(peer):
            return client
        for element in reversed(chain.rsplit(b",", MAX_HOPS)[-MAX_HOPS:]):
            found, is_trusted = self._look_at(element.strip(b" \t").decode("latin-1"))
            if found is None:
                break
            client = found
            if not is_trusted:
                break
        return client

    def scheme(self, peer: str | None, headers: Headers, default: str) -> str:
        """The scheme that the client used.

        Args:
            peer: as of `client`.
            headers: of the request.
            default: what the connection itself has.

        Returns:
            `https` or `http`, if a trusted peer says so; `wss` and `ws` are these. Of several the last counts: the
            peer's own. `default` otherwise.
        """
        said = headers.get(names.X_FORWARDED_PROTO)
        if said is None or not self.trusts(peer):
            return default
        return _SCHEMES.get(said.rpartition(b",")[2].strip(b" \t").lower(), default)

    def _look_at(self, text: str) -> tuple[str | None, bool]:
        """An address in one form, and whether it is trusted; None: it is no address."""
        return self._known(text) if len(text) <= _MAX_ADDRESS else (None, False)

    def _judge(self, text: str) -> tuple[str | None, bool]:
        found = _parse(text)
        if found is None:
            return None, False
        return str(found), self._any or any(found in network for network in self._networks)


def _networks(values: Iterable[str]) -> list[IPv4Network | IPv6Network]:
    found: list[IPv4Network | IPv6Network] = []
    for value in values:
        if value == LOOPBACK:
            found += (IPv4Network("127.0.0.0/8"), IPv6Network("::1"))
            continue
        try:
            found.append(_unmapped(ip_network(value)))
        except ValueError:
            raise ValueError(f"{value[:80]!r} is neither an address nor a network such as 10.0.0.0/8") from None
    return found


def _unmapped(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    """A network of IPv4 addresses within IPv6 as one of IPv4, as its addresses are compared."""
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    return network if mapped is None or network.prefixlen < 96 else IPv4Network((mapped, network.prefixlen - 96))


def _without_zone(peer: str) -> str:
    """A peer's address; that of the link is told with its interface, `fe80::1%eth0`."""
    return peer.partition("%")[0]


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    """The address that an element names; None: it names none."""
    element = _ELEMENT.fullmatch(text)
    if element is None:
        return None
    try:
        found = IPv6Address(element["six"]) if element["six"] else ip_address(element["four"] or element["bare"])
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found
