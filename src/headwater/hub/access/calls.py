"""What a program can give for a moment and take back: `hub.ticket(...)`, `hub.revoke(...)`, `hub.kick(...)`."""

from __future__ import annotations

import time

from headwater.errors import BadRequest
from headwater.hub.access.end import KICKED, REVOKED
from headwater.hub.access.principals import Principals
from headwater.hub.access.refusals import Refusals, TakenBack
from headwater.hub.access.revocations import Revocation
from headwater.hub.access.revoked_log import KEEP_SECONDS, RevokedLog
from headwater.hub.access.tickets import SECONDS, Tickets
from headwater.hub.arguments import check_kind
from headwater.hub.lifespan import Gate
from headwater.model import Principal
from headwater.protocol.access.identity import Access
from headwater.protocol.hosts import parse_origin


class AccessCalls:
    """A part of the engine."""

    _gate: Gate
    _principals: Principals
    _refusals: Refusals
    _revoked_log: RevokedLog
    tickets: Tickets

    async def ticket(self, access: Access, *, origin: str, seconds: float = SECONDS) -> str:
        """What a page can show once in a URL, `?ticket=`, where it can send no header: with a WebSocket.

        ::

            text = await hub.ticket(Access("u42", read=["rooms/7"], expires=session.ends), origin="https://app.example")

        What is read with it ends when `access` expires, and when its subject is revoked or kicked.

        Args:
            access: what it is worth.
            origin: of the page, as browsers say it.
            seconds: in which it must be presented; at most 30.

        Raises:
            BadRequest: the seconds are too many, nothing is granted, or the origin is none.
            LimitReached: there are `limits.max_streams`; a ticket counts as one until it is presented.
            StoreUnavailable: there is none.
        """
        self._gate.check()
        check_kind("access", access, Access, optional=False)
        check_kind("origin", origin, str, optional=False)
        if parse_origin(origin.encode()) is None:
            raise BadRequest(f"{origin[:80]!r} is no origin of a page, such as https://app.example")
        text, _ = await self.tickets.make(access, origin, seconds=seconds)
        return text

    async def revoke(
        self,
        subject: str | None = None,
        *,
        issuer: str = "",
        token_id: str | None = None,
        before: float | None = None,
    ) -> int:
        """Take back what somebody may do; returns when the store has it.

        All that reads with a proof of theirs ends at once, on every wire. Tokens that were made until then are refused
        from now on, also after a restart; on `memory:` until this process ends. Where the application says who may do
        what, it is asked again at the next request, and nobody is locked out.

        Args:
            subject: who; None: only one token is meant.
            issuer: whose subject or token it is; empty: the application's own.
            token_id: of one token (`jti`).
            before: tokens made until then, in seconds since the Unix epoch; None: until now.

        Returns:
            How many readers and connections ended in this process.

        Raises:
            BadRequest: neither a subject nor a token is named, or both are.
            LimitReached: too many are revoked already.
            StoreUnavailable: it is in force, and ends with this process.
        """
        self._gate.check()
        check_kind("subject", subject, str)
        check_kind("token_id", token_id, str)
        if (subject is None) == (token_id is None):
            raise BadRequest("revoke takes a subject or a token_id")
        now = time.time()
        entry = Revocation(issuer, now + KEEP_SECONDS, now if before is None else min(before, now), subject, token_id)
        # First here, so that nobody slips in while it is written.
        ended = self._take_back(entry)
        line = TakenBack(
            subject=subject, issuer=issuer or None, token_id=token_id, before=round(entry.before, 3), ended=ended
        )
        self._refusals.taken_back("access.revoked", line)
        await self._revoked_log.add(entry)
        return ended

    def _take_back(self, entry: Revocation) -> int:
        self._principals.revocations.add(entry, time.time())
        return self._end_revoked(entry)

    def _end_revoked(self, entry: Revocation) -> int:
        if entry.token_id is not None:
            return self._principals.end_token(entry.issuer, entry.token_id)
        assert entry.subject is not None, "one of the two is named"
        return self._principals.end(Principal(entry.subject, entry.issuer), REVOKED, before=entry.before)

    def kick(self, subject: str, *, issuer: str = "", retry_after: float = 1.0) -> int:
        """End the readers and connections of somebody, who may come back.

        Args:
            subject: who.
            issuer: whose subject; empty: the application's own.
            retry_after: seconds after which they are to come back.

        Returns:
            How many ended in this process.
        """
        self._gate.check()
        check_kind("subject", subject, str, optional=False)
        ended = self._principals.end(Principal(subject, issuer), KICKED, retry_after)
        line = TakenBack(subject=subject, issuer=issuer or None, retry_after=retry_after, ended=ended)
        self._refusals.taken_back("access.kicked", line)
        return ended
