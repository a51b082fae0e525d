"""Who asks for a run, and what they may do with it.

| to | operation | on |
| --- | --- | --- |
| begin a run | `create` | `chats/{chat}` |
| watch one, or be told its state | `read` | `chats/{chat}`, `runs/{run}` |
| stop one | `close` | the same |

Rule 1: an application's `owner` decides by itself whose a request is, and nothing else is asked. Without one, whoever
        says who may do what in the hub (`Hub(access=...)`, `Hub(authorize=...)`) is asked about these paths, too.
Rule 2: a run is its owner's, whatever is granted: chats of two principals are two, whatever their ids.
Rule 3: a run without an owner, such as one that a program began and said nothing, is nobody's in particular: who knows
        its id, and is granted it there, watches and stops it. Who is nobody in particular has these runs alone.
Rule 4: what is told live ends with its proof, as every live read does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any, Final
from urllib.parse import quote

import msgspec

from headwater.asgi.hub import Hub
from headwater.asgi.types import Scope
from headwater.http.access.ambient import OwnPages
from headwater.http.access.application import AccessFunction, ApplicationProofs
from headwater.http.access.guard import Guard
from headwater.http.authorize import Authorize
from headwater.http.exchange import Exchange
from headwater.http.permission import Permission
from headwater.llm.runs.layout import RunInfo
from headwater.protocol.access.identity import ANYBODY, Access
from headwater.protocol.asks import Ask, Operation
from headwater.protocol.cors import LOOPBACK, CorsPolicy

#: Says whose a request is: an id, or None for nobody in particular; raises `errors.Refused` to refuse it.
OwnerOf = Callable[[Scope], "str | Awaitable[str | None] | None"]


class Asker(msgspec.Struct, frozen=True):
    """Who asks.

    Attributes:
        owner: whose runs they are; None: nobody's in particular.
        access: with which they are told.
        is_unasked: nobody says who asks, and whoever knows a run's id has it.
    """

    owner: str | None
    access: Access = ANYBODY
    is_unasked: bool = False

    def has(self, run: RunInfo) -> bool:
        """Whether a run is theirs to watch and to stop, as far as its owner says it."""
        return self.is_unasked or run.owner is None or run.owner == self.owner


class Askers:
    """Says who asks.

    Args:
        hub: of the runs.
        owner: the application's; None: who decides in the hub is asked.
        access: in place of the hub's own.

    Raises:
        ValueError: both are given.
    """

    def __init__(self, hub: Any, owner: OwnerOf | None, access: AccessFunction | None) -> None:
        if owner is not None and access is not None:
            raise ValueError("owner says whose a request is by itself; give either that or access")
        self._owner: Final = owner
        authorize: Authorize | None = None if access is None else Guard(ApplicationProofs(access))
        origins: tuple[str, ...] = (LOOPBACK,)
        if isinstance(hub, Hub):
            authorize, origins = authorize or hub.authorize, hub.cors_origins
        pages = OwnPages(CorsPolicy(origins))
        self._permission: Final = Permission(None if owner is not None else authorize, hub, pages)

    async def meet(self, exchange: Exchange) -> Asker | None:
        """Who asks, as far as it is known before it is known what for; None: who decides is asked then.

        Raises:
            HeadwaterError: it is refused.
        """
        if self._owner is not None:
            found = self._owner(exchange.scope or {})
            return Asker(await found if isawaitable(found) else found)
        permission = self._permission
        if permission.is_open:
            return Asker(None, is_unasked=True)
        if permission.shows_ticket(exchange):
            await permission.redeem(exchange)
        permission.credential(exchange)
        return None

    async def ask(self, exchange: Exchange, operation: Operation, path: str) -> Asker:
        """Who asks, if they may do this.

        Raises:
            HeadwaterError: they may not.
        """
        found = self._permission.access(exchange, (Ask(operation, path),))
        access = found if isinstance(found, Access) else await found
        return Asker(owner_of(access), access)


def owner_of(access: Access) -> str | None:
    """Whose a run is that is begun for somebody: for `Runs.start(owner=...)`, in a program whose hub has `access`.

    ::

        await runs.start(model(question), owner=owner_of(access))

    Args:
        access: as the program gave it.

    Returns:
        The principal as one text, which is no other's; None: the access is nobody's in particular.
    """
    return None if access.subject is None else f"{quote(access.issuer, safe='')}/{quote(access.subject, safe='')}"
