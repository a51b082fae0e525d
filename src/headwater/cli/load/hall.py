"""A process of readers, that connects them, keeps them connected, and waits for what is expected."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from typing import Any

from headwater.cli.failures import Failure
from headwater.cli.load.messages import Expect, Read, Ready, Received, Word
from headwater.cli.load.meter import Meter
from headwater.cli.load.plan import OPENING
from headwater.cli.load.reader import Reader, Tally
from headwater.cli.load.socket_reader import SocketReader
from headwater.cli.load.strain import Strain
from headwater.protocol.backoff import delay


class Hall:
    """All readers of a process.

    Args:
        say: sends a message to the process that drives the run.
    """

    def __init__(self, read: Read, say: Callable[[Word], None]) -> None:
        self._plan = read.plan
        self._say = say
        self._tally = Tally()
        self._failure: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._streams = read.streams
        kind, names = (SocketReader, read.plan.paths) if read.plan.door else (Reader, read.plan.targets)
        self._readers = [kind(read.plan, names[s], self._tally, self._fail) for s in read.streams]
        self._tls = ssl.create_default_context() if read.plan.is_tls else None
        self._opening = asyncio.Semaphore(OPENING)
        self._connected = Meter(say)

    def _fail(self, failure: Failure) -> None:
        if not self._failure.done():
            self._failure.set_exception(failure)

    async def run(self, expected: asyncio.Future[Expect]) -> Received:
        """Connect all readers, and wait for what is expected, once that is known.

        Raises:
            Failure: a reader was refused.
        """
        work = asyncio.ensure_future(self._work(expected))
        try:
            both: list[asyncio.Future[Any]] = [work, self._failure]
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if self._failure.done():
                self._failure.result()
            return await work
        finally:
            work.cancel()
            if not self._failure.cancel() and not self._failure.cancelled():
                self._failure.exception()  # two may have failed
            for reader in self._readers:
                reader.close()

    async def _work(self, expected: asyncio.Future[Expect]) -> Received:
        await asyncio.gather(*map(self._connect, self._readers))
        self._connected.flush()
        self._say(Ready())
        strain = Strain()
        keeping = asyncio.ensure_future(self._keep_open())
        try:
            expect = await expected
            strained = strain.end()
            await self._await_all(expect)
        finally:
            keeping.cancel()
        tally = self._tally
        lost = tally.lost + sum(self._outstanding(expect))
        return Received(tally.delivered, lost, tally.repeated, tally.cuts, tally.last_ns, tally.lags, strained)

    async def _connect(self, reader: Reader) -> None:
        async with self._opening:
            try:
                await reader.connect(self._tls)
                async with asyncio.timeout(self._plan.timeout):
                    await reader.live
            except (OSError, TimeoutError) as error:
                reason = str(error) or "no answer in time"
                raise Failure("unreachable", f"a reader cannot connect to {self._plan.url}: {reason}") from None
        self._connected.add(1)

    async def _keep_open(self) -> None:
        """Open the connections again that end."""
        attempt = 0
        while True:
            await asyncio.sleep(delay(attempt, 0.4))
            cut = [reader for reader in self._readers if not reader.is_connected]
            results = await asyncio.gather(*(r.connect(self._tls) for r in cut[:OPENING]), return_exceptions=True)
            attempt = attempt + 1 if any(isinstance(result, Exception) for result in results) else 0

    async def _await_all(self, expect: Expect) -> None:
        deadline = time.monotonic() + self._plan.grace
        # Telling on every record whether it was the last would cost more than looking now and then.
        while any(self._outstanding(expect)) and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.05)

    def _outstanding(self, expect: Expect) -> list[int]:
        return [expect.counts[s] - r.received for s, r in zip(self._streams, self._readers, strict=True)]
