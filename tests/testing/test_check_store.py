"""The contract passes a good store, and fails a broken one for what is broken."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest

from headwater.errors import HeadwaterError, StreamExists
from headwater.model import Appended, Batch, Change, Created, ForkPoint, Record, StreamConfig, StreamInfo
from headwater.protocol.ledger import Append, StreamState
from headwater.protocol.principals import to_text
from headwater.stores.base import Clock, Store, Wants, Watcher
from headwater.stores.memory import MemoryStore
from headwater.testing import STORE_CHECKS, Reopen, check_store


class LosesTheLastRecord(MemoryStore):
    async def read(self, path: str, offset: str, **bounds: Any) -> Batch:
        batch = await super().read(path, offset, **bounds)
        return msgspec.structs.replace(batch, records=batch.records[:-1])


class RepeatsDuplicates(MemoryStore):
    async def append(self, path: str, request: Append) -> Appended:
        answer = await super().append(path, request)
        return await super().append(path, Append(request.body)) if answer.duplicate and request.body else answer


class UsesOffsetsAgain(MemoryStore):
    def next_incarnation(self) -> int:
        return max(self._incarnations, default=0) + 1


class SwallowsCloses(MemoryStore):
    async def append(self, path: str, request: Append) -> Appended:
        return await super().append(path, msgspec.structs.replace(request, close=False))


class KeepsHalfOfARefusedBody(MemoryStore):
    async def append(self, path: str, request: Append) -> Appended:
        try:
            return await super().append(path, request)
        except HeadwaterError:
            if request.body == b"[1,":
                await super().append(path, Append(b"1"))
            raise


class CutsJsonValues(MemoryStore):
    async def read(self, path: str, offset: str, **bounds: Any) -> Batch:
        batch = await super().read(path, offset, **bounds)
        limit = bounds.get("limit")
        records = tuple(msgspec.structs.replace(record, data=record.data[:limit]) for record in batch.records)
        return msgspec.structs.replace(batch, records=records)


class CallsTheEndTooEarly(MemoryStore):
    async def read(self, path: str, offset: str, **bounds: Any) -> Batch:
        batch = await super().read(path, offset, **bounds)
        return msgspec.structs.replace(batch, closed=(await self.info(path)).closed)


class NeverExpires(MemoryStore):
    def __init__(self, *, clock: Clock) -> None:
        super().__init__(clock=lambda: 0.0)


class TakesPrefixesForPatterns(MemoryStore):
    async def list(self, *, prefix: str = "", after: str = "", limit: int = 100) -> list[StreamInfo]:
        return await super().list(prefix=prefix.rstrip("%"), after=after, limit=limit)


class ForksAtTheTail(MemoryStore):
    async def create(self, path: str, config: StreamConfig, body: bytes = b"", **how: Any) -> Created:
        if config.fork is not None:
            config = msgspec.structs.replace(config, fork=ForkPoint(config.fork.source))
        return await super().create(path, config, body, **how)


class IgnoresConditions(MemoryStore):
    async def append(self, path: str, request: Append) -> Appended:
        return await super().append(path, msgspec.structs.replace(request, condition=None))


class CreatesBeforeItAppends(MemoryStore):
    async def append(self, path: str, request: Append) -> Appended:
        if request.create is not None:
            with contextlib.suppress(StreamExists):
                await self.create(path, request.create)
        return await super().append(path, msgspec.structs.replace(request, create=None))


class TellsNobody(MemoryStore):
    def watch(self, watcher: Watcher, wants: Wants | None = None) -> Callable[[], None]:
        return lambda: None


class TellsNothingUnwanted(MemoryStore):
    def tell(self, change: Change) -> None:
        if self._watchers.want(change.path):
            super().tell(change)


class RemembersWhatWasWanted(MemoryStore):
    """Goes by what was wanted at the first append."""

    def tell_growth(self, state: StreamState, start: int, records: Sequence[Record]) -> None:
        if self.__dict__.setdefault("_first", {}).setdefault(state.path, self._watchers.want(state.path)):
            super().tell_growth(state, start, records)


class TellsRecordsAlone(MemoryStore):
    def tell(self, change: Change) -> None:
        if not change.created:
            super().tell(change)


class TellsCreationsLate(MemoryStore):
    """Behind the first records."""

    def tell(self, change: Change) -> None:
        if change.created:
            self.untold = change
        else:
            super().tell(change)
            if (untold := self.__dict__.pop("untold", None)) is not None:
                super().tell(untold)

    async def create(self, path: str, config: StreamConfig, body: bytes = b"", **how: Any) -> Created:
        answer = await super().create(path, config, body, **how)
        if (untold := self.__dict__.pop("untold", None)) is not None:
            super().tell(untold)
        return answer


class TellsTheTimeOfTheRead(MemoryStore):
    async def read(self, path: str, offset: str, **bounds: Any) -> Batch:
        batch = await super().read(path, offset, **bounds)
        records = tuple(msgspec.structs.replace(record, at=self._time.now()) for record in batch.records)
        return msgspec.structs.replace(batch, records=records)


class TellsTheWallClock(MemoryStore):
    async def append(self, path: str, request: Append) -> Appended:
        if path in self._streams:
            self._streams[path].appended_at = 0.0
        return await super().append(path, request)


class TimesForksAnew(MemoryStore):
    async def create(self, path: str, config: StreamConfig, body: bytes = b"", **how: Any) -> Created:
        answer = await super().create(path, config, b"", **how)
        if config.fork is not None:
            self._streams[path].appended_at = 0.0
        if body and answer.created:
            await self.append(path, Append(body))
        return answer


class NamesTheLastWriter(MemoryStore):
    """Every record is its last writer's."""

    async def append(self, path: str, request: Append) -> Appended:
        answer = await super().append(path, request)
        log = self._logs[self._streams[path].incarnation]
        log.by = [None if request.by is None else to_text(request.by)] * len(log.positions)
        return answer


class ForgetsWhoMadeIt(MemoryStore):
    async def create(self, path: str, config: StreamConfig, body: bytes = b"", **how: Any) -> Created:
        return await super().create(path, config, body, **{**how, "by": None})


class NamesTheRetry(MemoryStore):
    async def append(self, path: str, request: Append) -> Appended:
        answer = await super().append(path, request)
        if answer.duplicate and request.by is not None:
            self._logs[self._streams[path].incarnation].by[-1] = to_text(request.by)
        return answer


BROKEN: dict[type[MemoryStore], list[str]] = {
    LosesTheLastRecord: ["appends/records_keep_their_order_and_bytes", "reads/a_read_starts_where_it_is_told"],
    RepeatsDuplicates: ["producers/a_duplicate_writes_nothing", "producers/a_batch_is_one_request"],
    UsesOffsetsAgain: ["deletes/offsets_are_never_used_again", "expiry/an_expired_path_is_free"],
    SwallowsCloses: ["closes/a_close_is_seen", "producers/the_closing_request_can_be_sent_again"],
    KeepsHalfOfARefusedBody: ["appends/a_body_that_is_not_json_is_refused"],
    CutsJsonValues: ["reads/json_values_are_never_cut"],
    CallsTheEndTooEarly: ["closes/the_end_is_told_at_the_end_only"],
    NeverExpires: ["expiry/an_idle_stream_expires", "retention/an_age_is_kept"],
    TakesPrefixesForPatterns: ["lists/a_prefix_is_taken_literally"],
    ForksAtTheTail: ["forks/a_fork_leaves_at_an_offset", "lineage/forks_of_forks_read_through"],
    IgnoresConditions: ["conditions/an_append_at_another_tail_is_refused", "conditions/one_of_many_appends_wins"],
    CreatesBeforeItAppends: ["first appends/a_refused_append_makes_nothing", "first appends/one_of_many_makes_it"],
    TellsRecordsAlone: ["watch/a_creation_is_told_first", "watch/each_life_of_a_path_is_told"],
    TellsCreationsLate: ["watch/a_creation_is_told_first", "first appends/it_is_told_as_an_append"],
    TellsTheTimeOfTheRead: [
        "times/a_record_has_the_time_of_its_append",
        "times/what_is_told_has_the_time_that_is_read",
    ],
    TellsTheWallClock: ["times/times_never_go_back"],
    TimesForksAnew: ["times/a_fork_has_the_times_of_its_source"],
    NamesTheLastWriter: ["attribution/a_record_has_who_appended_it", "attribution/it_is_told_and_read_alike"],
    ForgetsWhoMadeIt: ["attribution/a_record_has_who_appended_it", "attribution/a_fork_has_those_of_its_source"],
    NamesTheRetry: ["attribution/a_duplicate_changes_nobody"],
    TellsNobody: ["watch/an_append_is_told", "watch/a_delete_is_told"],
    TellsNothingUnwanted: ["watch/what_a_watcher_wants_is_told"],
    RemembersWhatWasWanted: ["watch/what_a_watcher_wants_is_told"],
}


def make_memory(clock: Clock) -> Store:
    return MemoryStore(clock=clock)


def reopen_memory(store: Store, _: Clock) -> Store:
    """The same object: as good as a store that keeps everything."""
    return store


def forget(_: Store, clock: Clock) -> Store:
    return MemoryStore(clock=clock)


@pytest.mark.parametrize("reopen", [None, reopen_memory])
def test_a_good_store_passes(reopen: Reopen | None) -> None:
    """The memory store keeps every promise, also those about restarts when the same object is opened again."""
    asyncio.run(check_store(make_memory, reopen=reopen))


class OfBefore:
    """A store that knows nothing of who appends."""

    def __init__(self, clock: Clock) -> None:
        self._inner = MemoryStore(clock=clock)

    def __getattr__(self, name: str) -> Any:
        if name in ("keeps_by", "append_all", "post"):
            raise AttributeError(name)
        return getattr(self._inner, name)

    async def append(self, path: str, request: Append) -> Appended:
        return await self._inner.append(path, msgspec.structs.replace(request, by=None))


def test_a_store_that_knows_nobody_passes() -> None:
    """Who appended is asked of none that does not say that it keeps it."""
    make: Any = OfBefore
    asyncio.run(check_store(make, reopen=reopen_memory))


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
def test_a_broken_store_fails(broken: type[MemoryStore], monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that breaks a promise fails; the message names the promise in words."""
    monkeypatch.setattr("headwater.testing.contract.watch.PATIENCE_SECONDS", 0.0)
    with pytest.raises(AssertionError) as failure:
        asyncio.run(check_store(lambda clock: broken(clock=clock)))
    promises = {check.name: check.promise for check in STORE_CHECKS}
    for name in BROKEN[broken]:
        assert f"{name}: {promises[name]}\n" in str(failure.value)


def test_a_store_that_forgets_fails() -> None:
    """A store that loses its data at a restart breaks every promise about restarts, and those only."""
    with pytest.raises(AssertionError) as failure:
        asyncio.run(check_store(make_memory, reopen=forget))
    broken = [check.name for check in STORE_CHECKS if f"{check.name}: " in str(failure.value)]
    assert set(broken) <= {check.name for check in STORE_CHECKS if check.durable}
    assert "survival/streams_and_records_survive" in broken
    assert isinstance(failure.value.__cause__, ExceptionGroup)
    assert len(failure.value.__cause__.exceptions) == len(broken)


def test_a_store_that_breaks_down_fails() -> None:
    """An exception that no promise allows is reported like a broken promise."""

    class BreaksDown(MemoryStore):
        async def info(self, path: str) -> StreamInfo:
            raise ZeroDivisionError

    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        asyncio.run(check_store(lambda clock: BreaksDown(clock=clock)))


def test_a_durable_check_needs_a_store_to_reopen() -> None:
    """A check about restarts, run by itself without `reopen`, says what is missing."""
    durable = next(check for check in STORE_CHECKS if check.durable)
    with pytest.raises(ValueError, match="needs reopen"):
        asyncio.run(durable.run(make_memory))


def test_checks_can_be_told_apart() -> None:
    """Every check has a name of its own and its promise in words."""
    names = [check.name for check in STORE_CHECKS]
    assert len(set(names)) == len(names)
    assert all(check.promise.endswith(".") for check in STORE_CHECKS)
