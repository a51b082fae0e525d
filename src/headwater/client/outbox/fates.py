"""What becomes of a record that is kept."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from headwater.errors import HeadwaterError

State = Literal["stored", "sent", "acknowledged", "refused", "expired", "unknown", "full"]

#: Behind which nothing more happens to a record.
LAST = ("acknowledged", "refused", "expired", "unknown", "full")


class Kept(msgspec.Struct):
    """A record that is kept.

    Attributes:
        key: above those of all records before it.
        url: of its stream.
        kind: the stream's content type.
        body: its bytes.
        at: when it was appended, in seconds since the Unix epoch.
        create: headers with which the stream is made, if there is none; None: it is not made.
        epoch: of its batch, from the moment it is frozen.
        seq: of the same.
    """

    key: int
    url: str
    kind: str
    body: bytes
    at: float
    create: dict[str, str] | None = None
    epoch: int | None = None
    seq: int | None = None

    @property
    def is_frozen(self) -> bool:
        """Whether its batch has its number."""
        return self.seq is not None


class Fate(msgspec.Struct, frozen=True):
    """What became of a record.

    Attributes:
        state: `stored`: it is in the file. `sent`: its batch has its number and goes out. `acknowledged`: the server
            has it. `refused`: the server will never take it. `expired`: it was not sent in time. `unknown`: it was
            sent, and who could say whether it arrived has forgotten. `full`: there was no room; it was not kept.
        key: the record's number in this file; 0 of `full`.
        url: its stream.
        data: its value, as JSON, text or bytes have it.
        offset: where the stream was behind its batch, of `acknowledged`; empty: the server did not say.
        error: why, of `refused`, `expired`, `unknown` and `full`.
    """

    state: State
    key: int
    url: str
    data: Any
    offset: str = ""
    error: HeadwaterError | None = None
