"""What the processes of a run tell each other: one JSON message a line."""

from __future__ import annotations

from typing import Final

import msgspec

from headwater.cli.load.histogram import Histogram
from headwater.cli.load.plan import Plan


class Read(msgspec.Struct, frozen=True, tag="read"):
    """To a process: hold these readers.

    Attributes:
        streams: for each reader, the number of its stream.
    """

    plan: Plan
    streams: tuple[int, ...]


class Publish(msgspec.Struct, frozen=True, tag="publish"):
    """To a process: publish."""

    plan: Plan


class Go(msgspec.Struct, frozen=True, tag="go"):
    """To a process: begin."""


class Expect(msgspec.Struct, frozen=True, tag="expect"):
    """To the readers: so many records each stream has."""

    counts: tuple[int, ...]


class Started(msgspec.Struct, frozen=True, tag="started"):
    """From a process: it waits for `Go`."""


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """From a process: so many more readers are connected, or records published."""

    more: int


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """From the readers: all are connected."""


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """From a process: it cannot go on."""

    code: str
    detail: str
    advice: str
    exit_code: int


class Strained(msgspec.Struct, frozen=True):
    """How busy a process was while records were published.

    Attributes:
        cpu: share of one core.
        delays: of the event loop.
    """

    cpu: float
    delays: Histogram


class Received(msgspec.Struct, frozen=True, tag="received"):
    """From the readers, at the end.

    Attributes:
        lost: records that were passed over, or had not come in time.
        repeated: records that came again.
        cuts: connections that ended, and were opened again.
        last_ns: when the last record came.
    """

    delivered: int
    lost: int
    repeated: int
    cuts: int
    last_ns: int
    lags: Histogram
    strain: Strained


class Published(msgspec.Struct, frozen=True, tag="published"):
    """From the process that publishes, at the end.

    Attributes:
        counts: records of each stream.
        began_ns: when the first was due.
        appends: times from a request to its answer.
    """

    counts: tuple[int, ...]
    began_ns: int
    appends: Histogram
    strain: Strained


Order = Read | Publish | Go | Expect
Word = Started | Progress | Ready | Failed | Received | Published

order: Final[msgspec.json.Decoder[Order]] = msgspec.json.Decoder(Order)
word: Final[msgspec.json.Decoder[Word]] = msgspec.json.Decoder(Word)


def line(message: Order | Word) -> bytes:
    """A message, to be sent."""
    return msgspec.json.encode(message) + b"\n"
