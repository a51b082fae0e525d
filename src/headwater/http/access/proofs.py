"""What a request shows of who makes it, and in which order that counts.

Rule: the header `Authorization` comes before a connection's own token, this before a ticket, and this before a cookie,
      which browsers send by themselves. The first that is shown decides; one that is worthless is refused, also where
      everybody may do what is asked, and never replaced by the next.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final

from headwater.errors import TokenRefused
from headwater.http.access.failures import Client, Failures
from headwater.http.access.tokens import Tokens
from headwater.http.authorize import Credential
from headwater.hub.access.proven import Proven
from headwater.hub.access.sessions import Session, Sessions


class TokenProofs:
    """Proofs by signed tokens, and by the sessions that were begun with one.

    Args:
        tokens: verifies them.

    Attributes:
        tokens: as given.
        sessions: what cookies stand for; None: there are none.
        failures: what was worthless.
    """

    def __init__(self, tokens: Tokens) -> None:
        self.tokens: Final = tokens
        self.sessions: Sessions | None = None
        self.failures: Final = Failures()

    def keep(self, sessions: Sessions) -> None:
        """Take cookies, too."""
        self.sessions = sessions
        sessions.still = self._is_still
        sessions.keep_seconds = int(self.tokens.max_seconds) + 60

    def __call__(self, credential: Credential, client: Client) -> Proven | Awaitable[Proven] | None:
        """Who shows a credential; None: nothing is shown.

        Raises:
            TokenRefused: what is shown is worthless.
            RateLimited: too much was, from this address.
            KeysUnavailable: the keys of its issuer are not known.
        """
        shown = credential.shown
        if shown is None:
            sessions, cookie = self.sessions, credential.session
            return None if sessions is None or cookie is None else self._by_cookie(sessions, cookie, client)
        known = self.tokens.known(shown)
        if known is not None:
            return known
        self.failures.check(client)
        try:
            found = self.tokens.verify(shown)
        except TokenRefused:
            self.failures.take(client)
            raise
        return found if isinstance(found, Proven) else self._later(found, client)

    def known(self, credential: Credential) -> Proven | None:
        """Who shows a token that was verified before; it may be over."""
        shown = credential.shown
        return None if shown is None else self.tokens.known(shown)

    async def _later(self, found: Awaitable[Proven], client: Client) -> Proven:
        try:
            return await found
        except TokenRefused:
            self.failures.take(client)
            raise

    # Sessions.

    def session(self, credential: Credential) -> Awaitable[Session | None]:
        """The session whose cookie is shown, whatever else is; None: there is none that is good."""
        return self._good_session(credential.session)

    async def _good_session(self, cookie: str | None) -> Session | None:
        if self.sessions is None or not cookie:
            return None
        found = await self.sessions.find(cookie)
        return found if found is not None and await self.is_still(found) else None

    async def is_still(self, session: Session) -> bool:
        """Whether the key that signed a session's token still is one.

        Raises:
            KeysUnavailable: the keys of its issuer are not known.
        """
        still = self._is_still(session)
        return still if isinstance(still, bool) else await still

    def _by_cookie(self, sessions: Sessions, cookie: str, client: Client) -> Proven | Awaitable[Proven]:
        found = sessions.known(cookie)
        if found is None:
            if sessions.is_none(cookie):
                raise _no_session()
            return self._by_cookie_later(cookie, client)
        still = self._is_still(found)
        if not isinstance(still, bool):
            return self._when_still(found, still)
        if not still:
            raise _no_session()
        return found.access

    async def _when_still(self, session: Session, still: Awaitable[bool]) -> Proven:
        if not await still:
            raise _no_session()
        return session.access

    async def _by_cookie_later(self, cookie: str, client: Client) -> Proven:
        self.failures.check(client)
        found = await self._good_session(cookie)
        if found is None:
            self.failures.take(client)
            raise _no_session()
        return found.access

    def _is_still(self, session: Session) -> bool | Awaitable[bool]:
        access = session.access
        return self.tokens.has_signer(access.issuer, access.signer)


def _no_session() -> TokenRefused:
    return TokenRefused("the session has ended, or is none")
