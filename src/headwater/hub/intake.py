"""The bytes of request bodies that are under way, all together, and which of them is refused when they are too many.

Rule 1: what has arrived counts, not what was announced: a head alone holds nothing. A body that came whole never does.
Rule 2: large bodies have three quarters of the budget; a quarter is kept for those of at most `SMALL_BYTES`, which may
        also use what the large ones leave.
Rule 3: the bodies of one peer have an eighth. At least one body of any allowed size fits in: the budget is never less
        than eight of them.
Rule 4: above a limit the slowest large body goes, and only where there is none the slowest small one. The slowest is
        the one whose last `STEP_BYTES` are the longest ago, or whose beginning is.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Final

#: A body up to this size is small.
SMALL_BYTES: Final = 64 * 1024
#: A body that has brought so many more bytes is the quickest again.
STEP_BYTES: Final = 64 * 1024
#: Bodies of the largest allowed size that fit in any budget.
LEAST_BODIES: Final = 8


class Body:
    """A body under way; made by `Intake.begin`.

    Attributes:
        size: bytes that have arrived.
        refused: it has to go; nothing more of it is taken.
    """

    __slots__ = ("_refuse", "is_large", "peer", "refused", "size", "step")

    def __init__(self, peer: Hashable | None, refuse: Callable[[], None]) -> None:
        self.peer: Final = peer
        self.size = 0
        self.step = 0
        self.is_large = False
        self.refused = False
        self._refuse: Callable[[], None] | None = refuse

    def refuse(self) -> None:
        """Tell the one who takes it."""
        self.refused = True
        told, self._refuse = self._refuse, None
        if told is not None:
            told()

    def forget(self) -> None:
        """Nobody takes it any more; who did keeps it, and they would hold each other."""
        self._refuse = None


#: Bodies in the order of their last steps, the slowest first.
Bodies = dict[Body, None]


class Intake:
    """The bodies under way. No clock: they stand in the order in which they last got on.

    Args:
        budget: bytes of all; raised to `LEAST_BODIES` times `max_body_bytes`.
        max_body_bytes: of the largest body.

    Attributes:
        budget: as it holds.
        held: bytes that have arrived, of all bodies under way.
    """

    def __init__(self, budget: int, max_body_bytes: int) -> None:
        self.budget: Final = max(budget, LEAST_BODIES * max_body_bytes)
        self.held = 0
        self._held_large = 0
        self._held_by: dict[Hashable, int] = {}
        self._large: Bodies = {}
        self._small: Bodies = {}

    def __len__(self) -> int:
        """Bodies of which something has arrived, and something is missing."""
        return len(self._large) + len(self._small)

    def begin(self, peer: Hashable | None, refuse: Callable[[], None]) -> Body:
        """A body of which a part is missing.

        Args:
            peer: whose it is; None: not known, and only the whole budget counts.
            refuse: called once, if it has to go, while it or another one grows.
        """
        return Body(peer, refuse)

    def arrived(self, body: Body, size: int) -> None:
        """Bytes of a body have arrived; refuses bodies until all limits hold, this one perhaps."""
        if body.refused or not size:
            return
        if not body.size:
            self._small[body] = None
        body.size += size
        self.held += size
        self._held_large += size if body.is_large else 0
        if body.peer is not None:
            self._held_by[body.peer] = self._held_by.get(body.peer, 0) + size
        if not body.is_large and body.size > SMALL_BYTES:
            del self._small[body]
            self._large[body] = None
            body.is_large = True
            self._held_large += body.size
        if body.size - body.step >= STEP_BYTES:
            body.step = body.size
            bodies = self._large if body.is_large else self._small
            del bodies[body]
            bodies[body] = None
        while (worst := self._worst(body.peer)) is not None:
            self._let_go(worst)
            worst.refuse()

    def end(self, body: Body) -> None:
        """A body is whole, or broke off; one that was refused has ended already."""
        body.forget()
        if body.size and not body.refused:
            self._let_go(body)

    def _worst(self, peer: Hashable | None) -> Body | None:
        """Who has to go; only one peer's share can have grown. None: nobody."""
        if peer is not None and self._held_by.get(peer, 0) > self.budget // 8:
            return _slowest(self._large, self._small, peer)
        if self._held_large > self.budget - self.budget // 4:
            return next(iter(self._large))
        if self.held > self.budget:
            return next(iter(self._large or self._small))
        return None

    def _let_go(self, body: Body) -> None:
        del (self._large if body.is_large else self._small)[body]
        self.held -= body.size
        self._held_large -= body.size if body.is_large else 0
        if body.peer is not None and body.peer in self._held_by:
            left = self._held_by[body.peer] - body.size
            if left > 0:
                self._held_by[body.peer] = left
            else:
                del self._held_by[body.peer]


def _slowest(large: Bodies, small: Bodies, peer: Hashable) -> Body | None:
    for bodies in (large, small):
        for body in bodies:
            if body.peer == peer:
                return body
    return None
