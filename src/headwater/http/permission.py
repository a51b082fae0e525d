"""The word on a request: who decides is asked, the answer checked, waited for where it must be.

Rule 1: only an answer that must be awaited makes work; all others go on in the same step.
Rule 2: what is allowed when a head is there may be over when its body is: `check` looks again, before the store has it.
Rule 3: how often somebody does something is counted behind the decision, so that who may not do it uses nothing up.
        What is refused here is written down here, on whatever way it came.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from inspect import isawaitable
from typing import Final

from headwater.errors import HeadwaterError, NotAuthorized, TokenRefused
from headwater.http.access.ambient import OwnPages, is_remembered
from headwater.http.access.guard import Guard, decide
from headwater.http.access.proofs import TokenProofs
from headwater.http.access.tickets import TicketProofs
from headwater.http.authorize import Authorize, Credential
from headwater.http.exchange import Exchange, Work
from headwater.hub import Engine
from headwater.hub.access.bounds import Client, Doing
from headwater.hub.access.proven import Proven
from headwater.protocol import names
from headwater.protocol.access.grants import NOTHING
from headwater.protocol.access.identity import ANYBODY, Access
from headwater.protocol.asks import Ask
from headwater.protocol.ticket_query import may_have_ticket, tickets_of, without_tickets

_OF_BROWSERS: Final = frozenset({names.COOKIE, names.ORIGIN, names.SEC_FETCH_SITE})

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
        is_free: and as often as they like, so that nothing need be asked.
        bounds: how often; None: there is no limit.
    """

    def __init__(self, authorize: Authorize | None, hub: Engine, pages: OwnPages) -> None:
        self._authorize = authorize
        runtime = hub.runtime
        identify = authorize.identify if isinstance(authorize, Guard) else None
        self.tokens: Final = identify if isinstance(identify, TokenProofs) else None
        by_path = not isinstance(authorize, Guard)
        self.tickets: Final = TicketProofs(hub.tickets, runtime.principals, self.tokens, by_path=by_path)
        self._pages: Final = pages
        #: A credential says who it is, whatever is asked.
        self.proves: Final = isinstance(authorize, Guard) and authorize.identify is not None
        self.is_open: Final = authorize is None
        self.bounds: Final = runtime.bounds
        self.is_free: Final = authorize is None and runtime.bounds is None
        self._principals: Final = runtime.principals
        self._refusals: Final = runtime.refusals

    def credential(self, exchange: Exchange) -> Credential:
        """What a request shows of who makes it.

        Raises:
            OriginNotAllowed: a page of another origin has a browser show it.
        """
        found = exchange.credential
        if found is None:
            request = exchange.request
            found = exchange.credential = Credential(request.headers, exchange.scope)
            # Programs say none of these, and are not asked further.
            if not self.is_open and not _OF_BROWSERS.isdisjoint(request.headers):
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
            try:
                former, found = found, await self.tickets.redeem(text, request, exchange.scheme, exchange.client)
                if former is not None:
                    raise TokenRefused("the request shows two tickets; both are spent")
            except HeadwaterError as error:
                self._refusals.note(error, (), "ticket", exchange.client)
                raise
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
            is_ambient = names.COOKIE in headers if self.tokens is None else credential.session is not None
        if is_ambient:
            try:
                self._pages.check(exchange.request, exchange.scheme, is_websocket=exchange.is_websocket)
            except HeadwaterError as error:
                self._note(error, (), credential, exchange.client)
                raise

    def then(self, exchange: Exchange, asks: tuple[Ask, ...], go: Go) -> Work | None:
        """Go on with the access that is granted.

        Args:
            exchange: the request.
            asks: all that it names; none: nobody is asked.
            go: called once.

        Raises:
            HeadwaterError: it is refused.
        """
        if self.is_free or not asks:
            return go(ANYBODY)
        found = self.access(exchange, asks)
        return go(found) if isinstance(found, Access) else _later(found, go)

    def access(
        self, exchange: Exchange, asks: tuple[Ask, ...], *, by_pattern: bool = False
    ) -> Access | Awaitable[Access]:
        """The access that is granted for one stream of several; see `of`.

        Raises:
            HeadwaterError: it is refused.
        """
        credential = self.credential(exchange)
        known = self.known(asks, credential)
        return self.of(asks, credential, exchange.client, by_pattern=by_pattern) if known is None else known

    def known(self, asks: tuple[Ask, ...], credential: Credential) -> Access | None:
        """The access of who was verified before, where nothing is counted: what most requests and messages need.

        None: there is more to do, or it is refused, which `of` says.
        """
        tokens = self.tokens
        if tokens is None or self.bounds is not None or credential.redeemed is not None or not asks:
            return None
        found = tokens.known(credential)
        if found is None or self._principals.fault(found) is not None:
            return None
        assert isinstance(self._authorize, Guard), "it has them"
        try:
            return self._authorize.decide(asks, found)
        except HeadwaterError:
            return None

    def of(
        self, asks: tuple[Ask, ...], credential: Credential | None, client: Client, *, by_pattern: bool = False
    ) -> Access | Awaitable[Access]:
        """The access that is granted to who shows a credential, for a message of a connection.

        Args:
            asks: all that it names; none: nobody is asked.
            credential: that is shown; None, where nobody is asked.
            client: host and port of the other end.
            by_pattern: nobody named the stream: a pattern has those of its streams that are granted, and to leave the
                others out, of which there may be any number, is no refusal that anybody is told of.

        Raises:
            HeadwaterError: it is refused.
        """
        if credential is None or not asks:
            return ANYBODY
        try:
            if self._authorize is None:
                return self._bounded(ANYBODY, asks, client)
            if credential.redeemed is not None:
                return self._bounded(self._by_ticket(asks, credential.redeemed), asks, client)
            found = self._authorize(asks, credential, client)
            if not isawaitable(found):
                return self._checked(found, asks, credential, client)
        except HeadwaterError as error:
            if not by_pattern:
                self._note(error, asks, credential, client)
            raise
        return self._awaited(found, asks, credential, client, by_pattern=by_pattern)

    def proof(self, credential: Credential, client: Client) -> Access | Awaitable[Access]:
        """Who shows a credential; ANYBODY, where who decides is to be asked about paths.

        Raises:
            HeadwaterError: it is none.
        """
        if credential.redeemed is None and not isinstance(self._authorize, Guard):
            return ANYBODY
        assert self._authorize is not None, "a ticket is part of somebody's access"
        try:
            if credential.redeemed is not None:
                return self._by_ticket((), credential.redeemed)
            found = self._authorize((), credential, client)
            if isinstance(found, Access):
                return self._checked(found, (), credential, client)
        except HeadwaterError as error:
            self._note(error, (), credential, client)
            raise
        assert found is not None, "a guard says who it is"
        return self._awaited(found, (), credential, client)

    def _by_ticket(self, asks: tuple[Ask, ...], redeemed: Proven) -> Access:
        access = self._principals.latest(redeemed)
        self._principals.check(access)
        public = self._authorize.public if isinstance(self._authorize, Guard) else NOTHING
        return decide(asks, access, public)

    def more(self, access: Access, exchange: Exchange, asks: tuple[Ask, ...]) -> Access | Awaitable[Access]:
        """The access that is granted for a stream to who is known by `proof`, without asking once more who it is.

        Raises:
            HeadwaterError: it is refused.
        """
        if not isinstance(self._authorize, Guard):
            return self.access(exchange, asks)
        try:
            self._principals.check(access)
            return self._authorize.decide(asks, None if access is ANYBODY else access)
        except HeadwaterError as error:
            self._note(error, asks, exchange.credential, exchange.client)
            raise

    def check(self, access: Access, exchange: Exchange | None = None) -> None:
        """Look again at what was allowed a while ago; see `Principals.check`.

        Args:
            access: that was granted.
            exchange: the request; None: not at hand.

        Raises:
            TokenRefused: it is over.
        """
        try:
            self._principals.check(access)
        except HeadwaterError as error:
            credential = None if exchange is None else exchange.credential
            self._note(error, (), credential, None if exchange is None else exchange.client)
            raise

    def is_good(self, access: Access) -> bool:
        """Whether what was allowed a while ago still is; nothing is refused."""
        return self._principals.fault(access) is None

    def count_body(self, size: int, access: Access, exchange: Exchange) -> None:
        """Count a body that is whole; see `Bounds.take_body`.

        Raises:
            RateLimited: too many bytes came.
        """
        if (bounds := self.bounds) is not None:
            client = exchange.client
            take = partial(bounds.take_body, size, access.principal, client)
            self.count(take, exchange.credential, client)

    def count_message(self, size: int, access: Access, credential: Credential, client: Client) -> None:
        """`count_body` of a message that is an append."""
        if (bounds := self.bounds) is not None:
            self.count(partial(bounds.take_body, size, access.principal, client), credential, client)

    def count_connect(self, access: Access, exchange: Exchange) -> None:
        """Count a response that goes on, or a WebSocket; see `Bounds.connect`.

        Raises:
            LimitReached: there are too many, or they come too often.
        """
        if (bounds := self.bounds) is not None:
            client = exchange.client
            take = partial(bounds.connect, access.principal, client)
            self.count(take, exchange.credential, client)

    def count_subscribes(self, streams: int, access: Access, exchange: Exchange) -> None:
        """Count streams that begin to be read in one response; see `Bounds.take`.

        Raises:
            RateLimited: too many a second.
        """
        if (bounds := self.bounds) is not None:
            client = exchange.client
            take = partial(bounds.take, Doing.SUBSCRIBE, access.principal, client, streams)
            self.count(take, exchange.credential, client)

    def count_poll(self, access: Access, exchange: Exchange) -> None:
        """Refuse a request that waits, where there are too many; see `Bounds.check_readers`.

        Raises:
            LimitReached: there are.
        """
        if (bounds := self.bounds) is not None:
            take = partial(bounds.check_readers, access.principal)
            self.count(take, exchange.credential, exchange.client)

    def count(self, take: Callable[[], None], credential: Credential | None, client: Client) -> None:
        """Count, or look at, something that no path says, such as a connection or a page; see `Bounds`.

        Raises:
            LimitReached: there are too many, or they come too often.
            What `take` raises, which is noted.
        """
        try:
            take()
        except HeadwaterError as error:
            self._note(error, (), credential, client)
            raise

    def _note(
        self, error: HeadwaterError, asks: tuple[Ask, ...], credential: Credential | None, client: Client
    ) -> None:
        self._refusals.note(error, asks, "none" if credential is None else credential.proof, client)

    async def _awaited(
        self,
        found: Awaitable[Access | None],
        asks: tuple[Ask, ...],
        credential: Credential,
        client: Client,
        *,
        by_pattern: bool = False,
    ) -> Access:
        try:
            return self._checked(await found, asks, credential, client)
        except HeadwaterError as error:
            if not by_pattern:
                self._note(error, asks, credential, client)
            raise

    def _checked(self, found: Access | None, asks: tuple[Ask, ...], credential: Credential, client: Client) -> Access:
        if found is None:
            raise NotAuthorized("the request has no credential that allows this")
        self._principals.check(found)
        if self.bounds is not None:
            self._bounded(found, asks, client)
        if isinstance(found, Proven) or not (found.subject or found.expires or found.recheck):
            return found
        # Who decides by path is asked about the same paths again.
        authorize = self._authorize
        assert authorize is not None, "somebody said so"
        alone = credential.alone()
        return Proven(found, (credential.key, asks), lambda former: authorize(asks, alone, client))

    def _bounded(self, access: Access, asks: tuple[Ask, ...], client: Client) -> Access:
        if self.bounds is not None:
            self.bounds.take_asks(asks, access.principal, client)
        return access


async def _later(found: Awaitable[Access], go: Go) -> None:
    work = go(await found)
    if work is not None:
        await work
