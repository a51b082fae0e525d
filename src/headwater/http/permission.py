"""The word on a request: who decides is asked, the answer checked, waited for where it must be.

Rule 1: only an answer that must be awaited makes work; all others go on in the same step.
Rule 2: what is allowed when a head is there may be over when its body is: `check` looks again, before the store has it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from inspect import isawaitable
from typing import Final

from headwater.errors import NotAuthorized, TokenRefused
from headwater.http.access.ambient import OwnPages, is_remembered
from headwater.http.access.guard import Guard, decide
from headwater.http.access.proofs import TokenProofs
from headwater.http.access.tickets import TicketProofs
from headwater.http.authorize import Authorize, Credential
from headwater.http.exchange import Exchange, Work
from headwater.hub import Engine
from headwater.hub.access.proven import Proven
from headwater.protocol import names
from headwater.protocol.access.grants import NOTHING
from headwater.protocol.access.identity import ANYBODY, Access
from headwater.protocol.asks import Ask
from headwater.protocol.ticket_query import may_have_ticket, tickets_of, without_tickets

#: What a request is let in with does something, and gives what takes waiting.
Go = Callable[[Access], Work | None]


class Permission:
    """Asks who decides.

    Args:
        authorize: who may do what; None: everybody everything.
        hub: whose proofs they are.
        pages: that may have a browser show what it sends by itself.

    Attributes:
        is_open: everybody may do everything.
        tokens: what verifies proofs; None: an application does.
        tickets: redeems them.
        check: see `Principals.check`; for what was allowed a while ago.
    """

    def __init__(self, authorize: Authorize | None, hub: Engine, pages: OwnPages) -> None:
        self._authorize = authorize
        principals = hub.runtime.principals
        identify = authorize.identify if isinstance(authorize, Guard) else None
        self.tokens: Final = identify if isinstance(identify, TokenProofs) else None
        by_path = not isinstance(authorize, Guard)
        self.tickets: Final = TicketProofs(hub.tickets, principals, self.tokens, by_path=by_path)
        self._pages: Final = pages
        self.is_open: Final = authorize is None
        self._principals: Final = principals
        self.check: Final = principals.check

    def credential(self, exchange: Exchange) -> Credential:
        """What a request shows of who makes it.

        Raises:
            OriginNotAllowed: a page of another origin has a browser show it.
        """
        found = exchange.credential
        if found is None:
            request = exchange.request
            found = exchange.credential = Credential(request.headers, exchange.scope)
            if names.COOKIE in request.headers or names.AUTHORIZATION in request.headers:
                self._check_page(exchange, found)
        return found

    def shows_ticket(self, exchange: Exchange) -> bool:
        """Whether a request shows a ticket, and that counts. It is taken out of what its server may log."""
        request, scope = exchange.request, exchange.scope
        if self.is_open or not may_have_ticket(request.query) or not tickets_of(request.query):
            return False
        if scope is not None:
            scope["query_string"] = without_tickets(f"?{request.query.decode('latin-1')}")[1:].encode("latin-1")
        return exchange.credential is None and names.AUTHORIZATION not in request.headers

    async def redeem(self, exchange: Exchange) -> None:
        """Spend the ticket of a request; what is asked from now on is decided by what it was worth.

        Raises:
            TokenRefused: it is worth nothing, or there are two.
            OriginNotAllowed: it is another page's.
        """
        request = exchange.request
        found = None
        for text in tickets_of(request.query):
            former, found = found, await self.tickets.redeem(text, request, exchange.scheme, exchange.client)
            if former is not None:
                raise TokenRefused("the request shows two tickets; both are spent")
        credential = exchange.credential = Credential(request.headers, exchange.scope)
        credential.scheme, credential.redeemed = exchange.scheme, found

    def _check_page(self, exchange: Exchange, credential: Credential) -> None:
        """Refuse what a browser may have added for a page of another origin."""
        headers = credential.headers
        if names.AUTHORIZATION in headers:
            is_ambient = is_remembered(headers)
        else:
            credential.scheme = exchange.scheme
            # Of an application nobody knows which cookies say who it is.
            is_ambient = self.tokens is None or credential.session is not None
        if is_ambient:
            self._pages.check(exchange.request, exchange.scheme, is_websocket=exchange.is_websocket)

    def then(self, exchange: Exchange, asks: tuple[Ask, ...], go: Go) -> Work | None:
        """Go on with the access that is granted.

        Args:
            exchange: the request.
            asks: all that it names; none: nobody is asked.
            go: called once.

        Raises:
            HeadwaterError: it is refused.
        """
        if self._authorize is None or not asks:
            return go(ANYBODY)
        credential = self.credential(exchange)
        if credential.redeemed is not None:
            return go(self._by_ticket(asks, credential.redeemed))
        found = self._authorize(asks, credential, exchange.client)
        if isawaitable(found):
            return self._decided(found, asks, credential, exchange.client, go)
        return go(self._checked(found, asks, credential, exchange.client))

    def access(self, exchange: Exchange, asks: tuple[Ask, ...]) -> Access | Awaitable[Access]:
        """The access that is granted for one stream of several.

        Raises:
            HeadwaterError: it is refused.
        """
        return self.of(asks, self.credential(exchange), exchange.client)

    def of(
        self, asks: tuple[Ask, ...], credential: Credential | None, client: tuple[str, int] | None
    ) -> Access | Awaitable[Access]:
        """The access that is granted to who shows a credential, for a message of a connection.

        Args:
            asks: all that it names; none: nobody is asked.
            credential: that is shown; None, where nobody is asked.
            client: host and port of the other end.

        Raises:
            HeadwaterError: it is refused.
        """
        if self._authorize is None or credential is None or not asks:
            return ANYBODY
        if credential.redeemed is not None:
            return self._by_ticket(asks, credential.redeemed)
        found = self._authorize(asks, credential, client)
        if isawaitable(found):
            return self._awaited(found, asks, credential, client)
        return self._checked(found, asks, credential, client)

    def proof(self, credential: Credential, client: tuple[str, int] | None) -> Access | Awaitable[Access]:
        """Who shows a credential; ANYBODY, where who decides is to be asked about paths.

        Raises:
            HeadwaterError: it is none.
        """
        if credential.redeemed is not None:
            return self._by_ticket((), credential.redeemed)
        if not isinstance(self._authorize, Guard):
            return ANYBODY
        found = self._authorize((), credential, client)
        return (
            self._checked(found, (), credential, client)
            if isinstance(found, Access)
            else self._awaited(found, (), credential, client)
        )

    def _by_ticket(self, asks: tuple[Ask, ...], redeemed: Proven) -> Access:
        access = self._principals.latest(redeemed)
        self._principals.check(access)
        public = self._authorize.public if isinstance(self._authorize, Guard) else NOTHING
        return decide(asks, access, public)

    async def _decided(
        self,
        found: Awaitable[Access | None],
        asks: tuple[Ask, ...],
        credential: Credential,
        client: tuple[str, int] | None,
        go: Go,
    ) -> None:
        work = go(self._checked(await found, asks, credential, client))
        if work is not None:
            await work

    async def _awaited(
        self,
        found: Awaitable[Access | None],
        asks: tuple[Ask, ...],
        credential: Credential,
        client: tuple[str, int] | None,
    ) -> Access:
        return self._checked(await found, asks, credential, client)

    def _checked(
        self, found: Access | None, asks: tuple[Ask, ...], credential: Credential, client: tuple[str, int] | None
    ) -> Access:
        if found is None:
            raise NotAuthorized("the request has no credential that allows this")
        self._principals.check(found)
        if isinstance(found, Proven) or not (found.subject or found.expires or found.recheck):
            return found
        # Who decides by path is asked about the same paths again.
        authorize = self._authorize
        assert authorize is not None, "somebody said so"
        again = partial(authorize, asks, credential.alone(), client)
        return Proven(found, (credential.key, asks), again)
