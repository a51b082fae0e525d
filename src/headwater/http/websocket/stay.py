"""What others see of a connection while it lives, and what becomes of it at its end: the states that it keeps.

Rule: most connections have nothing of it, and no object for it.
"""

from __future__ import annotations

from typing import Final

from headwater.hub import Engine


class Stay:
    """That of one connection.

    Args:
        hub: where it is.

    Attributes:
        by: its name as a sender of signals.
    """

    __slots__ = ("_hub", "_kept_at", "by")

    def __init__(self, hub: Engine) -> None:
        self.by: Final = ("connection", object())
        self._hub = hub
        self._kept_at: set[str] = set()

    def keeps(self, path: str) -> None:
        """It has a state at a stream, which is over with it."""
        self._kept_at.add(path)

    def end(self) -> None:
        """The connection is over."""
        for path in self._kept_at:
            self._hub.signal_sender.end(path, self.by)
