"""What a store promises. `headwater.testing.check_store` tests all of it, for any store.

Rule 1: bytes and offsets only; no framework types, no HTTP.
Rule 2: when `create`, `append` or `delete` returns, its effect is durable as configured, and reads see it.
Rule 3: a refused or failed call changes nothing.
Rule 4: abilities beyond these are protocols of their own, never a NotImplementedError.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol, runtime_checkable

import msgspec

from headwater.histogram import Histogram
from headwater.model import Appended, Batch, Change, Created, StreamConfig, StreamInfo
from headwater.protocol.ledger import Append

#: Seconds since the Unix epoch; given to a store so that tests can turn the clock.
Clock = Callable[[], float]
#: Called in the event loop, in commit order, after the commit; must not block or raise.
Watcher = Callable[[Change], None]
#: Called once in the event loop with what `append` returns or raises; must not block or raise.
Done = Callable[[Appended | Exception], None]

#: Bytes a read returns at most unless told otherwise.
DEFAULT_READ_LIMIT: Final = 1024 * 1024


class Store(Protocol):
    """A set of named logs. All methods run in one event loop, the one that called `open`."""

    async def open(self) -> None:
        """Make ready: connect, migrate, recover.

        Raises:
            StoreUnavailable: it cannot be used; the message says why.
        """
        ...

    async def aclose(self) -> None:
        """Finish the writes under way and let go of every resource. May be called twice."""
        ...

    async def create(self, path: str, config: StreamConfig, body: bytes = b"", *, closed: bool = False) -> Created:
        """Create a stream or a fork, or confirm that the same one exists.

        Args:
            path: the new stream's path, checked by the caller.
            config: what it is created with.
            body: its first bytes, split into records as its content type says.
            closed: create it closed, with `body` as its whole content.

        Raises:
            StreamExists: a different stream is at the path.
            StreamNotFound, SourceGone, ContentTypeMismatch, InvalidOffset, BadRequest: the fork cannot be made.
            InvalidBody: the body does not fit the content type.
            StoreUnavailable: nothing was written.
        """
        ...

    async def append(self, path: str, request: Append) -> Appended:
        """Append records, close, or both, in one atomic step; producer state included.

        Raises:
            StreamNotFound, StreamGone: there is nothing to append to.
            StreamClosed, ContentTypeMismatch, InvalidBody, SequenceRegression: see `errors`.
            InvalidProducer, ProducerFenced, ProducerGap: see `protocol.producing`.
            StoreUnavailable: nothing was written.
        """
        ...

    async def read(self, path: str, offset: str, *, limit: int = DEFAULT_READ_LIMIT, whole: int = 0) -> Batch:
        """Records from an offset on, as many as fit `limit` bytes; counts as use for the TTL.

        Args:
            path: the stream.
            offset: an offset of this stream, `-1` or `now`.
            limit: bytes; a record of bytes is cut at it, a JSON value larger than it comes alone.
            whole: bytes up to which a record of bytes is not cut either, and comes alone if it is over the limit.

        Raises:
            StreamNotFound, StreamGone: there is nothing to read.
            InvalidOffset, OffsetGone: the offset is not of this stream, or no longer kept.
            StoreUnavailable: the read failed.
        """
        ...

    async def info(self, path: str) -> StreamInfo:
        """The stream's state; does not count as use.

        Raises:
            StreamNotFound, StreamGone: there is none.
        """
        ...

    async def delete(self, path: str) -> None:
        """Delete a stream; while forks read it, only its path is gone (soft-delete, protocol section 5.4).

        Raises:
            StreamNotFound, StreamGone: there is nothing to delete.
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

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Have every change told; returns the function that ends it."""
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
class Prompt(Protocol):
    """A store that has some answers in memory and gives them without a coroutine, for a driver that has many to ask."""

    def info_at_once(self, path: str) -> StreamInfo | None:
        """`Store.info`; None: it takes waiting, or is an error.

        Args:
            path: the stream.
        """
        ...

    def read_at_once(self, path: str, offset: str, *, limit: int = DEFAULT_READ_LIMIT, whole: int = 0) -> Batch | None:
        """`Store.read`; None: it takes waiting, or is an error.

        Args:
            path: the stream.
            offset: see `Store.read`.
            limit: see `Store.read`.
            whole: see `Store.read`.
        """
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
