"""Records in memory: those of one incarnation, by position."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

from headwater.model import Batch
from headwater.protocol.batches import Row, build_batch, build_values, has_own_values
from headwater.protocol.ledger import StreamState


class Log:
    """A list of records that lie one behind the other.

    Rule: `add` appends to `positions` last, so that another thread that goes by the positions finds the rest.

    Attributes:
        positions: where they begin, ascending.
        data: their bytes.
        times: when they were appended.
    """

    __slots__ = ("data", "positions", "times")

    def __init__(self) -> None:
        self.positions: list[int] = []
        self.data: list[bytes] = []
        self.times: list[float] = []

    def add(self, position: int, time: float, data: bytes) -> None:
        """Add a record behind the others."""
        self.data.append(data)
        self.times.append(time)
        self.positions.append(position)

    def rows(self, start: int, end: int) -> Iterator[Row]:
        """Rows from the one that contains `start` to the last one that begins before `end`."""
        first = max(0, bisect_right(self.positions, start) - 1)
        last = bisect_left(self.positions, end)
        return zip(self.positions[first:last], self.data[first:last], strict=True)

    def values(self, start: int, end: int) -> list[bytes]:
        """Records from the one that begins at `start` to the last one that ends by `end`; one, if any begins there."""
        first, last = bisect_left(self.positions, start), bisect_right(self.positions, end)
        if first == len(self.positions) or self.positions[first] != start:
            return []
        if self.positions[last - 1] + len(self.data[last - 1]) > end:
            last -= 1
        return self.data[first : max(last, first + 1)]

    def newest(self, count: int) -> int | None:
        """See `Edges.newest`."""
        return self.positions[-count] if count <= len(self.positions) else None

    def at_or_after(self, position: int) -> int | None:
        """See `Edges.at_or_after`."""
        return self._start_of(bisect_left(self.positions, position))

    def younger(self, time: float) -> int | None:
        """See `Edges.younger`."""
        return self._start_of(bisect_right(self.times, time))

    def _start_of(self, index: int) -> int | None:
        return self.positions[index] if index < len(self.positions) else None

    def trim(self, earliest: int) -> None:
        """Drop the records before a position that lies at a record's edge."""
        count = bisect_left(self.positions, earliest)
        del self.positions[:count], self.data[:count], self.times[:count]


def read_log(state: StreamState, log: Log, rows: Iterable[Row], start: int, limit: int, whole: int) -> Batch | None:
    """The batch of a read of what is in memory; see `build_batch`.

    Args:
        state: the stream; the log may have got more since.
        log: the stream's own records.
        rows: the same and inherited ones, where the read reaches them.
        start: position to read from.
        limit: see `build_batch`.
        whole: see `build_batch`.
    """
    if has_own_values(state, start):
        values = log.values(start, min(start + limit, state.tail))
        if values:
            return build_values(state, start, values, sum(map(len, values)))
    return build_batch(state, start, rows, limit, whole)
