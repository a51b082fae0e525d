"""Who may do what: the one question that the service asks of an application.

::

    async def authorize(asks, credential, client):
        user = await user_of(credential.cookie("session"))
        if user is None or any(not user.may(ask.operation, ask.path) for ask in asks):
            raise Refused("this is somebody else's")
        return Access(user.id, expires=user.session_ends)

    hub = Hub("sqlite:app.db", authorize=authorize)

Rule: it is asked for each request, with every path that the request names, before the store is touched. What is
remembered of a request's head never stands for an answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final

from headwater.hub.access.proven import Proven
from headwater.protocol import names
from headwater.protocol.access.cookies import cookie_name, find_session, has_session
from headwater.protocol.access.identity import Access
from headwater.protocol.asks import Ask
from headwater.protocol.headers import Headers

#: Headers that are kept of a request whose response goes on.
_KEPT: Final = (b"authorization", b"cookie", b"origin")
#: Of the last connections with a proof, what they showed: of one proof there may be many.
_SHARED: Final = 512


class Credential:
    """What a request shows of who makes it.

    Args:
        headers: of the request.
        scope: of an ASGI server, with what middleware has found; None: the request came another way.
        token: that a WebSocket's messages showed, as pages cannot send headers with one.

    Attributes:
        headers: as given, names in lower case.
        scope: as given.
        token: as given.
        scheme: `https` or `http`, as the client has it; empty: nobody looked.
        redeemed: what a ticket was worth that the request showed; None: it showed none.
    """

    __slots__ = ("headers", "redeemed", "scheme", "scope", "token")

    def __init__(
        self, headers: Headers, scope: MutableMapping[str, Any] | None = None, token: str | None = None
    ) -> None:
        self.headers = headers
        self.scope = scope
        self.token = token
        self.scheme = ""
        self.redeemed: Proven | None = None

    @property
    def key(self) -> bytes:
        """The same for those who show the same, and for nobody else."""
        shown = (self.headers.get(b"authorization", b""), self.headers.get(b"cookie", b""), (self.token or "").encode())
        return sha256(b"".join(b"%d:%b" % (len(each), each) for each in shown)).digest()

    def alone(self) -> Credential:
        """What says who it is, without the rest of the request: what is kept to ask again."""
        kept = {name: value for name in _KEPT if (value := self.headers.get(name)) is not None}
        alone = Credential(kept, None, self.token)
        alone.scheme = self.scheme
        return alone

    def for_tokens(self) -> Credential:
        """What a signed token, or a session's cookie, is found in; the same headers for all who show the same."""
        get = self.headers.get
        cookies = get(names.COOKIE)
        shown = cookies is not None and has_session(cookies)
        found = Credential(
            _shown(get(names.AUTHORIZATION), cookies if shown else None, get(names.HOST) if shown else None)
        )
        found.token, found.scheme, found.redeemed = self.token, self.scheme, self.redeemed
        return found

    def with_token(self, token: str, *, replaces: bool = False) -> Credential:
        """The same with another token.

        Args:
            token: that a message of the connection showed.
            replaces: it counts in place of what its request showed, too.
        """
        headers = self.headers
        if replaces and b"authorization" in headers:
            headers = {name: value for name, value in headers.items() if name != b"authorization"}
        if not headers and self.scope is None:
            return _of_token(token, self.scheme)
        found = Credential(headers, self.scope, token)
        found.scheme = self.scheme
        return found

    @property
    def proof(self) -> str:
        """Which kind of proof it shows, for logs: the first of them."""
        if b"authorization" in self.headers:
            return "authorization"
        if self.token is not None:
            return "message"
        if self.redeemed is not None:
            return "ticket"
        return "cookie" if b"cookie" in self.headers else "none"

    @property
    def authorization(self) -> str | None:
        """The header `Authorization`, whole; None: not sent."""
        value = self.headers.get(b"authorization")
        return None if value is None else value.decode("latin-1")

    @property
    def shown(self) -> str | None:
        """The one proof that counts: what `Authorization` has, else the connection's token; None: neither.

        Of another scheme than `Bearer` it is the whole header, which is no token.
        """
        header = self.headers.get(b"authorization")
        if header is None:
            return self.token
        kind, _, token = header.decode("latin-1").partition(" ")
        return token.strip() if kind.lower() == "bearer" else header.decode("latin-1")

    @property
    def bearer(self) -> str | None:
        """The token of `Authorization: Bearer` (RFC 6750 section 2.1), or of a WebSocket's messages; None: neither.

        What a message shows wins: it came later, and on purpose.
        """
        if self.token is not None:
            return self.token
        kind, _, token = (self.authorization or "").partition(" ")
        return token.strip() or None if kind.lower() == "bearer" else None

    @property
    def session(self) -> str | None:
        """What the cookie of a session says; None: there is none; empty: what there is is none of ours."""
        cookies = self.headers.get(names.COOKIE)
        if cookies is None or not has_session(cookies):
            return None
        name = cookie_name(self.scheme, self.headers.get(names.HOST, b""))
        return None if name is None else find_session(cookies, name)

    def cookie(self, name: str) -> str | None:
        """A cookie's value; None: there is none of this name, or they cannot be read."""
        cookies = SimpleCookie()
        try:
            cookies.load(self.headers.get(b"cookie", b"").decode("latin-1"))
        except CookieError:
            return None
        found = cookies.get(name)
        return None if found is None else found.value


@lru_cache(_SHARED)
def _of_token(token: str, scheme: str) -> Credential:
    found = Credential(_shown(None, None, None), None, token)
    found.scheme = scheme
    return found


@lru_cache(_SHARED)
def _shown(authorization: bytes | None, cookies: bytes | None, host: bytes | None) -> Headers:
    found = ((names.AUTHORIZATION, authorization), (names.COOKIE, cookies), (names.HOST, host))
    return {name: value for name, value in found if value is not None}


#: Given what is asked, who asks and from where (host and port; None: not known), says with which access it is allowed.
#: It raises `Refused`, `NotAuthorized` or another error of `headwater.errors` to refuse; None is `NotAuthorized`.
Authorize = Callable[
    [tuple[Ask, ...], Credential, "tuple[str, int] | None"], "Access | Awaitable[Access | None] | None"
]
