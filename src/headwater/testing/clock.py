"""A clock that stands still until it is told to move."""

from __future__ import annotations


class ManualClock:
    """Seconds since the Unix epoch, moved by hand; give it to a store as its clock. It comes with a monotonic one.

    Args:
        start: the first moment it shows.
    """

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._now = start
        self._jumped = 0.0

    def __call__(self) -> float:
        """The moment it shows."""
        return self._now

    def monotonic(self) -> float:
        """Seconds that have passed; nobody can set them."""
        return self._now - self._jumped

    def jump(self, seconds: float) -> None:
        """Set the clock forward, or back, while no time passes."""
        self._now += seconds
        self._jumped += seconds

    def advance(self, seconds: float) -> None:
        """Go forward.

        Raises:
            ValueError: `seconds` is negative.
        """
        if seconds < 0:
            raise ValueError("a clock does not go back")
        self._now += seconds
