"""A way to a server that is made up: it knows producers, and loses, refuses and holds what the test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from headwater.client.answers import Head
from headwater.client.clock import Clock, Pause
from headwater.client.doors import Answers, Headers
from headwater.client.errors import NetworkError
from headwater.errors import HeadwaterError, InvalidProducer, ProducerFenced, ProducerGap, SchemaMismatch

Numbers = tuple[int, int]


class Producers:
    """What a server knows of one producer, and what it has stored."""

    def __init__(self) -> None:
        self.log: list[tuple[Numbers, list[Any]]] = []
        self._state: Numbers | None = None

    def forget(self) -> None:
        """It is restored from an old copy."""
        self._state = None

    def take(self, numbers: Numbers, body: list[Any]) -> None:
        """As protocol section 5.2.1 has it."""
        state = self._state
        if state is not None and numbers[0] < state[0]:
            raise ProducerFenced("old", epoch=state[0])
        if state is None or numbers[0] > state[0]:
            if numbers[1]:
                raise InvalidProducer("not 0") if state else ProducerGap("gap", expected=0, received=numbers[1])
        elif numbers[1] <= state[1]:
            return
        elif numbers[1] != state[1] + 1:
            raise ProducerGap("gap", expected=state[1] + 1, received=numbers[1])
        self._state = numbers
        self.log.append((numbers, body))


class Answering:
    """What the server answers.

    Args:
        server: what it knows.
        loses: so many answers are lost, behind what they answer.
        refuses: errors, in place of the first answers.
        wrong: a value that no record may have.
    """

    def __init__(
        self,
        server: Producers | None = None,
        *,
        loses: int = 0,
        refuses: list[HeadwaterError] | None = None,
        wrong: Any = None,
    ) -> None:
        self.server = server or Producers()
        self.loses = loses
        self.headers: dict[str, str] = {}
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked: list[tuple[Numbers, list[Any]]] = []
        self.taken: list[tuple[Numbers, list[Any]]] = []
        self._refuses = list(refuses or [])
        self._wrong = wrong
        self._came = asyncio.Condition()

    async def reached(self, count: int) -> None:
        """Wait until so many requests have come."""
        async with self._came:
            await self._came.wait_for(lambda: len(self.asked) >= count)

    async def answer(self, numbers: Numbers, body: list[Any]) -> Head:
        """The answer to an append."""
        self.asked.append((numbers, body))
        async with self._came:
            self._came.notify_all()
        if self._refuses:
            raise self._refuses.pop(0)
        if self.loses:
            self.loses -= 1
            self.server.take(numbers, body)
            await self.gate.wait()
            raise NetworkError("the answer was lost")
        await self.gate.wait()
        if self._wrong in body:
            raise SchemaMismatch("no")
        self.server.take(numbers, body)
        self.taken.append((numbers, body))
        return Head(200, {"stream-next-offset": f"{len(self.server.log):04}", **self.headers})


class MadeUpDoor:
    """See `Door`."""

    ways = ("sse", "ndjson", "long-poll", "live-sse")
    can_refresh = False

    @property
    def clock(self) -> Clock:
        """See `Door`; its waits are only so long as to let others go on."""
        return Short()

    def __init__(self, answers: Answering) -> None:
        self._answers = answers

    @asynccontextmanager
    async def open(
        self,
        method: str,
        url: str,
        query: Mapping[str, str],
        headers: Headers,
        body: bytes | None = None,
        *,
        hold: float = 0.0,
    ) -> AsyncIterator[Answers]:
        """Nothing is read."""
        if method:
            raise NotImplementedError
        yield await anext(aiter(()))  # type: ignore[arg-type]

    async def ask(
        self, method: str, url: str, headers: Headers, body: bytes | None = None, query: Mapping[str, str] = {}
    ) -> tuple[Head, bytes]:
        """See `Door`."""
        numbers = int(headers["producer-epoch"]), int(headers["producer-seq"])
        return await self._answers.answer(numbers, msgspec.json.decode(body or b"[]")), b""

    async def close(self) -> None:
        """See `Door`."""


class Short(Clock):
    """A clock whose pauses are over soon."""

    def pause(self) -> Pause:
        """See `Clock.pause`."""
        return ShortPause()


class ShortPause(Pause):
    """A pause that is over soon."""

    async def wait(self, seconds: float) -> None:
        """See `Pause.wait`."""
        await super().wait(min(seconds, 0.001))
