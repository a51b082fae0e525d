"""A store in its plainest form: lists, copies and sums, to compare real stores with.

Rule 1: obviously right comes before fast. A fork copies what it inherits; nothing is shared.
Rule 2: it knows positions, not offsets; whoever compares keeps the offsets that a real store gave for them.
Rule 3: it uses nothing of `headwater.protocol`, so that a mistake there is no mistake here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate

from headwater.errors import (
    BadRequest,
    ContentTypeMismatch,
    InvalidProducer,
    OffsetGone,
    PreconditionFailed,
    ProducerFenced,
    ProducerGap,
    SequenceRegression,
    SourceGone,
    StreamClosed,
    StreamExists,
    StreamGone,
    StreamNotFound,
)
from headwater.model import Expiry, Failure, Principal, Producer, Retention
from headwater.testing.model_config import ModelConfig, ModelFork

#: When a record was appended, and by whom.
Told = tuple[float, Principal | None]


@dataclass(eq=False)
class ModelStream:
    """One life of a path.

    Attributes:
        start: position of the first record still kept.
        records: the records from there on, inherited ones first.
        times: when each was appended, on a clock that is never set.
        told: the same as readers are told, never before `last`, the one told before; and who appended it.
        fork_at: position where it left its source.
        forks: number of streams forked from it that still live.
    """

    path: str
    content_type: str
    expiry: Expiry
    retention: Retention
    touched: float
    closed: bool = False
    source: ModelStream | None = None
    fork: ModelFork | None = None
    fork_at: int = 0
    start: int = 0
    records: list[bytes] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    last: float = 0.0
    producers: dict[str, tuple[int, int]] = field(default_factory=dict)
    closed_by: Producer | None = None
    failure: Failure | None = None
    last_seq: str | None = None
    deleted: bool = False
    forks: int = 0

    @property
    def tail(self) -> int:
        """Position after the last record."""
        return self.start + len(b"".join(self.records))

    def edges(self) -> list[int]:
        """Positions before, between and after the records."""
        return list(accumulate(map(len, self.records), initial=self.start))

    def from_position(self, position: int) -> list[bytes]:
        """The records from a position on, the first one cut at it.

        Raises:
            OffsetGone: they are no longer kept.
        """
        return [data for data, _ in self.timed_from(position)]

    def timed_from(self, position: int) -> list[tuple[bytes, Told]]:
        """The same, each with what readers are told of it."""
        if position < self.start:
            raise OffsetGone
        rows = zip(self.edges(), self.records, self.told, strict=False)
        return [(data[max(0, position - start) :], told) for start, data, told in rows if start + len(data) > position]

    def until_position(self, position: int) -> list[bytes]:
        """The records up to a position, the last one cut at it."""
        starts = zip(self.edges(), self.records, strict=False)
        return [data[: position - start] for start, data in starts if start < position]

    def sub_position(self, anchor: int, sub_offset: int) -> int:
        """The position `sub_offset` values (JSON) or bytes of one record (all other types) after an anchor.

        Raises:
            BadRequest: there are not that many.
        """
        following = self.from_position(anchor)
        parts = following if self.content_type == "application/json" else [bytes([b]) for b in b"".join(following[:1])]
        if sub_offset > len(parts):
            raise BadRequest
        return anchor + len(b"".join(parts[:sub_offset]))

    def add(self, records: list[bytes], age: float, now: float, by: Principal | None = None) -> None:
        """Append, at a time on the clock that is never set, and on the other one."""
        self.records += records
        self.times += [age] * len(records)
        if records:
            self.last = max(self.last, now)
        self.told += [(self.last, by)] * len(records)

    def trim(self, now: float) -> None:
        """Drop the oldest record as long as a limit is passed."""
        limits = self.retention
        while self.records and (
            (limits.count is not None and len(self.records) > limits.count)
            or (limits.size is not None and len(b"".join(self.records)) > limits.size)
            or (limits.age is not None and self.times[0] <= now - limits.age)
        ):
            self.start += len(self.records.pop(0))
            self.times.pop(0)
            self.told.pop(0)

    def end(self) -> float:
        """When it expires, as things stand, unless somebody watches a stream with a TTL."""
        if self.expiry.ttl is not None:
            return self.touched + self.expiry.ttl
        return float("inf") if self.expiry.at is None else self.expiry.at


class ModelStore:
    """The streams by path; its methods raise what a store raises, with no message."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.streams: dict[str, ModelStream] = {}
        self.watched: set[str] = set()
        #: Seconds by which the clock was set, all together.
        self.drift = 0.0

    def age_clock(self) -> float:
        """The time without its jumps: two of these tell an age."""
        return self.clock() - self.drift

    def over(self, stream: ModelStream) -> bool:
        """Whether its time is over."""
        kept = stream.expiry.ttl is not None and stream.path in self.watched
        return self.clock() >= stream.end() and not kept

    def touch(self, path: str, age: int) -> None:
        """Note that a stream was in use so many seconds ago, if it can be used; the last use only moves on.

        A time in the future, of a negative age, is now.
        """
        stream = self.streams.get(path)
        if stream is not None and not stream.deleted and not self.over(stream):
            stream.touched = max(stream.touched, self.clock() - max(age, 0))

    def jump(self, seconds: float) -> None:
        """The clock was set: what counts idle time goes with it, and nothing grows older or younger."""
        self.drift += seconds
        for stream in self.streams.values():
            stream.touched += seconds

    def usable(self, path: str) -> ModelStream:
        """The stream, if it can be used."""
        stream = self.streams.get(path)
        if stream is not None and stream.deleted:
            raise StreamGone
        if stream is None or self.over(stream):
            raise StreamNotFound
        return stream

    def listed(self) -> list[str]:
        """Paths of the streams that can be used."""
        return sorted(path for path, stream in self.streams.items() if not stream.deleted and not self.over(stream))

    def create(
        self,
        path: str,
        content_type: str | None,
        expiry: Expiry,
        retention: Retention,
        records: list[bytes],
        fork: ModelFork | None = None,
        *,
        closed: bool = False,
        by: Principal | None = None,
    ) -> bool:
        """Create or confirm; says whether it was created."""
        if not self.is_free(path):
            self._confirm(self.streams[path], content_type, expiry, retention, fork, closed=closed)
            return False
        now = self.clock()
        if fork is None:
            stream = ModelStream(path, content_type or "application/octet-stream", expiry, retention, now)
        else:
            stream = self._fork(path, content_type, expiry, retention, fork)
        stream.add(records, self.age_clock(), self.clock(), by)
        stream.closed = closed
        self.streams[path] = stream
        return True

    def _fork(
        self, path: str, content_type: str | None, expiry: Expiry, retention: Retention, fork: ModelFork
    ) -> ModelStream:
        source = self.streams.get(fork.source)
        if source is not None and source.deleted:
            raise SourceGone
        source = self.usable(fork.source)
        if content_type not in (None, source.content_type):
            raise ContentTypeMismatch
        position = source.sub_position(source.tail if fork.offset is None else fork.anchor, fork.sub_offset)
        expiry = expiry if expiry != Expiry() else source.expiry
        stream = ModelStream(path, source.content_type, expiry, retention, self.clock())
        stream.source, stream.fork, stream.fork_at = source, fork, position
        stream.start = min(source.start, position)
        inherited = source.until_position(position)
        stream.add(inherited, self.age_clock(), 0.0)
        stream.told, stream.last = source.told[: len(inherited)], source.last
        source.forks += 1
        return stream

    def _confirm(
        self,
        existing: ModelStream,
        content_type: str | None,
        expiry: Expiry,
        retention: Retention,
        fork: ModelFork | None,
        *,
        closed: bool,
    ) -> None:
        mine = existing.fork
        if existing.deleted or (fork and fork.source) != (mine and mine.source):
            raise StreamExists
        same = (content_type or "application/octet-stream") == existing.content_type and expiry == existing.expiry
        if fork is not None and existing.source is not None:
            same = content_type in (None, existing.content_type) and expiry in (Expiry(), existing.expiry)
            if fork != mine and fork.offset is not None and not existing.source.deleted:
                same &= existing.source.sub_position(fork.anchor, fork.sub_offset) == existing.fork_at
        if not same or retention != existing.retention or closed != existing.closed:
            raise StreamExists

    def append(
        self,
        path: str,
        records: list[bytes],
        content_type: str | None = None,
        producer: Producer | None = None,
        seq: str | None = None,
        *,
        close: bool = False,
        failure: Failure | None = None,
        meets: bool = True,
        create: ModelConfig | None = None,
        by: Principal | None = None,
    ) -> bool:
        """Append, close, or both; says whether it was a duplicate.

        Args:
            path: the stream.
            records: what the body gives.
            content_type: of the request.
            producer: of the request.
            seq: of the request.
            close: close it.
            failure: why.
            meets: the stream is as a condition says.
            create: with what to create it, if it is not there.
            by: who appends.
        """
        if create is not None and self.is_free(path):
            stream = self._append_first(path, records, content_type, producer, create, meets=meets)
        elif create is not None and self.streams[path].deleted:
            raise StreamExists
        else:
            stream = self.usable(path)
        known = stream.producers.get(producer.id) if producer else None
        if stream.closed:
            if producer and producer == stream.closed_by:
                return True
            if not producer and close and not records and failure in (None, stream.failure):
                if not meets:
                    raise PreconditionFailed
                return True
            raise StreamClosed
        if records and content_type not in (None, stream.content_type):
            raise ContentTypeMismatch
        if producer and self._is_duplicate(known, producer):
            stream.touched = self.clock()
            return True
        if seq is not None and stream.last_seq is not None and seq.encode() <= stream.last_seq.encode():
            raise SequenceRegression
        if not meets:
            raise PreconditionFailed
        stream.add(records, self.age_clock(), self.clock(), by)
        stream.touched = self.clock()
        stream.last_seq = stream.last_seq if seq is None else seq
        if producer:
            stream.producers[producer.id] = (producer.epoch, producer.seq)
        if close:
            stream.closed, stream.closed_by, stream.failure = True, producer, failure
        return False

    def is_free(self, path: str) -> bool:
        """Whether a stream can be created; one that expired is deleted for it."""
        existing = self.streams.get(path)
        if existing is not None and not existing.deleted and self.over(existing):
            self._remove(existing)
        return path not in self.streams

    def _append_first(
        self,
        path: str,
        records: list[bytes],
        content_type: str | None,
        producer: Producer | None,
        create: ModelConfig,
        *,
        meets: bool,
    ) -> ModelStream:
        """An empty stream for an append that will not be refused."""
        if records and content_type not in (None, create.content_type):
            raise ContentTypeMismatch
        if producer and producer.seq:
            raise ProducerGap
        if not meets:
            raise PreconditionFailed
        self.create(path, create.content_type, create.expiry, create.retention, [])
        return self.streams[path]

    def _is_duplicate(self, known: tuple[int, int] | None, producer: Producer) -> bool:
        epoch, last = known or (producer.epoch, -1)
        if producer.epoch < epoch:
            raise ProducerFenced
        if producer.epoch > epoch:
            if producer.seq:
                raise InvalidProducer
            return False
        if producer.seq > last + 1:
            raise ProducerGap
        return producer.seq <= last

    def read(self, path: str, position: int) -> list[tuple[bytes, Told]]:
        """All records from a position on, with what readers are told of each."""
        stream = self.usable(path)
        records = stream.timed_from(position)
        stream.touched = self.clock()
        return records

    def delete(self, path: str, *, meets: bool = True) -> None:
        """Delete, softly while forks live. `meets`: see `append`."""
        stream = self.usable(path)
        if not meets:
            raise PreconditionFailed
        self._remove(stream)

    def _remove(self, stream: ModelStream) -> None:
        stream.deleted = True
        gone: ModelStream | None = stream
        while gone is not None and gone.deleted and not gone.forks:
            del self.streams[gone.path]
            gone = gone.source
            if gone is not None:
                gone.forks -= 1

    def sweep(self) -> None:
        """Drop what expired and what retention no longer keeps."""
        for stream in list(self.streams.values()):
            if not stream.deleted and self.over(stream):
                self._remove(stream)
        for stream in self.streams.values():
            stream.trim(self.age_clock())
