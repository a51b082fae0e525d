"""Room for new streams: what may be created, and how many, among those that are being created at the same time.

Rule 1: a stream has its place from the moment it may be made. What is there already, or fails, gives the place back; at
        the limit others wait for that before they are refused.
Rule 2: the store's answer counts, also when its caller was cancelled meanwhile: the stream may be made all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

from headwater.errors import InvalidPath, LimitReached
from headwater.hub.limits import Limits
from headwater.model import Appended, Created, StreamConfig
from headwater.protocol.framing import check_content_type
from headwater.protocol.paths import check_new_path, check_path

M = TypeVar("M", Created, Appended)


class Room:
    """The places for streams of one hub.

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
        self._calls: set[asyncio.Future[Any]] = set()
        self._waiters: set[asyncio.Future[None]] = set()

    async def make(self, path: str, config: StreamConfig, call: Callable[[], asyncio.Future[M]]) -> M:
        """What a call of the store answers that may make a stream; one that it makes is counted.

        What exists may be created again in any case: older than the rules of paths, or at the limit.

        Args:
            path: of the stream.
            config: of the stream.
            call: begins the call; when this is cancelled it goes on.

        Raises:
            InvalidPath, BadRequest: it cannot be created.
            LimitReached: there are `limits.max_streams`.
            What the call raises.
        """
        await self._check(path, config)
        has_place = await self._take_place(path)
        try:
            making = call()
        except BaseException:
            self._give_back(has_place)
            raise
        if making.done():
            self._made(has_place, making)
        else:
            self._calls.add(making)
            making.add_done_callback(partial(self._made, has_place))
        return await asyncio.shield(making)

    async def settle(self) -> None:
        """Wait for the calls under way."""
        if self._calls:
            await asyncio.wait(self._calls)

    async def _take_place(self, path: str) -> bool:
        """Whether there is a place now; False: none is needed."""
        while self._is_full():
            if await self._exists(path):
                return False
            if self.taken >= self._limits.max_streams:
                raise LimitReached(f"there are max_streams={self._limits.max_streams} streams already")
            if self._is_full():
                await self._given_back()
        self._making += 1
        return True

    def _made(self, has_place: bool, making: asyncio.Future[M]) -> None:
        self._calls.discard(making)
        self.taken += not making.cancelled() and making.exception() is None and making.result().created
        self._give_back(has_place)

    def _give_back(self, has_place: bool) -> None:
        if has_place:
            self._making -= 1
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

    def _is_full(self) -> bool:
        return self.taken + self._making >= self._limits.max_streams

    async def _given_back(self) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)
