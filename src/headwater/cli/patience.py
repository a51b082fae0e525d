"""When to try again and when to give up, for commands that outlive a connection.

Rule 1: a server that was never reached is a wrong address, and fails at once; one that was is waited for.
Rule 2: a wait is full jitter (protocol/backoff.py), and never shorter than what the server asked for.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Final, TypeVar

from headwater.cli import output
from headwater.cli.failures import Failure, Unreachable
from headwater.protocol.backoff import delay

T = TypeVar("T")


class Patience:
    """Waits between attempts, until something works again.

    Args:
        retry_for: seconds of trouble after which to give up; None: never.
        clock: seconds from any fixed origin.
        sleep: waits for so many seconds.
        draw: a number from 0 up to 1.

    Attributes:
        retry_for: as given.
    """

    def __init__(
        self,
        retry_for: float | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.retry_for: Final = retry_for
        self._clock = clock
        self._sleep = sleep
        self._draw = draw
        self._reached = False
        self._attempt = 0
        self._since: float | None = None  # when the trouble began; None: all is well

    def worked(self) -> None:
        """The server did what it was asked: the next trouble is a new one."""
        self._reached = True
        self._attempt = 0
        self._since = None

    def wait(self, failure: Failure) -> None:
        """Wait for the time of the next attempt.

        Raises:
            Failure: the one given, when another attempt would not help, or time is up.
        """
        self._reached |= not isinstance(failure, Unreachable)
        if not failure.passing or not self._reached:
            raise failure
        now = self._clock()
        if self._since is None:
            self._since = now
        pause = max(delay(self._attempt, self._draw()), failure.retry_after)
        if self.retry_for is not None and now + pause - self._since > self.retry_for:
            raise failure
        self._attempt += 1
        output.note(f"{failure.detail}; again in {pause:.1f} s")
        self._sleep(pause)

    def ask(self, call: Callable[[], T]) -> T:
        """What `call` returns, called until it works.

        Raises:
            Failure: see `wait`.
        """
        while True:
            try:
                answer = call()
            except Failure as failure:
                self.wait(failure)
            else:
                self.worked()
                return answer
