"""Commands: what a request asks for, complete but for the body."""

from __future__ import annotations

from typing import Literal

import msgspec

from headwater.model import Failure, Last, Mode, Producer, SlowPolicy, StreamConfig
from headwater.protocol.preconditions import Condition
from headwater.protocol.signals import Addressed


class Create(msgspec.Struct, frozen=True, gc=False):
    """PUT: create a stream or a fork; the body is its first content."""

    path: str
    config: StreamConfig
    closed: bool
    condition: Condition | None = None


class Write(msgspec.Struct, frozen=True, gc=False):
    """POST: append the body, close, or both; with `create` to a stream that is made if it is not there."""

    path: str
    content_type: str | None
    producer: Producer | None
    seq: str | None
    close: bool
    failure: Failure | None = None
    condition: Condition | None = None
    create: StreamConfig | None = None


class Joins(msgspec.Struct, frozen=True, gc=False):
    """A reader that is a member while it reads; see `presence.requests`. All as sent; None: not sent."""

    member: str | None = None
    key: str | None = None
    connection: str | None = None
    state: str | None = None


class Read(msgspec.Struct, frozen=True, gc=False):
    """GET: records from an offset on, or the newest ones.

    Attributes:
        path: the stream.
        offset: an offset, `-1` or `now`; of no meaning with `last`.
        mode: how to answer.
        resumed: the offset came from `last_event_id`: a browser that was here before.
        cursor: the echoed cursor.
        if_none_match: as sent.
        event_key: plain SSE: key of the records that names the events.
        as_json: plain SSE: the data of each event is a JSON value.
        slow: live reads: what the reader gets when it was too slow; None: as the stream says.
        reader: live reads: what the client calls itself.
        accept_encoding: as sent.
        media_type: the name by which `Accept` asked for the form; None: by none.
        last: where to begin, told from behind; None: at the offset.
        envelope: plain SSE, NDJSON and pages: each record comes with its offset and its time.
        signals: plain SSE and NDJSON: signals are told, too.
        presence: plain SSE and NDJSON: who is there is told, too.
        joins: with `presence`: the member that the reader is; None: none.
        waits: plain SSE, NDJSON and long-poll: a stream that is not there is waited for.
        heartbeat: live reads: seconds of silence before a heartbeat; 0: the server's own.
    """

    path: str
    offset: str
    mode: Mode
    resumed: bool = False
    cursor: str | None = None
    if_none_match: str | None = None
    event_key: str | None = None
    as_json: bool = False
    slow: SlowPolicy | None = None
    reader: str | None = None
    accept_encoding: str | None = None
    media_type: bytes | None = None
    last: Last | None = None
    envelope: bool = False
    waits: bool = False
    signals: bool = False
    presence: bool = False
    joins: Joins | None = None
    heartbeat: int = 0

    @property
    def start(self) -> str | Last:
        """Where to begin."""
        return self.offset if self.last is None else self.last


class Undecided(msgspec.Struct, frozen=True, gc=False):
    """GET whose form depends on the stream's own type: parse the request again, with it.

    Attributes:
        path: the stream.
        presence: it may be a read that is told who is there.
    """

    path: str
    presence: bool = False


class Inspect(msgspec.Struct, frozen=True, gc=False):
    """HEAD: the stream's state."""

    path: str


class Delete(msgspec.Struct, frozen=True, gc=False):
    """DELETE: the stream and its data."""

    path: str
    condition: Condition | None = None


class SendSignal(msgspec.Struct, frozen=True, gc=False):
    """POST to the word `signal` below a stream: tell its live readers something that is not stored.

    Attributes:
        path: the stream.
        content_type: of the body.
        addressed: all of the signal but its data.
        size: of the body, as its head has it; None: it does not say.
    """

    path: str
    content_type: str
    addressed: Addressed
    size: int | None


class Attend(msgspec.Struct, frozen=True, gc=False):
    """POST to the word `presence` below a stream: join, change, be heard or leave; the body says which.

    Attributes:
        path: the stream.
        size: of the body, as its head has it; None: it does not say.
    """

    path: str
    size: int | None


class ListMembers(msgspec.Struct, frozen=True, gc=False):
    """GET of the word `presence` below a stream: who is there.

    Attributes:
        path: the stream.
        after: the last id of the page before; empty: from the first on.
        limit: members, at most.
    """

    path: str
    after: str
    limit: int


class Describe(msgspec.Struct, frozen=True, gc=False):
    """GET of the word `schema` below a stream: what its records, or its signals, must be."""

    path: str
    kind: Literal["record", "signal"]


class Preflight(msgspec.Struct, frozen=True, gc=False):
    """OPTIONS: what a page from another origin may do."""

    path: str


Command = Create | Write | Read | Inspect | Delete | SendSignal | Attend | ListMembers | Describe | Preflight
