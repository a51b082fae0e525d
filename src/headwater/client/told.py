"""What a wire format tells, piece by piece.

Rule: a place to go on from comes with a record, or with the news that there are no more, and from nowhere else: what
a heartbeat says of it is never needed, and so cannot be wrong.
"""

from __future__ import annotations

from typing import Any

import msgspec

from headwater.client.items import Batch, Gap
from headwater.errors import HeadwaterError


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
