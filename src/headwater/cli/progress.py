"""How far long work is, on stderr: one line that is written over, for somebody at a terminal.

Rule 1: it is shown only on a terminal, and not where records are printed on the same one.
Rule 2: work that is over within `QUIET` seconds shows nothing.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self, TextIO

from headwater.cli.output import decimal_size

#: Seconds without a word.
QUIET: Final = 1.0
#: Seconds between two lines.
_EVERY: Final = 0.2
_BAR: Final = 24
_CLEAR: Final = "\r\x1b[K"


class Meter:
    """One line about the work under way.

    Args:
        total: bytes that are to be done; None: nobody knows.
        shown: it is shown at all; None: as stderr is a terminal.
        stream: where.
        clock: seconds from any fixed origin.

    Attributes:
        records: done so far.
        bytes: of them.
        state: what it is doing.
    """

    def __init__(
        self,
        total: int | None = None,
        *,
        shown: bool | None = None,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.records = 0
        self.bytes = 0
        self.state = ""
        self._total: Final = total
        self._stream: Final = sys.stderr if stream is None else stream
        self._shown: Final = self._stream.isatty() if shown is None else shown
        self._clock: Final = clock
        self._began: Final = clock()
        self._last = self._began + QUIET - _EVERY
        self._is_drawn = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.clear()

    def add(self, records: int, size: int) -> None:
        """So much more is done."""
        self.set(self.records + records, self.bytes + size)

    def set(self, records: int, size: int, state: str = "") -> None:
        """So much is done."""
        self.records, self.bytes, self.state = records, size, state
        now = self._clock()
        if self._shown and now - self._last >= _EVERY:
            self._last = now
            self._is_drawn = True
            self._stream.write(_CLEAR + self.line(now - self._began))
            self._stream.flush()

    def line(self, seconds: float) -> str:
        """The line after so many seconds."""
        records = f"{self.records:,} record{'' if self.records == 1 else 's'}"
        rate = decimal_size(round(self.bytes / seconds)) if seconds > 0 else "0 B"
        parts = [records, decimal_size(self.bytes), f"{rate}/s"]
        if self._total:
            share = min(1.0, self.bytes / self._total)
            done = round(share * _BAR)
            left = (self._total - self.bytes) * seconds / self.bytes if self.bytes else 0.0
            parts = [f"[{'#' * done}{'.' * (_BAR - done)}] {share:4.0%}", *parts]
            parts += [f"{max(0.0, left):.0f} s left"] if self.bytes else []
        return "  ".join([*parts, *([self.state] if self.state else [])])

    def clear(self) -> None:
        """Take the line away."""
        if self._is_drawn:
            self._is_drawn = False
            self._stream.write(_CLEAR)
            self._stream.flush()
