"""Records in memory: those of one incarnation, by position."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence

from headwater.model import Batch
from headwater.protocol.batches import MAX_READ_RECORDS, Row, build_batch, build_values, has_own_values
from headwater.protocol.ledger import StreamState


class Log:
    """A list of records that lie one behind the other.

    Rule: `add` appends to `positions` last, so that another thread that goes by the positions finds the rest.

    Attributes:
        positions: where they begin, ascending.
        data: their bytes.
        times: when they were appended, in steady time; see `Moment`.
        told: the same as readers are told, in milliseconds.
        by: who appended them, as `principals.to_text` has it; empty, as long as that is known of none.
    """

    __slots__ = ("by", "data", "positions", "times", "told")

    def __init__(self) -> None:
        self.positions: list[int] = []
        self.data: list[bytes] = []
        self.times: list[float] = []
        self.told: list[int] = []
        self.by: list[str | None] = []

    def add(self, position: int, time: float, told: int, data: bytes, by: str | None = None) -> None:
        """Add a record behind the others."""
        if by is not None or self.by:
            self._add_by((by,))
        self.data.append(data)
        self.times.append(time)
        self.told.append(told)
        self.positions.append(position)

    def extend(
        self,
        positions: Sequence[int],
        times: Sequence[float],
        told: Sequence[int],
        data: Sequence[bytes],
        by: Sequence[str | None],
    ) -> None:
        """Add records behind the others; of these `by` may be empty, where that of the others is."""
        if self.by or any(by):
            self._add_by(by)
        self.data += data
        self.times += times
        self.told += told
        self.positions += positions

    def _add_by(self, by: Sequence[str | None]) -> None:
        if self.by:
            self.by += by
        else:  # at once, for who reads it in another thread
            self.by = [*[None] * len(self.positions), *by]

    def rows(self, start: int, end: int, most: int | None = None) -> Iterator[Row]:
        """Rows from the one that contains `start` to the last one that begins before `end`, or to the `most`-th."""
        first = max(0, bisect_right(self.positions, start) - 1)
        last = bisect_left(self.positions, end)
        if most is not None:
            last = min(last, first + most)
        positions = self.positions[first:last]
        by = self.by[first:last] or [None] * len(positions)
        return zip(positions, self.data[first:last], self.told[first:last], by, strict=True)

    def values(self, start: int, end: int) -> slice:
        """Which records: from the one that begins at `start` to the last one that ends by `end`.

        One in any case, if any begins there, and `MAX_READ_RECORDS` at most.
        """
        first, last = bisect_left(self.positions, start), bisect_right(self.positions, end)
        if first == len(self.positions) or self.positions[first] != start:
            return slice(0)
        if self.positions[last - 1] + len(self.data[last - 1]) > end:
            last -= 1
        return slice(first, min(max(last, first + 1), first + MAX_READ_RECORDS))

    def starts(self, first: int, end: int, count: int) -> Sequence[int]:
        """Where the last so many records begin, from a position on and before another one, the last first."""
        low, high = bisect_left(self.positions, first), bisect_left(self.positions, end)
        return self.positions[max(low, high - count) : high][::-1]

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
        del self.positions[:count], self.data[:count], self.times[:count], self.told[:count], self.by[:count]


def read_log(
    state: StreamState,
    log: Log,
    rows: Callable[[], Iterable[Row]],
    start: int,
    limit: int,
    whole: int,
    *,
    times: bool,
) -> Batch | None:
    """The batch of a read of what is in memory; see `build_batch`.

    Args:
        state: the stream; the log may have got more since.
        log: the stream's own records.
        rows: gives the same and inherited ones, where the read reaches them.
        start: position to read from.
        limit: see `build_batch`.
        whole: see `build_batch`.
        times: see `Store.read`.
    """
    if has_own_values(state, start):
        found = log.values(start, min(start + limit, state.tail))
        if values := log.data[found]:
            told, by = (log.told[found], log.by[found] or None) if times else (None, None)
            return build_values(state, start, values, sum(map(len, values)), told, by)
    return build_batch(state, start, rows(), limit, whole)
