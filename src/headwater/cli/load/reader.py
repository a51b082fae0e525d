"""A process of readers: each follows one stream over SSE, and checks that every record comes once and in order."""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections.abc import Callable
from typing import Any, Final, cast

from headwater.cli.failures import Failure, refusal
from headwater.cli.load.answers import Answer
from headwater.cli.load.histogram import Histogram
from headwater.cli.load.messages import Expect, Read, Ready, Received, Word
from headwater.cli.load.meter import Meter
from headwater.cli.load.plan import OPENING, Plan
from headwater.cli.load.strain import Strain
from headwater.protocol.backoff import delay

#: A whole event: its id, the number of its record, and when that was due.
_EVENT: Final = re.compile(rb'id: ?([^\r\n]+)\r?\ndata: ?\{"n":"(\d{10})","t":"(\d{19})"[^\n]*\n\r?\n')
_MAX_EVENT: Final = 1_000_000


class Tally:
    """What the readers of a process have received."""

    def __init__(self) -> None:
        self.delivered = 0
        self.lost = 0
        self.repeated = 0
        self.cuts = 0
        self.last_ns = 0
        self.lags = Histogram()


class Reader(asyncio.Protocol):
    """One reader, over all its connections.

    Args:
        failed: told of an answer that is not a stream.

    Attributes:
        live: done when the first connection is answered.
        received: how many records there are up to the newest one.
    """

    def __init__(self, plan: Plan, target: str, tally: Tally, failed: Callable[[Failure], None]) -> None:
        self.live = asyncio.get_running_loop().create_future()
        self.received = 0
        self._plan = plan
        self._target = target
        self._tally = tally
        self._failed = failed
        self._id = ""
        self._transport: asyncio.Transport | None = None
        self._closing = False
        self._new_connection()

    def _new_connection(self) -> None:
        self._answer = Answer()
        self._rest = b""

    async def connect(self, tls: ssl.SSLContext | None) -> None:
        """Open a connection, where the last one ended."""
        self._new_connection()
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(self._plan.timeout):
            await loop.create_connection(lambda: self, self._plan.host, self._plan.port, ssl=tls)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the request."""
        self._transport = transport = cast("asyncio.Transport", transport)
        headers = {"Accept": "text/event-stream", "Accept-Encoding": "identity"}
        if self._id:
            headers["Last-Event-ID"] = self._id
        transport.write(self._plan.head("GET", f"{self._target}?offset=-1", headers))

    def data_received(self, data: bytes) -> None:
        """Count what came."""
        now = time.monotonic_ns()
        try:
            body = self._answer.feed(data)
        except Failure as failure:
            self._failed(failure)
            return
        if self._answer.status not in (0, 200):
            self._rest += body
            if self._answer.is_done:
                self._failed(refusal(self._answer.status, self._rest, self._answer.headers.get("retry-after")))
        elif self._answer.status:
            if not self.live.done():
                self.live.set_result(None)
            self._take(self._rest + body if self._rest else body, now)

    def _take(self, body: bytes, now: int) -> None:
        tally, received, last = self._tally, self.received, None
        micros = now // 1000
        for last in _EVENT.finditer(body):
            number = int(last[2])
            if number < received:
                tally.repeated += 1
                continue
            tally.lost += number - received
            received = number + 1
            tally.delivered += 1
            tally.lags.add(micros - int(last[3][:-3]))  # nanoseconds, without the last three digits
        if last is not None:
            self.received = received
            self._id = last[1].decode("latin-1")
            tally.last_ns = now
            body = body[last.end() :]
        self._rest = body
        if len(body) > _MAX_EVENT:
            self._failed(Failure("malformed", "the server sends no events of Headwater's"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Note it; the hall opens another."""
        self._transport = None
        if not self.live.done() and not self._closing:
            reason = str(exc) if exc else "the server closed it without an answer"
            self._failed(Failure("cut", f"a reader's connection to {self._plan.url} was lost: {reason}"))
        if not self._closing:
            self._tally.cuts += 1

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection."""
        return self._transport is not None

    def close(self) -> None:
        """End it for good."""
        self._closing = True
        if self._transport is not None:
            self._transport.abort()


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
        self._readers = [Reader(read.plan, read.plan.targets[s], self._tally, self._fail) for s in read.streams]
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
