"""When groups are flushed: soon after a record is there, and less often when the loop's thread has too much to do.

The system call for each reader is the cost of a flush, not its bytes. So when the thread is busy the next flush waits,
and what is appended meanwhile goes out with it in one write. The wait is as long as makes flushes and everything else
the thread does take `BUSY` of its time: nothing while there is time to spare, longer the more there is to do, never
more than the limit. After silence the first record leaves at once, that is, when its writer has been answered; the
silence that counts is the stream's own. A stream that was silent for longer than any wait has nothing to put together,
however busy the others are: thousands of streams with a few readers each, such as the answers of a model, do not wait.

The measure is the thread's CPU time: what a flush costs does not depend on what else the machine does.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from itertools import chain
from typing import Final, Protocol

from headwater.hub.stats import Stats

#: Share of the thread's time that flushes may fill up; the rest lets requests in without a queue.
BUSY: Final = 0.7
#: Share of the thread's time that flushes get, however busy the rest is: a cheap flush need not wait long.
LEAST: Final = 0.1
#: Turns of the event loop between the news and the flush: a writer is answered in them, and not behind all the readers.
TURNS: Final = 2


class Flushable(Protocol):
    """A stream with live readers.

    Attributes:
        changed_at: when the oldest change came that was not flushed, on the clock of timers; 0: none.
        flushed_at: when it was flushed last, on the clock of timers; 0: never.
    """

    changed_at: float
    flushed_at: float

    @property
    def path(self) -> str:
        """Of the stream."""
        ...

    def flush(self, limit: int) -> int:
        """Give its readers what is new, in batches of `limit` bytes; gives how many times one was written to."""
        ...


class Flusher:
    """Flushes the streams that have news.

    Args:
        read_bytes: bytes of records in one batch.
        max_wait: seconds between two flushes at most.
        stats: where deliveries are counted.
    """

    def __init__(self, read_bytes: int, max_wait: float, stats: Stats) -> None:
        self._read_bytes = read_bytes
        self._max_wait = max_wait
        self._stats = stats
        self._due: dict[Flushable, None] = {}
        self._put_off: dict[Flushable, None] = {}
        self._handle: asyncio.Handle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._ended = 0.0
        self._ended_cpu = 0.0
        self._wait = 0.0

    def schedule(self, stream: Flushable) -> None:
        """Have a stream flushed."""
        due = self._due
        if stream in due or stream in self._put_off:
            return
        now = time.monotonic()
        rest = self._ended + self._wait - now
        if rest > 0 and now - stream.flushed_at < self._max_wait:
            self._put_off[stream] = None
            if self._timer is None:
                self._stats.flush_waits.add(rest)
                self._timer = asyncio.get_running_loop().call_later(rest, self._end_wait)
            return
        due[stream] = None
        if self._handle is None:
            self._stats.flush_waits.add(0.0)
            self._after(TURNS)

    def pending(self) -> Iterator[str]:
        """The paths of streams whose news are about to be given."""
        return (stream.path for stream in chain(self._due, self._put_off))

    def stop(self) -> None:
        """Flush nothing more."""
        for handle in (self._handle, self._timer):
            if handle is not None:
                handle.cancel()
        self._handle = self._timer = None

    def _end_wait(self) -> None:
        self._timer = None
        put_off, self._put_off = self._put_off, {}
        self._due.update(put_off)
        if self._handle is not None:
            self._handle.cancel()
        self._flush(is_window=True)

    def _after(self, turns: int) -> None:
        loop = asyncio.get_running_loop()
        self._handle = loop.call_soon(self._after, turns - 1) if turns else loop.call_soon(self._flush)

    def _flush(self, *, is_window: bool = False) -> None:
        self._handle = None
        due, self._due = self._due, {}
        started, started_cpu = time.monotonic(), time.thread_time()
        for stream in due:
            changed_at = stream.changed_at or started
            written = stream.flush(self._read_bytes)
            stream.flushed_at = now = time.monotonic()
            self._stats.delivered(written, now - changed_at)
        self._stats.flushes += 1
        if started < self._ended + self._wait and not is_window:
            return  # beside those that wait: their wait is measured from flush to flush of theirs
        ended, ended_cpu = time.monotonic(), time.thread_time()
        others = (started_cpu - self._ended_cpu) / max(ended - self._ended, 1e-6)
        self._wait = min(self._max_wait, wait_after(ended_cpu - started_cpu, others))
        self._ended, self._ended_cpu = ended, ended_cpu


def wait_after(flush: float, others: float) -> float:
    """How long to wait after a flush, so that the thread is as busy as it may be.

    Args:
        flush: CPU seconds it took.
        others: share of the time since the end of the flush before it that the thread spent on other things.

    Returns:
        Seconds; the flush's share of them and itself is what `others` leaves of `BUSY`, and at least `LEAST`.
    """
    return flush / max(BUSY - others, LEAST) - flush
