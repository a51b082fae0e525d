"""Pages: which origins may use the server, and under which names (Fetch standard, section 3.2 "CORS protocol").

Rule: a page of an origin that is not allowed cannot write either: browsers send its simple requests without asking,
so `check_origin` refuses them.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from headwater.errors import BadRequest, HostNotAllowed, OriginNotAllowed
from headwater.protocol import names
from headwater.protocol.hosts import (
    Authority,
    Origin,
    host_of_setting,
    origin_of_setting,
    parse_authority,
    parse_origin,
)

#: The value of the setting that stands for every page served from this machine.
LOOPBACK: Final = "loopback"
ANY: Final = "*"

_WORDS: Final = (ANY, LOOPBACK)
_WRITING: Final = frozenset({"POST", "PUT", "DELETE"})
_EXPOSED: Final = (b"access-control-expose-headers", b", ".join(names.CORS_RESPONSE_HEADERS))
_CREDENTIALS: Final = (b"access-control-allow-credentials", b"true")
_PREFLIGHT: Final = [
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, DELETE, OPTIONS"),
    (b"access-control-allow-headers", b", ".join(names.CORS_REQUEST_HEADERS)),
    (b"access-control-max-age", b"600"),
]


class CorsPolicy:
    """Which origins may use the server.

    Args:
        origins: `*`, `loopback` (pages served from this machine, any port), and whole origins such as
            `https://app.example`. A page of the server's own origin is always allowed. `null`, which sandboxed pages
            and files have, and origins of other schemes are allowed when they are listed.
        credentials: pages of whole origins may have browsers send the server's cookies, and read the responses.

    Raises:
        ValueError: one of them is no origin; or they are one text.
    """

    def __init__(self, origins: Collection[str] = (LOOPBACK,), *, credentials: bool = False) -> None:
        if isinstance(origins, str):
            raise ValueError(f"origins are a tuple of texts, such as ({origins!r},), not one text")
        self._any = ANY in origins
        self._loopback = LOOPBACK in origins
        listed = [origin_of_setting(origin) for origin in origins if origin not in _WORDS]
        self._origins = frozenset(found for found in listed if isinstance(found, Origin))
        self._texts = frozenset(found for found in listed if isinstance(found, str))
        self._credentials = credentials

    def is_listed(self, origin: bytes) -> bool:
        """Whether a whole origin is named: neither `*` nor `loopback`, nor `null`, which any site can have."""
        return bool(self._origins) and parse_origin(origin) in self._origins

    def allows(self, origin: bytes, host: bytes) -> bool:
        """Whether pages of an origin may use a server that they call `host`."""
        if self._any:
            return True
        found = parse_origin(origin)
        if found is None:
            return origin.decode("latin-1").lower() in self._texts
        if found in self._origins or (self._loopback and found.loopback):
            return True
        authority = parse_authority(host)
        return authority is not None and found.is_at(authority)

    def check_origin(self, method: str, origin: bytes | None, host: bytes) -> None:
        """Refuse writes from pages that are not allowed.

        Raises:
            OriginNotAllowed: it is such a write.
        """
        if origin is None or method not in _WRITING:
            return
        if not self.allows(origin, host):
            raise OriginNotAllowed(f"pages of {origin.decode('latin-1')[:80]!r} may not write here")

    def headers(self, origin: bytes | None, host: bytes) -> list[tuple[bytes, bytes]]:
        """CORS headers for an answer. To whom nothing is allowed, they say that a page may get another answer.

        Also to a client that is no page: a cache must not give a page what it kept of that (Fetch standard, section
        3.2.5 "CORS protocol and HTTP caches").
        """
        is_known = origin is not None and self._credentials and self.is_listed(origin)
        if self._any and not is_known:
            return [(b"access-control-allow-origin", b"*"), _EXPOSED]
        if origin is None or not self.allows(origin, host):
            return [(names.VARY, b"origin")]
        allowed = [(b"access-control-allow-origin", origin), (names.VARY, b"origin"), _EXPOSED]
        return [*allowed, _CREDENTIALS] if is_known else allowed


def is_own(origin: bytes, scheme: str, host: bytes) -> bool:
    """Whether a page is of the server's own origin.

    Args:
        origin: of the page.
        scheme: `http` or `https`, as the client has it. A page that came encrypted is of an origin of its own, and who
            may be on the way can make one that did not; where nobody says that a proxy encrypts, it may be either.
        host: what the client calls this server.
    """
    found, authority = parse_origin(origin), parse_authority(host)
    if found is None or authority is None:
        return False
    return found.is_at(authority) and (found.scheme == "https" or scheme != "https")


class HostPolicy:
    """Which names the server answers to.

    Against DNS rebinding: a page of any site can point its own name at 127.0.0.1 and is then of the server's own
    origin. The name it must use in `Host` gives it away.

    Args:
        hosts: `*`, `loopback`, host names and addresses.

    Raises:
        ValueError: one of them is no host.
    """

    def __init__(self, hosts: tuple[str, ...] = (ANY,)) -> None:
        self._any = ANY in hosts
        self._loopback = LOOPBACK in hosts
        self._names = frozenset(host_of_setting(host) for host in hosts if host not in _WORDS)

    def allows(self, host: bytes) -> bool:
        """Whether the server answers to a `Host` header."""
        found = parse_authority(host)
        return found is not None and self._knows(found)

    def _knows(self, found: Authority) -> bool:
        return self._any or (self._loopback and found.loopback) or found.host in self._names

    def check(self, host: bytes, *, required: bool = False) -> None:
        """Refuse a request under another name.

        Args:
            host: as sent; empty: it was not, as no browser does.
            required: by HTTP/1.1 (RFC 9112 section 3.2). In HTTP/2, servers make it from `:authority`.

        Raises:
            BadRequest: it is missing, or no host.
            HostNotAllowed: it is another name.
        """
        if not host:
            if required:
                raise BadRequest("HTTP/1.1 needs a Host header with a name")
        elif (found := parse_authority(host)) is None:
            raise BadRequest(f"the Host header {host.decode('latin-1')[:80]!r} is not a host with an optional port")
        elif not self._knows(found):
            raise HostNotAllowed(f"this server does not answer to {host.decode('latin-1')[:80]!r}")


def preflight_headers() -> list[tuple[bytes, bytes]]:
    """Methods and headers that the protocol uses, for the answer to OPTIONS."""
    return list(_PREFLIGHT)
