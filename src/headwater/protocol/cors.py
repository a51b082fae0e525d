"""Pages: which origins may use the server, and under which names (Fetch standard, section 3.2 "CORS protocol").

Rule: a page of an origin that is not allowed cannot write either: browsers send its simple requests without asking,
so `check_origin` refuses them.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from headwater.errors import HostNotAllowed, OriginNotAllowed
from headwater.protocol import names

#: The value of the setting that stands for every page served from this machine.
LOOPBACK: Final = "loopback"
ANY: Final = "*"

_LOOPBACK_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_WRITING: Final = frozenset({"POST", "PUT", "DELETE"})
_EXPOSED: Final = (b"access-control-expose-headers", b", ".join(names.CORS_RESPONSE_HEADERS))
_PREFLIGHT: Final = [
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, DELETE, OPTIONS"),
    (b"access-control-allow-headers", b", ".join(names.CORS_REQUEST_HEADERS)),
    (b"access-control-max-age", b"600"),
]


class CorsPolicy:
    """Which origins may use the server.

    Args:
        origins: `*`, `loopback` (pages served from this machine, any port), and whole origins such as
            `https://app.example`. A page of the server's own origin is always allowed.
    """

    def __init__(self, origins: tuple[str, ...] = (LOOPBACK,)) -> None:
        self._any = ANY in origins
        self._loopback = LOOPBACK in origins
        self._origins = frozenset(origin.rstrip("/").lower() for origin in origins)

    def allows(self, origin: str, host: str) -> bool:
        """Whether pages of an origin may use a server that they call `host`."""
        if self._any or origin.lower() in self._origins:
            return True
        if not origin.isprintable():  # urlsplit drops control characters, and an allowed origin is echoed
            return False
        try:
            parts = urlsplit(origin)
        except ValueError:  # no URL, such as http://[
            return False
        if not parts.netloc:  # "null", the origin of sandboxed pages and files
            return False
        return parts.netloc.lower() == host.lower() or (self._loopback and parts.hostname in _LOOPBACK_HOSTS)

    def check_origin(self, method: str, origin: bytes | None, host: bytes) -> None:
        """Refuse writes from pages that are not allowed.

        Raises:
            OriginNotAllowed: it is such a write.
        """
        if origin is None or method not in _WRITING:
            return
        if not self.allows(origin.decode("latin-1"), host.decode("latin-1")):
            raise OriginNotAllowed(f"pages of {origin.decode('latin-1')[:80]!r} may not write here")

    def headers(self, origin: bytes | None, host: bytes) -> list[tuple[bytes, bytes]]:
        """CORS headers for an answer; none for a page that is not allowed or a client that is no page."""
        if self._any:
            return [(b"access-control-allow-origin", b"*"), _EXPOSED]
        if origin is None:
            return []
        if not self.allows(origin.decode("latin-1"), host.decode("latin-1")):
            return [(names.VARY, b"origin")]
        return [(b"access-control-allow-origin", origin), (names.VARY, b"origin"), _EXPOSED]


class HostPolicy:
    """Which names the server answers to.

    Against DNS rebinding: a page of any site can point its own name at 127.0.0.1 and is then of the server's own
    origin. The name it must use in `Host` gives it away.

    Args:
        hosts: `*`, `loopback`, and host names.
    """

    def __init__(self, hosts: tuple[str, ...] = (ANY,)) -> None:
        self._any = ANY in hosts
        loopback = _LOOPBACK_HOSTS if LOOPBACK in hosts else frozenset()
        self._names = frozenset(host.lower() for host in hosts) | loopback

    def allows(self, host: bytes) -> bool:
        """Whether the server answers to a `Host` header; to none at all it does, as no browser leaves it out."""
        if self._any or not host:
            return True
        try:
            name = urlsplit(f"//{host.decode('latin-1')}").hostname
        except ValueError:
            return False
        return name is not None and name in self._names

    def check(self, host: bytes) -> None:
        """Refuse a request under another name.

        Raises:
            HostNotAllowed: it is one.
        """
        if not self.allows(host):
            raise HostNotAllowed(f"this server does not answer to {host.decode('latin-1')[:80]!r}")


def preflight_headers() -> list[tuple[bytes, bytes]]:
    """Methods and headers that the protocol uses, for the answer to OPTIONS."""
    return list(_PREFLIGHT)
