"""What a reader gives."""

from __future__ import annotations

from enum import Enum
from typing import Generic, TypeVar

import msgspec

from headwater.model import Principal

T = TypeVar("T")


class Item(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """One record.

    Attributes:
        data: its value, of the type that is read.
        offset: behind it: where a read goes on. Of transports that tell offsets only of pages, that of the page before,
            but for the last record: who comes back there sees some again, and loses none.
        at: when it was appended, in seconds since the Unix epoch; None: it came without an envelope.
        by: who appended it, in an envelope; None: the server does not know.
    """

    data: T
    offset: str
    _raw: bytes = b""
    at: float | None = None
    by: Principal | None = None

    @property
    def raw(self) -> bytes:
        """Its bytes as they are stored; over SSE with line feeds for other line ends in text."""
        return self._raw


class Batch(msgspec.Struct, Generic[T], frozen=True):
    """Records that came together.

    Attributes:
        items: the records; may be none.
        offset: behind the last of them.
        up_to_date: there are no more for now.
    """

    items: list[Item[T]]
    offset: str
    up_to_date: bool = False


class Gap(msgspec.Struct, frozen=True):
    """Records that are left out.

    Attributes:
        start: they lie behind this offset; a read from here fetches them, if they are kept.
        end: and before this one.
        offset: where the reader goes on.
        why: `slow`, `retention` or `recreated`.
    """

    start: str
    end: str
    offset: str
    why: str = "slow"


class Ending(Enum):
    """How a read ended."""

    CLOSED = "closed"  # the stream is complete, and all of it was read
    FAILED = "failed"  # the stream ended before it was complete, and all there is was read
    DELETED = "deleted"  # the stream is gone
    REACHED = "reached"  # the tail, of a read that is not live
    STOPPED = "stopped"  # it was closed here
    ERROR = "error"  # see `error`


class End(msgspec.Struct, frozen=True):
    """The end of a read.

    Attributes:
        kind: how.
        offset: where the reader stood.
        error: why, of all but the first.
    """

    kind: Ending
    offset: str
    error: Exception | None = None


class Progress(msgspec.Struct, frozen=True):
    """How far a read is.

    Attributes:
        offset: where it stands.
        records: read so far.
        bytes: received so far.
        up_to_date: there are no more for now.
    """

    offset: str
    records: int
    bytes: int
    up_to_date: bool


class Info(msgspec.Struct, frozen=True):
    """A stream's state.

    Attributes:
        content_type: of it.
        tail: the offset behind its last record.
        earliest: the offset of its first record that is kept; empty: the server does not tell.
        closed: it takes no more records.
        failure: why it was closed before it was complete; empty: it was not.
        failure_message: the same for people.
        ttl: seconds of idleness after which it expires.
        expires_at: when it expires, as it was given.
        retention: how much is kept, as it was given.
        slow: what its slow readers get, as it was given.
        heartbeat: seconds between two heartbeats of its live answers.
        transports: names of those the server has.
        created: the call made it.
    """

    content_type: str
    tail: str
    earliest: str = ""
    closed: bool = False
    failure: str = ""
    failure_message: str = ""
    ttl: int | None = None
    expires_at: str | None = None
    retention: str | None = None
    slow: str | None = None
    heartbeat: float | None = None
    transports: tuple[str, ...] = ()
    created: bool = False
