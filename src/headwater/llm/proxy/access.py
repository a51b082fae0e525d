"""Who may use the proxy: under which name, from which pages, with which key.

Rule 1: a page that is not allowed gets nothing, reads included: each may cost the provider's key.
Rule 2: what a provider says of pages is about its own origin. The proxy answers preflights itself.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from headwater.errors import NotAuthorized, OriginNotAllowed
from headwater.hub.access.proven import Proven
from headwater.llm.http.access import Asker
from headwater.protocol import names, responses
from headwater.protocol.access.identity import Access as Identity
from headwater.protocol.cors import ANY, LOOPBACK, CorsPolicy, HostPolicy
from headwater.protocol.headers import Headers
from headwater.protocol.responses import Answer, HeaderList

#: What goes up; the others are answered here. TRACE would send the provider's key back.
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

#: The issuer of principals that are clients' keys.
_ISSUER: Final = "client-key"
#: The owner of runs of clients that send no credential.
_ANYBODY: Final = "anybody"
#: What a browser says of requests of another origin's pages (Fetch Metadata, section 2.3).
_FOREIGN: Final = (b"cross-site", b"same-site")
_EXPOSED: Final = (b"access-control-expose-headers", b"*")
_PREFLIGHT: Final = [
    (b"access-control-allow-methods", ", ".join(METHODS).encode()),
    (b"access-control-max-age", b"600"),
]


class Access:
    """What a request must have.

    Args:
        client_keys: one of these as its key; none: it needs none.
        cors_origins: pages of other origins that may use the proxy: `*`, `loopback`, or whole origins.
        allowed_hosts: names the proxy answers to: `*`, `loopback`, or host names.
    """

    def __init__(
        self,
        client_keys: Sequence[str] = (),
        cors_origins: tuple[str, ...] = (LOOPBACK,),
        allowed_hosts: tuple[str, ...] = (ANY,),
    ) -> None:
        self._client_keys = [key.encode() for key in client_keys]
        self._cors = CorsPolicy(cors_origins)
        self._hosts = HostPolicy(allowed_hosts)

    def check(self, headers: Headers, *, version: str = "") -> None:
        """Refuse what comes under a foreign name or from a foreign page.

        Args:
            headers: of the request.
            version: of HTTP; 1.1 has a name.

        Raises:
            BadRequest: there is no name, or it is none.
            HostNotAllowed, OriginNotAllowed: it does.
        """
        origin, host = headers.get(names.ORIGIN), headers.get(names.HOST, b"")
        self._hosts.check(host, required=version == "1.1")
        # An image or a script of a foreign page comes without an origin, and a browser says where it is from.
        foreign = origin is None and headers.get(b"sec-fetch-site") in _FOREIGN
        if not self._allows(b"null" if foreign else origin, host):
            raise OriginNotAllowed(f"pages of {(origin or b'another site').decode('latin-1')[:80]!r} may not come here")

    def asker(self, headers: Headers) -> Asker:
        """Who makes a request: its credential, which is kept as a hash only.

        A key of a client is a principal: what is told with it live is its own, and ends with a revocation.

        Raises:
            NotAuthorized: the proxy knows its clients, and this is none of them.
        """
        found = _credentials(headers)
        if self._client_keys:
            found = [pair for pair in found if self._knows(pair[1])]
            if not found:
                raise NotAuthorized("the request has no key that this proxy knows")
        if not found:
            return Asker(_ANYBODY)
        owner = sha256(found[0][1]).hexdigest()
        return Asker(owner, Proven(Identity(owner, issuer=_ISSUER), (_ISSUER, owner)))

    def ours(self, headers: Headers) -> frozenset[bytes]:
        """The names of headers that are the proxy's own affair: those with a client's key for it."""
        return frozenset(name for name, key in _credentials(headers) if self._knows(key))

    def cors(self, headers: Headers) -> HeaderList:
        """CORS headers for every response to a request."""
        found = self._cors.headers(headers.get(names.ORIGIN), headers.get(names.HOST, b""))
        # The provider's headers have other names than ours: all may be read.
        return [_EXPOSED if name == _EXPOSED[0] else (name, value) for name, value in found]

    def preflight(self, headers: Headers) -> Answer:
        """The response to OPTIONS of a page that is allowed: the headers it wants to send are allowed, too."""
        wanted = headers.get(b"access-control-request-headers")
        more = [(b"access-control-allow-headers", wanted)] if wanted else []
        return responses.allowed([*_PREFLIGHT, *more])

    def _knows(self, key: bytes) -> bool:
        return any(hmac.compare_digest(key, known) for known in self._client_keys)

    def _allows(self, origin: bytes | None, host: bytes) -> bool:
        return origin is None or self._cors.allows(origin, host)


def _credentials(headers: Headers) -> list[tuple[bytes, bytes]]:
    """The keys a request shows, with the names of their headers."""
    found = [
        *((name, headers.get(name, b"")) for name in (b"x-api-key", b"api-key", b"x-goog-api-key")),
        (b"authorization", headers.get(b"authorization", b"").removeprefix(b"Bearer ").strip()),
    ]
    return [pair for pair in found if pair[1]]
