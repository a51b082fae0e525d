"""When a connection may try another socket. No I/O, no clock.

Rule 1: whoever tried last has waited by the rules of reading; for all others there is one moment, before which nobody
        tries. So many readers together try no more often than one would.
Rule 2: a socket that told nothing is no better than none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from headwater.client.retry import Backoff, Retry

_NEVER: Final = float("-inf")


class Pace:
    """See the module.

    Args:
        retry: the rules.
        draw: a number from 0 up to 1.
    """

    def __init__(self, retry: Retry, draw: Callable[[], float]) -> None:
        self._backoff: Final = Backoff(retry, draw)
        self._not_before = _NEVER
        self._last: str | None = None  # what the last attempt was for

    def wait(self, path: str | None, now: float) -> float:
        """Seconds until an attempt.

        Args:
            path: the stream that is to be read; None: something is asked.
            now: the moment.
        """
        has_waited = path is not None and path == self._last
        return 0.0 if has_waited else max(0.0, self._not_before - now)

    def begin(self, path: str | None, now: float) -> None:
        """An attempt begins."""
        self._last = path
        self._backoff.begin(now)

    def failed(self, now: float, hint: float | None = None) -> None:
        """There is no socket; `hint`: seconds that the server asked to wait."""
        self._not_before = now + (self._backoff.wait(now, hint) or 0.0)

    def over(self, now: float, *, has_told: bool, is_drained: bool) -> None:
        """A socket is over.

        Args:
            now: the moment.
            has_told: something was answered or told on it.
            is_drained: the server stops, and has said when to come back.
        """
        if not has_told:
            self.failed(now)
            return
        self._backoff.whole()
        if not is_drained:
            self._not_before = _NEVER

    def drained(self, now: float, after: float) -> None:
        """The server stops; this client may come back in so many seconds."""
        self._not_before = max(self._not_before, now + after)

    def reset(self) -> None:
        """Something is better than before: an attempt is worth it at once."""
        self._not_before = _NEVER
        self._backoff.reset()
