"""When to connect again: full jitter, as a pure function of the attempt and a random number.

Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
"""

from __future__ import annotations


def delay(attempt: int, draw: float, *, base: float = 0.5, cap: float = 30.0) -> float:
    """Seconds to wait before an attempt.

    Args:
        attempt: 0 for the first retry.
        draw: a number from 0 up to 1, drawn by the caller.
        base: the longest first wait.
        cap: the longest wait of all.
    """
    return draw * min(cap, base * 2.0 ** min(attempt, 32))


def share(window: float, draw: float) -> float:
    """A reader's own moment in a drain window, so that not all come back at once; in seconds."""
    return window * draw
