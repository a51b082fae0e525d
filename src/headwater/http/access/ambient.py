"""Proofs that a browser sends by itself, and the pages that may have it do so.

Rule 1: who shows a cookie and neither a token nor a ticket may be a page of anybody's. So it must be a page of the
        server's own origin, or of one that the settings name whole; `*` and `loopback` do not name any.
Rule 2: a browser says `Origin` with all that changes something, and with every WebSocket. What says none there is
        refused, for the proof alone says nothing of who wants it.
Rule 3: `Sec-Fetch-Site` tells of the requests without an origin, such as those of images (Fetch Metadata, section 2.3).
        One that somebody typed is nobody's page, and reads alone.
"""

from __future__ import annotations

from typing import Final

from headwater.errors import OriginNotAllowed
from headwater.http.request import Request
from headwater.protocol import names
from headwater.protocol.cors import CorsPolicy, is_own
from headwater.protocol.headers import Headers

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_TYPED: Final = b"none"
_SAME: Final = b"same-origin"
#: Schemes of `Authorization` that browsers remember and send by themselves (RFC 7617, 7616, 4559).
_REMEMBERED: Final = (b"basic", b"digest", b"negotiate", b"ntlm")


class OwnPages:
    """The pages that may.

    Args:
        cors: names those of other origins.
    """

    def __init__(self, cors: CorsPolicy) -> None:
        self._cors: Final = cors

    def may(self, origin: bytes | None, scheme: str, host: bytes) -> bool:
        """Whether a page is one of them; what is no page is none."""
        return origin is not None and (is_own(origin, scheme, host) or self._cors.is_listed(origin))

    def may_use(self, origin: bytes, host: bytes) -> bool:
        """Whether a page may use the server at all, with what it shows itself."""
        return self._cors.allows(origin, host)

    def check(self, request: Request, scheme: str, *, is_websocket: bool) -> None:
        """Refuse a request that shows a proof of this kind alone, unless one of these pages makes it.

        Args:
            request: as it came.
            scheme: as the client has it.
            is_websocket: it wants a WebSocket.

        Raises:
            OriginNotAllowed: it is another page's, or nobody says whose.
        """
        origin, site = request.origin, request.headers.get(names.SEC_FETCH_SITE)
        is_safe = request.method in _SAFE and not is_websocket
        if origin is None:
            if site is not None and site != _SAME and not (site == _TYPED and is_safe):
                raise OriginNotAllowed("the request is of another site's page, and shows a cookie alone")
            if not is_safe and names.COOKIE in request.headers:
                raise OriginNotAllowed("the request shows a cookie alone, and has no Origin that says whose page it is")
            return
        if self._cors.is_listed(origin):
            return
        if not is_own(origin, scheme, request.host) or site not in (None, _SAME):
            raise OriginNotAllowed(
                f"pages of {origin.decode('latin-1')[:80]!r} may not have a browser send its cookies here; "
                "cors_origins names those that may"
            )


def is_remembered(headers: Headers) -> bool:
    """Whether what `Authorization` has may come from a browser's memory."""
    return headers.get(names.AUTHORIZATION, b"").partition(b" ")[0].lower() in _REMEMBERED
