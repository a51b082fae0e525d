"""No server makes a writer hammer it: one request at a time asks whether it is back, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.client.made_up_door import Answering, MadeUpDoor

from headwater.client import Retry
from headwater.client.answers import Head
from headwater.client.clock import Clock, Pause
from headwater.client.codec import Codec
from headwater.client.doors import Headers
from headwater.client.errors import NetworkError
from headwater.client.writer import StreamWriter

Answer = Callable[[int], Head]
Run = Callable[[Any], Any]


class Virtual(Clock):
    """A clock that only waits move."""

    def __init__(self, luck: float) -> None:
        self.moment = 1000.0
        self.luck = luck

    def now(self) -> float:
        """See `Clock.now`."""
        return self.moment

    def draw(self) -> float:
        """See `Clock.draw`."""
        return self.luck

    def pause(self) -> Pause:
        """See `Clock.pause`."""
        return Leap(self)


class Leap(Pause):
    """A wait that puts the clock forward, once all others have been told what there is."""

    def __init__(self, clock: Virtual) -> None:
        super().__init__()
        self._clock = clock

    async def wait(self, seconds: float) -> None:
        """See `Pause.wait`."""
        for _ in range(50):
            await asyncio.sleep(0)
        self._clock.moment += seconds


class Door(MadeUpDoor):
    """A way to a server that is gone until a moment, and answers then."""

    def __init__(self, luck: float, until: float, answer: Answer) -> None:
        super().__init__(Answering())
        self.virtual = Virtual(luck)
        self.asked: list[float] = []
        self.stored: list[bytes] = []
        self._until = until
        self._answer = answer

    @property
    def clock(self) -> Clock:
        """See `Door`."""
        return self.virtual

    async def ask(
        self, method: str, url: str, headers: Headers, body: bytes | None = None, query: Any = None
    ) -> tuple[Head, bytes]:
        """See `Door`."""
        self.asked.append(self.virtual.moment)
        await asyncio.sleep(0)
        if self.virtual.moment < self._until:
            return self._answer(len(self.asked)), b""
        number = int(headers["producer-seq"])
        if number > len(self.stored):
            fields = {"producer-expected-seq": str(len(self.stored)), "producer-received-seq": str(number)}
            return Head(409, {"stream-error-code": "producer-gap", **fields}), b""
        if number == len(self.stored):
            self.stored.append(body or b"")
        return Head(200, {"stream-next-offset": f"{len(self.stored):04}"}), b""


def lost(_number: int) -> Head:
    """Nobody answers."""
    raise NetworkError("gone")


async def busiest(answer: Answer, luck: float, until: float = 1600.0) -> tuple[int, Door]:
    """Most requests of a minute in which the server was gone, with five of a writer under way."""
    door = Door(luck, until, answer)
    codec = Codec[bytes]("application/octet-stream")
    async with StreamWriter(door, "http://127.0.0.1/a", codec, Retry()) as writer:
        for number in range(12):
            await writer.write(b"%d" % number)
        await writer.flush()
    assert door.stored == [b"%d" % number for number in range(12)]
    gone = [moment for moment in door.asked if moment < until]
    return max(sum(begin <= moment < begin + 60 for moment in gone) for begin in gone), door


@pytest.mark.parametrize("luck", [0.0, 0.5, 0.999])
def test_a_server_that_is_gone_is_asked_by_one_request(run: Run, luck: float) -> None:
    """Five are under way when it goes; then the first of them alone asks, and all arrive once and in order."""
    most, _ = run(busiest(lost, luck))
    assert most <= 15


@pytest.mark.parametrize("luck", [0.0, 0.999])
def test_no_status_that_passes_makes_a_writer_hammer(run: Run, luck: float) -> None:
    """What does not pass is told at once, and asked for no more."""
    for status in (408, 425, 429, *range(500, 600)):
        most, _ = run(busiest(lambda _, status=status: Head(status, {}), luck))  # type: ignore[misc]
        assert most <= 15, status
