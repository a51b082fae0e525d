"""How often something may be done: so many times a second, a second's worth at once.

Rule: the memory of somebody is one time, at which all that was done is paid for (the generic cell rate algorithm, ITU-T
I.371). When that is over, there is nothing to remember.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

#: Entries from which is looked for those that are over.
_SWEEP_FROM: Final = 1024


class Rates:
    """The rates of many, each by itself.

    Args:
        rate: times in a window, and at once after one without any.
        window: seconds.
    """

    __slots__ = ("_paid", "_step", "_sweep_at", "_window")

    def __init__(self, rate: int, window: float = 1.0) -> None:
        self._step = window / rate
        self._window = window
        self._paid: dict[Hashable, float] = {}
        self._sweep_at = _SWEEP_FROM

    def __len__(self) -> int:
        return len(self._paid)

    def take(self, who: Hashable, now: float, times: int = 1) -> bool:
        """Count some times; False: it is one too many, and nothing is counted.

        Args:
            who: does it.
            now: seconds from any fixed origin.
            times: how many, none of which is too many where one is not: what is above is paid for before the next.
        """
        paid = max(self._paid.get(who, now), now)
        if paid + self._step - now > self._window + self._step / 2:
            return False
        self._paid[who] = paid + self._step * times
        if len(self._paid) >= self._sweep_at:
            self._sweep(now)
        return True

    def is_spent(self, who: Hashable, now: float) -> bool:
        """Whether one time more would be one too many; nothing is counted."""
        return max(self._paid.get(who, now), now) + self._step - now > self._window + self._step / 2

    def wait(self, who: Hashable, now: float) -> float:
        """Seconds after which one time more is none too many."""
        return max(0.0, self._paid.get(who, now) + self._step - now - self._window)

    def _sweep(self, now: float) -> None:
        self._paid = {who: paid for who, paid in self._paid.items() if paid > now}
        self._sweep_at = max(_SWEEP_FROM, 2 * len(self._paid))
