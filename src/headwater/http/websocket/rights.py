"""What the client of a connection may do: the application's word on each message, and on what is read, again.

Rule 1: each message is asked about by itself, with the credential of that moment.
Rule 2: what is read was asked about when it began. It is asked about again with another token, and when its access is
        over; what may not be read any more ends, and so does what the application fails to say in time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from sys import intern
from typing import Final, Protocol

from msgspec.structs import replace

from headwater.errors import HeadwaterError, NotAuthorized, Refused
from headwater.http.authorize import Credential
from headwater.http.permission import Permission
from headwater.http.websocket.expiry import in_time
from headwater.http.websocket.requests import Requests
from headwater.http.websocket.stay import Stay
from headwater.hub.access.bounds import Doing
from headwater.hub.access.end import ASKED_AGAIN, AccessEnd
from headwater.hub.access.principals import Principals
from headwater.hub.access.proven import Proven
from headwater.hub.live.subscriptions.subscription import FORBIDDEN, Subscription
from headwater.hub.live.subscriptions.whole import Subscriptions
from headwater.hub.live.subscriptions.wish import Wish
from headwater.hub.peers import Peer, client_at
from headwater.model import Principal
from headwater.protocol.access.identity import ANYBODY, Access
from headwater.protocol.asks import Ask, Operation
from headwater.protocol.ephemeral import PRESENCE
from headwater.protocol.websocket import closes
from headwater.protocol.websocket import messages as m


def asks_to_read(path: str, kinds: tuple[str, ...]) -> tuple[Ask, ...]:
    """What an application is asked before a stream is read.

    Args:
        path: of the stream.
        kinds: of ephemeral events that are to be told; who is there is a question by itself.
    """
    read = Ask(Operation.READ, path)
    return (read, Ask(Operation.PRESENCE, path)) if PRESENCE in kinds else (read,)


class Asked(Protocol):
    """Through which a connection came."""

    @property
    def permission(self) -> Permission:
        """The application's word."""


class Holder(Protocol):
    """The connection."""

    is_over: bool
    peer: Peer
    connection: Subscriptions

    @property
    def requests(self) -> Requests:
        """See `Talk.requests`."""
        ...

    @property
    def door(self) -> Asked:
        """See `Asked`."""
        ...

    def tell(self, message: m.ServerMessage) -> None:
        """See `Session.tell`."""
        ...

    def close(self, code: int, reason: str) -> None:
        """See `Session.close`."""
        ...

    @property
    def stay(self) -> Stay:
        """See `Session.stay`."""
        ...

    def refuse(self, error: BaseException) -> None:
        """See `Session.refuse`."""
        ...


class OpenRights:
    """Those of all connections where nobody is asked; see `Rights`."""

    __slots__ = ()

    def of(self, asks: tuple[Ask, ...]) -> Access | Awaitable[Access]:
        """See `Rights.of`."""
        return ANYBODY

    def show(self, token: str, *, replaces: bool = False) -> None:
        """See `Rights.show`."""

    def peer(self, peer: Peer, wish: Wish) -> Peer | Awaitable[Peer]:
        """See `Rights.peer`."""
        return peer

    def peer_with(self, peer: Peer, access: Access) -> Peer:
        """See `Rights.peer_with`."""
        return peer

    def proof(self) -> Access | Awaitable[Access]:
        """See `Rights.proof`."""
        return ANYBODY

    def recheck(self, then: Callable[[], None]) -> None:
        """See `Rights.recheck`."""
        then()

    def note(self, access: Access) -> None:
        """See `Rights.note`."""

    def count_body(self, size: int, access: Access) -> None:
        """See `Rights.count_body`."""

    def count_subscribe(self, access: Access) -> None:
        """See `Rights.count_subscribe`."""

    def stop(self) -> None:
        """See `Rights.stop`."""


#: One object for all of them.
OPEN: Final = OpenRights()


class Rights:
    """Those of one connection whose application is asked.

    Args:
        permission: the application's.
        credential: that the connection's request shows.
        holder: the connection.
    """

    __slots__ = ("_credential", "_has_expired", "_holder", "_noted", "_principal")

    def __init__(
        self,
        permission: Permission,
        credential: Credential,
        holder: Holder,
    ) -> None:
        # What proves by tokens alone needs nothing else of the request, which many connections have in common.
        self._credential = credential if permission.tokens is None else credential.for_tokens()
        self._holder = holder
        self._has_expired = False
        self._principal: Principal | None = None
        #: Those by which something is read, one or several by their keys; most connections have one, if any.
        self._noted: Proven | dict[Hashable, Proven] | None = None

    @property
    def _permission(self) -> Permission:
        return self._holder.door.permission

    @property
    def _client(self) -> tuple[str, int] | None:
        return client_at(self._holder.peer.address)

    def of(self, asks: tuple[Ask, ...], *, by_pattern: bool = False) -> Access | Awaitable[Access]:
        """The access that is granted; see `Permission.of`.

        Raises:
            HeadwaterError: it is refused.
        """
        permission = self._holder.door.permission
        found: Access | Awaitable[Access] | None = permission.known(asks, self._credential)
        if found is None:
            found = permission.of(asks, self._credential, self._client, by_pattern=by_pattern)
        return self._same(found) if isinstance(found, Access) else self._same_later(found)

    async def _same_later(self, found: Awaitable[Access]) -> Access:
        return self._same(await found)

    def _same(self, access: Access) -> Access:
        """A connection is one principal's from its first message to its last."""
        principal = access.principal
        if principal is not None and principal != self._principal:
            if self._principal is None:
                self._count_connect(principal)
            else:
                self._holder.close(closes.REVOKED, "the token is another subject's")
                raise Refused("the token is another subject's; open a connection of its own")
            self._principal = principal
        if self._noted is None and self._permission.proves:
            self.note(access)
        return access

    # How often; see `Bounds`.

    def _count_connect(self, principal: Principal) -> None:
        """Who it is is known with the first message; the address was counted before."""
        if (bounds := self._permission.bounds) is not None:
            self._count(partial(bounds.connect, principal, None))

    def count_body(self, size: int, access: Access) -> None:
        """Count a body, before it is handed to the store.

        Raises:
            RateLimited: too many bytes came.
        """
        if (bounds := self._permission.bounds) is not None:
            self._count(partial(bounds.take_body, size, access.principal, self._client))

    def count_subscribe(self, access: Access) -> None:
        """Count a stream, or a pattern, that begins to be read.

        Raises:
            RateLimited: too many a second.
        """
        if (bounds := self._permission.bounds) is not None:
            self._count(partial(bounds.take, Doing.SUBSCRIBE, access.principal, self._client))

    def _count(self, take: Callable[[], None]) -> None:
        self._permission.count(take, self._credential, self._client)

    def show(self, token: str, *, replaces: bool = False) -> None:
        """Ask with another token from now on; see `Credential.with_token`."""
        self._credential = self._credential.with_token(intern(token), replaces=replaces)

    def peer(self, peer: Peer, wish: Wish) -> Peer | Awaitable[Peer]:
        """Who reads a stream.

        Args:
            peer: who reads, but for the access.
            wish: which stream.

        Raises:
            HeadwaterError: it may not be read.
        """
        found = self.of(asks_to_read(wish.path, wish.terms.kinds), by_pattern=True)
        return self.peer_with(peer, found) if isinstance(found, Access) else self._awaited(peer, found)

    def peer_with(self, peer: Peer, access: Access) -> Peer:
        """Who reads with an access; it is asked about again when that ends."""
        self.note(access)
        if access is peer.access:
            return peer
        found = replace(peer, access=access)
        if peer is self._holder.peer:  # one for all that it reads with the same access
            self._holder.peer = found
        return found

    async def _awaited(self, peer: Peer, found: Awaitable[Access]) -> Peer:
        # In a task of its own, as everywhere: what an application uses may ask which one it is in.
        return self.peer_with(peer, await asyncio.ensure_future(found))

    def proof(self) -> Access | Awaitable[Access]:
        """Who shows the credential of now; see `Permission.proof`.

        Raises:
            HeadwaterError: it is none, or another subject's.
        """
        found = self._permission.proof(self._credential, self._client)
        return self._same(found) if isinstance(found, Access) else self._same_later(found)

    def recheck(self, then: Callable[[], None]) -> None:
        """Ask about all that is read again, with the credential of now.

        Args:
            then: called behind that.
        """
        self.stop()
        self._ask_again((), self._same, self._unproven)
        if self._holder.is_over:
            return
        self._recheck_members()
        for subscription in self._holder.connection.all():
            asks = asks_to_read(subscription.path, subscription.wish.terms.kinds)
            self._ask_again(asks, partial(self._allow, subscription), partial(self._forbid, subscription))
        self._holder.requests.hold_until_decided(then)

    def _recheck_members(self) -> None:
        """Whoever may not be there any more, or is somebody else now, leaves; this is told."""
        for path, id in [(path, each.id) for path, each in self._holder.stay.members.items()]:
            asks = (Ask(Operation.PRESENCE, path),)
            self._ask_again(asks, partial(self._keep_member, path, id), partial(self._dismiss, path))

    def _ask_again(
        self, asks: tuple[Ask, ...], allow: Callable[[Access], object], forbid: Callable[[BaseException], None]
    ) -> None:
        """What the application does not allow in time is forbidden, also where it has failed."""
        try:
            found = self.of(asks) if asks else self.proof()
        except Exception as error:
            forbid(error)
            return
        if isinstance(found, Access):
            allow(found)
        else:
            self._holder.requests.hold(in_time(found), partial(_answered, allow, forbid))

    def _unproven(self, error: BaseException) -> None:
        """With a proof that is over the connection is, whether something is read by it or not."""
        if self._has_expired and isinstance(error, NotAuthorized):
            self._cut(error.ws_close, error.code)

    def _keep_member(self, path: str, id: str, access: Access) -> None:
        if access.subject not in (None, id):
            self._dismiss(path, Refused(f"{id!r} is not who the credential is of now; its place is left"))
        else:
            self.note(access)

    def _dismiss(self, path: str, error: BaseException) -> None:
        self._holder.stay.leave(path)
        self._holder.refuse(error)

    def _allow(self, subscription: Subscription, access: Access) -> None:
        peer = self.peer_with(self._holder.peer, access)
        if subscription.channel is not None:
            subscription.channel.peer = peer

    def _forbid(self, subscription: Subscription, error: BaseException) -> None:
        if not isinstance(error, HeadwaterError):
            self._holder.refuse(error)
        if self._has_expired and isinstance(error, NotAuthorized):
            self._cut(error.ws_close, error.code)
        else:
            subscription.leave(FORBIDDEN)

    # Access that ends; see `Living`.

    def note(self, access: Access) -> None:
        """With this access something is read from now on."""
        if not isinstance(access, Proven):
            return
        noted = self._noted
        if noted is None:
            self._noted = access
        else:
            if isinstance(noted, Proven):
                noted = {noted.key: noted}
            if access.key in noted:
                return
            noted[access.key] = access
            self._noted = noted
        self._principals.enter(access, self)

    @property
    def _principals(self) -> Principals:
        return self._holder.connection.live.runtime.principals

    def stop(self) -> None:
        """Wait for no access to end."""
        noted, self._noted = self._noted, None
        for access in (noted,) if isinstance(noted, Proven) else (noted or {}).values():
            self._principals.leave(access, self)

    def tell_expiring(self, at: float) -> None:
        """See `Living.tell_expiring`."""
        self._holder.tell(m.Expiring(round(max(0.0, at - time.time()), 3)))

    def hush(self, end: AccessEnd) -> None:
        """See `Living.hush`. Who may still read, with the same token, goes on."""
        if end.reason not in ASKED_AGAIN:
            self._holder.connection.hush(end)

    def end_access(self, end: AccessEnd) -> None:
        """See `Living.end_access`, and `hush`."""
        reason = end.reason
        if reason in ASKED_AGAIN:
            self._has_expired = True
            self.recheck(self._is_rechecked)
            return
        if end.retry_after:
            self._holder.tell(m.Drain(round(end.retry_after, 3)))
        self._cut(closes.OF_ACCESS[reason], reason)

    def _cut(self, code: int, reason: str) -> None:
        """End the connection; what it does not take at once is not told any more."""
        holder = self._holder
        holder.close(code, reason)
        if holder.connection.sink.held():
            holder.connection.sink.abort()

    def _is_rechecked(self) -> None:
        self._has_expired = False


def _answered(
    allow: Callable[[Access], object], forbid: Callable[[BaseException], None], done: asyncio.Future[Access]
) -> None:
    error = done.exception()
    if error is None:
        allow(done.result())
    else:
        forbid(error)
