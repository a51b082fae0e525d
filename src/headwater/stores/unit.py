"""One unit of work on a store: the steps of create, append, delete, expire and trim, the same for every store.

Rule: `protocol.ledger` decides, these functions order the steps, a `Unit` keeps what they change. A unit's states are
its own copies: a store makes them visible when they are committed, or forgets them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from headwater.errors import StreamExists
from headwater.model import Appended, Batch, Change, Created, Record, StreamConfig
from headwater.protocol import forking, ledger
from headwater.protocol.framing import is_json, split_body
from headwater.protocol.ledger import Append, StreamState
from headwater.protocol.offsets import offset_at
from headwater.protocol.producing import ProducerState


class Unit(Protocol):
    """What a unit of work can look up and change; `now` is the time of the unit."""

    now: float

    def find(self, path: str) -> StreamState | None:
        """The unit's own copy of the stream at a path, soft-deleted ones too."""
        ...

    def find_incarnation(self, incarnation: int) -> StreamState | None:
        """The same, by number."""
        ...

    def next_incarnation(self) -> int:
        """A number larger than every one before, in the life of the store."""
        ...

    def add(self, state: StreamState) -> None:
        """Keep a new stream."""
        ...

    def save(self, state: StreamState) -> None:
        """Keep a changed stream."""
        ...

    def save_append(self, state: StreamState) -> None:
        """Keep a stream that an append changed, and nothing else."""
        ...

    def drop(self, state: StreamState) -> None:
        """Forget a stream with its records and producers; its path is free."""
        ...

    def producer(self, incarnation: int, producer_id: str) -> ProducerState | None:
        """What is known of a producer in a stream."""
        ...

    def save_producer(self, incarnation: int, producer_id: str, state: ProducerState) -> None:
        """Keep a producer's new state."""
        ...

    def insert(self, incarnation: int, start: int, records: Sequence[Record]) -> None:
        """Keep records from a position on."""
        ...

    def following(self, state: StreamState, position: int, count: int) -> tuple[bytes, ...]:
        """Up to `count` records from a position on, the first one cut at it; inherited ones too."""
        ...

    def tell(self, change: Change) -> None:
        """Notify the watchers, once committed."""
        ...

    def tell_growth(self, state: StreamState, start: int, records: Sequence[Record]) -> None:
        """The same with `growth` of these; a store may put several of a stream together."""
        ...


def create(unit: Unit, path: str, config: StreamConfig, body: bytes, *, closed: bool) -> Created:
    """The steps of `Store.create`."""
    existing = unit.find(path)
    if existing is not None and not existing.deleted and ledger.is_expired(existing, unit.now):
        delete_stream(unit, existing)
        existing = unit.find(path)
    if existing is not None:
        return _confirm(unit, existing, config, closed=closed)
    if config.fork is None:
        state = ledger.new_stream(path, unit.next_incarnation(), config, unit.now)
        data = split_body(state.content_type, body, allow_empty_array=True)
    else:
        source = forking.check_source(unit.find(config.fork.source), config, unit.now)
        position = _resolve(unit, source, config)
        data = split_body(source.content_type, body, allow_empty_array=True)
        source.forks += 1
        unit.save(source)
        state = forking.new_fork(path, unit.next_incarnation(), config, source, position, unit.now)
    start = state.tail
    records = ledger.place(state, data)
    state.closed = closed
    unit.add(state)
    if records:
        unit.insert(state.incarnation, start, records)
    return Created(state.info(), created=True)


def _confirm(unit: Unit, existing: StreamState, config: StreamConfig, *, closed: bool) -> Created:
    if existing.deleted:
        raise StreamExists(f"the path {existing.path!r} is held by a deleted stream until its last fork is deleted")
    ledger.check_recreate(existing, config, closed=closed, fork_position=_fork_position(unit, existing, config))
    return Created(existing.info(), created=False)


def _fork_position(unit: Unit, existing: StreamState, config: StreamConfig) -> int | None:
    """Where the fork point asked for lies now; None: nothing to compare with the existing stream's."""
    asked, mine = config.fork, existing.config.fork
    if asked is None or asked.offset is None or mine is None or asked.source != mine.source:
        return None
    # The same words mean the same point, even when the source no longer keeps the records there.
    source = unit.find(asked.source) if asked != mine else None
    return None if source is None or source.deleted else _resolve(unit, source, config)


def _resolve(unit: Unit, source: StreamState, config: StreamConfig) -> int:
    fork = config.fork
    assert fork is not None
    anchor = forking.fork_anchor(source, fork.offset)
    count = (fork.sub_offset if is_json(source.content_type) else 1) if fork.sub_offset else 0
    following = unit.following(source, anchor, count) if count else ()
    return forking.resolve_sub_offset(source, anchor, fork.sub_offset, following)


def append(unit: Unit, path: str, request: Append) -> Appended:
    """The steps of `Store.append`."""
    state = ledger.check_usable(unit.find(path), path, unit.now)
    producer = request.producer
    known = unit.producer(state.incarnation, producer.id) if producer else None
    decision = ledger.append(state, known, request, unit.now)
    unit.save_append(state)
    if isinstance(decision, Appended):
        return decision
    if producer and decision.producer:
        unit.save_producer(state.incarnation, producer.id, decision.producer)
    if decision.records:
        unit.insert(state.incarnation, decision.start, decision.records)
    unit.tell_growth(state, decision.start, decision.records)
    return decision.answer


def growth(state: StreamState, start: int, records: Sequence[Record]) -> Change:
    """The notification of one append, or of several that follow each other, up to the stream's tail.

    Args:
        state: the stream after the last of them.
        start: position before the first record.
        records: all their records; none: a close.
    """
    tail = records[-1].offset if records else offset_at(state.lineage, state.tail)
    batch = Batch(
        offset=offset_at(state.lineage, start),
        records=tuple(records),
        next_offset=tail,
        up_to_date=True,
        closed=state.closed,
        content_type=state.content_type,
        failure=state.failure,
    )
    return Change(state.path, tail, closed=state.closed, batch=batch, failure=state.failure)


def delete(unit: Unit, path: str) -> None:
    """The steps of `Store.delete`."""
    delete_stream(unit, ledger.check_usable(unit.find(path), path, unit.now))


def delete_stream(unit: Unit, state: StreamState) -> None:
    """Delete, or keep soft-deleted for its forks; then let go of sources that were only kept for this one."""
    unit.tell(Change(state.path, offset_at(state.lineage, state.tail), deleted=True))
    if state.forks:
        state.deleted = True
        unit.save(state)
        return
    unit.drop(state)
    while (source := _release_source(unit, state)) is not None:
        unit.drop(source)
        state = source


def _release_source(unit: Unit, state: StreamState) -> StreamState | None:
    """Count one fork less at the direct source; the source, if nothing needs it any more."""
    if state.config.fork is None:
        return None
    source = unit.find_incarnation(state.source)
    if source is None:
        return None
    source.forks -= 1
    unit.save(source)
    return source if source.deleted and not source.forks else None


def expire(unit: Unit, path: str) -> None:
    """Delete a stream whose time is over; does nothing if it was used or deleted meanwhile."""
    state = unit.find(path)
    if state is not None and not state.deleted and ledger.is_expired(state, unit.now):
        delete_stream(unit, state)
