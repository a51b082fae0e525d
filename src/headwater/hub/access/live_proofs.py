"""One proof by which something lives, and those of one principal, or of one parent.

Rule: most principals have one proof, which takes no set.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from typing import TypeVar

from headwater.hub.access.proven import Living, Proven
from headwater.hub.wheel import Timer

K = TypeVar("K", bound=Hashable)


class LiveProof:
    """One proof by which something lives."""

    __slots__ = ("access", "asked", "is_told", "living", "task", "timer")

    def __init__(self, access: Proven) -> None:
        self.access = access
        self.living: set[Living] = set()
        self.timer: Timer | None = None
        self.is_told = False
        #: When it is to be asked again, on the clock of timers; 0: it is not.
        self.asked = 0.0
        self.task: asyncio.Task[None] | None = None


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
    if not known or known is proof:
        proofs.pop(key, None)


def each(proofs: dict[K, Proofs], key: K) -> tuple[LiveProof, ...]:
    """Those of a key, as they are now."""
    known = proofs.get(key)
    if known is None:
        return ()
    return (known,) if isinstance(known, LiveProof) else tuple(known)
