"""One unit of work on a store: the steps of create, append, delete, expire and trim, the same for every store.

Rule: `protocol.ledger` decides, these functions order the steps, a `Unit` keeps what they change. A unit's states are
its own copies: a store makes them visible when they are committed, or forgets them.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from math import inf
from typing import Protocol

from headwater.errors import BadRequest
from headwater.model import Appended, Batch, Change, Created, Principal, Producer, Record, StreamConfig
from headwater.protocol import forks, ledger, producers
from headwater.protocol.framing import DEFAULT_CONTENT_TYPE, Split, keeps_records, split_body
from headwater.protocol.ledger import Accepted, Append, StreamState
from headwater.protocol.offsets import offset_at
from headwater.protocol.preconditions import Condition
from headwater.protocol.producers import ProducerState
from headwater.protocol.recreate import check_recreate, path_held


class Unit(Protocol):
    """What a unit of work can look up and change.

    Attributes:
        now: the time of the unit, in whole milliseconds.
        steady: the same without jumps, for records and producers; see `Moment`.
        full_until: by incarnation, before which steady time a stream takes no new producer; others are looked up.
    """

    now: float
    steady: float
    full_until: MutableMapping[int, float]

    def watched(self, path: str) -> bool:
        """Whether somebody watches a stream; see `Store.attend`."""
        ...

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

    def producer_bound(self, incarnation: int) -> int:
        """How many producers a stream has, at most."""
        ...

    def producers(self, incarnation: int) -> Mapping[str, ProducerState]:
        """All producers of a stream, by id."""
        ...

    def drop_producer(self, incarnation: int, producer_id: str) -> None:
        """Forget a producer."""
        ...

    def insert(self, incarnation: int, start: int, records: Sequence[Record]) -> None:
        """Keep records of one append from a position on."""
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


def create(
    unit: Unit,
    path: str,
    config: StreamConfig,
    body: bytes,
    *,
    closed: bool,
    condition: Condition | None,
    max_records: int | None,
    split: Split | None,
    by: Principal | None = None,
) -> Created:
    """The steps of `Store.create`, and of `Attributing.create`."""
    existing = _find_unexpired(unit, path)
    if existing is not None:
        confirmed = _confirm(unit, existing, config, closed=closed)
        if condition is not None:
            ledger.check_condition(existing, condition)
        return confirmed
    if config.fork is None:
        state = ledger.new_stream(path, unit.next_incarnation(), config, unit.now)
        data = (split or split_body)(state.content_type, body, allow_empty_array=True, max_records=max_records)
        if condition is not None:
            condition.check(path, None)
    else:
        source = forks.check_source(unit.find(config.fork.source), config, unit.now, unit.watched)
        position = _resolve(unit, source, config)
        forks.check_depth(source, position)
        data = (split or split_body)(source.content_type, body, allow_empty_array=True, max_records=max_records)
        if condition is not None:
            condition.check(path, None)
        source.forks += 1
        unit.save(source)
        state = forks.new_fork(path, unit.next_incarnation(), config, source, position, unit.now)
    start = state.tail
    records = ledger.place(state, data, unit.now, by)
    state.closed = closed
    unit.add(state)
    if records:
        unit.insert(state.incarnation, start, records)
    _tell_creation(unit, state, start)
    if records or closed:
        unit.tell_growth(state, start, records)
    return Created(state.info(), created=True)


def _find_unexpired(unit: Unit, path: str) -> StreamState | None:
    """What is at a path, once a stream whose time is over is deleted.

    Raises:
        StreamExists: a deleted stream that forks still read.
    """
    existing = unit.find(path)
    if existing is not None and not existing.deleted and ledger.is_expired(existing, unit.now, unit.watched):
        delete_stream(unit, existing)
        existing = unit.find(path)
    if existing is not None and existing.deleted:
        raise path_held(path)
    return existing


def _confirm(unit: Unit, existing: StreamState, config: StreamConfig, *, closed: bool) -> Created:
    check_recreate(existing, config, closed=closed, fork_position=_fork_position(unit, existing, config))
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
    anchor = forks.fork_anchor(source, fork.offset)
    count = (fork.sub_offset if keeps_records(source.content_type) else 1) if fork.sub_offset else 0
    following = unit.following(source, anchor, count) if count else ()
    return forks.resolve_sub_offset(source, anchor, fork.sub_offset, following)


def append(unit: Unit, path: str, request: Append) -> Appended:
    """The steps of `Store.append`."""
    if request.create is not None:
        if request.create.fork is not None:
            raise BadRequest("an append cannot create a fork: create it first")
        if _find_unexpired(unit, path) is None:
            return _append_first(unit, path, request)
    state = ledger.check_usable(unit.find(path), path, unit.now, unit.watched)
    producer = request.producer
    if producer is None:
        decision = ledger.append(state, None, request, unit.now)
        unit.save_append(state)
    else:
        decision = _append_of_producer(unit, state, producer, request)
    if not isinstance(decision, Accepted):
        return decision
    start, records = decision.start, decision.records
    if records:
        unit.insert(state.incarnation, start, records)
    unit.tell_growth(state, start, records)
    return decision.answer


def _append_of_producer(unit: Unit, state: StreamState, producer: Producer, request: Append) -> Accepted | Appended:
    known = unit.producer(state.incarnation, producer.id)
    # A new producer begins at 0: what else comes from an unknown one is a gap.
    is_new = known is None and not (producer.seq or state.closed)
    leaving = _leaving(unit, state) if is_new else ()
    decision = ledger.append(state, known, request, unit.now)
    unit.save_append(state)
    if isinstance(decision, Accepted):
        for name in leaving:
            unit.drop_producer(state.incarnation, name)
        _keep_producer(unit, state, producer, decision)
    return decision


def _leaving(unit: Unit, state: StreamState) -> Sequence[str]:
    """Which producers go for a new one. A stream that is full is remembered: to look through all is dear."""
    number = state.incarnation
    if unit.steady < unit.full_until.get(number, -inf):
        raise producers.full()
    if unit.producer_bound(number) < producers.MAX_PRODUCERS:
        return ()
    known = unit.producers(number)
    until = producers.full_until(known)
    if unit.steady < until:
        unit.full_until[number] = until
        raise producers.full()
    return producers.leaving(known, unit.steady)


def _append_first(unit: Unit, path: str, request: Append) -> Appended:
    state, decision = ledger.append_first(path, unit.next_incarnation(), request, unit.now)
    unit.add(state)
    if request.producer:
        _keep_producer(unit, state, request.producer, decision)
    if decision.records:
        unit.insert(state.incarnation, decision.start, decision.records)
    _tell_creation(unit, state, decision.start)
    unit.tell_growth(state, decision.start, decision.records)
    return decision.answer


def _keep_producer(unit: Unit, state: StreamState, producer: Producer, decision: Accepted) -> None:
    if decision.producer:
        known = ProducerState(decision.producer.epoch, decision.producer.seq, unit.steady)
        unit.save_producer(state.incarnation, producer.id, known)


def _tell_creation(unit: Unit, state: StreamState, start: int) -> None:
    """Told when all of the step is kept, because a watcher may read at once, and before the first records."""
    unit.tell(Change(state.path, offset_at(state.lineage, start), created=True))


def growth(state: StreamState, start: int, records: Sequence[Record]) -> Change:
    """The notification of one append, or of several that follow each other, up to the stream's tail.

    Args:
        state: the stream after the last of them.
        start: position before the first record.
        records: all their records; none: a close.
    """
    lineage, closed, failure = state.lineage, state.closed, state.failure
    tail = records[-1].offset if records else offset_at(lineage, state.tail)
    kind = state.config.content_type or DEFAULT_CONTENT_TYPE
    # By place: by name it takes half as long again, and each append has one.
    batch = Batch(offset_at(lineage, start), tuple(records), tail, True, closed, kind, failure)
    return Change(state.path, tail, closed, False, batch, failure)


def delete(unit: Unit, path: str, condition: Condition | None) -> None:
    """The steps of `Store.delete`."""
    state = ledger.check_usable(unit.find(path), path, unit.now, unit.watched)
    if condition is not None:
        ledger.check_condition(state, condition)
    delete_stream(unit, state)


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
    if state is not None and not state.deleted and ledger.is_expired(state, unit.now, unit.watched):
        delete_stream(unit, state)
