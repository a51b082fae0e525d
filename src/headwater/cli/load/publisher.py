"""The process that publishes: numbered records at a pace, each with the time at which it was due.

Rule: a record's time is when it was due, not when it was sent: what a slow server delays counts as its lag.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from typing import Final

from headwater.cli.failures import Failure, failure_of, refusal
from headwater.cli.load.histogram import Histogram
from headwater.cli.load.messages import Published, Word
from headwater.cli.load.meter import Meter
from headwater.cli.load.plan import Plan
from headwater.cli.load.strain import Strain
from headwater.client.errors import BadAnswer
from headwater.client.wires.http1 import Answer

_FILLING: Final = b"Lorem ipsum dolor sit amet, consectetur adipiscing elit "


def record(number: int, due_ns: int, size: int) -> bytes:
    """A record of `size` bytes that `reading.py` knows."""
    head = b'{"n":"%010d","t":"%019d","text":"' % (number, due_ns)
    room = max(0, size - len(head) - 2)
    return head + (_FILLING * (room // len(_FILLING) + 1))[:room] + b'"}'


class Connection:
    """One connection that is kept open, with one append in flight.

    Args:
        target: URL path of the stream.
    """

    def __init__(self, plan: Plan, target: str, tls: ssl.SSLContext | None) -> None:
        self._plan = plan
        self._target = target
        self._tls = tls

    async def open(self) -> None:
        """Connect."""
        self._reader, self._writer = await asyncio.open_connection(self._plan.host, self._plan.port, ssl=self._tls)

    async def append(self, records: list[bytes]) -> None:
        """Append records, and wait for the answer.

        Raises:
            Failure: it was refused, or the connection was lost.
        """
        body = b"[" + b",".join(records) + b"]"
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        self._writer.write(self._plan.head("POST", self._target, headers) + body)
        answer, received = Answer(), b""
        while not answer.is_done:
            data = await self._reader.read(65_536)
            if not data:
                raise Failure("cut", "the connection that publishes was cut")
            received += answer.feed(data)
        if answer.status not in (200, 204):
            raise refusal(answer.status, received)

    def close(self) -> None:
        """Disconnect."""
        self._writer.close()


class Press:
    """Publishes to all streams.

    Args:
        say: sends a message to the process that drives the run.
    """

    def __init__(self, plan: Plan, say: Callable[[Word], None]) -> None:
        self._plan = plan
        self._appends = Histogram()
        self._published = Meter(say)

    async def run(self) -> Published:
        """Publish for the plan's seconds.

        Raises:
            Failure: an append was refused, or a connection lost.
        """
        strain = Strain()
        tls = ssl.create_default_context() if self._plan.is_tls else None
        begin = time.monotonic_ns()
        try:
            counts = await asyncio.gather(
                *(self._publish(index, target, begin, tls) for index, target in enumerate(self._plan.targets))
            )
        except BadAnswer as error:
            raise failure_of(error) from None
        except (OSError, TimeoutError) as error:
            reason = str(error) or "no answer in time"
            raise Failure("unreachable", f"cannot publish to {self._plan.url}: {reason}") from None
        self._published.flush()
        return Published(tuple(counts), begin, self._appends, strain.end())

    async def _publish(self, index: int, target: str, begin: int, tls: ssl.SSLContext | None) -> int:
        """All records of one stream that come to be due; gives their number."""
        connection = Connection(self._plan, target, tls)
        async with asyncio.timeout(self._plan.timeout):
            await connection.open()
        period = 1e9 * len(self._plan.targets) / self._plan.rate
        first = begin + int(period * index / len(self._plan.targets))  # the streams take turns
        end, number = begin + int(self._plan.seconds * 1e9), 0
        try:
            while (now := time.monotonic_ns()) < end:
                due = min(int((now - first) / period) + 1 if now >= first else 0, number + self._plan.group)
                if due <= number:
                    await asyncio.sleep(max(0.0, (min(first + number * period, end) - now) / 1e9))
                    continue
                records = [record(n, first + int(n * period), self._plan.size) for n in range(number, due)]
                async with asyncio.timeout(self._plan.timeout):
                    await connection.append(records)
                self._appends.add((time.monotonic_ns() - now) // 1000)
                self._published.add(due - number)
                number = due
        finally:
            connection.close()
        return number
