"""Reads of patterns are told of streams a hundred in a turn of the loop, each in the order of the streams."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from tests.conftest import Run
from tests.support.inprocess import turns

from headwater.hub.live.many.matches import Matches
from headwater.hub.live.news import MOST, TOLD, Made, News
from headwater.hub.live.patterns import Patterns
from headwater.model import BEGINNING, Batch, Change, Last, Record
from headwater.protocol import vector
from headwater.protocol.offsets import ZERO, format_offset
from headwater.protocol.paths import PrivatePaths
from headwater.protocol.vector import Matched


class Read:
    """A read of a pattern that notes what it is told."""

    def __init__(self, then: Callable[[], None] | None = None) -> None:
        self.told: list[tuple[str, int]] = []
        self._then = then

    def made(self, path: str, incarnation: int) -> None:
        self.told.append((path, incarnation))
        if self._then is not None:
            self._then()


def told(reads: list[Read]) -> int:
    return sum(len(read.told) for read in reads)


def test_few_reads_are_told_at_once(run: Run[None]) -> None:
    """With nobody before them nothing waits."""

    async def main() -> None:
        news, reads, done = News(), [Read() for _ in range(TOLD)], list[str]()
        news.tell(Made("a", 1, reads, lambda: done.append("a")))
        assert (told(reads), done) == (TOLD, ["a"])
        assert news.untold(reads[-1]) == []

    run(main())


def test_many_reads_are_told_in_turns_and_in_order(run: Run[None]) -> None:
    """No turn has more than its share; each read hears of the streams in their order, and of each once."""

    async def main() -> None:
        news, reads, done = News(), [Read() for _ in range(3 * TOLD + 1)], list[str]()
        for number, path in enumerate("abc", 1):
            news.tell(Made(path, number, reads, partial(done.append, path)))
        assert news.untold(reads[-1]) == [1, 2, 3]
        assert news.untold(reads[0]) == [2, 3]
        before = told(reads)
        assert before == TOLD
        while len(done) < 3:
            await asyncio.sleep(0)
            assert told(reads) - before <= TOLD
            before = told(reads)
        assert done == ["a", "b", "c"]
        assert all(read.told == [("a", 1), ("b", 2), ("c", 3)] for read in reads)

    run(main())


def test_nobody_is_told_of_a_stream_that_is_gone(run: Run[None]) -> None:
    """It is let go at once, and the next one is told to all."""

    async def main() -> None:
        news, reads, done = News(), [Read() for _ in range(TOLD + 5)], list[str]()
        news.tell(Made("a", 1, reads, lambda: done.append("a")))
        news.tell(Made("b", 2, reads, lambda: done.append("b")))
        news.forget("a")
        assert done == ["a"]
        await turns(2 * MOST)
        assert all(read.told == [("b", 2)] for read in reads[TOLD:])

    run(main())


def test_a_read_that_is_over_is_told_nothing(run: Run[None]) -> None:
    """Also if another one ends it while it is told."""

    async def main() -> None:
        news, done = News(), list[str]()
        last = Read()
        reads = [Read(lambda: news.leave(last)), *(Read() for _ in range(TOLD)), last]
        news.tell(Made("a", 1, reads, lambda: done.append("a")))
        await turns(2 * MOST)
        assert (last.told, told(reads)) == ([], TOLD + 1)

    run(main())


def test_what_waits_is_bounded(run: Run[None]) -> None:
    """Who makes streams faster than they can be told does the telling of the oldest."""

    async def main() -> None:
        news, reads, done = News(), [Read() for _ in range(TOLD + 1)], list[int]()
        for number in range(1, 3 * MOST + 1):
            news.tell(Made(f"s{number}", number, reads, partial(done.append, number)))
            assert len(news.untold(reads[-1])) <= MOST
        await turns(2 * MOST)
        assert done == list(range(1, 3 * MOST + 1))
        assert reads[-1].told == [(f"s{number}", number) for number in done]

    run(main())


class Slots:
    """A read that takes no stream: it has no room."""

    max_streams = 10

    def is_free(self, path: str) -> bool:
        return True

    def place(self, matches: object, path: str, start: str | Last, incarnation: int) -> None:
        return None

    def came(self, slot: object) -> None:
        raise AssertionError("it has no slots")


def changes(path: str, incarnation: int) -> tuple[Change, Change]:
    """A stream is made, and gets its first record."""
    start, end = format_offset(incarnation, 0), format_offset(incarnation, 1)
    batch = Batch(start, (Record(end, b"1", 0.0),), end, up_to_date=True, closed=False, content_type="application/json")
    return Change(path, start, created=True), Change(path, end, batch=batch)


def test_a_cursor_has_what_its_read_was_not_told_of(run: Run[None]) -> None:
    """Else a stream that is closed meanwhile would be lost to who comes back with it."""

    async def main() -> None:
        patterns = Patterns()
        for _ in range(TOLD):
            patterns.watch("a/*", Read())
        matches = Matches("a/*", BEGINNING, Slots(), patterns, PrivatePaths())
        patterns.watch("a/*", matches)
        async for _ in matches.list(Listed()):  # type: ignore[arg-type]
            raise AssertionError("there is none")
        assert matches.seen == (0, True)
        made, first = changes("a/7", 7)
        patterns.apply(made)
        patterns.tell(patterns.apply(first), first, None)
        assert patterns.untold(matches) == [7]
        assert matches.piece() == vector.matched(Matched(7, {7: ZERO}))
        assert {matches.seen} == {None}
        await turns(2 * MOST)
        assert matches.seen == (7, True)

    run(main())


class Listed:
    """The hub's readers, of a store without streams."""

    @property
    def runtime(self) -> Listed:
        return self

    @property
    def store(self) -> Listed:
        return self

    async def list(self, **_: object) -> list[object]:
        return []
