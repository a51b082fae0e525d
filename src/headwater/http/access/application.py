"""The application's own function: who asks, and what they may do.

::

    async def access(request: AccessRequest) -> Access | None:
        user = await user_of(request.cookie("session"))
        return user and Access(user.id, read=[f"users/{user.id}/**", *user.rooms], recheck=30)

Rule 1: it is asked once for a request, and again every `recheck` seconds about each credential with which something is
        read, whatever the number of readers. Of the request only what says who it is is kept for that.
Rule 2: one that raises or takes too long lets nobody in (503). What is read already has one more period.
Rule 3: a plain function is called in a thread, for it may wait.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from inspect import iscoroutinefunction
from typing import Any, Final

from headwater.errors import AccessUnknown, HeadwaterError
from headwater.http.authorize import Credential
from headwater.hub.access.principals import ASK_SECONDS
from headwater.hub.access.proven import Proven
from headwater.protocol.access.identity import Access

_log: Final = logging.getLogger("headwater")


class AccessRequest(Credential):
    """What a request shows of who makes it.

    Attributes:
        client: host and port of the other end; None: not known.
        scope: of an ASGI server; None: it is asked again, and only headers that say who it is are there.
    """

    __slots__ = ("client",)

    def __init__(self, credential: Credential, client: tuple[str, int] | None) -> None:
        super().__init__(credential.headers, credential.scope, credential.token)
        self.client = client


#: Given a request, says who makes it and what they may do; None: nobody that is known.
AccessFunction = Callable[[AccessRequest], "Access | Awaitable[Access | None] | None"]


class ApplicationProofs:
    """Asks it.

    Args:
        function: the application's.
    """

    def __init__(self, function: AccessFunction) -> None:
        self._function: Final = function
        call = getattr(function, "__call__", None)  # noqa: B004 an object may have a coroutine for it
        self._waits: Final = iscoroutinefunction(function) or iscoroutinefunction(call)

    def __call__(self, credential: Credential, client: tuple[str, int] | None) -> Awaitable[Proven | None]:
        """Who shows a credential; None: nobody that is known.

        Raises:
            AccessUnknown: it did not say.
            HeadwaterError: it refuses.
        """
        return self._prove(credential, client)

    async def _prove(self, credential: Credential, client: tuple[str, int] | None) -> Proven | None:
        found = await self._ask(credential, client)
        if found is None:
            return None
        return Proven(found, credential.key, partial(self._ask, credential.alone(), client))

    async def _ask(
        self, credential: Credential, client: tuple[str, int] | None, former: Access | None = None
    ) -> Access | None:
        request = AccessRequest(credential, client)
        try:
            async with asyncio.timeout(ASK_SECONDS):
                found: Any
                if self._waits:
                    found = await self._function(request)  # type: ignore[misc]
                else:
                    found = await asyncio.to_thread(self._function, request)
        except HeadwaterError:
            raise
        except Exception as error:
            _log.error("the function that says who may do what failed", exc_info=error)
            raise AccessUnknown("who may do this cannot be found out now") from None
        if not found:
            return None
        if not isinstance(found, Access):
            _log.error("the function that says who may do what gave %s; it gives Access, or None", type(found).__name__)
            raise AccessUnknown("who may do this cannot be found out now")
        return found
