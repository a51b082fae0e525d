"""Which of the commands that wait are the next batch, and so the next commit.

Rule 1: a batch is a piece of bounded time: so many commands, bytes or records. One command alone may have more.
Rule 2: small commands do not wait for many large ones. While large ones wait, batches of small ones and of large ones
        take turns, so that a small one waits for one commit of large ones at most, and no large one waits for ever.
Rule 3: of one stream all commands keep their order; calls to different streams at the same time never had one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

from headwater.stores.sqlite.commands import COMMAND_BYTES, Batch, Command, sizes_of
from headwater.stores.sqlite.transaction import SqliteUnit

#: What a batch may hold.
MAX_COMMANDS: Final = 1024
MAX_BYTES: Final = 8 * 1024 * 1024
MAX_RECORDS: Final = 10_000
#: Commands that are looked at together: as a rule they have fewer bytes than there may be records.
_PIECE: Final = 64
#: A command of more bytes is large: a JSON array of as many may have thousands of records.
SMALL_BYTES: Final = 16 * 1024
#: What a batch of large ones may hold.
LARGE_BATCH_BYTES: Final = 1024 * 1024
#: So many small ones fit into a batch, whatever they have.
_ALWAYS_FIT: Final = min(MAX_COMMANDS, MAX_BYTES // SMALL_BYTES)


class Queue:
    """The commands that wait, in the order in which they came."""

    def __init__(self) -> None:
        self._waiting: deque[Command] = deque()
        self._large = 0
        self._large_next = False

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, commands: Batch) -> None:
        """Let commands wait behind the others."""
        self._waiting.extend(commands)
        self._large += _count_large(commands)

    def give_back(self, commands: Batch) -> None:
        """Let commands wait before the others, to be taken again; as a rule there are none."""
        if not commands:
            return
        self._waiting.extendleft(reversed(commands))
        self._large += _count_large(commands)

    def take(self) -> Batch:
        """The next batch; empty, if nothing waits."""
        if not self._large:
            if len(self._waiting) <= _ALWAYS_FIT:
                batch: Batch = list(self._waiting)
                self._waiting.clear()
                return batch
            batch, size = [], 0
            while self._waiting and len(batch) < MAX_COMMANDS:
                size += self._waiting[0].size
                if size > MAX_BYTES:
                    break
                batch.append(self._waiting.popleft())
            return batch
        batch = self._pick(large=self._large_next) or self._pick(large=not self._large_next)
        self._large_next = batch[0].size <= SMALL_BYTES
        return batch

    def _pick(self, *, large: bool) -> Batch:
        """Take commands of one kind, those left out whose stream has an earlier one that stays."""
        batch: Batch = []
        left: deque[Command] = deque()
        held: set[str] = set()
        room = LARGE_BATCH_BYTES if large else MAX_BYTES
        for command in self._waiting:
            fits = not batch or (command.size <= room and len(batch) < MAX_COMMANDS)
            if fits and (command.size > SMALL_BYTES) is large and held.isdisjoint(command.paths):
                batch.append(command)
                room -= command.size
            else:
                left.append(command)
                held.update(command.paths)
        self._waiting = left
        if large:
            self._large -= len(batch)
        return batch


def _count_large(commands: Sequence[Command]) -> int:
    if max(sizes_of(commands)) <= SMALL_BYTES:
        return 0
    return sum([command.size > SMALL_BYTES for command in commands])


def run_bounded(batch: Batch, unit: SqliteUnit) -> Batch:
    """Run the commands up to `MAX_RECORDS`; those that are left are taken out of the batch and returned."""
    for start in range(0, len(batch), _PIECE):
        piece = batch[start : start + _PIECE]
        if sum(sizes_of(piece)) - COMMAND_BYTES * len(piece) <= MAX_RECORDS - len(unit.records):
            for command in piece:
                command.run_on(unit)
            continue
        for number, command in enumerate(piece, start):
            room = MAX_RECORDS - len(unit.records)
            if command.size > room and number and command.most_records > room:
                left = batch[number:]
                del batch[number:]
                return left
            command.run_on(unit)
    return []
