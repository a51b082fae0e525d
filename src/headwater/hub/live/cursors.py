"""When reads of many streams are told where they stand: at most once a second, while something is sent to them.

Rule: a delivery notes whose it was, for all members of a group in one step; nobody is looked at until a cursor is due.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Final, Protocol

from headwater.hub.timers import Timers

_log: Final = logging.getLogger("headwater")

#: Seconds between two cursors of a reader: what comes again, at most, when its connection is cut.
EVERY: Final = 1.0
#: Readers told in one turn of the event loop.
TURN: Final = 100


class Told(Protocol):
    """Who has a cursor."""

    def tell_cursor(self) -> None:
        """Tell it, if it has moved."""
        ...


class Cursors:
    """The cursors of a hub that are due.

    Args:
        timers: the hub's.

    Attributes:
        every: seconds between two of a reader.
    """

    def __init__(self, timers: Timers) -> None:
        self.every = EVERY
        #: In a round, the text of those who stand at a place; None: there is no round.
        self._shared: dict[object, str] | None = None
        self._timers = timers
        self._due: set[Told] = set()
        self._telling: dict[Told, None] = {}
        self._sleeps = False

    def touched(self, readers: Iterable[Told]) -> None:
        """Something was sent to them."""
        self._due.update(readers)
        if not self._sleeps:
            self._sleeps = True
            self._timers.after(self.every, self._wake)

    def forget(self, reader: Told) -> None:
        """It has ended."""
        self._due.discard(reader)
        self._telling.pop(reader, None)

    def share(self, place: object, make: Callable[[], str]) -> str:
        """The text of a reader; in a round it is made once for all who stand at the same place.

        Args:
            place: equal for these; None: nobody else stands there.
            make: makes it.
        """
        if self._shared is None or place is None:
            return make()
        found = self._shared.get(place)
        if found is None:
            found = self._shared[place] = make()
        return found

    def _wake(self) -> None:
        due, self._due = self._due, set()
        self._sleeps = False
        was_telling = bool(self._telling)
        self._telling.update(dict.fromkeys(due))
        if not was_telling:
            self._tell()

    def _tell_one(self, reader: Told) -> None:
        try:
            reader.tell_cursor()
        except Exception:
            # A mistake of ours in one read is not the end of the cursors of all others.
            _log.exception("the cursor of a read of many streams")

    def _tell(self) -> None:
        self._shared = {}
        for reader in list(islice(self._telling, TURN)):
            if reader in self._telling:
                del self._telling[reader]
                self._tell_one(reader)
        self._shared = None
        if self._telling:
            asyncio.get_running_loop().call_soon(self._tell)
