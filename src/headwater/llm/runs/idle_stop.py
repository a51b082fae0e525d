"""Runs that stop when nobody has watched them for a while, for those who do not want to pay for what nobody reads."""

from __future__ import annotations

import time

from headwater.hub import Engine


class Unwatched:
    """Looks who is watched.

    Args:
        hub: whose readers count.
    """

    def __init__(self, hub: Engine) -> None:
        self._hub = hub
        self._runs: dict[str, tuple[str, float, float]] = {}

    def add(self, run: str, path: str, seconds: float | None) -> None:
        """Look after a run; None: it is pinned, and runs to its end whoever watches."""
        if seconds is not None:
            self._runs[run] = path, seconds, time.monotonic()

    def discard(self, run: str) -> None:
        """The run has ended."""
        self._runs.pop(run, None)

    def due(self, now: float) -> list[str]:
        """The runs whose time without a reader is over; `now` is on the clock of timers."""
        found = []
        for run, (path, seconds, seen) in self._runs.items():
            if self._hub.reader_count(path):
                self._runs[run] = path, seconds, now
            elif now - seen >= seconds:
                found.append(run)
        return found
