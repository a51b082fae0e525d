"""The places for streams: what may be created, and how many, among those that are being created at the same time.

Rule 1: a stream has its place from the moment it may be made. What is there already, or fails, gives the place back; at
        the limit others wait for that before they are refused.
Rule 2: the store's answer counts, also when its caller was cancelled meanwhile: the stream may be made all the same.
Rule 3: who made a stream is remembered where somebody may make only so many, until the stream is gone or this process
        ends.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from typing import Any, Final, TypeVar

from headwater.errors import InvalidPath, LimitReached
from headwater.hub.limits import Limits
from headwater.model import Appended, Created, Principal, StreamConfig
from headwater.protocol.framing import check_content_type
from headwater.protocol.paths import check_new_path, check_path

#: Streams that are checked in one turn of the loop.
_AT_ONCE: Final = 128

M = TypeVar("M", Created, Appended)
A = TypeVar("A")


class Places:
    """Those of one hub.

    Args:
        limits: `max_streams` and `max_path_bytes` count.
        exists: whether there is a stream at a path.

    Attributes:
        taken: streams that there are.
    """

    def __init__(self, limits: Limits, exists: Callable[[str], Awaitable[bool]]) -> None:
        self.taken = 0
        self._limits = limits
        self._exists = exists
        self._making = 0
        self._makers: dict[str, Principal] = {}
        self._made_by: Counter[Principal] = Counter()
        self._calls: set[asyncio.Future[Any]] = set()
        self._waiters: set[asyncio.Future[None]] = set()

    async def make(
        self, path: str, config: StreamConfig, call: Callable[[], asyncio.Future[M]], by: Principal | None = None
    ) -> M:
        """`make_all` of one stream."""
        return await self.make_all({path: config}, call, partial(_if_created, path), by)

    async def make_all(
        self,
        streams: Mapping[str, StreamConfig],
        call: Callable[[], asyncio.Future[A]],
        made: Callable[[A], Collection[str]],
        by: Principal | None = None,
    ) -> A:
        """What a call of the store answers that may make streams; those that it makes are counted.

        What exists may be created again in any case: older than the rules of paths, or at the limit.

        Args:
            streams: which, and with what they would be made.
            call: begins the call; when this is cancelled it goes on.
            made: of its answer, which were made.
            by: whose they are; None: nobody's who is counted.

        Raises:
            InvalidPath, BadRequest: it cannot be created.
            LimitReached: there are `limits.max_streams`, or somebody has `limits.max_streams_per_principal`.
            What the call raises.
        """
        for number, (path, config) in enumerate(streams.items(), 1):
            await self._check(path, config)
            if not number % _AT_ONCE:
                await asyncio.sleep(0)
        if not self._limits.max_streams_per_principal:
            by = None
        held = 0 if by is None else await self._take_share(by, streams)
        try:
            places = await self._take_places(streams)
        except BaseException:
            self._give_share(by, held)
            raise
        done = partial(self._made, places, made, by, held)
        try:
            making = call()
        except BaseException:
            self._give_share(by, held)
            self._give_back(places)
            raise
        if making.done():
            done(making)
            return making.result()
        self._calls.add(making)
        making.add_done_callback(done)
        return await asyncio.shield(making)

    async def check(self, path: str, config: StreamConfig, by: Principal | None, *, is_there: bool) -> None:
        """Refuse a create before its body comes; nothing is counted, and nobody waits.

        Args:
            path: of the stream.
            config: with which it would be made.
            by: as for `make_all`.
            is_there: there is one at the path.

        Raises:
            InvalidPath, BadRequest, LimitReached: as `make_all`.
        """
        await self._check(path, config)
        if is_there:
            return
        limits = self._limits
        if self.taken >= limits.max_streams:
            raise self._too_many()
        if by is not None and 0 < limits.max_streams_per_principal <= self._made_by[by]:
            raise self._too_many_of(by)

    def went(self, path: str) -> None:
        """A stream is gone."""
        self.taken -= 1
        if self._makers and (maker := self._makers.pop(path, None)) is not None:
            self._give_share(maker, 1)

    async def _take_share(self, by: Principal, paths: Collection[str]) -> int:
        """Count as many as somebody may make now; those that fail, or are there already, are given back."""
        most = self._limits.max_streams_per_principal
        wanted = len(paths)
        if self._made_by[by] + wanted > most:
            wanted = sum([not await self._exists(path) for path in paths])
            if wanted and self._made_by[by] + wanted > most:
                raise self._too_many_of(by)
        self._made_by[by] += wanted
        return wanted

    def _too_many(self) -> LimitReached:
        return LimitReached(f"there are max_streams={self._limits.max_streams} streams already")

    def _too_many_of(self, by: Principal) -> LimitReached:
        most = self._limits.max_streams_per_principal
        error = LimitReached(f"one principal may make max_streams_per_principal={most} streams, and has them")
        error.principal = by
        return error

    def _give_share(self, by: Principal | None, count: int) -> None:
        if by is not None and count:
            self._made_by[by] -= count
            if self._made_by[by] <= 0:
                del self._made_by[by]

    def check_room(self) -> None:
        """Refuse one more stream of the hub's own, for which nobody waits.

        Raises:
            LimitReached: there are `limits.max_streams`.
        """
        if not self._has_room_for(1):
            raise self._too_many()

    async def settle(self) -> None:
        """Wait for the calls under way."""
        if self._calls:
            await asyncio.wait(self._calls)

    async def _take_places(self, paths: Collection[str]) -> int:
        """Take as many as are needed, all at once: who holds some and waits for others would wait for ever."""
        wanted = len(paths)
        while not self._has_room_for(wanted):
            wanted = sum([not await self._exists(path) for path in paths])
            if wanted and self.taken + wanted > self._limits.max_streams:
                raise self._too_many()
            if not self._has_room_for(wanted):
                await self._given_back()
        self._making += wanted
        return wanted

    def _made(
        self,
        places: int,
        made: Callable[[A], Collection[str]],
        by: Principal | None,
        held: int,
        making: asyncio.Future[A],
    ) -> None:
        self._calls.discard(making)
        paths: Collection[str] = ()
        if not making.cancelled() and making.exception() is None:
            paths = made(making.result())
            self.taken += len(paths)
        if by is not None:
            self._makers.update(dict.fromkeys(paths, by))
            self._give_share(by, held - len(paths))
        self._give_back(places)

    def _give_back(self, places: int) -> None:
        if places:
            self._making -= places
            for waiter in self._waiters:
                if not waiter.done():
                    waiter.set_result(None)

    async def _check(self, path: str, config: StreamConfig) -> None:
        check_path(path, maximum=self._limits.max_path_bytes)
        try:
            check_new_path(path)
        except InvalidPath:
            if not await self._exists(path):
                raise
        if config.content_type is not None:
            check_content_type(config.content_type)

    def _has_room_for(self, count: int) -> bool:
        return not count or self.taken + self._making + count <= self._limits.max_streams

    async def _given_back(self) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)


def _if_created(path: str, answer: Created | Appended) -> Collection[str]:
    return (path,) if answer.created else ()
