"""Commands that are held back: given afterwards in their order, and answered if they cannot be."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from headwater.errors import StoreUnavailable
from headwater.model import Appended
from headwater.stores.sqlite.halt import Halt

if TYPE_CHECKING:
    from tests.conftest import Run


def test_commands_wait_until_it_is_over(run: Run[None]) -> None:
    """A call in its order, one that fails as its answer; who awaits goes on, and a cancelled one hurts nobody."""

    async def main() -> None:
        halt, given = Halt(), list[str]()
        answers: list[Appended | Exception] = []

        def fail() -> None:
            raise StoreUnavailable("closed")

        with halt.on():
            assert halt.is_on
            waiting = [asyncio.create_task(halt.over()) for _ in range(2)]
            await asyncio.sleep(0)
            waiting[0].cancel()
            await asyncio.wait(waiting[:1])
            halt.hold(partial(given.append, "first"), answers.append)
            halt.hold(fail, answers.append)
            halt.hold(partial(given.append, "second"), answers.append)
            assert not given
            assert not waiting[1].done()
        await waiting[1]
        await halt.over()
        assert given == ["first", "second"]
        assert [str(answer) for answer in answers] == ["closed"]
        assert not halt.is_on

    run(main())
