"""The proofs by which something lives, and how they end.

Rule 1: what lives by a proof ends with it: when it expires, when it is revoked, when who gave it says something else.
        It is entered when it begins and looked at once for all, whatever the number of readers. No delivery asks.
Rule 2: there is one timer for each proof. An end that concerns many readers takes turns of the event loop.
Rule 3: a proof that was taken back while a request was on its way is found when what the request began is entered, or
        when its body is handed to the store.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable, Hashable, Iterable
from functools import partial
from inspect import isawaitable
from typing import Final

from headwater.errors import HeadwaterError, TokenRefused
from headwater.hub.access.live_proofs import LiveProof, Proofs, discard, each, put
from headwater.hub.access.proven import Living, Proven
from headwater.hub.access.revocations import Revocations
from headwater.hub.timers import Timers
from headwater.model import Principal
from headwater.protocol.access.identity import Access

_log: Final = logging.getLogger("headwater")

#: Seconds before a proof expires at which its readers are told.
NOTICE: Final = 30.0
#: Proofs that were ended or renewed by themselves and are remembered, for requests that were on their way then.
MAX_REMEMBERED: Final = 10_000
#: Readers that are ended in one turn of the event loop.
TURN: Final = 100
#: Seconds that an application may take to say it again, and how many are asked at the same time.
ASK_SECONDS: Final = 5.0
MAX_ASKED: Final = 32


EXPIRED: Final = "expired"
REVOKED: Final = "revoked"
KICKED: Final = "kicked"
CHANGED: Final = "changed"
#: Of these, those with which nobody comes back without another proof.
OVER: Final = frozenset({EXPIRED, REVOKED})


class Principals:
    """Those of one hub.

    Args:
        timers: the hub's.

    Attributes:
        revocations: what was taken back.
        ended: called with the reason and the number of readers that end.
    """

    def __init__(self, timers: Timers) -> None:
        self.revocations: Final = Revocations()
        self.ended: Callable[[str, int], None] = _uncounted
        self._timers: Final = timers
        self._proofs: dict[Hashable, LiveProof] = {}
        self._of: dict[Principal, Proofs] = {}
        self._parts: dict[Hashable, Proofs] = {}
        self._over: dict[Hashable, float] = {}
        self._renewed: dict[Hashable, float] = {}
        self._room = asyncio.Semaphore(MAX_ASKED)
        self._ending: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return sum(len(proof.living) for proof in self._proofs.values())

    def count(self, principal: Principal) -> int:
        """How many live by proofs of somebody."""
        return sum(len(proof.living) for proof in each(self._of, principal))

    # What is still so.

    def fault(self, access: Access) -> str | None:
        """Why an access is none any more: `expired` or `revoked`; None: it still is."""
        if access.expires is not None and access.expires <= time.time():
            return EXPIRED
        if len(self.revocations) and self.revocations.hit(access, getattr(access, "decided", 0.0)):
            return REVOKED
        if self._over and isinstance(access, Proven) and (access.key in self._over or access.parent in self._over):
            return REVOKED
        return None

    def check(self, access: Access) -> None:
        """Refuse what is none any more.

        Raises:
            TokenRefused: it expired, or was taken back.
        """
        fault = self.fault(access)
        if fault is not None:
            error = TokenRefused(f"the credential of the request has {'expired' if fault == EXPIRED else 'ended'}")
            error.principal, error.because = access.principal, fault
            raise error

    # What lives.

    def enter(self, access: Access, living: Living) -> None:
        """Something begins to live by a proof; nothing, where nobody was asked for one."""
        if not isinstance(access, Proven):
            return
        if self._renewed and self._renewed.get(access.key, 0.0) > access.decided:
            # It was allowed by what was said before; it comes back and is asked what it may now.
            asyncio.get_running_loop().call_soon(self._end_other, living, CHANGED)
            return
        proof = self._proofs.get(access.key)
        if proof is None:
            proof = self._proofs[access.key] = LiveProof(access)
            if (principal := access.principal) is not None:
                put(self._of, principal, proof)
            if access.parent is not None:
                put(self._parts, access.parent, proof)
                if self._renewed.get(access.parent, 0.0) > access.decided:
                    self.ask_again(proof)
            self._plan(proof)
        elif access is not proof.access:
            self._renew(proof, access)  # the same credential, and what is said of it now
        proof.living.add(living)
        if (fault := self.fault(access)) is not None:
            asyncio.get_running_loop().call_soon(self._end_one, proof, living, fault)

    def leave(self, access: Access, living: Living) -> None:
        """It is over by itself."""
        if not isinstance(access, Proven):
            return
        proof = self._proofs.get(access.key)
        if proof is None:
            return
        proof.living.discard(living)
        if not proof.living:
            self._forget(proof)

    def _forget(self, proof: LiveProof) -> None:
        access = proof.access
        if self._proofs.get(access.key) is proof:
            del self._proofs[access.key]
        if (principal := access.principal) is not None:
            discard(self._of, principal, proof)
        if access.parent is not None:
            discard(self._parts, access.parent, proof)
        if proof.timer is not None:
            proof.timer.cancel()
            proof.timer = None

    # Time.

    def _plan(self, proof: LiveProof) -> None:
        """Set the one timer to what is due next."""
        if proof.timer is not None:
            proof.timer.cancel()
            proof.timer = None
        access, due = proof.access, []
        if access.expires is not None:
            left = access.expires - time.time()
            due.append(left if proof.is_told else max(0.0, left - NOTICE))
        if access.recheck is not None and access.again is not None:
            now = time.monotonic()
            if not proof.asked:  # spread, so that proofs that came together are not asked about together
                proof.asked = now + access.recheck * random.uniform(0.5, 1.0)
            due.append(proof.asked - now)
        if due:
            proof.timer = self._timers.after(max(0.0, min(due)), partial(self._due, proof))

    def _due(self, proof: LiveProof) -> None:
        proof.timer = None
        access = proof.access
        if access.expires is not None:
            left = access.expires - time.time()
            if left <= 0:
                self._end(proof, EXPIRED)
                return
            if not proof.is_told and left <= NOTICE:
                proof.is_told = True
                for living in list(proof.living):
                    living.tell_expiring(access.expires)
        if access.recheck is not None and 0 < proof.asked <= time.monotonic() and proof.task is None:
            proof.asked = time.monotonic() + access.recheck
            self.ask_again(proof)
        self._plan(proof)

    # Asking again.

    def ask_all_again(self, concerns: Callable[[Proven], bool]) -> None:
        """Ask again about the proofs that something concerns, such as keys that are gone."""
        for proof in list(self._proofs.values()):
            if concerns(proof.access) and proof.task is None:
                self.ask_again(proof)

    def ask_again(self, proof: LiveProof) -> None:
        """Ask who a proof is of, and end what lives by it if it is of nobody, or of somebody else."""
        again = proof.access.again
        if again is None:
            return
        task = proof.task = asyncio.get_running_loop().create_task(self._ask(proof, again))
        task.add_done_callback(lambda _: setattr(proof, "task", None))

    async def _ask(self, proof: LiveProof, again: Callable[[], Access | Awaitable[Access | None] | None]) -> None:
        former = proof.access
        try:
            async with self._room, asyncio.timeout(ASK_SECONDS):
                found = again()
                if isawaitable(found):
                    found = await found
        except HeadwaterError as error:
            if error.status in (401, 403):
                self._end(proof, REVOKED)
            else:
                self._fail(proof, former)
            return
        except Exception as error:
            _log.error("the application did not say whether %r may go on: %r", former.subject, error)
            self._fail(proof, former)
            return
        if found is None or found.principal != former.principal or self.fault(found) is not None:
            self._end(proof, REVOKED)
        elif proof.living:
            self._renew(proof, Proven(found, former.key, again, parent=former.parent, signer=former.signer))
            if not proof.living:
                self._forget(proof)

    def _fail(self, proof: LiveProof, former: Proven) -> None:
        """Nobody says it: what lives has one more period, and then it ends."""

        def late() -> None:
            if proof.access is former and proof.living:
                self._end(proof, REVOKED)

        self._timers.after(former.recheck or ASK_SECONDS, late)

    def latest(self, access: Proven) -> Proven:
        """What is said of a proof now, while something lives by it; else what was said."""
        proof = self._proofs.get(access.key)
        return access if proof is None else proof.access

    def renew(self, access: Proven) -> None:
        """Something else is said of a proof now: what lives by it goes on with that, or ends.

        A part of it is asked about again: it is what it was, as long as the whole covers it.
        """
        _remember(self._renewed, access.key, access.decided)
        proof = self._proofs.get(access.key)
        if proof is not None:
            self._renew(proof, access)
            if not proof.living:
                self._forget(proof)
        for part in each(self._parts, access.key):
            self.ask_again(part)

    def _renew(self, proof: LiveProof, access: Proven) -> None:
        former, proof.access = proof.access, access
        if access.grants != former.grants:
            # Each comes back and is asked what it may now; what is not allowed any more is not told one more record.
            self._end_living(proof, CHANGED, 0.0)
        if access.expires != former.expires or access.recheck != former.recheck:
            proof.is_told = False
            self._plan(proof)

    # Ends.

    def end(self, principal: Principal, reason: str, retry_after: float = 0.0, *, before: float | None = None) -> int:
        """End all that lives by any proof of somebody; gives how many.

        Args:
            principal: who.
            reason: see `Living.end_access`.
            retry_after: seconds after which they may come back.
            before: only by what was made until then; None: by all.
        """
        proofs = [proof for proof in each(self._of, principal) if before is None or _was_made(proof.access, before)]
        return sum(self._end(proof, reason, retry_after) for proof in proofs)

    def end_token(self, issuer: str, token_id: str) -> int:
        """End all that lives by one token; gives how many."""
        found = [
            proof
            for proof in self._proofs.values()
            if proof.access.issuer == issuer and proof.access.token_id == token_id
        ]
        return sum(self._end(proof, REVOKED) for proof in found)

    def end_key(self, key: Hashable, reason: str, *, for_good: bool = True) -> int:
        """End all that lives by one proof or by a part of it; gives how many.

        Args:
            key: of the proof.
            reason: see `Living.end_access`.
            for_good: it is none from now on, also for what is on its way; a new one never has its key.
        """
        if for_good:
            _remember(self._over, key, 0.0)
        proofs = [*each(self._parts, key), *([self._proofs[key]] if key in self._proofs else [])]
        return sum(self._end(proof, reason) for proof in proofs)

    def _end(self, proof: LiveProof, reason: str, retry_after: float = 0.0) -> int:
        count = self._end_living(proof, reason, retry_after)
        self._forget(proof)
        return count

    def _end_living(self, proof: LiveProof, reason: str, retry_after: float) -> int:
        living = list(proof.living)
        proof.living.clear()
        self.ended(reason, len(living))
        self._end_some(living[:TURN], reason, retry_after)
        if len(living) > TURN:
            task = asyncio.get_running_loop().create_task(self._end_rest(living[TURN:], reason, retry_after))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)
        return len(living)

    async def _end_rest(self, living: list[Living], reason: str, retry_after: float) -> None:
        for start in range(0, len(living), TURN):
            await asyncio.sleep(0)
            self._end_some(living[start : start + TURN], reason, retry_after)

    def _end_some(self, living: Iterable[Living], reason: str, retry_after: float) -> None:
        for one in living:
            try:
                one.end_access(reason, retry_after)
            except Exception:
                _log.exception("something that lived by a proof did not end")

    def _end_other(self, living: Living, reason: str) -> None:
        self.ended(reason, 1)
        self._end_some((living,), reason, 0.0)

    def _end_one(self, proof: LiveProof, living: Living, reason: str) -> None:
        if living in proof.living:
            proof.living.discard(living)
            if not proof.living:
                self._forget(proof)
            self.ended(reason, 1)
            self._end_some((living,), reason, 0.0)


def _was_made(access: Proven, before: float) -> bool:
    """Whether the credential is so old; where nobody says when it was made, whether it was looked at then."""
    return access.decided <= before if access.issued is None else access.issued <= math.ceil(before)


def _remember(times: dict[Hashable, float], key: Hashable, time: float) -> None:
    times.pop(key, None)
    times[key] = time
    if len(times) > MAX_REMEMBERED:
        del times[next(iter(times))]


def _uncounted(reason: str, count: int) -> None:
    """Nobody counts."""
