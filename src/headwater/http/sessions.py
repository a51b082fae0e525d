"""`-/session`: a browser's sign-in, with a cookie in place of a token.

| request | does |
| --- | --- |
| `POST` with `Authorization: Bearer` | begins a session, and sets its cookie |
| the same with the cookie of a session of the same subject | that one goes on, with what the token says |
| `GET` | says whose the session is, and until when |
| `DELETE` | ends it, and what reads by it in other tabs; the cookie is forgotten |

Rule 1: only a token begins a session, and only a page of the server's own origin, or of one that is listed, may have a
        browser keep it.
Rule 2: who signs in as somebody else ends the session that the browser had; nobody could end it any more.
Rule 3: an end always succeeds, also of what has ended: who signs out is signed out.
"""

from __future__ import annotations

import math
import time
from functools import partial
from typing import Any, Final

from headwater.errors import BadRequest, NotAuthorized, OriginNotAllowed, Refused
from headwater.http.access.ambient import OwnPages
from headwater.http.access.proofs import TokenProofs
from headwater.http.authorize import Credential
from headwater.http.exchange import Exchange, body_of
from headwater.http.permission import Permission
from headwater.http.request import Request
from headwater.hub.access.proven import Proven
from headwater.hub.access.sessions import Session, Sessions
from headwater.protocol import names, responses
from headwater.protocol.access.cookies import cookie_name, end_cookie, set_cookie
from headwater.protocol.access.identity import Access
from headwater.protocol.preconditions import check_unconditional
from headwater.protocol.words import check_method

#: Below the root.
WORD: Final = "-/session"


def check_head(request: Request) -> None:
    """Refuse what cannot be such a request.

    Raises:
        MethodNotAllowed: its method is another one.
        BadRequest: it changes something and has a condition.
    """
    check_method(request.method, WORD, "GET, HEAD, POST, DELETE")
    if request.method in ("POST", "DELETE"):
        check_unconditional(request.headers, WORD)


class SessionRoute:
    """Serves them.

    Args:
        permission: says whose a token is.
        proofs: the same, which keeps the sessions.
        pages: that may have a browser keep one.
    """

    def __init__(self, permission: Permission, proofs: TokenProofs, pages: OwnPages) -> None:
        self._permission: Final = permission
        self._proofs: Final = proofs
        self._pages: Final = pages

    async def serve(self, exchange: Exchange) -> None:
        """Do what a request asks for.

        Raises:
            HeadwaterError: refused.
        """
        request, sessions = exchange.request, self._proofs.sessions
        assert sessions is not None, "there is a route where there are sessions"
        name = cookie_name(exchange.scheme, request.host)
        if name is None:
            raise Refused("a session needs HTTPS: without it everybody on the way could read its cookie")
        credential = self._permission.credential(exchange)
        credential.scheme = exchange.scheme
        if request.method in ("GET", "HEAD"):
            exchange.respond(responses.for_one(responses.json_answer(_facts((await self._own(credential)).access))))
            return
        self._permission.count(partial(self._check_page, exchange), credential, exchange.client)
        if request.method == "POST":
            if credential.bearer is None:
                raise NotAuthorized("a session is begun with a token: Authorization: Bearer ...")
            if await body_of(exchange):
                raise BadRequest("a session is begun with the token of Authorization, without a body")
            await self._begin(exchange, sessions, credential, name)
        else:
            await self._end(exchange, sessions, credential, name)

    def _check_page(self, exchange: Exchange) -> None:
        if not self._pages.may(exchange.request.origin, exchange.scheme, exchange.request.host):
            raise OriginNotAllowed(
                "a session begins and ends at a page of the server's own origin, or of one that cors_origins names; "
                "the request's Origin says none of these"
            )

    async def _own(self, credential: Credential) -> Session:
        found = await self._proofs.session(credential)
        if found is None:
            raise NotAuthorized("the request has no session")
        self._permission.check(found.access)
        return found

    async def _begin(self, exchange: Exchange, sessions: Sessions, credential: Credential, cookie: bytes) -> None:
        found = self._permission.proof(credential, exchange.client)
        access = found if isinstance(found, Access) else await found
        assert isinstance(access, Proven), "a token was shown"
        former = await self._proofs.session(credential)
        if former is not None and not self._permission.is_good(former.access):
            former = None
        name, now = credential.session or "", None
        if former is not None and former.access.principal == access.principal:
            now, former = await sessions.refresh(former, access, access.signer), None
        if now is None:
            name, now = await sessions.begin(access, access.signer)
        if former is not None:
            await sessions.end(former)
        seconds = math.ceil((access.expires or time.time()) - time.time())
        self._respond(exchange, _facts(now.access), set_cookie(cookie, name, max(1, seconds)))

    async def _end(self, exchange: Exchange, sessions: Sessions, credential: Credential, cookie: bytes) -> None:
        found = await self._proofs.session(credential)
        ended = 0 if found is None else await sessions.end(found)
        self._respond(exchange, {"ended": ended}, end_cookie(cookie))

    def _respond(self, exchange: Exchange, facts: dict[str, Any], cookie: bytes) -> None:
        answer = responses.for_one(responses.json_answer(facts))
        exchange.respond(responses.with_headers(answer, [(names.SET_COOKIE, cookie)]))


def _facts(access: Access) -> dict[str, Any]:
    return {"subject": access.subject, "issuer": access.issuer, "expires": access.expires}
