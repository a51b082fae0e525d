"""The nouns: what a stream, a record and a batch are. Data without behaviour.

Rule 1: nothing here computes with offsets; `protocol.offsets` does, alone.
Rule 2: times are seconds since the Unix epoch, as floats; sizes are bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any, Final, Generic, TypeVar

import msgspec

from headwater.surrogates import json_value

__all__ = [
    "BEGINNING",
    "NOW",
    "Appended",
    "Batch",
    "Change",
    "Created",
    "Entry",
    "Expiry",
    "Extent",
    "Failure",
    "ForkPoint",
    "Item",
    "Last",
    "Mode",
    "Page",
    "Policy",
    "Principal",
    "Producer",
    "Record",
    "Retention",
    "SlowPolicy",
    "StreamConfig",
    "StreamInfo",
]

#: The offset of the start of every stream (protocol section 8).
BEGINNING: Final = "-1"
#: The offset that means "the tail, wherever it is when the request arrives" (protocol section 8).
NOW: Final = "now"

JSON: Final = "application/json"


class Principal(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Who somebody is. Two issuers that call somebody `7` mean two.

    Attributes:
        subject: who.
        issuer: whose subject; empty: the application's own.
    """

    subject: str
    issuer: str = ""


class Record(msgspec.Struct, frozen=True, gc=False):
    """One appended unit.

    Attributes:
        offset: the position just after the record; read from here to go on.
        data: the record's bytes: in a JSON stream one JSON value without line breaks, in one of MessagePack one value,
            in one of Protobuf a message, where the type says so with its length in front.
        at: when it was appended, by the store's clock, in whole milliseconds; the same for all records of one append.
            Never decreases within a stream. A fork has those of its source. 0: not known.
        by: who appended it, by the access with which that was allowed, or as the program said; None: not known.
    """

    offset: str
    data: bytes
    at: float = 0.0
    by: Principal | None = None

    def json(self) -> Any:
        """The record decoded as JSON; half of a surrogate pair, escaped, is U+FFFD.

        Raises:
            msgspec.DecodeError: the stream is not a JSON stream and the bytes are not JSON.
        """
        return json_value(self.data)


T = TypeVar("T")


class Item(msgspec.Struct, Generic[T], frozen=True):
    """A record read as a value of a type; see `Hub.read`.

    Attributes:
        offset: as of `Record`.
        data: the value.
        at: as of `Record`.
        raw: the record's bytes; of Protobuf the message without its length.
        by: as of `Record`.
    """

    offset: str
    data: T
    at: float
    raw: bytes
    by: Principal | None = None


class Failure(msgspec.Struct, frozen=True, gc=False):
    """Why a stream ended before it was complete. A failed stream is a closed one with a failure.

    Attributes:
        code: for programs: 1 to 64 lower-case letters, digits and hyphens.
        message: for people: up to 1,000 characters in one line.
    """

    code: str
    message: str = ""


class Batch(msgspec.Struct, frozen=True, gc=False):
    """Consecutive records of one stream.

    Attributes:
        offset: the position before the first record.
        records: the records; may be empty.
        next_offset: the position after the last record; where the next read starts.
        up_to_date: no more records existed when the batch was read.
        closed: the stream is closed and this batch ends at its last record.
        content_type: the stream's MIME type.
        failure: with `closed`: the stream ended before it was complete.
    """

    offset: str
    records: Sequence[Record]
    next_offset: str
    up_to_date: bool
    closed: bool
    content_type: str
    failure: Failure | None = None


class Last(msgspec.Struct, frozen=True, gc=False):
    """What is asked for from behind: the newest records before a place. One of the first two is given.

    Attributes:
        records: how many of a stream that keeps records apart, from 1 on.
        size: bytes of any other stream, from 1 on; a text begins with a whole character, and may have three less.
        before: an offset, where it ends; `now`: the tail.
    """

    records: int | None = None
    size: int | None = None
    before: str = NOW


class Page(msgspec.Struct, frozen=True, gc=False):
    """A batch that was asked for from behind; see `Last`.

    Attributes:
        batch: where it is not `up_to_date`, it ends where it was asked to.
        has_earlier: records before it are kept; ask for those before `batch.offset`.
    """

    batch: Batch
    has_earlier: bool


class Extent(msgspec.Struct, frozen=True, gc=False):
    """What there is to read of a stream from an offset on, at one moment.

    Attributes:
        offset: where it begins.
        next_offset: where it ends: the tail of that moment.
        closed: the stream was closed, so that nothing follows.
        content_type: the stream's MIME type.
        failure: with `closed`: the stream ended before it was complete.
    """

    offset: str
    next_offset: str
    closed: bool
    content_type: str
    failure: Failure | None = None


class Producer(msgspec.Struct, frozen=True, gc=False):
    """An idempotent writer's identity for one request (protocol section 5.2.1).

    Attributes:
        id: the producer's stable name.
        epoch: grows by one each time the producer restarts; 0 to 2**53 - 1.
        seq: the number of this request within the epoch, from 0; 0 to 2**53 - 1.
    """

    id: str
    epoch: int
    seq: int


class Entry(msgspec.Struct, frozen=True):
    """One append of several that are one step; see `Hub.append_all`.

    Attributes:
        path: the stream.
        data: one record, as of `Hub.append`; empty only with `close`.
        producer: makes it idempotent.
        close: close the stream with this record.
        create: with what to create the stream, if there is none.
        by: who appends it, as of `Hub.append`.
    """

    path: str
    data: Any = b""
    producer: Producer | None = None
    close: bool = False
    create: StreamConfig | None = None
    by: str | Principal | None = None


class Expiry(msgspec.Struct, frozen=True, gc=False):
    """When a stream dies by itself; both None: never.

    Attributes:
        ttl: seconds of idleness (no read, no write) after which it expires.
        at: the moment it expires, whatever happens; `at_text` as the client wrote it (RFC 3339), given back unchanged.
    """

    ttl: int | None = None
    at: float | None = None
    at_text: str | None = None


class Retention(msgspec.Struct, frozen=True, gc=False):
    """How much of a stream is kept; None: no such limit. Whole records are dropped, oldest first.

    Attributes:
        age: seconds since a record was appended.
        size: bytes of record data.
        count: records.
    """

    age: int | None = None
    size: int | None = None
    count: int | None = None


class Policy(Enum):
    """What a slow reader gets when it is ready again."""

    REPLAY = "replay"  # every record, from the log
    LATEST = "latest"  # a gap, then what is new from now on
    CONFLATE = "conflate"  # of each key the newest record; a gap, if any was left out
    DISCONNECT = "disconnect"  # the end of its connection; it comes back at its offset


class SlowPolicy(msgspec.Struct, frozen=True, gc=False):
    """What slow readers get, as a reader or a stream's creator asks for it.

    Attributes:
        policy: see `Policy`.
        key: of JSON objects, for `CONFLATE`; records without it count as one.
    """

    policy: Policy = Policy.REPLAY
    key: str = ""


class ForkPoint(msgspec.Struct, frozen=True, gc=False):
    """Where a fork leaves its source (protocol section 4.2).

    Attributes:
        source: path of the stream to fork.
        offset: divergence point in the source; None: its tail.
        sub_offset: records (JSON) or bytes (all other types) to inherit past ``offset``.
    """

    source: str
    offset: str | None = None
    sub_offset: int = 0


class StreamConfig(msgspec.Struct, frozen=True, gc=False):
    """What a stream is created with, and what an idempotent re-create must match.

    Attributes:
        content_type: MIME type as first given; None: application/octet-stream, or the fork source's.
        expiry: when it expires; in a fork without one, the source's.
        retention: how much of it is kept.
        fork: where it forks from, if it is a fork.
        slow: what its slow readers get that do not choose for themselves.
    """

    content_type: str | None = None
    expiry: Expiry = Expiry()
    retention: Retention = Retention()
    fork: ForkPoint | None = None
    slow: SlowPolicy = SlowPolicy()


class StreamInfo(msgspec.Struct, frozen=True, gc=False):
    """A stream's public state at one moment.

    Attributes:
        path: the stream's path, without a leading slash.
        content_type: its MIME type.
        earliest: offset of the first record still kept.
        tail: offset after the last record.
        closed: takes no more records.
        created_at: when it was created.
        expiry: when it expires by itself.
        retention: how much of it is kept.
        forked_from: path of the source, for a fork.
        size: bytes of record data from ``earliest`` to ``tail``.
        incarnation: number of this life of the path; never reused by a store.
        failure: why it was closed before it was complete.
        slow: see `StreamConfig`.
    """

    path: str
    content_type: str
    earliest: str
    tail: str
    closed: bool
    created_at: float
    expiry: Expiry
    retention: Retention
    forked_from: str | None
    size: int
    incarnation: int
    failure: Failure | None = None
    slow: SlowPolicy = SlowPolicy()


class Created(msgspec.Struct, frozen=True, gc=False):
    """The answer to a create.

    Attributes:
        info: the stream's state afterwards.
        created: False when it existed already with the same configuration.
    """

    info: StreamInfo
    created: bool


class Appended(msgspec.Struct, frozen=True, gc=False):
    """The answer to an append or a close.

    Attributes:
        next_offset: the tail afterwards.
        closed: the stream is closed now.
        duplicate: an idempotent retry; nothing was written.
        producer: the producer with its highest accepted sequence, when one was given.
        failure: the stream is closed, and not complete.
        created: the append made the stream.
    """

    next_offset: str
    closed: bool
    duplicate: bool = False
    producer: Producer | None = None
    failure: Failure | None = None
    created: bool = False


class Change(msgspec.Struct, frozen=True, gc=False):
    """A store's notification that a stream was made, moved, or went.

    Rule: the changes of a path go forward. A tail is greater than every one of an earlier stream at the path, so that
    a notice that comes late or twice is known by its tail.

    Attributes:
        path: the stream.
        tail: its tail now; with `created`, where its own records begin.
        created: it was just made. Its first records, or its closure, are the next change.
        closed: it is closed now.
        deleted: it is deleted or expired now.
        batch: the new records, if the store has them at hand; otherwise readers read the log.
        failure: with `closed`: it was closed before it was complete.
    """

    path: str
    tail: str
    closed: bool = False
    deleted: bool = False
    batch: Batch | None = None
    failure: Failure | None = None
    created: bool = False


class Mode(Enum):
    """How a read is answered; the transport, not the content."""

    CATCH_UP = "catch-up"  # protocol section 5.6
    LONG_POLL = "long-poll"  # protocol section 5.7
    SSE = "sse"  # protocol section 5.8: data and control events
    EVENTS = "events"  # plain SSE for EventSource: one event a record
    NDJSON = "ndjson"  # one JSON line a record
