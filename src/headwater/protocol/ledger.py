"""What may happen to a stream: create, append, close, expire, in one place for every store.

Forks are decided in forks.py, retention in retention.py, a create of what is there in recreate.py.
Rule 1: a store holds a `StreamState` per stream and asks these functions; it never decides by itself.
Rule 2: no clock and no I/O: times come in, decisions and new values go out.
Rule 3: `state.tail` and `state.earliest` are positions (see offsets.py); only `StreamInfo` carries offsets.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from headwater.errors import (
    ContentTypeMismatch,
    SequenceRegression,
    StreamClosed,
    StreamGone,
    StreamNotFound,
)
from headwater.model import Appended, Failure, Principal, Producer, Record, StreamConfig, StreamInfo
from headwater.protocol.framing import (
    DEFAULT_CONTENT_TYPE,
    Split,
    same_content_type,
    split_body,
    split_one,
    split_one_or_none,
)
from headwater.protocol.offsets import Lineage, Segment, offset_at
from headwater.protocol.preconditions import Condition
from headwater.protocol.producers import ProducerState, advance
from headwater.protocol.slow import check_slow

#: Whether somebody reads the stream at a path live, or waits for its records.
Watched = Callable[[str], bool]


def nobody(path: str) -> bool:
    """Nobody watches."""
    return False


class StreamState(msgspec.Struct):
    """Everything a store knows of a stream but its records and producers.

    Attributes:
        incarnation: unique number of this stream in its store, from 1, never reused.
        config: as created, with the content type and expiry filled in.
        lineage: segments of the offset space; the last one is the stream's own.
        created_at: when it was created.
        touched_at: last read or write, or when the last one left who watched; the TTL counts from here. Only grows, but
            for jumps of the clock.
        earliest: first position still kept; moved by retention.
        tail: position after the last record.
        closed: takes no more records.
        closed_by: the producer request that closed it, for its retry.
        failure: why it was closed before it was complete; None: it is complete, or open.
        last_seq: last `Stream-Seq`; its scope is the stream.
        deleted: soft-deleted: only forks still read it.
        forks: number of streams forked directly from it.
        source: incarnation of the stream it was forked from; 0: none.
        appended_at: `Record.at` of its last record; in a fork that has none of its own, of its source's last. 0: none.
    """

    path: str
    incarnation: int
    config: StreamConfig
    lineage: Lineage
    created_at: float
    touched_at: float
    earliest: int = 0
    tail: int = 0
    closed: bool = False
    closed_by: Producer | None = None
    last_seq: str | None = None
    deleted: bool = False
    forks: int = 0
    source: int = 0
    failure: Failure | None = None
    appended_at: float = 0.0

    @property
    def content_type(self) -> str:
        """The MIME type, always known once created."""
        return self.config.content_type or DEFAULT_CONTENT_TYPE

    @property
    def fork_position(self) -> int:
        """Where the stream's own records begin; 0 unless it is a fork."""
        return self.lineage[-1].start

    def info(self) -> StreamInfo:
        """The public picture of this state."""
        return StreamInfo(
            path=self.path,
            content_type=self.config.content_type or DEFAULT_CONTENT_TYPE,
            earliest=offset_at(self.lineage, self.earliest),
            tail=offset_at(self.lineage, self.tail),
            closed=self.closed,
            created_at=self.created_at,
            expiry=self.config.expiry,
            retention=self.config.retention,
            slow=self.config.slow,
            forked_from=self.config.fork.source if self.config.fork else None,
            size=self.tail - self.earliest,
            incarnation=self.incarnation,
            failure=self.failure,
        )


class Append(msgspec.Struct, frozen=True, gc=False):
    """A request to append records, to close, or both.

    Attributes:
        body: bytes to append, split into records as the stream's type says; empty only with `close`.
        content_type: the request's type; None: not checked (a close without a body, or an in-process caller).
        producer: the idempotent producer's numbers.
        seq: `Stream-Seq`, compared byte by byte.
        close: close the stream after the records, in the same step.
        failure: with `close`: the stream ends here, but is not complete.
        condition: what must be so.
        create: with what to create the stream in the same step, if there is none; no fork.
        max_records: records that the body may have, if its type keeps them apart; None: any number.
        is_value: the body is none of the stream's type, but one JSON value, and one record; see `framing.split_value`.
        split: with `is_value`: what takes the body apart in place of that; see `split_by`.
        by: who appends, as a proof or the program says; kept with the records. A store that does not know it may leave
            it out.
    """

    body: bytes = b""
    content_type: str | None = None
    producer: Producer | None = None
    seq: str | None = None
    close: bool = False
    failure: Failure | None = None
    condition: Condition | None = None
    create: StreamConfig | None = None
    max_records: int | None = None
    is_value: bool = False
    split: Split | None = None
    by: Principal | None = None

    def bounded(self, max_records: int) -> Append:
        """The same request, with a bound to the records of its body if it can have more: each has a byte at least."""
        if len(self.body) <= max_records:
            return self
        return msgspec.structs.replace(self, max_records=max_records)

    def splitter(self) -> Split:
        """What takes the body apart."""
        if not self.is_value:
            return split_body
        return self.split or (split_one_or_none if self.close else split_one)

    def split_by(self, split: Split) -> Append:
        """The same request, whose body this takes apart: a plain one is not asked whether there is such a thing."""
        return msgspec.structs.replace(self, is_value=True, split=split)


class Accepted(msgspec.Struct, frozen=True, gc=False):
    """An append that is to be written.

    Attributes:
        start: position before the first record.
        records: the records with the offsets after them.
        producer: the producer's new state, to be kept in the same transaction.
        answer: what to answer once it is durable.
    """

    start: int
    records: tuple[Record, ...]
    producer: ProducerState | None
    answer: Appended


def expires_at(state: StreamState) -> float | None:
    """The moment the stream dies by itself, as things stand; None: never."""
    expiry = state.config.expiry
    if expiry.ttl is not None:
        return state.touched_at + expiry.ttl
    return expiry.at


def is_expired(state: StreamState, now: float, watched: Watched) -> bool:
    """Whether the stream's time is over.

    One with a TTL lives as long as it is watched (protocol section 5.1); a date counts in any case.
    """
    expiry = state.config.expiry
    end = expires_at(state)
    return end is not None and now >= end and (expiry.ttl is None or not watched(state.path))


def touch(state: StreamState, now: float) -> None:
    """The stream is used. The time only grows: a clock that is behind takes nothing away."""
    if now > state.touched_at:
        state.touched_at = now


def check_usable(state: StreamState | None, path: str, now: float, watched: Watched) -> StreamState:
    """The state, if clients may use the stream.

    Raises:
        StreamNotFound: none here, or expired.
        StreamGone: soft-deleted.
    """
    if state is None:
        raise StreamNotFound(f"there is no stream at {path!r}")
    if state.deleted:
        raise StreamGone(f"the stream at {path!r} was deleted")
    expiry = state.config.expiry
    if (expiry.ttl is not None or expiry.at is not None) and is_expired(state, now, watched):
        raise StreamNotFound(f"the stream at {path!r} has expired")
    return state


def check_condition(state: StreamState, condition: Condition) -> None:
    """Refuse a write whose condition the stream does not meet.

    Raises:
        PreconditionFailed: its tail is not as the condition says.
    """
    condition.check(state.path, offset_at(state.lineage, state.tail))


def append(
    state: StreamState, known: ProducerState | None, request: Append, now: float, *, created: bool = False
) -> Accepted | Appended:
    """Decide an append; on acceptance `state` is changed in place.

    Order of the checks (protocol section 5.2, "Error Precedence"): closed, content type, producer, body,
    Stream-Seq, condition. A producer's retry is answered without looking at its body or its condition.

    Args:
        state: a usable stream's state, the caller's own copy until the commit.
        known: the state of the request's producer in this stream.
        request: what to append.
        now: the time of the request.
        created: the stream is made for it.

    Returns:
        Accepted: to be written; or Appended: nothing to write, answer this.

    Raises:
        StreamClosed, ContentTypeMismatch, InvalidProducer, ProducerFenced, ProducerGap, BadRequest, InvalidBody,
        TooManyRecords, SchemaMismatch, SequenceRegression, PreconditionFailed: the request is refused, and `state` is
        as before.
    """
    producer, given, kind = request.producer, request.content_type, state.config.content_type or DEFAULT_CONTENT_TYPE
    if state.closed:
        return _append_to_closed(state, request)
    if given is not None and given != kind and request.body:
        check_type(kind, given)
    advanced: ProducerState | None = None
    if producer is not None:
        advanced = advance(known, producer)
        if advanced is None:
            assert known is not None
            touch(state, now)
            return _answer(state, Producer(producer.id, known.epoch, known.seq), duplicate=True)
    if request.is_value:
        data = _records_of(kind, request)
    else:
        data = split_body(kind, request.body, max_records=request.max_records)
    if request.seq is not None or request.condition is not None:
        _check_rest(state, request)
    start = state.tail
    records = place(state, data, now, request.by)
    if now > state.touched_at:
        state.touched_at = now
    if request.close:
        state.closed = True
        state.closed_by = producer
        state.failure = request.failure
    tail = records[-1].offset if records else offset_at(state.lineage, state.tail)
    answer = Appended(tail, state.closed, False, producer, state.failure, created)
    return Accepted(start, records, advanced, answer)


def _check_rest(state: StreamState, request: Append) -> None:
    seq = request.seq
    if seq is not None:
        _check_seq(state, seq)
    if request.condition is not None:
        check_condition(state, request.condition)
    if seq is not None:
        state.last_seq = seq


def _records_of(kind: str, request: Append) -> tuple[bytes, ...]:
    return request.splitter()(kind, request.body, max_records=request.max_records)


def append_first(path: str, incarnation: int, request: Append, now: float) -> tuple[StreamState, Accepted]:
    """Decide an append that creates its stream.

    Args:
        path: where no stream is.
        incarnation: of the new stream.
        request: with `create`.
        now: the time of the request.

    Returns:
        The stream behind the append, and what is to be written.

    Raises:
        BadRequest, ContentTypeMismatch, ProducerGap, InvalidBody, PreconditionFailed: there is to be no stream.
    """
    assert request.create is not None
    state = new_stream(path, incarnation, request.create, now)
    alone = request if request.condition is None else msgspec.structs.replace(request, condition=None)
    decision = append(state, None, alone, now, created=True)
    assert isinstance(decision, Accepted), "nothing is a duplicate in a new stream"
    if request.condition is not None:
        request.condition.check(path, None)
    return state, decision


def place(state: StreamState, data: tuple[bytes, ...], now: float, by: Principal | None = None) -> tuple[Record, ...]:
    """Give offsets and a time to records at the tail, and move it. A clock that is behind gives the last time again."""
    if not data:
        return ()
    lineage, at, position = state.lineage, state.appended_at, state.tail
    if now > at:
        at = state.appended_at = now
    if len(data) == 1:
        [item] = data
        state.tail = position = position + len(item)
        return (Record(offset_at(lineage, position), item, at, by),)
    records = []
    for item in data:
        position += len(item)
        records.append(Record(offset_at(lineage, position), item, at, by))
    state.tail = position
    return tuple(records)


def _append_to_closed(state: StreamState, request: Append) -> Appended:
    """The answer to what changes nothing; also to a producer of an old epoch it is the closure (section 5.2.1)."""
    producer = request.producer
    if producer is not None and producer == state.closed_by:
        return _answer(state, producer, duplicate=True)
    if producer is None and request.close and not request.body and request.failure in (None, state.failure):
        if request.condition is not None:
            check_condition(state, request.condition)
        return _answer(state, None, duplicate=True)
    raise stream_closed(state.path, state.failure, offset_at(state.lineage, state.tail))


def stream_closed(path: str, failure: Failure | None, tail: str) -> StreamClosed:
    """The refusal of an append to a closed stream, for the caller to raise."""
    how = "closed" if failure is None else f"closed, as failed ({failure.code})"
    return StreamClosed(f"the stream at {path!r} is {how}", next_offset=tail, closed=True)


def check_type(have: str, given: str | None) -> None:
    """Refuse a body of another type than the stream's.

    Raises:
        ContentTypeMismatch: it is one.
    """
    if not same_content_type(given, have):
        raise ContentTypeMismatch(f"the stream is {have}, the request {given}")


def _answer(state: StreamState, producer: Producer | None, *, duplicate: bool = False) -> Appended:
    return Appended(offset_at(state.lineage, state.tail), state.closed, duplicate, producer, state.failure)


def _check_seq(state: StreamState, seq: str) -> None:
    if state.last_seq is not None and seq.encode() <= state.last_seq.encode():
        raise SequenceRegression(f"Stream-Seq {seq!r} is not greater than {state.last_seq!r}", last=state.last_seq)


def new_stream(path: str, incarnation: int, config: StreamConfig, now: float) -> StreamState:
    """The state of an empty stream that is no fork.

    Raises:
        BadRequest: the policy for slow readers has no meaning for the type.
    """
    content_type = config.content_type or DEFAULT_CONTENT_TYPE
    check_slow(config.slow, content_type)
    return StreamState(
        path=path,
        incarnation=incarnation,
        config=config if config.content_type else msgspec.structs.replace(config, content_type=content_type),
        lineage=(Segment(incarnation, 0),),
        created_at=now,
        touched_at=now,
    )
