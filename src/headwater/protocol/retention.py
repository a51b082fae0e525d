"""What retention keeps of a stream: by age, size and count; whole records, oldest first."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from headwater.protocol.ledger import StreamState


def retained_from(state: StreamState, positions: Sequence[int], times: Sequence[float], now: float) -> int:
    """The first position that retention keeps; at a record's edge, never before `state.earliest`.

    Args:
        state: the stream; inherited records of a fork count for the size limit, and are the first to go.
        positions: where its own records start, ascending.
        times: when each was appended, ascending.
        now: the time of the sweep.
    """
    limits = state.config.retention
    kept = 0
    if limits.count is not None:
        kept = max(kept, len(positions) - limits.count)
    if limits.size is not None:
        kept = max(kept, bisect_left(positions, state.tail - limits.size))
    if limits.age is not None:
        kept = max(kept, bisect_right(times, now - limits.age))
    if kept == 0:
        return state.earliest
    edge = positions[kept] if kept < len(positions) else state.tail
    return max(state.earliest, edge)
