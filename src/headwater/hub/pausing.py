"""Writers that wait for readers: production paused by how far the readers lag.

Rule 1: it is the producer who waits, by its own choice. The log takes every record whoever lags, and no reader waits.
Rule 2: a reader's lag is the bytes of records from its cursor to the tail. What its sink holds is no lag; it is bounded
        by `limits.buffer_bytes`.
Rule 3: nobody is asked per record. After a look no reader can lag too far before as many bytes are written as were
        left, so the next look is due then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from headwater.errors import BadRequest

if TYPE_CHECKING:
    from headwater.hub.tails import Tail


class Pause(msgspec.Struct, frozen=True):
    """When a writer waits.

    Attributes:
        lag_bytes: bytes of records a reader may lag before the writer waits for it.
        readers: whose lag counts: that of `any` reader, so that the slowest one sets the pace; of `all` of them, so
            that the fastest one does; or of those with one of these names, as they give it with `?reader=`.
        seconds: how long one write waits at most, after which it goes on; None: until the readers have caught up. A
            reader that takes nothing is cut after `limits.write_seconds` in any case.

    Without readers that count the writer never waits.
    """

    lag_bytes: int = 1024 * 1024
    readers: Literal["any", "all"] | frozenset[str] = "any"
    seconds: float | None = None

    def __post_init__(self) -> None:
        if self.lag_bytes < 0:
            raise BadRequest(f"lag_bytes must not be negative, and is {self.lag_bytes}")

    def worst(self, lags: Iterable[tuple[str | None, int]]) -> int:
        """The lag that counts, of readers' names and lags; 0 without readers."""
        if self.readers == "any":
            return max((lag for _, lag in lags), default=0)
        if self.readers == "all":
            return min((lag for _, lag in lags), default=0)
        return max((lag for name, lag in lags if name in self.readers), default=0)


class Pacer:
    """Makes one writer of a stream wait.

    Args:
        pause: when it waits.

    Attributes:
        waits: writes that had to wait.
    """

    def __init__(self, pause: Pause) -> None:
        self.waits = 0
        self._pause: Final = pause
        self._left = 0

    async def wait(self, tail: Tail | None, written: int) -> None:
        """Wait until the readers that count lag no more than allowed.

        Args:
            tail: the stream's live end; None: it has no live readers.
            written: bytes of records since the last call.
        """
        self._left -= written
        if self._left >= 0 or tail is None:
            return
        if self._look(tail):
            return
        self.waits += 1
        try:
            async with asyncio.timeout(self._pause.seconds):
                while not self._look(tail):
                    await tail.progress()
        except TimeoutError:
            self._left = 0

    def _look(self, tail: Tail) -> bool:
        self._left = self._pause.lag_bytes - self._pause.worst(_lags(tail))
        return self._left >= 0


def _lags(tail: Tail) -> Iterator[tuple[str | None, int]]:
    for reader in tail.live_readers():
        place = reader.place()
        if place is not None:
            name, offset = place
            yield name, tail.bytes_after(offset)
