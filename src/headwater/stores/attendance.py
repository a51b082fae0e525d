"""Who says that a stream is watched; see `Store.attend`."""

from __future__ import annotations

from collections.abc import Callable

from headwater.protocol.ledger import Watched


class Attendance:
    """Those who are asked. Itself a `Watched`; they come and go in the event loop, and any thread may ask."""

    def __init__(self) -> None:
        self._asked: tuple[Watched, ...] = ()

    def __call__(self, path: str) -> bool:
        """Whether one of them says so."""
        return any(watched(path) for watched in self._asked)

    def add(self, watched: Watched) -> Callable[[], None]:
        """Ask one more; returns the function that ends it."""
        self._asked += (watched,)
        return lambda: self._remove(watched)

    def _remove(self, watched: Watched) -> None:
        left = list(self._asked)
        if watched in left:
            left.remove(watched)
        self._asked = tuple(left)
