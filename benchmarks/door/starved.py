"""A subscription out of credit, and its neighbours: two servers in turns, with it and without."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final

from benchmarks.door.servers import CONNECT
from benchmarks.door.shapes import Starved
from benchmarks.door.trial import streaming
from benchmarks.fanout.publisher import Publisher
from benchmarks.fanout.readers import Readers
from benchmarks.fanout.shapes import PACE, Shape
from benchmarks.fanout.trial import SETTLE_SECONDS, WARM_UP_SECONDS, figures
from benchmarks.fanout.usage import cpu_seconds, resident_bytes
from benchmarks.isolation import PAUSE_SECONDS, TURN_SECONDS
from benchmarks.turns import Figures

#: What is published to the stream whose readers have no credit: before, and with every record of the others.
STARVED: Final = "/v1/stream/load-starved"
FILL_RECORDS: Final = 64
RECORD: Final = b'{"starved":"%b"}' % (b"x" * 1024)


class _Publisher(Publisher):
    """Publishes to that one as well; readers do not count its records."""

    def __init__(self, port: int, paths: tuple[str, ...]) -> None:
        super().__init__(port, paths, "array")
        self._other = Publisher(port, STARVED, "array")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, traceback)
        self._other.__exit__(kind, error, traceback)

    def publish(self, count: int) -> None:
        """See `Publisher.publish`."""
        super().publish(count)
        self.starve(1)

    def starve(self, count: int) -> None:
        """The other stream alone."""
        for _ in range(count):
            self._other.send(RECORD)


class _Side:
    """One of the two servers, with its readers."""

    def __init__(self, publisher: _Publisher, pids: list[int], readers: Readers) -> None:
        self._publisher = publisher
        self._pids = pids
        self._readers = readers
        self._shape = Shape(readers.count, PACE)

    def begin(self) -> None:
        """Warm up, and count from there."""
        self._first = self._published = self._publisher.run(self._shape, WARM_UP_SECONDS)
        self._readers.settle(self._first)
        self._weight, self._cpu = resident_bytes(self._pids), cpu_seconds(self._pids)

    def publish(self, seconds: float) -> None:
        """The turn of this side."""
        self._published = self._publisher.run(self._shape, seconds)

    def end(self, seconds: float) -> Figures:
        """What was received in so many seconds of turns."""
        self._readers.tell(self._published)
        received = self._readers.result()
        cpu, grown = cpu_seconds(self._pids) - self._cpu, resident_bytes(self._pids) - self._weight
        return {**figures(received, self._published - self._first, seconds, cpu), "grown": grown}


@contextmanager
def _side(folder: Path, shape: Starved, grace: float, *, starves: bool) -> Iterator[_Side]:
    paths = tuple(shape.paths)
    words = (f"door={shape.streams}", *(["starve"] if starves else []))
    with streaming(folder, (*paths, STARVED)) as (port, pids):
        readers = Readers(port, shape.connections, CONNECT, grace, program="ws_readers", words=words)
        with readers, _Publisher(port, paths) as publisher:
            publisher.starve(FILL_RECORDS)
            yield _Side(publisher, pids, readers)


def measure(shape: Starved, folder: Path, *, seconds: float, grace: float) -> Figures:
    """Two new servers, one whose connections have a subscription without credit, published to in turns.

    Raises:
        RuntimeError: a connection was refused, or a record was not taken.
    """
    with ExitStack() as stack:
        sides = [stack.enter_context(_side(folder, shape, grace, starves=starves)) for starves in (True, False)]
        time.sleep(SETTLE_SECONDS)
        for each in sides:
            each.begin()
        for _ in range(max(1, round(seconds / TURN_SECONDS))):
            for each in sides:
                each.publish(TURN_SECONDS)
                time.sleep(PAUSE_SECONDS)
        found, without = (each.end(seconds) for each in sides)
    return {
        **found,
        "p50_us_without": without["p50_us"],
        "p99_us_without": without["p99_us"],
        "p99_times": found["p99_us"] / without["p99_us"],
        "cpu_us_without": without["cpu_us"],
        "grown_without": without["grown"],
    }
