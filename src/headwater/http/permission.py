"""The application's word on a request: `authorize` asked, its answer checked, waited for where it must be.

Rule: only an answer that must be awaited makes work; all others go on in the same step.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Final

from headwater.errors import NotAuthorized
from headwater.http.authorize import Authorize, Credential
from headwater.http.exchange import Exchange, Work
from headwater.protocol.access.identity import ANYBODY, Access
from headwater.protocol.asks import Ask

#: What a request is let in with does something, and gives what takes waiting.
Go = Callable[[Access], Work | None]


class Permission:
    """Asks an application.

    Args:
        authorize: who may do what; None: everybody everything.

    Attributes:
        is_open: everybody may do everything.
    """

    def __init__(self, authorize: Authorize | None) -> None:
        self._authorize = authorize
        self.is_open: Final = authorize is None

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
        found = self._ask(exchange, asks)
        return self._decided(found, go) if isawaitable(found) else go(_checked(found))

    def access(self, exchange: Exchange, asks: tuple[Ask, ...]) -> Access | Awaitable[Access]:
        """The access that is granted for one stream of several.

        Raises:
            HeadwaterError: it is refused.
        """
        found = self._ask(exchange, asks)
        return _awaited(found) if isawaitable(found) else _checked(found)

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
        found = self._authorize(asks, credential, client)
        return _awaited(found) if isawaitable(found) else _checked(found)

    def _ask(self, exchange: Exchange, asks: tuple[Ask, ...]) -> Access | Awaitable[Access | None] | None:
        if self._authorize is None:
            return ANYBODY
        return self._authorize(asks, Credential(exchange.request.headers, exchange.scope), exchange.client)

    async def _decided(self, found: Awaitable[Access | None], go: Go) -> None:
        work = go(_checked(await found))
        if work is not None:
            await work


async def _awaited(found: Awaitable[Access | None]) -> Access:
    return _checked(await found)


def _checked(found: Access | None) -> Access:
    if found is None:
        raise NotAuthorized("the request has no credential that allows this")
    if found.expires is not None and found.expires <= time.time():
        raise NotAuthorized("the credential of the request has expired")
    return found
