"""How what lives by proofs ends: it is told nothing more at once, and its end in its turn.

Rule 1: they are hushed in the call that ends them, a thousand of them, and the others in the next turns. So what is
        written behind it reaches none of the thousand, however busy the machine is.
Rule 2: to tell the end and to close takes turns of the event loop, of so many each, whatever the number of proofs.
Rule 3: what is the same for many, such as the last frame of a group, is made once for an end. None of them has a task,
        a timer or a line of the log for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import partial
from typing import Any, Final, ParamSpec, Protocol, TypeVar, cast

_log: Final = logging.getLogger("headwater")

#: That are ended in one turn of the event loop, and those that are hushed: some milliseconds.
TURN: Final = 100
HUSHED: Final = 500

EXPIRED: Final = "expired"
REVOKED: Final = "revoked"
KICKED: Final = "kicked"
CHANGED: Final = "changed"
#: Of these, those with which nobody comes back without another proof.
OVER: Final = frozenset({EXPIRED, REVOKED})
#: Those with which a WebSocket is asked about again, and may go on.
ASKED_AGAIN: Final = frozenset({EXPIRED, CHANGED})

P = ParamSpec("P")
T = TypeVar("T")


class AccessEnd:
    """One end, of one reader or of ten thousand.

    Args:
        reason: `EXPIRED`, `REVOKED`, `KICKED`, or `CHANGED`: they may do something else now, and must ask again.
        retry_after: seconds after which they are to come back.

    Attributes:
        reason: as given.
        retry_after: as given.
    """

    __slots__ = ("_made", "reason", "retry_after")

    def __init__(self, reason: str, retry_after: float = 0.0) -> None:
        self.reason: Final = reason
        self.retry_after: Final = retry_after
        self._made: Final[dict[Hashable, Any]] = {}

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What is made once for all that end here.

        Args:
            key: of what they have in common.
            make: makes it.
        """
        made = self._made
        if key not in made:
            made[key] = make()
        return cast(T, made[key])


class Living(Protocol):
    """What lives by a proof: a response that goes on, a connection, a request that waits."""

    def hush(self, end: AccessEnd) -> None:
        """Tell no more records; that it ends is told by `end_access`, soon."""
        ...

    def end_access(self, end: AccessEnd) -> None:
        """Tell that it is over, why and when to come back, and end."""
        ...

    def tell_expiring(self, at: float) -> None:
        """Tell that it will be over then, in seconds since the Unix epoch."""
        ...


class Turns:
    """What is due to many, so much in a turn of the event loop.

    What waits is kept as it came: an object for each that is due would have Python look for circles among all others.
    """

    def __init__(self) -> None:
        self._left: Final[deque[tuple[Iterator[Callable[[], None]], int]]] = deque()
        self._next: asyncio.Handle | None = None

    def end(self, living: Iterable[Living], end: AccessEnd, then: Callable[[], None]) -> None:
        """End all of these.

        Args:
            living: each of them.
            end: theirs.
            then: called when all were told.
        """
        ending = list(living)
        for one in ending[:HUSHED]:
            _try(one.hush, end)
        self._add((partial(one.hush, end) for one in ending[HUSHED:]), 1)
        self._add((partial(one.end_access, end) for one in ending), HUSHED // TURN)
        self.take((then,))

    def take(self, calls: Iterable[Callable[[], None]]) -> None:
        """Do all of this, the first of it now, if nobody else has the turn."""
        self._add(iter(list(calls)), HUSHED // TURN)
        if self._next is None:
            self._turn()

    def _add(self, calls: Iterator[Callable[[], None]], cost: int) -> None:
        self._left.append((calls, cost))

    def _turn(self) -> None:
        left, room = self._left, HUSHED
        # What else is due in this turn of the loop waits for the next one, also if this is all.
        self._next = asyncio.get_running_loop().call_soon(self._turn) if left else None
        while left and room > 0:
            calls, cost = left[0]
            call = next(calls, None)
            if call is None:
                left.popleft()
                continue
            room -= cost
            _try(call)


def _try(call: Callable[P, None], *arguments: P.args, **named: P.kwargs) -> None:
    try:
        call(*arguments, **named)
    except Exception:
        _log.exception("something that lived by a proof did not end")
