"""One proof by which something lives, and those of one principal, or of one parent.

Rule: most principals have one proof, and by most proofs one thing lives; one takes no set.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from typing import TypeVar

from headwater.hub.access.end import Living
from headwater.hub.access.proven import Proven
from headwater.hub.wheel import Timer

K = TypeVar("K", bound=Hashable)


class LiveProof:
    """One proof by which something lives. It is what its own timer calls.

    Args:
        access: what was proven.
        due: called with it when its time has come.
    """

    __slots__ = ("_due", "_living", "access", "asked", "is_told", "task", "timer")

    def __init__(self, access: Proven, due: Callable[[LiveProof], None]) -> None:
        self.access = access
        self.timer: Timer | None = None
        self.is_told = False
        #: When it is to be asked again, on the clock of timers; 0: it is not.
        self.asked = 0.0
        self.task: asyncio.Task[None] | None = None
        self._due = due
        #: Nothing, one, or several.
        self._living: Living | set[Living] | None = None

    def __call__(self) -> None:
        """Its time has come."""
        self._due(self)

    def __len__(self) -> int:
        found = self._living
        return len(found) if isinstance(found, set) else found is not None

    def __bool__(self) -> bool:
        return bool(self._living) if isinstance(self._living, set) else self._living is not None

    def __contains__(self, living: Living) -> bool:
        found = self._living
        return living in found if isinstance(found, set) else found is living

    def living(self) -> list[Living]:
        """What lives by it, as it is now."""
        found = self._living
        if found is None:
            return []
        return [*found] if isinstance(found, set) else [found]

    def add(self, living: Living) -> None:
        """One more lives by it."""
        found = self._living
        if found is None:
            self._living = living
        elif isinstance(found, set):
            found.add(living)
        elif found is not living:
            self._living = {found, living}

    def discard(self, living: Living) -> None:
        """One lives by it no more."""
        found = self._living
        if isinstance(found, set):
            found.discard(living)
        elif found is living:
            self._living = None

    def take(self) -> list[Living]:
        """All of them, which live by it no more."""
        found = self.living()
        self._living = None
        return found


#: One, or several.
Proofs = LiveProof | set[LiveProof]


def put(proofs: dict[K, Proofs], key: K, proof: LiveProof) -> None:
    """Add one."""
    known = proofs.get(key)
    if known is None:
        proofs[key] = proof
    elif isinstance(known, LiveProof):
        proofs[key] = {known, proof}
    else:
        known.add(proof)


def discard(proofs: dict[K, Proofs], key: K, proof: LiveProof) -> None:
    """Take one away."""
    known = proofs.get(key)
    if isinstance(known, set):
        known.discard(proof)
        if not known:
            del proofs[key]
    elif known is proof:
        del proofs[key]


def each(proofs: dict[K, Proofs], key: K) -> tuple[LiveProof, ...]:
    """Those of a key, as they are now."""
    known = proofs.get(key)
    if known is None:
        return ()
    return (known,) if isinstance(known, LiveProof) else tuple(known)
