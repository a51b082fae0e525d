"""Writers that wait for readers: production paused by how far the readers lag. Slow readers are in `hub/live`.

Rule 1: it is the producer who waits, by its own choice. The log takes every record whoever lags, and no reader waits.
Rule 2: a reader's lag is the bytes of records from its cursor to the tail. What its sink holds is no lag; it is bounded
        by `limits.buffer_bytes`.
Rule 3: nobody is asked per record. After a look no reader can lag too far before as many bytes are written as were
        left, so the next look is due then.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Iterator
from typing import Final, Literal

import msgspec

from headwater.errors import BadRequest
from headwater.hub.live.stream import LiveStream


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
        if self.seconds is not None and not 0 <= self.seconds < math.inf:
            raise BadRequest(f"seconds must be 0 or greater, or None for no end, and is {self.seconds}")
        if isinstance(self.readers, str) and self.readers not in ("any", "all"):
            raise BadRequest(f"readers must be 'any', 'all' or a set of names, and is {self.readers!r}")

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

    async def wait(self, stream: LiveStream | None, written: int) -> None:
        """Wait until the readers that count lag no more than allowed.

        Args:
            stream: that it writes; None: it has no live readers.
            written: bytes of records since the last call.
        """
        self._left -= written
        if self._left >= 0 or stream is None:
            return
        if self._look(stream):
            return
        self.waits += 1
        try:
            async with asyncio.timeout(self._pause.seconds):
                while not self._look(stream):
                    await stream.progress()
        except TimeoutError:
            self._left = 0

    def _look(self, stream: LiveStream) -> bool:
        self._left = self._pause.lag_bytes - self._pause.worst(_lags(stream))
        return self._left >= 0


def _lags(stream: LiveStream) -> Iterator[tuple[str | None, int]]:
    for follower in stream.followers:
        cursor = follower.at()
        if cursor is not None:
            yield follower.peer.name, stream.window.bytes_after(cursor.offset)
