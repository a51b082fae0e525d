"""Proofs that end or change while what lives by them is on its way."""

from __future__ import annotations

import asyncio

import pytest
from tests.conftest import Run

from headwater import Hub
from headwater.errors import TokenRefused
from headwater.hub.access.end import CHANGED, REVOKED, AccessEnd
from headwater.hub.access.principals import Principals
from headwater.hub.access.proven import Proven
from headwater.protocol.access.identity import Access


class Stub:
    """What lives by a proof."""

    ended = ""
    hushed = False

    def hush(self, end: AccessEnd) -> None:
        self.hushed = True

    def end_access(self, end: AccessEnd) -> None:
        assert self.hushed
        self.ended = end.reason

    def tell_expiring(self, at: float) -> None:
        """Nobody listens."""


WIDE, NARROW = Access("u1", read=["a", "b"]), Access("u1", read=["b"])


async def entered(principals: Principals, access: Proven) -> Stub:
    found = Stub()
    principals.enter(access, found)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return found


def test_one_that_was_ended_on_the_way(run: Run[None]) -> None:
    """A reader, a part's reader and a body that come behind the end are none any more; others are not concerned."""

    async def main() -> None:
        async with Hub() as hub:
            principals = hub.runtime.principals
            session, other = Proven(WIDE, ("session", "1")), Proven(WIDE, ("session", "2"))
            part = Proven(NARROW, ("ticket", "1"), parent=session.key)
            principals.check(session)
            principals.end_key(session.key, REVOKED)
            for access in (session, part):
                assert (await entered(principals, access)).ended == REVOKED
                with pytest.raises(TokenRefused):
                    principals.check(access)
            assert (await entered(principals, other)).ended == ""
            assert len(principals) == 1

    run(main())


@pytest.mark.parametrize("reads_already", [True, False])
def test_one_that_was_renewed_on_the_way(run: Run[None], reads_already: bool) -> None:
    """What was allowed by the former grants comes back, and brings them to nobody else."""

    async def main() -> None:
        async with Hub() as hub:
            principals = hub.runtime.principals
            former = Proven(WIDE, ("session", "1"))
            await asyncio.sleep(0.002)
            now = Proven(NARROW, former.key)
            there = await entered(principals, former) if reads_already else None
            principals.renew(now)
            assert there is None or there.ended == CHANGED
            fresh = await entered(principals, now)
            late = await entered(principals, former)
            assert (late.ended, fresh.ended) == (CHANGED, "")
            assert principals.latest(former) is now
            principals.leave(former, late)
            principals.leave(now, fresh)
            assert len(principals) == 0

    run(main())


def test_a_part_whose_whole_was_renewed_on_the_way(run: Run[None]) -> None:
    """It is asked about again when it comes, and ends where the whole does not cover it any more."""

    async def main() -> None:
        async with Hub() as hub:
            principals = hub.runtime.principals
            whole = Proven(WIDE, ("session", "1"))
            covered = Proven(NARROW, ("ticket", "1"), lambda former: former, parent=whole.key)
            uncovered = Proven(Access("u1", read=["a"]), ("ticket", "2"), lambda former: None, parent=whole.key)
            await asyncio.sleep(0.002)
            principals.renew(Proven(NARROW, whole.key))
            goes_on, ends = Stub(), Stub()
            principals.enter(covered, goes_on)
            principals.enter(uncovered, ends)
            for _ in range(6):
                await asyncio.sleep(0)
            assert (goes_on.ended, ends.ended) == ("", REVOKED)

    run(main())
