"""Tickets as proofs: what one is worth when it is presented, and what may be made one of.

Rule 1: a ticket is spent before anything about it is looked at.
Rule 2: each of its patterns lies inside one grant of who asks for it. Where a function decides by path there are no
        patterns: a ticket names streams, and each is asked about.
Rule 3: what a ticket is a part of is asked about when it is presented, and again as often as that itself is: its
        session, the key that signed its token, or the application.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from hashlib import sha256
from inspect import isawaitable
from typing import Final

from headwater.errors import OriginNotAllowed, TokenRefused
from headwater.http.access.failures import Client, Failures
from headwater.http.access.proofs import TokenProofs
from headwater.http.request import Request
from headwater.hub.access.principals import Principals
from headwater.hub.access.proven import Again, Proven
from headwater.hub.access.tickets import SECONDS, Ticket, Tickets, ticket_id
from headwater.protocol import names
from headwater.protocol.access.identity import Access
from headwater.protocol.cors import is_own

#: Proofs of applications that are kept to be asked again, while a ticket of theirs may come.
MAX_KEPT: Final = 10_000


class TicketProofs:
    """Those of one service.

    Args:
        tickets: of the hub.
        principals: of the hub.
        tokens: what verifies the tokens that they are parts of; None: an application says who somebody is.
        by_path: the application is asked about paths, and gives no grants.
    """

    def __init__(self, tickets: Tickets, principals: Principals, tokens: TokenProofs | None, *, by_path: bool) -> None:
        self._tickets: Final = tickets
        self._principals: Final = principals
        self._tokens: Final = tokens
        self.by_path: Final = by_path
        self._failures: Final = Failures() if tokens is None else tokens.failures
        self._parents: Final[OrderedDict[str, tuple[float, Again]]] = OrderedDict()

    async def make(self, whole: Proven, part: Access, origin: str, seconds: float) -> tuple[str, float]:
        """A new one; see `Tickets.make`.

        Args:
            whole: of who asks for it.
            part: what it is worth, which the whole covers.
            origin: of the pages that may present it.
            seconds: in which it must be presented.
        """
        if self._tokens is not None:
            kind, id = whole.key if isinstance(whole.key, tuple) else ("", "")
            session = id if kind == "session" else ""
            return await self._tickets.make(part, origin, seconds=seconds, signer=whole.signer, session=session)
        parent = _name(whole.key)
        if whole.again is not None:
            self._keep(parent, whole.again)
        return await self._tickets.make(part, origin, seconds=seconds, parent=parent)

    def _keep(self, parent: str, again: Again) -> None:
        """Only here, and as long as a ticket may come: a credential is never written down."""
        now, parents = time.monotonic(), self._parents
        parents.pop(parent, None)
        while parents and (len(parents) >= MAX_KEPT or next(iter(parents.values()))[0] < now):
            parents.popitem(last=False)
        parents[parent] = now + SECONDS, again

    async def redeem(self, text: str, request: Request, scheme: str, client: Client) -> Proven:
        """Who presents a ticket, and what for.

        Raises:
            TokenRefused: it is worth nothing.
            OriginNotAllowed: it is another page's; it was spent.
            RateLimited: too much was worthless from this address.
        """
        self._failures.check(client)
        ticket = await self._tickets.take(text)
        if ticket is None:
            self._failures.take(client)
            raise _spent()
        _check_origin(ticket.origin, request, scheme)
        access = ticket.kept.access()
        if self._principals.revocations.hit(access, ticket.made):
            raise _spent()
        again = self._again_of(ticket)
        found = _unasked(access) if again is None else await again(access)
        if found is None:
            raise _spent()
        parent: Hashable = ("session", ticket.session) if ticket.session else ticket.parent or None
        return Proven(found, ("ticket", ticket_id(text)), again, parent=parent, signer=ticket.kept.signer)

    def _again_of(self, ticket: Ticket) -> Callable[[Access], Awaitable[Access | None]] | None:
        """What asks whether a ticket's access still is one; None: only another process can."""
        if ticket.session:
            return partial(self._by_session, ticket.session)
        if ticket.parent:
            kept = self._parents.get(ticket.parent)
            return None if kept is None else partial(self._by_parent, kept[1])
        return partial(self._by_token, ticket.kept.signer)

    async def _by_session(self, id: str, access: Access) -> Access | None:
        tokens = self._tokens
        session = None if tokens is None or tokens.sessions is None else await tokens.sessions.look_up(id)
        if session is None or tokens is None or self._principals.fault(session.access) is not None:
            return None
        return await self._by_parent(lambda whole: session.access, access) if await tokens.is_still(session) else None

    async def _by_parent(self, again: Again, access: Access) -> Access | None:
        """What a part is, as long as the whole covers it; who is asked by path was asked about this."""
        found = again(access)
        if isawaitable(found):
            found = await found
        if found is None or found.principal != access.principal:
            return None
        return part_of(found, access) if self.by_path or found.grants.cover(access.grants) else None

    async def _by_token(self, signer: str, access: Access) -> Access | None:
        if self._tokens is None or not signer:  # the program itself made it
            return access
        found = self._tokens.tokens.has_signer(access.issuer, signer)
        return access if (found if isinstance(found, bool) else await found) else None


def _unasked(access: Access) -> Access:
    """What cannot be asked about ends when it would be."""
    ends = [each for each in (access.expires, access.recheck and time.time() + access.recheck) if each]
    return Access(access.subject, grants=access.grants, issuer=access.issuer, expires=min(ends, default=None))


def part_of(whole: Access, part: Access) -> Access:
    """Somebody's access with fewer grants."""
    return Access(
        whole.subject,
        grants=part.grants,
        issuer=whole.issuer,
        expires=whole.expires,
        token_id=whole.token_id,
        issued=whole.issued,
        recheck=whole.recheck,
    )


def _check_origin(origin: str, request: Request, scheme: str) -> None:
    """Refuse another page than the one that a ticket was made for.

    A browser leaves the origin out of a page's reads of its own server, and says so.
    """
    if request.origin is not None:
        is_its = request.origin.decode("latin-1").lower() == origin.lower()
    else:
        is_same = request.headers.get(names.SEC_FETCH_SITE) == b"same-origin"
        is_its = is_same and is_own(origin.encode("latin-1"), scheme, request.host)
    if not is_its:
        raise OriginNotAllowed(f"the ticket was made for pages of {origin[:80]!r}; it is spent")


def _name(key: Hashable) -> str:
    """The key of a proof as text."""
    return sha256(repr(key).encode()).hexdigest()


def _spent() -> TokenRefused:
    return TokenRefused("the ticket was presented before, came too late, or is none")
