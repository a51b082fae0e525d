"""What a wire format tells, piece by piece.

Rule: a place to go on from comes with a record, or with the news that there are no more, and from nowhere else: what
a heartbeat says of it is never needed, and so cannot be wrong.
"""

from __future__ import annotations

from typing import Any

import msgspec

from headwater.client.items import Batch, Gap
from headwater.errors import HeadwaterError
from headwater.model import Principal


class UpToDate(msgspec.Struct, frozen=True):
    """There is no more up to this offset, for now."""

    offset: str


class Alive(msgspec.Struct, frozen=True):
    """Nothing happened, and the connection is well."""


class Absent(msgspec.Struct, frozen=True):
    """There is no stream yet."""


class Made(msgspec.Struct, frozen=True):
    """There is one now."""

    content_type: str
    offset: str


class Heard(msgspec.Struct, frozen=True):
    """A signal, or who is there.

    Attributes:
        line: as a line of NDJSON without its end.
    """

    line: bytes


class Signal(msgspec.Struct, frozen=True, rename={"sender": "from"}):
    """Something that is told to live readers and stored nowhere.

    Attributes:
        data: what is told; None: bytes, which are in `b`.
        sender: whose it is.
        to: the only one who is told.
        topic: what it is about.
        keep: it is the sender's state in the topic, for so many seconds; 0: it is over.
        b: bytes.
        by: who sent it, where that is proven; None: `sender` is what a client says.
    """

    data: Any = None
    sender: str | None = None
    to: str | None = None
    topic: str | None = None
    keep: int | None = None
    b: bytes | None = None
    by: Principal | None = None


class _Line(msgspec.Struct):
    control: str


def signal_of(heard: Heard) -> Signal | None:
    """What was heard, if it is a signal."""
    if msgspec.json.decode(heard.line, type=_Line).control != "signal":
        return None
    return msgspec.json.decode(heard.line, type=Signal)


class Closed(msgspec.Struct, frozen=True):
    """The stream is complete, and all of it was told."""

    offset: str


class Failed(msgspec.Struct, frozen=True):
    """The stream ended before it was complete, and all there is was told."""

    offset: str
    code: str
    message: str


class Refused(msgspec.Struct, frozen=True):
    """The server ended the answer, and said why."""

    error: HeadwaterError


class Bad(msgspec.Struct, frozen=True):
    """A record is not of the type that is read; the last that is told."""

    error: HeadwaterError


class Detached(msgspec.Struct, frozen=True):
    """The server lets the reader go, who may come back.

    Attributes:
        retry_after: seconds, of this reader's own; None: at once.
        why: empty: its time was over.
    """

    retry_after: float | None = None
    why: str = ""


Told = Batch[Any] | Gap | UpToDate | Alive | Absent | Made | Heard | Closed | Failed | Refused | Bad | Detached
