"""A reader of `headwater bench`: it follows one stream over SSE, and checks that each record comes once, in order."""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections.abc import Callable
from typing import Final, cast

from headwater.cli.failures import Failure, failure_of, refusal
from headwater.cli.load.histogram import Histogram
from headwater.cli.load.plan import Plan
from headwater.client.errors import BadAnswer
from headwater.client.wires.http1 import Answer

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
        except BadAnswer as error:
            self._failed(failure_of(error))
            return
        if self._answer.status not in (0, 200):
            self._rest += body
            if self._answer.is_done:
                self._failed(refusal(self._answer.status, self._rest))
        elif self._answer.status:
            if not self.live.done():
                self.live.set_result(None)
            self._take(self._rest + body if self._rest else body, now)

    def _take(self, body: bytes, now: int) -> None:
        last = None
        for last in _EVENT.finditer(body):
            self._count(int(last[2]), int(last[3][:-3]), now)
        if last is not None:
            self._id = last[1].decode("latin-1")
            body = body[last.end() :]
        self._rest = body
        if len(body) > _MAX_EVENT:
            self._failed(Failure("malformed", "the server sends no events of Headwater's"))

    def _count(self, number: int, due: int, now: int) -> None:
        """Take a record.

        Args:
            number: of the stream's records.
            due: when it was, in microseconds.
            now: in nanoseconds.
        """
        tally, received = self._tally, self.received
        if number < received:
            tally.repeated += 1
            return
        tally.lost += number - received
        tally.delivered += 1
        tally.lags.add(now // 1000 - due)
        tally.last_ns = now
        self.received = number + 1

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
