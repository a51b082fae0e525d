"""Hosts and origins: what `Host` and `Origin` say, parsed and in one form (RFC 9110 section 7.2, RFC 6454 section 7).

Rule: names are compared parsed, never as parts of a text. What is not in the grammar names nothing.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

import msgspec

from headwater.errors import BadRequest

#: Characters of a host with its port; DNS has 253 for a name.
MAX_HOST: Final = 300

#: A name as DNS and browsers have it, an IPv4 address, or an IPv6 address in brackets; the port may be empty.
_AUTHORITY: Final = re.compile(
    r"(?:\[(?P<six>[0-9a-f:.]+)\]|(?P<name>[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)\.?)(?::(?P<port>[0-9]{0,5}))?", re.ASCII
)
_ORIGIN: Final = re.compile(r"(?P<scheme>https?)://(?P<authority>[^/]*[^/:])", re.ASCII)
_URL: Final = re.compile(r"https?://[^/?#]*", re.ASCII | re.IGNORECASE)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_MAX_PORT: Final = 65535
#: Characters that IDNA 2003 maps, which Python has, and browsers keep: a name with one has two forms.
_DEVIATIONS: Final = frozenset("ßςẞ\u200c\u200d")


class Authority(msgspec.Struct, frozen=True, gc=False):
    """A host and its port.

    Attributes:
        host: in lower case; a name without the dot at its end, an IPv6 address in its short form, without brackets.
        port: None: the default of the scheme.
        loopback: only this machine can be meant.
    """

    host: str
    port: int | None
    loopback: bool


class Origin(msgspec.Struct, frozen=True, gc=False):
    """Where a page is from (RFC 6454).

    Attributes:
        scheme: `http` or `https`.
        host: as `Authority.host`.
        port: never None.
        loopback: the page was served from this machine.
    """

    scheme: str
    host: str
    port: int
    loopback: bool

    def is_at(self, authority: Authority) -> bool:
        """Whether the page is from a server that is called so; with TLS or without, which a proxy may end."""
        return self.host == authority.host and self.port == (authority.port or _DEFAULT_PORTS[self.scheme])


@lru_cache(maxsize=256)
def _authority(text: str) -> Authority | None:
    found = _AUTHORITY.fullmatch(text.lower())
    if found is None or int(found["port"] or 0) > _MAX_PORT:
        return None
    port = int(found["port"]) if found["port"] else None
    if found["six"] is None:
        return Authority(found["name"], port, is_loopback(found["name"]))
    try:
        six = IPv6Address(found["six"])
    except AddressValueError:
        return None
    return Authority(six.compressed, port, is_loopback(six.compressed))


def parse_authority(value: bytes) -> Authority | None:
    """What `Host` says; None: it is no host with an optional port, of which there is exactly one.

    No user, no path, no percent-encoding: of a name, only letters, digits, `-`, `_` and single dots.
    """
    if len(value) > MAX_HOST or not value.isascii():
        return None
    return _authority(value.decode("ascii"))


def parse_origin(value: bytes) -> Origin | None:
    """What `Origin` says; None: no page over HTTP has it, such as `null`, and what browsers never send."""
    if len(value) > MAX_HOST or not value.isascii():
        return None
    found = _ORIGIN.fullmatch(value.decode("ascii").lower())
    authority = None if found is None else _authority(found["authority"])
    if found is None or authority is None:
        return None
    scheme = found["scheme"]
    return Origin(scheme, authority.host, authority.port or _DEFAULT_PORTS[scheme], authority.loopback)


def path_of_url(url: str, host: bytes) -> str:
    """The path of a URL of this server, such as a `Location` that it gave; a path is given back as it is.

    Args:
        url: absolute, or a path; percent-encoded.
        host: what the client calls this server.

    Raises:
        BadRequest: an absolute URL of another server, or with a query.
    """
    found = _URL.match(url)
    if found is None:
        return url
    origin, authority = parse_origin(found[0].encode()), parse_authority(host)
    if origin is None or authority is None or not origin.is_at(authority):
        raise BadRequest(f"{url[:80]!r} is not at this server, which the request calls {host[:80].decode('latin-1')!r}")
    if "?" in url:
        raise BadRequest(f"{url[:80]!r} has a query")
    return url[found.end() :]


def is_loopback(host: str) -> bool:
    """Whether a host, as `Authority` has it, is this machine: 127.0.0.0/8, `::1`, `localhost` and names below it.

    Browsers resolve `*.localhost` themselves (RFC 6761 section 6.3), so no name server can point it elsewhere.
    """
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        if ":" in host:
            six = IPv6Address(host)
            return (six.ipv4_mapped or six).is_loopback
        return IPv4Address(host).is_loopback
    except AddressValueError:
        return False


def host_of_setting(text: str) -> str:
    """A host that somebody wrote in a setting, as `Authority.host` has it: a name in any script, or an address.

    Raises:
        ValueError: it is none.
    """
    bare = f"[{text}]" if text.count(":") > 1 and not text.startswith("[") else text
    found = parse_authority(_to_ascii(bare))
    if found is None:
        raise ValueError(f"{text[:80]!r} is not a host name or an address")
    return found.host


def origin_of_setting(text: str) -> Origin | str:
    """An origin that somebody wrote in a setting; one that is not HTTP's, such as an app's or `null`, as text.

    Raises:
        ValueError: it is none: no scheme, or more than a scheme, a host and a port.
    """
    bare = text.removesuffix("/").lower()
    if bare == "null":
        return bare
    if bare.startswith(("http://", "https://")):
        found = parse_origin(_to_ascii(bare))
        if found is not None:
            return found
    elif re.fullmatch(r"[a-z][a-z0-9+.-]*://[!-.0-~]+", bare, re.ASCII):
        return bare
    raise ValueError(f"{text[:80]!r} is not an origin such as https://app.example")


def _to_ascii(text: str) -> bytes:
    """Names with other letters than ASCII's as browsers send them (RFC 3490, "ToASCII")."""
    if text.isascii():
        return text.encode()
    if _DEVIATIONS & set(text):
        raise ValueError(f"{text[:80]!r} has two forms in ASCII; write the one that browsers send, xn--…")
    before, mark, name = text.rpartition("://")
    try:
        return before.encode() + mark.encode() + name.encode("idna")
    except UnicodeError:
        raise ValueError(f"{text[:80]!r} is not a name") from None
