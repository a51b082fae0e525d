"""Who is at a stream, and being there.

Rule 1: the list is told anew with each connection. Whoever is to be there says so each time, with one key, and is the
        same member again.
Rule 2: whoever reads of its own leaving has not left, and comes back.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, Final, Self
from uuid import uuid4

import msgspec

from headwater.client.doors import Door
from headwater.client.reader import Reader
from headwater.client.requests import check
from headwater.client.retry import Backoff, Retry
from headwater.client.told import Heard
from headwater.errors import HeadwaterError

#: Of a client that looks on and is not there.
NOT_THERE: Final = msgspec.UNSET


class Member(msgspec.Struct, frozen=True):
    """Somebody at a stream.

    Attributes:
        id: the subject of the access, or what the client calls itself.
        state: as the member gave it.
    """

    id: str
    state: Any = None


class _Changes(msgspec.Struct):
    count: int = 0
    members: list[Member] | msgspec.UnsetType | None = msgspec.UNSET
    joined: list[Member] = []
    changed: list[Member] = []
    left: list[str] = []


class _Here(msgspec.Struct):
    id: str
    key: str = ""


_changes: Final = msgspec.json.Decoder(_Changes).decode


class Presence:
    """See `Stream.presence`. Iterate over it for the list each time it changes.

    Attributes:
        count: how many are there, also where they are too many for a list.
    """

    def __init__(self, door: Door, url: str, reader: Reader[Any], retry: Retry, state: Any, member: str | None) -> None:
        self.count = 0
        self._door: Final = door
        self._url: Final = f"{url}/-/presence"
        self._reader: Final = reader
        self._retry: Final = retry
        self._state = state
        self._member = member
        self._key: Final = f"0.{uuid4().hex}"
        self._members: dict[str, Member] = {}
        self._version = 0
        self._error: HeadwaterError | None = None
        self._is_over = False
        self._changed: Final = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._entering: asyncio.Task[None] | None = None

    @property
    def members(self) -> list[Member]:
        """Who is there now."""
        return list(self._members.values())

    async def __aenter__(self) -> Self:
        self._run(self._follow())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.leave()

    async def set(self, state: Any) -> None:
        """Be there with this state.

        Raises:
            HeadwaterError: it is refused.
        """
        self._state = state
        await self._say(state=state)

    async def leave(self) -> None:
        """Leave at once, and look no more."""
        if self._is_over:
            return
        self._is_over = True
        was_there = self._state is not NOT_THERE
        for task in self._tasks:
            task.cancel()
        if was_there:
            with suppress(HeadwaterError, TimeoutError):
                async with asyncio.timeout(self._retry.connect):
                    await self._say(leave=True)
        await self._reader.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._changed.set()

    async def __aiter__(self) -> AsyncIterator[list[Member]]:
        seen = 0
        while True:
            while seen == self._version and not self._is_over and self._error is None:
                self._changed.clear()
                await self._changed.wait()
            if self._error is not None:
                raise self._error
            if self._is_over:
                return
            seen = self._version
            yield self.members

    def _run(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _follow(self) -> None:
        try:
            async for given in self._reader.everything():
                if isinstance(given, Heard):
                    self._take(_changes(given.line))
        except HeadwaterError as error:
            self._error = error
        else:
            self._is_over = True
        self._changed.set()

    def _take(self, changes: _Changes) -> None:
        is_list = changes.members is not msgspec.UNSET
        if is_list:
            self._members = {}
        listed = changes.members or []
        for member in (*listed, *changes.joined, *changes.changed):
            self._members[member.id] = member
        for id in changes.left:
            self._members.pop(id, None)
        self.count = changes.count
        self._version += 1
        self._changed.set()
        if self._state is not NOT_THERE and (is_list or self._member in changes.left) and self._entering is None:
            self._entering = self._run(self._enter())

    async def _enter(self) -> None:
        backoff = Backoff(self._retry, self._door.clock.draw)
        try:
            while True:
                backoff.begin(self._door.clock.now())
                try:
                    return await self._say(state=self._state)
                except HeadwaterError as error:
                    wait = backoff.wait(self._door.clock.now(), error.retry_after) if error.retryable else None
                    if wait is None:
                        self._error = error
                        self._changed.set()
                        return None
                    await self._door.clock.pause().wait(wait)
        finally:
            self._entering = None

    async def _say(self, **fields: Any) -> None:
        own = {"id": self._member} if self._member is not None else {}
        body = msgspec.json.encode({**own, "key": self._key, **fields})
        head, text = await self._door.ask("POST", self._url, {"content-type": "application/json"}, body)
        check(head, text)
        if text:
            self._member = msgspec.json.decode(text, type=_Here).id
