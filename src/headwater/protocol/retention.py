"""What retention keeps of a stream: by age, size and count; whole records, oldest first.

Rule: a store looks up edges between records, this decides; no store counts or compares by itself.
"""

from __future__ import annotations

from typing import Protocol

from headwater.protocol.ledger import StreamState


class Edges(Protocol):
    """Where a stream's own records begin; inherited ones of a fork are not looked at."""

    def newest(self, count: int) -> int | None:
        """The start of the record with `count - 1` others after it, `count` at least 1; None: there are fewer."""
        ...

    def at_or_after(self, position: int) -> int | None:
        """The first record's start that is not before a position; None: the last record starts before it."""
        ...

    def younger(self, time: float) -> int | None:
        """The start of the first record appended after a time; None: there is none."""
        ...


def retained_from(state: StreamState, edges: Edges, now: float) -> int:
    """The first position that retention keeps; at a record's edge, never before `state.earliest`.

    Args:
        state: the stream; inherited records of a fork count for the size limit only, and are the first to go.
        edges: its records.
        now: the time of the sweep.
    """
    limits = state.config.retention
    kept = state.earliest
    if limits.count is not None:
        kept = max(kept, _by_count(state, edges, limits.count))
    if limits.size is not None and state.tail - limits.size > state.earliest:
        kept = max(kept, _or_tail(state, edges.at_or_after(state.tail - limits.size)))
    if limits.age is not None and state.tail > state.fork_position:
        kept = max(kept, _own(state, _or_tail(state, edges.younger(now - limits.age))))
    return kept


def _by_count(state: StreamState, edges: Edges, count: int) -> int:
    if count == 0:
        return state.tail
    first = edges.newest(count)
    return state.earliest if first is None else _own(state, first)


def _or_tail(state: StreamState, edge: int | None) -> int:
    return state.tail if edge is None else edge


def _own(state: StreamState, edge: int) -> int:
    # Count and age are known of the stream's own records only: while all of those stay, so does what they follow.
    return state.earliest if edge == state.fork_position else edge
