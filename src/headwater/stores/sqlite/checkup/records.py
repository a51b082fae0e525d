"""The records of one stream: whole, in order, without holes, with times that never decrease, up to the tail."""

from __future__ import annotations

from math import isfinite
from typing import Any, Final

import msgspec

from headwater.protocol.framing import is_json
from headwater.protocol.ledger import StreamState
from headwater.protocol.offsets import MAX_HALF, offset_at
from headwater.protocol.principals import from_text
from headwater.protocol.spans import MILLIS
from headwater.stores.sqlite.checkup.report import MOST_OF_A_STREAM, Finding, Progress, Report
from headwater.stores.sqlite.checkup.walk import Gap
from headwater.surrogates import mended

_value: Final = msgspec.json.Decoder(msgspec.Raw)
_LINE_BREAKS: Final = (10, 13)
#: Characters of what is wrong.
_SHOWN: Final = 80

#: Of a stream, when no record of it is there.
NO_TIME: Final = -1


class RecordCheck:
    """Takes a stream's records one by one, those of the tables and then those of the journal.

    Args:
        state: the stream as the journal leaves it.
        report: gets the findings and the counts.
        progress: gets the bytes.

    Attributes:
        first: where the first record begins that is there; None: there is none.
    """

    def __init__(self, state: StreamState, report: Report, progress: Progress) -> None:
        self.first: int | None = None
        self._state = state
        self._report = report
        self._progress = progress
        self._is_json = is_json(state.content_type)
        #: Where the stream's own records begin that are kept.
        self._begin = max(state.earliest, state.fork_position)
        self._has_edge = False
        #: Where the next record is to begin; None: behind a gap, anywhere.
        self._next: int | None = None
        self._piece: int | None = None
        self._told = NO_TIME
        self._problems: list[tuple[int | None, str]] = []
        self._more = 0
        self._pieces: list[tuple[int, int]] = []

    def problem(self, text: str, position: int | None = None) -> None:
        """Note a damage, at a position or of the whole stream."""
        if len(self._problems) < MOST_OF_A_STREAM:
            self._problems.append((position, text))
        else:
            self._more += 1

    def gap(self, gap: Gap) -> None:
        """Records cannot be read."""
        self._break()
        place = "" if gap.end is None else f" up to position {gap.end}"
        self.problem(f"records{place} cannot be read: {gap.error}", gap.start)
        self._next = None

    def take(self, position: int, at: Any, told: Any, by: Any, data: Any) -> None:
        """A record, the next one."""
        if type(data) is not bytes or not data:
            self.problem("a record has no bytes", position)
            self._break()
            self._next = None
            return
        self._report.records += 1
        self._report.size += len(data)
        self._progress.done += len(data)
        self._place(position, len(data))
        self._check_times(position, at, told)
        if by is not None and not _is_principal(by):
            self.problem(f"who appended a record is {str(by)[:_SHOWN]!r}, which is nobody", position)
        if self._is_json and not _is_value(data):
            self.problem(f"the {len(data)} bytes of a record are not one JSON value in one line", position)
            self._leave_out(position)

    def _leave_out(self, position: int) -> None:
        """The record there is not what it was: what is readable ends before it, and goes on behind it."""
        if self._piece is not None and self._piece < position:
            self._pieces.append((self._piece, position))
        self._piece = None

    def _place(self, position: int, size: int) -> None:
        if self.first is None:
            self.first = position
            if position < self._state.fork_position:
                self.problem("a record lies before the stream's own", position)
            elif position > self._begin:
                self.problem(f"the records before it, from position {self._begin} on, are missing", position)
        elif self._next is not None and position > self._next:
            self._break()
            self.problem(f"{position - self._next} bytes of records are missing", self._next)
        elif self._next is not None and position < self._next:
            self._break()
            self.problem(f"the record before it has {self._next - position} bytes too many", position)
        if self._piece is None:
            self._piece = position
        self._has_edge = self._has_edge or position == self._begin
        self._next = position + size

    def _check_times(self, position: int, at: Any, told: Any) -> None:
        if type(at) is not float or not isfinite(at):
            self.problem(f"the time of a record is {at}", position)
        if told is None:  # of an older file, which had times that went back with the clock
            return
        if type(told) is not int or not 0 <= told <= MAX_HALF:
            self.problem(f"the time of a record is {told} ms", position)
        elif told < self._told:
            self.problem(f"a record is {self._told - told} ms older than the one before it", position)
        else:
            self._told = told

    def _break(self) -> None:
        if self._piece is not None and self._next is not None:
            self._pieces.append((self._piece, self._next))
        self._piece = None

    def end(self, appended_at: float | None) -> None:
        """There are no more: compare with what the stream says of itself, and report.

        Args:
            appended_at: the time of the last record, as the stream has it; None: it does not say.
        """
        state = self._state
        self._check_end()
        if appended_at is not None and self._told > NO_TIME and abs(self._told - appended_at * MILLIS) > 1:
            self.problem(f"its last record is of {self._told} ms, and by its row of {appended_at * MILLIS:.0f} ms")
        self._break()
        if not self._problems:
            return
        readable = self._readable()
        for position, text in self._problems:
            offset = None if position is None else _offset(state, position)
            self._report.add(Finding(text, state.path, offset, readable))
        if self._more:
            self._report.more += self._more

    def _check_end(self) -> None:
        state, tail = self._state, self._state.tail
        if self.first is None:
            if tail > self._begin and not self._problems:
                self.problem(f"all its {tail - self._begin} bytes of records are missing", self._begin)
            return
        if self._next is not None and self._next < tail:
            self.problem(f"the last {tail - self._next} bytes before its tail are missing", self._next)
        elif self._next is not None and self._next > tail:
            self.problem(f"records go on {self._next - tail} bytes behind its tail", tail)
        elif not self._has_edge and not self._problems and state.earliest < tail:
            self.problem("its earliest offset lies inside a record", self._begin)

    def _readable(self) -> tuple[tuple[str, str], ...]:
        state = self._state
        pieces = [(max(start, self._begin), min(end, state.tail)) for start, end in self._pieces]
        kept = [(start, end) for start, end in pieces if start < end]
        if state.earliest < state.fork_position:  # what it shares with its sources
            kept.insert(0, (state.earliest, state.fork_position))
        return tuple([(_offset(state, start), _offset(state, end)) for start, end in kept[:MOST_OF_A_STREAM]])


def _offset(state: StreamState, position: int) -> str:
    try:
        return offset_at(state.lineage, position)
    except ValueError:  # a position that is none
        return f"position {position}"


def _is_principal(by: Any) -> bool:
    try:
        return bool(from_text(by).subject)
    except (TypeError, ValueError):
        return False


def _is_value(data: bytes) -> bool:
    if any(byte in data for byte in _LINE_BREAKS):
        return False
    try:
        if not data.isascii():
            data.decode()
        _value.decode(data)
    except UnicodeDecodeError:
        return False
    except msgspec.DecodeError:
        whole = mended(data)
        if whole is data:
            return False
        try:
            _value.decode(whole)
        except msgspec.DecodeError:
            return False
    return True
