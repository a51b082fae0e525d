"""Starts the processes of a run, drives them through it, and ends them whatever happens."""

from __future__ import annotations

import contextlib
import queue
import subprocess
import sys
import threading
import time
from types import TracebackType
from typing import Final, Protocol, Self, TypeVar

from headwater.cli.failures import ExitCode, Failure
from headwater.cli.load.messages import (
    Expect,
    Failed,
    Go,
    Order,
    Progress,
    Publish,
    Published,
    Read,
    Ready,
    Received,
    Started,
    Word,
    line,
    word,
)
from headwater.cli.load.outcome import Outcome, outcome
from headwater.cli.load.plan import Plan

#: Beyond what a phase may take by itself.
_MARGIN_SECONDS: Final = 15.0

T = TypeVar("T")


class Watcher(Protocol):
    """Told of what goes on, for a progress bar."""

    def phase(self, name: str, length: int) -> None:
        """A phase begins; it is over after so much progress."""
        ...

    def progress(self, more: int) -> None:
        """So much more."""
        ...


def run(plan: Plan, processes: int, watcher: Watcher) -> Outcome:
    """Connect all readers, publish, and wait for what was published.

    Raises:
        Failure: a reader or an append was refused, or a process of the load failed.
    """
    streams = len(plan.targets)
    with Crew(watcher) as crew:
        for first in range(processes):
            mine = range(first, plan.readers, processes)
            crew.start(Read(plan, tuple(reader % streams for reader in mine)))
        publisher = crew.start(Publish(plan))
        crew.gather(Started, processes + 1, plan.timeout)

        watcher.phase("connecting", plan.readers)
        begin = time.monotonic()
        for index in range(processes):
            crew.tell(index, Go())
        crew.gather(Ready, processes, plan.timeout)
        connect_seconds = time.monotonic() - begin

        watcher.phase("publishing", round(plan.rate * plan.seconds))
        crew.tell(publisher, Go())
        published = crew.gather(Published, 1, plan.seconds + plan.timeout)[0]

        for index in range(processes):
            crew.tell(index, Expect(published.counts))
        received = crew.gather(Received, processes, plan.grace)
        return outcome(plan, connect_seconds, published, received)


class Crew:
    """The processes; a context, at whose end they are gone.

    Args:
        watcher: told of their progress.
    """

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._processes: list[subprocess.Popen[bytes]] = []
        self._threads: list[threading.Thread] = []
        self._words: queue.SimpleQueue[Word | None] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.kill()
        for process, thread in zip(self._processes, self._threads, strict=True):
            process.wait()
            thread.join()
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    def start(self, order: Order) -> int:
        """Start a process, and give it its first order; returns its number."""
        command = [sys.executable, "-m", "headwater.cli.load.worker"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._processes.append(process)
        self._threads.append(threading.Thread(target=self._listen, args=(process,), daemon=True))
        self._threads[-1].start()
        self.tell(len(self._processes) - 1, order)
        return len(self._processes) - 1

    def tell(self, number: int, order: Order) -> None:
        """Send an order; that a process is gone shows in what it says."""
        pipe = self._processes[number].stdin
        assert pipe is not None
        with contextlib.suppress(BrokenPipeError):
            pipe.write(line(order))
            pipe.flush()

    def gather(self, kind: type[T], count: int, seconds: float) -> list[T]:
        """So many words of a kind; progress is passed on.

        Args:
            kind: of the words.
            count: how many, in all.
            seconds: how long a process may be silent; some more are given.

        Raises:
            Failure: a process failed, or said nothing for too long.
        """
        found: list[T] = []
        while len(found) < count:
            try:
                said = self._words.get(timeout=seconds + _MARGIN_SECONDS)
            except queue.Empty:
                raise Failure("load", "a process of the load generator says nothing any more") from None
            match said:
                case Progress(more):
                    self._watcher.progress(more)
                case Failed(code, detail, advice, exit_code):
                    raise Failure(code, detail, advice, exit_code=ExitCode(exit_code))
                case None:
                    raise Failure("load", "a process of the load generator ended before its time")
                case _:
                    assert isinstance(said, kind)
                    found.append(said)
        return found

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        done = False
        for raw in process.stdout:
            said = word.decode(raw)
            done = done or isinstance(said, Published | Received)
            self._words.put(said)
        if not done:
            self._words.put(None)
