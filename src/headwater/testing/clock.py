"""A clock that stands still until it is told to move."""

from __future__ import annotations


class ManualClock:
    """Seconds since the Unix epoch, moved by hand; give it to a store or a hub as its clock.

    Args:
        start: the first moment it shows.
    """

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._now = start

    def __call__(self) -> float:
        """The moment it shows."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Go forward.

        Raises:
            ValueError: `seconds` is negative.
        """
        if seconds < 0:
            raise ValueError("a clock does not go back")
        self._now += seconds
