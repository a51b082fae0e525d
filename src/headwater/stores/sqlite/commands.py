"""What the writer is asked to do: steps that run in a batch and are answered after its commit.

Rule: a refusal (`HeadwaterError`) is a step's outcome; whatever else it raises is the batch's concern.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import ClassVar, Final, Generic, Protocol, TypeVar

import msgspec

from headwater.errors import HeadwaterError
from headwater.model import Appended
from headwater.protocol.framing import is_json, keeps_records
from headwater.protocol.ledger import Append
from headwater.stores import unit as steps
from headwater.stores.base import Done
from headwater.stores.draft import append_all_or_forget
from headwater.stores.sqlite.transaction import SqliteUnit
from headwater.stores.timekeeper import Moment

T = TypeVar("T")

#: What a command holds in memory beside its data.
COMMAND_BYTES: Final = 1024

#: Appends of one step between two moments in which others may have the interpreter.
_PIECE: Final = 64

_logger: Final = logging.getLogger("headwater.sqlite")


class Command(Protocol):
    """One step for the writer.

    Attributes:
        size: bytes it holds in memory.
        paths: the streams that it changes or follows; see `Queue`.
    """

    size: int

    @property
    def paths(self) -> tuple[str, ...]:
        """See the class."""
        ...

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        ...

    @property
    def most_records(self) -> int:
        """Records that it may add, at most: `size` or less."""
        ...

    def run_on(self, unit: SqliteUnit) -> None:
        """Run the step; it may run again on a fresh unit, if its batch fails. The thread's."""
        ...

    def fail(self, error: Exception) -> None:
        """Make an error the outcome."""
        ...

    def resolve(self) -> None:
        """Answer the caller. The event loop's."""
        ...


class Step(Generic[T]):
    """Any step, for a caller that awaits it.

    Args:
        run: the step.
        now: time of the call.
        future: the caller's.
        size: bytes of data in it.
        reads: it changes nothing.
        paths: see `Command`; none: its place among the others does not matter.
        appends: that are in it.
    """

    __slots__ = ("appends", "error", "future", "now", "paths", "reads", "result", "run", "size")

    def __init__(
        self,
        run: Callable[[SqliteUnit], T],
        now: Moment,
        future: asyncio.Future[T],
        size: int,
        reads: bool,
        paths: tuple[str, ...] = (),
        appends: Sequence[Append] = (),
    ) -> None:
        self.paths = paths
        self.appends = appends
        self.run = run
        self.now = now
        self.future = future
        self.size = size + COMMAND_BYTES
        self.reads = reads
        self.result: T | None = None
        self.error: Exception | None = None

    @property
    def most_records(self) -> int:
        """See `Command.most_records`."""
        return sum(map(_most_records, self.appends))

    def run_on(self, unit: SqliteUnit) -> None:
        """See `Command.run_on`."""
        self.error = None
        unit.now, unit.steady = self.now
        try:
            self.result = self.run(unit)
        except HeadwaterError as error:
            self.error = error

    def fail(self, error: Exception) -> None:
        """See `Command.fail`."""
        self.error = error

    def resolve(self) -> None:
        """See `Command.resolve`; a caller that has gone is not."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)  # type: ignore[arg-type]


def _most_records(request: Append) -> int:
    """Records of an append, at most: values of JSON have commas between them."""
    kind, body = request.content_type, request.body
    if request.is_value or not (kind is None or keeps_records(kind)):
        return 1
    return body.count(b",") + 1 if kind is None or is_json(kind) else len(body)


def _answered(outcome: Appended | Exception) -> None:
    """Who was called, once it was."""


def appends_together(
    unit: SqliteUnit, appends: Sequence[tuple[str, Append]], paths: Collection[str], max_records: int | None
) -> list[Appended]:
    """The step of `Atomic.append_all`."""
    unit.look_up(paths)
    return append_all_or_forget(unit, _unhurried(appends), max_records)


def _unhurried(appends: Sequence[tuple[str, Append]]) -> Iterator[tuple[str, Append]]:
    """The same, so that the event loop gets the interpreter in between.

    It would wait for the switch interval of 5 ms, and again behind each call in which it lets go of the lock.
    """
    for number, append in enumerate(appends, 1):
        yield append
        if not number % _PIECE:
            time.sleep(0)


class Posted(msgspec.Struct, gc=False):
    """An append, for a caller that is called.

    Attributes:
        path: the stream.
        request: what to append.
        now: time of the call.
        done: see `Posting.post`.
        size: see `Command`.
        outcome: what `done` is called with.
    """

    path: str
    request: Append
    now: Moment
    done: Done
    size: int
    outcome: Appended | Exception | None = None

    reads: ClassVar[bool] = False

    @property
    def paths(self) -> tuple[str, ...]:
        """See `Command.paths`."""
        return (self.path,)

    @property
    def most_records(self) -> int:
        """See `Command.most_records`."""
        return _most_records(self.request)

    def run_on(self, unit: SqliteUnit) -> None:
        """See `Command.run_on`."""
        unit.now, unit.steady = self.now
        try:
            self.outcome = steps.append(unit, self.path, self.request)
        except HeadwaterError as error:
            # A refusal is an answer; nobody looks at its traceback, which keeps all frames up to this one.
            self.outcome = error.with_traceback(None)

    def fail(self, error: Exception) -> None:
        """See `Command.fail`."""
        self.outcome = error

    def resolve(self) -> None:
        """See `Command.resolve`. What is not tracked by the collector must not be part of a circle, so it lets go."""
        done, self.done = self.done, _answered
        outcome, self.outcome = self.outcome, None
        try:
            done(outcome)  # type: ignore[arg-type]  # it was run
        except Exception:
            # It must not raise; if it does, the others of the batch are still answered.
            _logger.exception("the answer to an append to %r", self.path)


Batch = list[Command]

_size: Final[Callable[[Command], int]] = attrgetter("size")
_reads: Final[Callable[[Command], bool]] = attrgetter("reads")


def sizes_of(commands: Iterable[Command]) -> Iterator[int]:
    """The bytes of each. Every append is in two of these, which take no Python of their own."""
    return map(_size, commands)


def count_writes(commands: Sequence[Command]) -> int:
    """How many change something."""
    return len(commands) - sum(map(_reads, commands))
