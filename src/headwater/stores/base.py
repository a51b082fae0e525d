"""What a store promises. `headwater.testing.check_store` tests all of it, for any store.

Rule 1: bytes and offsets only; no framework types, no HTTP.
Rule 2: when `create`, `append` or `delete` returns, its effect is durable as configured, and reads see it.
Rule 3: a refused or failed call changes nothing.
Rule 4: when the wall clock is set while the store is open, TTLs and ages go with it, and dates do not. A store notices
        it in `sweep` at the latest; see `protocol.jumps`.
Rule 5: abilities beyond these are protocols of their own, never a NotImplementedError.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol, runtime_checkable

import msgspec

from headwater.histogram import Histogram
from headwater.model import Appended, Batch, Change, Created, Extent, Last, Page, Principal, StreamConfig, StreamInfo
from headwater.protocol.framing import Split
from headwater.protocol.ledger import Append, Watched
from headwater.protocol.preconditions import Condition

#: Seconds since the Unix epoch; given to a store so that tests can turn the clock.
Clock = Callable[[], float]
#: Called in the event loop, in commit order, after the commit; must not block or raise.
Watcher = Callable[[Change], None]
#: Whether a watcher wants the records of the stream at a path; asked in any thread, must not block or raise.
Wants = Callable[[str], bool]
#: Called once in the event loop with what `append` returns or raises; must not block or raise.
Done = Callable[[Appended | Exception], None]
#: The state of a stream, and some of its records.
Found = tuple[StreamInfo, Batch]

#: Bytes a read returns at most unless told otherwise.
DEFAULT_READ_LIMIT: Final = 1024 * 1024


class Store(Protocol):
    """A set of named logs. All methods run in one event loop, the one that called `open`.

    A store belongs to one hub at a time: a second `open` before `aclose` is refused by a store that has files.
    """

    async def open(self) -> None:
        """Make ready: connect, migrate, recover.

        Raises:
            StoreUnavailable: it cannot be used; the message says why.
        """
        ...

    async def aclose(self) -> None:
        """Finish the writes under way and let go of every resource. May be called twice."""
        ...

    async def create(
        self,
        path: str,
        config: StreamConfig,
        body: bytes = b"",
        *,
        closed: bool = False,
        condition: Condition | None = None,
        max_records: int | None = None,
        split: Split | None = None,
    ) -> Created:
        """Create a stream or a fork, or confirm that the same one exists.

        Args:
            path: the new stream's path, checked by the caller.
            config: what it is created with.
            body: its first bytes, split into records as its content type says.
            closed: create it closed, with `body` as its whole content.
            condition: what must be so.
            max_records: records that the body may have, if its type keeps them apart; None: any number.
            split: takes the body apart, also an empty one; None: `framing.split_body`.

        Raises:
            TooManyRecords: the body has more.
            StreamExists: a different stream is at the path.
            PreconditionFailed: the condition does not hold, and nothing else is wrong.
            StreamNotFound, SourceGone, ContentTypeMismatch, InvalidOffset, BadRequest, ForkTooDeep: the fork cannot be
                made.
            InvalidBody: the body does not fit the content type.
            SchemaMismatch: what `split` raises.
            StoreUnavailable: nothing was written.
        """
        ...

    async def append(self, path: str, request: Append) -> Appended:
        """Append records, close, or both, in one atomic step; the producer's state, and with `create` the stream, too.

        Raises:
            StreamNotFound, StreamGone: there is nothing to append to.
            StreamExists: with `create`: the path is held by a deleted stream that forks still read.
            StreamClosed, ContentTypeMismatch, InvalidBody, TooManyRecords, SequenceRegression: see `errors`.
            InvalidProducer, ProducerFenced, ProducerGap: see `protocol.producers`.
            PreconditionFailed: the request's condition does not hold, and nothing else is wrong.
            StoreUnavailable: nothing was written.
        """
        ...

    async def read(
        self, path: str, offset: str, *, limit: int = DEFAULT_READ_LIMIT, whole: int = 0, times: bool = True
    ) -> Batch:
        """Records from an offset on, as many as fit `limit` bytes; counts as use for the TTL.

        Args:
            path: the stream.
            offset: an offset of this stream, `-1` or `now`.
            limit: bytes; a record of bytes is cut at it, one that is kept whole and is larger than it comes alone.
                `batches.MAX_READ_RECORDS` come at most.
            whole: bytes up to which a record of bytes is not cut either, and comes alone if it is over the limit.
            times: False: nobody looks at `Record.at` and `Record.by`, which may be 0 and None then. A large read from a
                file costs a fifth less.

        Raises:
            StreamNotFound, StreamGone: there is nothing to read.
            InvalidOffset, OffsetGone: the offset is not of this stream, or no longer kept.
            StoreUnavailable: the read failed.
        """
        ...

    async def page(self, path: str, last: Last, *, limit: int = DEFAULT_READ_LIMIT, times: bool = True) -> Page:
        """The newest records before a place, in the order of the log; counts as use for the TTL.

        Takes as long for a long stream as for a short one.

        Args:
            path: the stream.
            last: how many, and before which place.
            limit: bytes; a page keeps its newest records, one in any case. Of bytes it is so long at most. It has
                `batches.MAX_READ_RECORDS` at most.
            times: see `read`.

        Raises:
            StreamNotFound, StreamGone: there is nothing to read.
            BadRequest: the stream is counted in the other way: what keeps records apart in records, everything else in
                bytes.
            InvalidOffset, OffsetGone: the place is not of this stream, or no longer kept.
            StoreUnavailable: the read failed.
        """
        ...

    async def extent(self, path: str, offset: str) -> Extent:
        """What there is to read from an offset on, without reading it; counts as use for the TTL.

        Args:
            path: the stream.
            offset: an offset of this stream, `-1` or `now`.

        Raises:
            StreamNotFound, StreamGone: there is nothing to read.
            InvalidOffset, OffsetGone: the offset is not of this stream, or no longer kept. One that lies inside a
                record which is kept whole may be noticed by `read` alone.
            StoreUnavailable: the stream could not be looked up.
        """
        ...

    async def info(self, path: str) -> StreamInfo:
        """The stream's state; does not count as use.

        Raises:
            StreamNotFound, StreamGone: there is none.
        """
        ...

    async def delete(self, path: str, *, condition: Condition | None = None) -> None:
        """Delete a stream; while forks read it, only its path is gone (soft-delete, protocol section 5.4).

        Args:
            path: the stream.
            condition: what must be so.

        Raises:
            StreamNotFound, StreamGone: there is nothing to delete.
            PreconditionFailed: the condition does not hold.
            StoreUnavailable: nothing was written.
        """
        ...

    async def list(self, *, prefix: str = "", after: str = "", limit: int = 100) -> list[StreamInfo]:
        """Streams in the byte order of their paths, expired and deleted ones left out.

        Args:
            prefix: only paths that start with it.
            after: only paths after this one; the last path of the previous page.
            limit: streams to return at most.
        """
        ...

    async def count(self) -> int:
        """How many streams there are, expired ones that were not swept yet included."""
        ...

    def watch(self, watcher: Watcher, wants: Wants | None = None) -> Callable[[], None]:
        """Have every change told; returns the function that ends it.

        Rule: of a path, in commit order: that a stream was made, then its records and its closure, then that it is
        gone. What changed nothing is not told. A watcher begins anywhere in this order.

        Args:
            watcher: is told.
            wants: asked of a path when records or a closure are committed and can be read, so that nobody who asks for
                it before a read misses what that read does not see. What no watcher wants need not be told: most
                streams have no readers. That one was made or is gone is told in any case. None: all are wanted.
        """
        ...

    def time(self) -> float:
        """The store's time, in seconds since the Unix epoch; called in the event loop, also before `open`."""
        ...

    def attend(self, watched: Watched) -> Callable[[], None]:
        """Ask this wherever a stream's TTL may be over, also in other threads; returns the function that ends it.

        A stream with a TTL lives as long as somebody watches (protocol section 5.1), one with an expiry date does not.
        May be called before `open`, and holds until it is ended.

        Args:
            watched: says of a path whether somebody reads it live or waits for its records; must not block or raise.
        """
        ...

    def touch(self, times: Mapping[str, float]) -> None:
        """Note when streams were in use, all together: at once for what asks, durably with the next sweep.

        Must not wait, whatever the number of streams: the hub calls it once a second with all that are watched. Of
        streams without a TTL, and of those that are not there, nothing is noted. A time before the last use changes
        nothing, one in the future is now.

        Args:
            times: seconds since the Unix epoch, by path.
        """
        ...


@runtime_checkable
class Sweeping(Protocol):
    """A store that needs a regular call to drop what expired or what retention no longer keeps."""

    async def sweep(self) -> None:
        """Drop expired streams and records out of retention. The hub calls it once a second.

        Raises:
            StoreUnavailable: not everything could be dropped; the next call goes on.
        """
        ...


@runtime_checkable
class Posting(Protocol):
    """A store that takes appends without a coroutine and a future for each, for a driver that has many at a time."""

    def post(self, path: str, request: Append, done: Done) -> None:
        """`Store.append`, answered by a call: after this one has returned or before.

        Args:
            path: the stream.
            request: what to append.
            done: called once in the event loop with what `append` returns or raises; must not block or raise.

        Raises:
            StoreUnavailable: nothing was written, and `done` is not called.
        """
        ...


@runtime_checkable
class Atomic(Protocol):
    """A store that can make several appends one step."""

    async def append_all(
        self, appends: Sequence[tuple[str, Append]], *, max_records: int | None = None
    ) -> list[Appended]:
        """Append to several streams in one commit: all of it or nothing, also after a crash.

        Args:
            appends: what goes where, in order; a path may come more than once.
            max_records: in all of them; None: any number.

        Returns:
            The answers, in the same order.

        Raises:
            What `Store.append` raises for one of them, with `line` (from 1) and `stream` in its details; nothing was
            written.
        """
        ...


@runtime_checkable
class Attributing(Protocol):
    """A store that keeps who appended a record: `Append.by`, and what `create` is given.

    Attributes:
        keeps_by: True; by it such a store is known.
    """

    keeps_by: bool

    async def create(
        self,
        path: str,
        config: StreamConfig,
        body: bytes = b"",
        *,
        closed: bool = False,
        condition: Condition | None = None,
        max_records: int | None = None,
        split: Split | None = None,
        by: Principal | None = None,
    ) -> Created:
        """`Store.create`, with who appends the first bytes: `by`; None: not known."""
        ...


@runtime_checkable
class AtOnce(Protocol):
    """A store that has some answers in memory and gives them without a coroutine, for a driver that has many to ask."""

    def info_at_once(self, path: str) -> StreamInfo | None:
        """`Store.info`; None: it takes waiting, or is an error.

        Args:
            path: the stream.
        """
        ...

    def read_at_once(self, path: str, offset: str, *, limit: int = DEFAULT_READ_LIMIT, whole: int = 0) -> Found | None:
        """`Store.info` and `Store.read`, of one moment; None: it takes waiting, or is an error.

        Args:
            path: the stream.
            offset: see `Store.read`.
            limit: see `Store.read`.
            whole: see `Store.read`.
        """
        ...


@runtime_checkable
class Fallible(Protocol):
    """A store that can lose what it writes to while it is open, and then takes no more writes."""

    def fault(self) -> str | None:
        """What is wrong until it is opened again; None: nothing. Called in the event loop, must not wait."""
        ...


#: Commands in one commit, and seconds a commit takes: the bounds of their histograms.
COMMIT_SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
COMMIT_SECONDS: Final = (0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class StoreFigures(msgspec.Struct, kw_only=True):
    """What a store that commits to a file did since it was made, and what it holds.

    Attributes:
        commit_sizes: commands put together in one commit.
        commit_seconds: how long the commits took, the wait for the disk included.
        failed_commits: transactions that the file or the disk refused, with all the writes in them.
        queue_bytes: what waits to be written, now.
        file_bytes: size of the database file, now.
        wal_bytes: size of the write-ahead log beside it, now.
    """

    commit_sizes: Histogram = msgspec.field(default_factory=lambda: Histogram(bounds=COMMIT_SIZES))
    commit_seconds: Histogram = msgspec.field(default_factory=lambda: Histogram(bounds=COMMIT_SECONDS))
    failed_commits: int = 0
    queue_bytes: int = 0
    file_bytes: int = 0
    wal_bytes: int = 0


@runtime_checkable
class Measured(Protocol):
    """A store that can say how it is doing."""

    def figures(self) -> StoreFigures:
        """The figures now; called in the event loop, must not wait. Not to be changed by the caller."""
        ...
