"""When records were appended: the store's time, which never goes back within a stream, and never changes."""

from __future__ import annotations

from headwater.model import BEGINNING, Change
from headwater.testing.contract.checks import Chapter
from headwater.testing.contract.expect import equal, holds
from headwater.testing.contract.trial import JSON, TEXT, Trial

chapter = Chapter("times")

#: Of a time in whole milliseconds, rounded either way.
EXACT = 0.0011
TYPES = {"json": JSON, "text": TEXT}


async def _times(trial: Trial, path: str, offset: str = BEGINNING, limit: int = 1 << 20) -> list[float]:
    return [record.at for batch in await trial.pieces(path, offset, limit) for record in batch.records]


def _near(found: list[float], expected: list[float], what: str) -> None:
    close = len(found) == len(expected) and all(abs(a - b) <= EXACT for a, b in zip(found, expected, strict=True))
    holds(close, f"{what}: {found}, expected {expected}")


@chapter.promise
async def a_record_has_the_time_of_its_append(trial: Trial) -> None:
    """Its own, to the millisecond; the records of one append and those of a create have one."""
    for path, kind in TYPES.items():
        start = trial.clock()
        await trial.create(path, kind, b"[1, 2]")
        trial.clock.advance(12.345)
        await trial.append(path, b"[3, 4]")
        trial.clock.advance(0.25)
        await trial.append(path, b"5")
        count = 2 if kind == JSON else 1
        expected = [start] * count + [start + 12.345] * count + [start + 12.595]
        _near(await _times(trial, path), expected, "times")
        times = await _times(trial, path)
        equal(times[:count], times[:1] * count, "times of the records of one append")


@chapter.promise
async def what_is_told_has_the_time_that_is_read(trial: Trial) -> None:
    """Watchers get the times that readers get, later too, in pieces, and of a part of a record."""
    told: list[Change] = []
    trial.store.watch(told.append)
    for path, kind in TYPES.items():
        await trial.create(path, kind, b"1234")
        for _ in range(3):
            trial.clock.advance(0.7)
            await trial.append(path, b"56789")
        times = await _times(trial, path)
        batches = [change.batch for change in told if change.path == path and change.batch is not None]
        if batches:
            equal([record.at for batch in batches for record in batch.records], times, "the times told")
        pieces = [batch.records[0].at for batch in await trial.pieces(path, limit=3)]
        equal([at for number, at in enumerate(pieces) if at not in pieces[:number]], times, "the times of pieces")
        trial.clock.advance(3600)
        await trial.sweep()
        equal(await _times(trial, path), times, "the times an hour later")


@chapter.promise
async def a_read_without_times_is_the_same_otherwise(trial: Trial) -> None:
    """Who does not ask for them gets the same records, each with its time or with none."""
    for path, kind in TYPES.items():
        await trial.create(path, kind, b"12")
        trial.clock.advance(1)
        await trial.append(path, b"3")
        timed, without = [await trial.store.read(path, BEGINNING, times=times) for times in (True, False)]
        for asked, found in zip(timed.records, without.records, strict=True):
            equal((found.offset, found.data), (asked.offset, asked.data), "a record without its time")
            holds(found.at in (0.0, asked.at), f"the time is {found.at}, and {asked.at} when it is asked for")
        equal((without.offset, without.next_offset), (timed.offset, timed.next_offset), "where the batch lies")


@chapter.promise
async def times_never_go_back(trial: Trial) -> None:
    """Whatever the clock does, and whether the store has noticed; what was read once is read again."""
    for path, kind in TYPES.items():
        await trial.create(path, kind, b"1")
        known = await _times(trial, path)
        for seconds in (-3600.0, 86400.0, -86400.0, 5.0, -5.0):
            trial.clock.jump(seconds)
            await trial.append(path, b"2")
            await trial.sweep()
            await trial.append(path, b"3")
            trial.clock.advance(1)
            await trial.append(path, b"4", close=seconds == -5.0)
            times = await _times(trial, path)
            equal(times[: len(known)], known, f"times of before a jump of {seconds} seconds")
            holds(times == sorted(times), f"times went back after a jump of {seconds} seconds: {times}")
            known = times


@chapter.promise
async def times_go_with_a_clock_that_is_set_forward(trial: Trial) -> None:
    """Once the store has noticed, which is in a sweep at the latest."""
    for path, kind in TYPES.items():
        await trial.create(path, kind)
        trial.clock.jump(86400)
        await trial.sweep()
        await trial.append(path, b"1")
        _near(await _times(trial, path), [trial.clock()], "the time")


@chapter.promise
async def a_fork_has_the_times_of_its_source(trial: Trial) -> None:
    """Of the records that it inherits, the last one cut too; its own never lie before them."""
    for path, kind in TYPES.items():
        await trial.create(path, kind, b"12")
        trial.clock.advance(10)
        await trial.append(path, b"34")
        times = await _times(trial, path)
        trial.clock.advance(10)
        await trial.fork(f"{path}-fork", path, body=b"56")
        own = await _times(trial, f"{path}-fork")
        equal(own[:-1], times, "times of the inherited records")
        _near(own[-1:], [trial.clock()], "time of the fork's own record")
        if kind == TEXT:
            await trial.fork("cut", path, BEGINNING, 1)
            equal(await _times(trial, "cut"), times[:1], "time of the record that is cut")
        trial.clock.jump(-86400)
        await trial.sweep()
        await trial.append(path, b"78")
        late, latest = f"{path}-late", f"{path}-latest"
        await trial.fork(late, path, body=b"90")
        await trial.fork(latest, late, body=b"12")
        times, last = await _times(trial, path), await _times(trial, latest)
        equal(last[: len(times)], times, "times of records that are inherited from a source's source")
        holds(last == sorted(last), f"the times of a fork go back: {last}")


@chapter.durable_promise
async def times_survive(trial: Trial) -> None:
    """A restart keeps them, and a clock that was set back meanwhile takes none back."""
    for path, kind in TYPES.items():
        await trial.create(path, kind, b"1")
        trial.clock.advance(0.123456)
        await trial.append(path, b"2")
    trial.clock.jump(3600)
    await trial.sweep()
    for path in TYPES:
        await trial.append(path, b"3")
    known = {path: await _times(trial, path) for path in TYPES}
    trial.clock.jump(-86400)
    await trial.restart()
    equal({path: await _times(trial, path) for path in TYPES}, known, "times after a restart")
    for path in TYPES:
        await trial.append(path, b"4")
        times = await _times(trial, path)
        holds(times == sorted(times) and len(times) == 4, f"times went back with a restart: {times}")
