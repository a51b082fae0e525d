"""`-/ticket`: who may do something has a ticket made for a part of it, which a page can show in a URL.

Rule: a ticket makes no ticket, lists nothing and takes nothing back. It is made for pages of one origin, which the
      request says: the server's own, or one that may use it.
"""

from __future__ import annotations

from functools import partial
from inspect import isawaitable
from typing import Any, Final

import msgspec

from headwater.errors import BadRequest, NotAuthorized, NotGranted, OriginNotAllowed
from headwater.http.access.ambient import OwnPages
from headwater.http.access.tickets import part_of
from headwater.http.authorize import Credential
from headwater.http.exchange import Exchange, body_of
from headwater.http.permission import Permission
from headwater.http.request import Request
from headwater.hub.access.proven import Proven
from headwater.hub.access.tickets import SECONDS
from headwater.protocol import names, responses
from headwater.protocol.access.grants import Grants
from headwater.protocol.access.identity import Access
from headwater.protocol.asks import Ask, Operation
from headwater.protocol.paths import PrivatePaths, check_path
from headwater.protocol.preconditions import check_unconditional
from headwater.protocol.requests import check_coding
from headwater.protocol.words import check_method

#: Below the root.
WORD: Final = "-/ticket"
#: Bytes of a body.
_MAX_BODY: Final = 64 * 1024


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body: patterns by operation, and the seconds in which the ticket is to be presented."""

    read: tuple[str, ...] = ()
    append: tuple[str, ...] = ()
    close: tuple[str, ...] = ()
    create: tuple[str, ...] = ()
    delete: tuple[str, ...] = ()
    signal: tuple[str, ...] = ()
    presence: tuple[str, ...] = ()
    seconds: float = msgspec.field(name="for", default=SECONDS)

    def grants(self) -> Grants:
        """What it names.

        Raises:
            BadRequest: a pattern is none, or there are too many.
        """
        names_ = [name for name in self.__struct_fields__ if name != "seconds"]
        try:
            return Grants({Operation(name): getattr(self, name) for name in names_})
        except ValueError as error:
            raise BadRequest(str(error)) from None


def check_head(request: Request) -> None:
    """Refuse what cannot be such a request, before its body is read.

    Raises:
        MethodNotAllowed: it is no POST.
        BadRequest: it has a condition.
        UnsupportedCoding: its body is coded.
    """
    check_method(request.method, WORD, "POST, OPTIONS")
    check_unconditional(request.headers, WORD)
    check_coding(request.headers)


class TicketRoute:
    """Serves it.

    Args:
        permission: says who asks, and redeems what is made.
        pages: that may have a browser show a cookie.
        max_path_bytes: of a stream's path.
        private: what is not served.
    """

    def __init__(self, permission: Permission, pages: OwnPages, max_path_bytes: int, private: PrivatePaths) -> None:
        self._permission: Final = permission
        self._pages: Final = pages
        self._max_path_bytes: Final = max_path_bytes
        self._private: Final = private

    async def serve(self, exchange: Exchange) -> None:
        """Make a ticket.

        Raises:
            HeadwaterError: refused.
        """
        request, permission = exchange.request, self._permission
        credential = permission.credential(exchange)
        if credential.redeemed is not None:
            raise NotGranted("a ticket makes no other ticket")
        permission.count(partial(self._check_page, exchange), credential, exchange.client)
        origin = request.origin or b""
        body = await body_of(exchange)
        if len(body) > _MAX_BODY:
            raise BadRequest(f"the body has more than {_MAX_BODY} bytes")
        try:
            asked = msgspec.json.decode(body, type=Asked)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadRequest(f"the body of {WORD} is none: {error}") from None
        grants = asked.grants()
        whole = await self._whole(grants, credential, exchange)
        part = part_of(whole, Access(None, grants=grants))
        text, until = await permission.tickets.make(whole, part, origin.decode("latin-1"), asked.seconds)
        answer: dict[str, Any] = {"ticket": text, "until": until}
        exchange.respond(responses.for_one(responses.json_answer(answer)))

    def _check_page(self, exchange: Exchange) -> None:
        origin = exchange.request.origin
        if origin is None or not self._may(origin, exchange):
            raise OriginNotAllowed(
                "a ticket is made for pages of one origin, which Origin says: the server's own, or one of cors_origins"
            )

    def _may(self, origin: bytes, exchange: Exchange) -> bool:
        """Whether a page may have one: by a cookie those that may show it, by a token all that may use the server."""
        request = exchange.request
        if self._pages.may(origin, exchange.scheme, request.host):
            return True
        return names.AUTHORIZATION in request.headers and self._pages.may_use(origin, request.host)

    async def _whole(self, grants: Grants, credential: Credential, exchange: Exchange) -> Proven:
        """The access of who asks, which covers what the ticket is to be worth."""
        permission = self._permission
        asks = self._paths(grants) if permission.tickets.by_path else ()
        if permission.tickets.by_path:
            found = permission.of(asks, credential, exchange.client)
        else:
            found = permission.proof(credential, exchange.client)
        access = await found if isawaitable(found) else found
        if not isinstance(access, Proven):
            if access.subject is None and not permission.tickets.by_path:
                raise NotAuthorized("a ticket is a part of somebody's access, and the request does not say whose")
            access = Proven(access, credential.key)
        if not permission.tickets.by_path and not access.grants.cover(grants):
            raise NotGranted("this credential does not cover the ticket: each of its patterns lies inside one grant")
        return access

    def _paths(self, grants: Grants) -> tuple[Ask, ...]:
        """What the application is asked about: streams by their names."""
        found = grants.paths()
        if found is None:
            raise BadRequest("rules are by path here, so that a ticket names streams, and no patterns")
        for _, path in found:
            check_path(path, maximum=self._max_path_bytes)
            self._private.check(path)
        return tuple([Ask(operation, path) for operation, path in found])
