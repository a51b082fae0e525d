"""Sessions: what a browser's cookie stands for, in the store, so that they survive a restart.

Rule 1: a session is one sign-in. Its name is made here, of 128 random bits, and never taken from a client; kept is its
        hash alone. What is refreshed, expires or is ended is this session, never all that its subject has.
Rule 2: each is a stream of its own, at a path that no URL names, of which the newest record counts. It is read when its
        cookie comes first, so that a start reads none of them; it goes when it is idle for as long as a token may be
        good.
Rule 3: a name that was not found is none for ever, and is not looked up again.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from hashlib import sha256
from inspect import isawaitable
from typing import Final

import msgspec

from headwater.errors import HeadwaterError, StreamGone, StreamNotFound
from headwater.hub.access.end import REVOKED
from headwater.hub.access.principals import Principals
from headwater.hub.access.proven import Proven
from headwater.hub.places import Places
from headwater.model import Change, Expiry, Last, Principal, Retention, StreamConfig
from headwater.protocol.access.cookies import SECRET_BYTES
from headwater.protocol.access.identity import Access
from headwater.protocol.access.kept import KeptAccess
from headwater.protocol.ledger import Append
from headwater.stores import Store

_log: Final = logging.getLogger("headwater")

#: Where they are.
BELOW: Final = "-/access/sessions/"
#: Sessions, and names that are none, that are remembered.
MAX_REMEMBERED: Final = 10_000
#: Sessions of one principal, counted since this process began; one more ends the oldest.
MAX_OF_ONE: Final = 100
#: Seconds for which one is kept at most, without being written.
KEEP_SECONDS: Final = 7 * 24 * 3600
_TYPE: Final = "application/json"


class Session(msgspec.Struct, frozen=True):
    """One sign-in.

    Attributes:
        id: the hash of its name.
        access: what it stands for now.
        tail: of its stream.
    """

    id: str
    access: Proven
    tail: str


class Sessions:
    """Those of one hub.

    Args:
        store: where they are.
        principals: of the hub.
        places: of the hub; each session is a stream.

    Attributes:
        still: says whether what a session came from is still good, such as the key that signed its token.
        keep_seconds: how long one is kept that is not refreshed; no access of one is good for longer.
    """

    def __init__(self, store: Store, principals: Principals, places: Places) -> None:
        self.still: Callable[[Session], bool | Awaitable[bool]] = _always
        self.keep_seconds = KEEP_SECONDS
        self._store: Final = store
        self._principals: Final = principals
        self._places: Final = places
        self._known: Final[OrderedDict[str, Session]] = OrderedDict()
        self._none: Final[OrderedDict[str, None]] = OrderedDict()
        self._of: Final[dict[Principal | None, dict[str, None]]] = {}
        self._writing: Final[set[str]] = set()
        self._tasks: Final[set[asyncio.Task[None]]] = set()
        self._ask_again: Final = self._again  # one for all of them

    async def begin(self, access: Access, signer: str) -> tuple[str, Session]:
        """A new one, with its name, which is told once.

        Args:
            access: that was proven.
            signer: see `Proven`.

        Raises:
            LimitReached: there are too many streams.
            StoreUnavailable: there is none.
        """
        self._places.check_room()
        name = base64.urlsafe_b64encode(secrets.token_bytes(SECRET_BYTES)).rstrip(b"=").decode()
        found = await self._write(_id_of(name), access, signer, is_new=True)
        own = self._of.setdefault(access.principal, {})
        own[found.id] = None
        if len(own) > MAX_OF_ONE:
            await self._end(next(iter(own)), access.principal)
        return name, found

    async def refresh(self, session: Session, access: Access, signer: str) -> Session | None:
        """The same one with another access; what lives by it goes on with that. None: it has ended meanwhile.

        Raises:
            StoreUnavailable: it is as it was.
        """
        try:
            found = await self._write(session.id, access, signer, is_new=False)
        except (StreamNotFound, StreamGone):
            return None
        if session.id in self._none:
            return None
        self._principals.renew(found.access)
        return found

    async def end(self, session: Session) -> int:
        """End one, and what lives by it; gives how many readers and connections that were.

        Raises:
            StoreUnavailable: it has ended here, and would be good again after a restart.
        """
        return await self._end(session.id, session.access.principal)

    async def _end(self, id: str, principal: Principal | None) -> int:
        self._forget(id, principal)
        self._known.pop(id, None)
        self._remember_none(id)
        ended = self._principals.end_key(_key(id), REVOKED)
        try:
            with contextlib.suppress(StreamNotFound, StreamGone):
                await self._store.delete(BELOW + id)
        except HeadwaterError:
            self._none.pop(id, None)  # so that who tries again ends it
            raise
        return ended

    def known(self, name: str) -> Session | None:
        """The session of a name, if it is remembered."""
        id = _id_of(name)
        found = self._known.get(id)
        if found is not None:
            self._known.move_to_end(id)
        return found

    async def find(self, name: str) -> Session | None:
        """The session of a name; None: there is none. Whether its access is over is another question.

        Raises:
            StoreUnavailable: nobody can tell.
        """
        return await self.look_up(_id_of(name))

    def is_none(self, name: str) -> bool:
        """Whether a name was looked up before, and is none."""
        return not name or _id_of(name) in self._none

    async def look_up(self, id: str) -> Session | None:
        """The same by the hash of its name."""
        found = self._known.get(id)
        if found is not None or id in self._none:
            return found
        try:
            page = await self._store.page(BELOW + id, Last(records=1))
            kept = msgspec.json.decode(page.batch.records[-1].data, type=KeptAccess)
            access = kept.access()
        except (StreamNotFound, StreamGone, IndexError):
            self._remember_none(id)
            return None
        except (msgspec.DecodeError, ValueError) as error:
            _log.error("a session cannot be read, and is none: %s", error)
            return None
        if id in self._none:  # ended meanwhile
            return None
        return self._remember(id, access, kept.signer, page.batch.next_offset)

    def changed(self, change: Change) -> None:
        """The store has something new of one, perhaps of another process."""
        id = change.path.removeprefix(BELOW)
        known = self._known.get(id)
        if change.deleted:
            if known is not None:
                self._forget(id, known.access.principal)
                del self._known[id]
            self._remember_none(id)
            self._principals.end_key(_key(id), REVOKED)
        elif known is not None and id not in self._writing and change.tail != known.tail:
            del self._known[id]
            task = asyncio.get_running_loop().create_task(self._renew(id))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Read no more."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._known.clear()
        self._none.clear()
        self._of.clear()

    def _forget(self, id: str, principal: Principal | None) -> None:
        own = self._of.get(principal)
        if own is not None and own.pop(id, "") is None and not own:
            del self._of[principal]

    async def _renew(self, id: str) -> None:
        try:
            found = await self.look_up(id)
        except HeadwaterError as error:
            _log.error("a session that another process may have changed cannot be read: %s", error)
            self._principals.end_key(_key(id), REVOKED, for_good=False)
            return
        if found is not None:
            self._principals.renew(found.access)

    async def _write(self, id: str, access: Access, signer: str, *, is_new: bool) -> Session:
        body = msgspec.json.encode(KeptAccess.of(access, signer))
        config = StreamConfig(_TYPE, Expiry(ttl=self.keep_seconds), Retention(count=1))
        self._writing.add(id)
        try:
            create = config if is_new else None  # what was ended is not made anew by who refreshes it
            appended = await self._store.append(BELOW + id, Append(body, _TYPE, create=create))
        finally:
            self._writing.discard(id)
        self._places.taken += appended.created
        return self._remember(id, access, signer, appended.next_offset)

    def _remember(self, id: str, access: Access, signer: str, tail: str) -> Session:
        proven = Proven(access, _key(id), self._ask_again, signer=signer)
        found = Session(id, proven, tail)
        if id in self._none:
            return found
        self._known[id] = found
        self._known.move_to_end(id)
        if len(self._known) > MAX_REMEMBERED:
            self._known.popitem(last=False)
        return found

    def _remember_none(self, id: str) -> None:
        self._none[id] = None
        if len(self._none) > MAX_REMEMBERED:
            self._none.popitem(last=False)

    async def _again(self, former: Access) -> Access | None:
        assert isinstance(former, Proven), "a session's own"
        found = await self.look_up(_id_in(former.key))
        if found is None:
            return None
        still = self.still(found)
        return found.access if (await still if isawaitable(still) else still) else None


def _id_of(name: str) -> str:
    return sha256(name.encode("latin-1", "replace")).hexdigest()


def _key(id: str) -> tuple[str, str]:
    return ("session", id)


def _id_in(key: Hashable) -> str:
    assert isinstance(key, tuple), "see `_key`"
    return str(key[1])


def _always(session: Session) -> bool:
    return True
