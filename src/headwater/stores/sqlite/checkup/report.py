"""What a check found, and how far it is.

Rule: a report is bounded. What is behind `MOST` is counted alone.
"""

from __future__ import annotations

from typing import Final

import msgspec

#: Findings that are kept, of the whole file.
MOST: Final = 1000
#: Findings and readable stretches that are told of one stream.
MOST_OF_A_STREAM: Final = 50


class NotAStore(Exception):
    """The file is none of Headwater's, or a newer release's. Its text says which."""


class Finding(msgspec.Struct, frozen=True):
    """One damage.

    Attributes:
        problem: what is wrong, in a sentence.
        stream: the path of the stream it is about; None: no certain one.
        offset: where in it; None: all of it.
        readable: of the stream: the stretches of its records that can still be read, each from an offset to another.
    """

    problem: str
    stream: str | None = None
    offset: str | None = None
    readable: tuple[tuple[str, str], ...] = ()


class Report(msgspec.Struct):
    """What was looked at, and what was found.

    Attributes:
        findings: the damages, up to `MOST`.
        more: how many others there are.
        notes: what else is to be known.
        version: of the file's schema; 0: it cannot be read.
        streams: how many were looked at; soft-deleted ones too.
        records: the same.
        size: bytes of their data.
    """

    findings: list[Finding] = []  # msgspec copies it
    more: int = 0
    notes: list[str] = []  # msgspec copies it
    version: int = 0
    streams: int = 0
    records: int = 0
    size: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def add(self, finding: Finding) -> None:
        """Keep a finding, or count it."""
        if len(self.findings) < MOST:
            self.findings.append(finding)
        else:
            self.more += 1


class Progress:
    """How far a check is; another thread may look.

    Attributes:
        step: what is being done.
        done: how much of it; of `total`, or 0 of 0 where that is not known.
        total: see `done`.
    """

    def __init__(self) -> None:
        self.step = ""
        self.done = 0
        self.total = 0

    def begin(self, step: str, total: int = 0) -> None:
        """Go on to another step."""
        self.done, self.total = 0, total
        self.step = step
