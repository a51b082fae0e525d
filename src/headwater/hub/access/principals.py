"""The proofs by which something lives, and how they end.

Rule 1: what lives by a proof ends with it: when it expires, when it is revoked, when who gave it says something else.
        It is entered when it begins and looked at once for all, whatever the number of readers. No delivery asks.
Rule 2: there is one timer for each proof. How an end goes that concerns many is `end`'s.
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
from inspect import isawaitable, iscoroutine
from typing import Final

from headwater.errors import HeadwaterError, TokenRefused
from headwater.hub.access.end import CHANGED, EXPIRED, REVOKED, AccessEnd, Living, Turns
from headwater.hub.access.live_proofs import LiveProof, Proofs, discard, each, put
from headwater.hub.access.proven import Proven
from headwater.hub.access.revocations import Revocations
from headwater.hub.timers import Timers
from headwater.model import Principal
from headwater.protocol.access.identity import Access

_log: Final = logging.getLogger("headwater")

#: Seconds before a proof expires at which its readers are told.
NOTICE: Final = 30.0
#: Proofs that were ended or renewed by themselves and are remembered, for requests that were on their way then.
MAX_REMEMBERED: Final = 10_000
#: Seconds that an application may take to say it again, and how many are asked at the same time.
ASK_SECONDS: Final = 5.0
MAX_ASKED: Final = 32


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
        #: When all proofs of some kind were asked about again, and of which.
        self._asked: tuple[float, Callable[[Proven], bool]] = (0.0, _is_any)
        self._room = asyncio.Semaphore(MAX_ASKED)
        self._turns: Final = Turns()
        self._on_due: Final = self._due  # one for all of them

    def __len__(self) -> int:
        return sum(len(proof) for proof in self._proofs.values())

    def count(self, principal: Principal) -> int:
        """How many live by proofs of somebody."""
        return sum(len(proof) for proof in each(self._of, principal))

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
            proof = self._proofs[access.key] = LiveProof(access, self._on_due)
            if (principal := access.principal) is not None:
                put(self._of, principal, proof)
            if access.parent is not None:
                put(self._parts, access.parent, proof)
            asked, concerns = self._asked
            if self._renewed.get(access.parent, 0.0) > access.decided or (asked > access.decided and concerns(access)):
                # Behind this call, which may be about to tell the first words.
                asyncio.get_running_loop().call_soon(self.ask_again, proof)
            self._plan(proof)
        elif access is not proof.access:
            self._renew(proof, access)  # the same credential, and what is said of it now
        proof.add(living)
        if (fault := self.fault(access)) is not None:
            asyncio.get_running_loop().call_soon(self._end_one, proof, living, fault)

    def leave(self, access: Access, living: Living) -> None:
        """It is over by itself."""
        if not isinstance(access, Proven):
            return
        proof = self._proofs.get(access.key)
        if proof is None:
            return
        proof.discard(living)
        if not proof:
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
            proof.timer = self._timers.after(max(0.0, min(due)), proof)

    def _due(self, proof: LiveProof) -> None:
        proof.timer = None
        access = proof.access
        if access.expires is not None:
            left = access.expires - time.time()
            if left <= 0:
                self._end((proof,), AccessEnd(EXPIRED))
                return
            if not proof.is_told and left <= NOTICE:
                proof.is_told = True
                self._turns.take(partial(living.tell_expiring, access.expires) for living in proof.living())
        if access.recheck is not None and 0 < proof.asked <= time.monotonic() and proof.task is None:
            proof.asked = time.monotonic() + access.recheck
            self.ask_again(proof)
        self._plan(proof)

    # Asking again.

    def ask_all_again(self, concerns: Callable[[Proven], bool]) -> None:
        """Ask again about the proofs that something concerns, such as keys that are gone; also on their way."""
        self._asked = time.time(), concerns
        self._turns.take(partial(self.ask_again, proof) for proof in self._proofs.values() if concerns(proof.access))

    def ask_again(self, proof: LiveProof) -> None:
        """Ask who a proof is of, and end what lives by it if it is of nobody, or of somebody else."""
        former = proof.access
        if former.again is None:
            return
        try:
            found = former.again(former)
        except Exception as error:
            self._unanswered(proof, former, error)
            return
        if isawaitable(found):
            task = proof.task = asyncio.ensure_future(self._wait(proof, former, found))
            task.add_done_callback(lambda _: setattr(proof, "task", None))
        else:
            self._answered(proof, former, found)

    async def _wait(self, proof: LiveProof, former: Proven, answer: Awaitable[Access | None]) -> None:
        try:
            async with self._room, asyncio.timeout(ASK_SECONDS):
                found = await answer
        except Exception as error:
            self._unanswered(proof, former, error)
        else:
            self._answered(proof, former, found)
        finally:
            if iscoroutine(answer):  # it may not have begun
                answer.close()

    def _answered(self, proof: LiveProof, former: Proven, found: Access | None) -> None:
        if found is None or found.principal != former.principal or self.fault(found) is not None:
            self._end((proof,), AccessEnd(REVOKED))
        elif proof and found is not former:
            self._renew(proof, Proven(found, former.key, former.again, parent=former.parent, signer=former.signer))

    def _unanswered(self, proof: LiveProof, former: Proven, error: Exception) -> None:
        if isinstance(error, HeadwaterError) and error.status in (401, 403):
            self._end((proof,), AccessEnd(REVOKED))
            return
        if not isinstance(error, HeadwaterError):
            _log.error("the application did not say whether %r may go on: %r", former.subject, error)
        self._fail(proof, former)

    def _fail(self, proof: LiveProof, former: Proven) -> None:
        """Nobody says it: what lives has one more period, and then it ends."""

        def late() -> None:
            if proof.access is former and proof:
                self._end((proof,), AccessEnd(REVOKED))

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
        for part in each(self._parts, access.key):
            self.ask_again(part)

    def _renew(self, proof: LiveProof, access: Proven) -> None:
        former, proof.access = proof.access, access
        if access.grants != former.grants:
            # Each comes back and is asked what it may now; what is not allowed any more is not told one more record.
            self._end((proof,), AccessEnd(CHANGED))
        if access.expires != former.expires or access.recheck != former.recheck:
            proof.is_told = False
            self._plan(proof)

    # Ends.

    def end(self, principal: Principal, reason: str, retry_after: float = 0.0, *, before: float | None = None) -> int:
        """End all that lives by any proof of somebody; gives how many.

        Args:
            principal: who.
            reason: see `AccessEnd`.
            retry_after: see there.
            before: only by what was made until then; None: by all.
        """
        proofs = [proof for proof in each(self._of, principal) if before is None or _was_made(proof.access, before)]
        return self._end(proofs, AccessEnd(reason, retry_after))

    def end_token(self, issuer: str, token_id: str) -> int:
        """End all that lives by one token; gives how many."""
        found = [
            proof
            for proof in self._proofs.values()
            if proof.access.issuer == issuer and proof.access.token_id == token_id
        ]
        return self._end(found, AccessEnd(REVOKED))

    def end_key(self, key: Hashable, reason: str, *, for_good: bool = True) -> int:
        """End all that lives by one proof or by a part of it; gives how many.

        Args:
            key: of the proof.
            reason: see `AccessEnd`.
            for_good: it is none from now on, also for what is on its way; a new one never has its key.
        """
        if for_good:
            _remember(self._over, key, 0.0)
        proofs = [*each(self._parts, key), *([self._proofs[key]] if key in self._proofs else [])]
        return self._end(proofs, AccessEnd(reason))

    def _end(self, proofs: Iterable[LiveProof], end: AccessEnd) -> int:
        """End all that lives by these; gives how many. They are known until that is told: it may be asked again."""
        ending = list(proofs)
        living = [one for proof in ending for one in proof.take()]
        self.ended(end.reason, len(living))
        self._turns.end(living, end, lambda: self._forget_idle(ending))
        return len(living)

    def _forget_idle(self, proofs: Iterable[LiveProof]) -> None:
        for proof in proofs:
            if not proof:
                self._forget(proof)

    def _end_other(self, living: Living, reason: str) -> None:
        self.ended(reason, 1)
        self._turns.end((living,), AccessEnd(reason), _nothing)

    def _end_one(self, proof: LiveProof, living: Living, reason: str) -> None:
        if living in proof:
            proof.discard(living)
            self._forget_idle((proof,))
            self._end_other(living, reason)


def _was_made(access: Proven, before: float) -> bool:
    """Whether the credential is so old; where nobody says when it was made, whether it was looked at then."""
    return access.decided <= before if access.issued is None else access.issued <= math.ceil(before)


def _remember(times: dict[Hashable, float], key: Hashable, time: float) -> None:
    times.pop(key, None)
    times[key] = time
    if len(times) > MAX_REMEMBERED:
        del times[next(iter(times))]


def _is_any(access: Proven) -> bool:
    return True


def _nothing() -> None:
    """Nobody waits for it."""


def _uncounted(reason: str, count: int) -> None:
    """Nobody counts."""
