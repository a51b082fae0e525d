"""A store and the model of it, moved together and compared at every step.

Rule: an offset is text that the store gave for a position; only such offsets are used.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from copy import deepcopy
from functools import partial
from typing import Any, TypeVar

from headwater.errors import HeadwaterError, InvalidOffset, OffsetGone
from headwater.model import BEGINNING, Batch, Last, Principal, StreamConfig
from headwater.protocol.ledger import Append
from headwater.protocol.preconditions import ANY, Condition
from headwater.stores.base import Atomic, Attributing, Store, Sweeping
from headwater.testing import model_pages
from headwater.testing.clock import ManualClock
from headwater.testing.contract import MakeStore, Reopen
from headwater.testing.follower import Follower, Known
from headwater.testing.model import ModelStore, ModelStream, Told
from headwater.testing.model_config import ModelConfig, ModelFork

T = TypeVar("T")

JSON = "application/json"


class Lockstep:
    """Does the same to both. A difference raises AssertionError.

    Attributes:
        offsets: what the store gave out, by stream: the position of each offset.
        highest: the greatest offset that was ever a tail; a new stream starts after it.
    """

    def __init__(self, make_store: MakeStore, reopen: Reopen | None, crash: Reopen | None = None) -> None:
        self.loop = asyncio.new_event_loop()
        self.clock = ManualClock(0.0)
        self.model = ModelStore(self.clock)
        self.store: Store = make_store(self.clock)
        self.reopen = reopen
        self.crashed = crash
        self.offsets: dict[ModelStream, dict[str, int]] = {}
        self.highest = ""
        self.follower = Follower()
        self._open()

    def _open(self) -> None:
        self.store.attend(self.model.watched.__contains__)
        self.store.watch(self.follower)
        self._run(self.store.open())

    def watch(self, path: str, *, on: bool) -> None:
        """Somebody comes to a stream, or leaves it: then its TTL begins."""
        if on:
            self.model.watched.add(path)
        elif path in self.model.watched:
            self.touch({path: 0})
            self.model.watched.remove(path)

    def touch(self, ages: Mapping[str, int]) -> None:
        """Streams were in use so many seconds ago, all told at once."""
        now = self.store.time()
        self.store.touch({path: now - age for path, age in ages.items()})
        for path, age in ages.items():
            self.model.touch(path, age)

    def jump(self, seconds: float) -> None:
        """The clock is set, and the store notices."""
        self.clock.jump(seconds)
        self.model.jump(seconds)
        self.sweep()

    def end(self) -> None:
        """Close the store and the loop."""
        self._run(self.store.aclose())
        self.loop.close()

    def restart(self) -> None:
        """Close the store and open its data again."""
        assert self.reopen is not None
        self._run(self.store.aclose())
        self.store = self.reopen(self.store, self.clock)
        self._open()

    def crash(self) -> None:
        """Go on with what another process would find if this one were killed now.

        It is behind a sweep: until then a store may forget when streams were read.
        """
        assert self.crashed is not None
        self.sweep()
        before, self.store = self.store, self.crashed(self.store, self.clock)
        self._run(before.aclose())
        self._open()

    def sweep(self) -> None:
        """Have both drop what is over."""
        if isinstance(self.store, Sweeping):
            self._run(self.store.sweep())
        self.model.sweep()

    def create(
        self,
        path: str,
        config: StreamConfig,
        body: bytes,
        records: list[bytes],
        fork: ModelFork | None = None,
        *,
        closed: bool = False,
        by: Principal | None = None,
    ) -> None:
        """Create or confirm; `records` and `fork` say to the model what `body` and `config` say to the store."""
        by = self._known(by)

        def model() -> bool:
            return self.model.create(
                path, config.content_type, config.expiry, config.retention, records, fork, closed=closed, by=by
            )

        more: dict[str, Any] = {} if by is None else {"by": by}
        both = self._both(self.store.create(path, config, body, closed=closed, **more), model)
        if both is None:
            return
        answer, created = both
        tail = answer.info.tail
        assert answer.created == created
        if created:
            assert tail > self.highest, f"{tail} is not greater than {self.highest}, given out before"
            self._inherit(path)
        self._learn_tail(path, tail)

    def append(self, path: str, request: Append, records: list[bytes]) -> None:
        """Append, close, or both."""
        producer, meets, config = request.producer, self._meets(path, request.condition), request.create
        creates = config is not None and self.model.is_free(path)

        def model() -> bool:
            return self.model.append(
                path,
                records,
                request.content_type,
                producer,
                request.seq,
                close=request.close,
                failure=request.failure,
                meets=meets,
                create=None if config is None else _model_of(config),
                by=self._known(request.by),
            )

        both = self._both(self.store.append(path, request), model)
        if both is None:
            return
        answer, duplicate = both
        stream = self.model.streams[path]
        assert (answer.duplicate, answer.closed, answer.failure) == (duplicate, stream.closed, stream.failure)
        assert answer.created == creates
        if creates:
            assert answer.next_offset > self.highest, f"{answer.next_offset} is not greater than {self.highest}"
        if producer is None:
            assert answer.producer is None
        else:
            assert answer.producer is not None
            assert (answer.producer.epoch, answer.producer.seq) == stream.producers[producer.id]
        self._learn_tail(path, answer.next_offset)

    def append_all(self, appends: list[tuple[str, Append, list[bytes]]]) -> None:
        """Append to several streams in one step, if the store can: all of it or nothing."""
        store = self.store
        if not isinstance(store, Atomic):
            return

        def model(on: ModelStore) -> list[bool]:
            return [
                on.append(
                    path,
                    records,
                    request.content_type,
                    request.producer,
                    close=request.close,
                    create=None if request.create is None else _model_of(request.create),
                    by=self._known(request.by),
                )
                for path, request, records in appends
            ]

        def both() -> list[bool]:
            model(deepcopy(self.model))  # what it refuses changes nothing
            return model(self.model)

        outcome = self._both(store.append_all([(path, request) for path, request, _ in appends]), both)
        if outcome is None:
            return
        answers, duplicates = outcome
        assert [answer.duplicate for answer in answers] == duplicates
        for path in {path for path, _, _ in appends}:
            last = [answer for answer, (other, _, _) in zip(answers, appends, strict=True) if other == path][-1]
            self._learn_tail(path, last.next_offset)

    def _known(self, by: Principal | None) -> Principal | None:
        """Who appends, if the store keeps it."""
        return by if isinstance(self.store, Attributing) else None

    def refuse(self, path: str, request: Append, error: type[HeadwaterError]) -> None:
        """Append what is refused with `error` by any open stream."""

        def model() -> None:
            if not self.model.usable(path).closed:
                raise error
            self.model.append(path, [request.body])

        self._both(self.store.append(path, request), model)

    def delete(self, path: str, condition: Condition | None = None) -> None:
        """Delete."""
        meets = self._meets(path, condition)
        self._both(self.store.delete(path, condition=condition), lambda: self.model.delete(path, meets=meets))

    def _meets(self, path: str, condition: Condition | None) -> bool:
        """Whether one of the offsets is the tail's; that the tail is the model's, `compare` sees."""
        if condition is None or condition.if_match is None:
            return True
        found = [info.tail for info in self._run(self.store.list()) if info.path == path]
        return bool(found) and (ANY in condition.if_match or found[0] in condition.if_match)

    def pick(self, path: str, number: int) -> tuple[str, int]:
        """An offset given out for the stream at a path, or -1; and its position."""
        stream = self.model.streams.get(path)
        if stream is None:
            return BEGINNING, 0
        options = [(BEGINNING, stream.start), *sorted(self.offsets.get(stream, {}).items())]
        return options[number % len(options)]

    def read(self, path: str, offset: str, at: int, limit: int) -> None:
        """Read from an offset at a position to the tail, in pieces of at most `limit` bytes."""
        while True:
            both = self._both(self.store.read(path, offset, limit=limit), partial(self.model.read, path, at))
            if both is None:
                return
            batch, rest = both
            at = self._check_batch(self.model.streams[path], batch, rest, at, limit)
            offset = batch.next_offset
            if batch.up_to_date:
                return

    def page(self, path: str, offset: str, at: int, count: int, limit: int) -> None:
        """Read from behind: what lies before an offset at a position, as much as is asked for and fits."""
        stream = self.model.streams.get(path)
        is_json = stream is not None and stream.content_type == JSON
        last = Last(count if is_json else None, None if is_json else count, offset)
        both = self._both(
            self.store.page(path, last, limit=limit), partial(model_pages.page, self.model, path, at, count, limit)
        )
        if both is None:
            return
        page, (start, expected) = both
        stream, batch = self.model.streams[path], page.batch
        data = [record.data for record in batch.records]
        if not is_json:  # characters of one byte; how they came in records is not asked
            data, expected = [b"".join(data)], [b"".join(expected)]
        assert data == expected, f"the page before {offset}"
        assert page.has_earlier == (start > stream.start)
        assert (batch.up_to_date, batch.closed) == (at == stream.tail, at == stream.tail and stream.closed)
        self.learn(stream, batch.offset, start)
        self.learn(stream, batch.next_offset, at)

    def read_everything(self) -> None:
        """Read every stream in small pieces, and from every offset it gave out."""
        for path in self.model.listed():
            stream = self.model.streams[path]
            self.read(path, BEGINNING, stream.start, 3)
            for offset, position in sorted(self.offsets[stream].items()):
                self.read(path, offset, position, 1000)

    def _check_batch(
        self, stream: ModelStream, batch: Batch, timed: list[tuple[bytes, Told]], at: int, limit: int
    ) -> int:
        data, rest = [record.data for record in batch.records], [data for data, _ in timed]
        size = sum(map(len, data))
        assert bool(data) == bool(rest), "a read got nowhere"
        if stream.content_type == JSON:
            assert data == rest[: len(data)]
        else:
            assert b"".join(data) == b"".join(rest)[:size]
        # Of each byte, so that it does not matter where a record was cut.
        told = [told for data, told in timed for _ in data]
        found = [(record.at, record.by) for record in batch.records for _ in record.data]
        assert found == told[:size], "other times, or others who appended"
        assert size <= limit or (stream.content_type == JSON and len(data) == 1)
        self.learn(stream, batch.offset, at)
        for record in batch.records:
            at += len(record.data)
            self.learn(stream, record.offset, at)
        self.learn(stream, batch.next_offset, at)
        assert (batch.up_to_date, batch.closed) == (at == stream.tail, at == stream.tail and stream.closed)
        assert batch.failure == (stream.failure if at == stream.tail else None)
        assert batch.content_type == stream.content_type
        return at

    def refuse_offset(self, path: str, offset: str) -> None:
        """Read at an offset that is not the stream's."""
        answer = self._outcome(self.store.read(path, offset))
        assert isinstance(answer, InvalidOffset | OffsetGone), f"{offset} was read from in {path!r}: {answer}"

    def compare(self) -> None:
        """The list, and what it says of each stream, are the model's, and what watchers were told."""
        infos = self._run(self.store.list())
        assert [info.path for info in infos] == self.model.listed()
        for info in infos:
            stream = self.model.streams[info.path]
            assert (info.content_type, info.closed) == (stream.content_type, stream.closed)
            assert info.failure == stream.failure
            assert (info.size, info.expiry) == (stream.tail - stream.start, stream.expiry)
            assert info.forked_from == (stream.source and stream.source.path)
            self.learn(stream, info.tail, stream.tail)
            self.learn(stream, info.earliest, stream.start)

        self._compare_told({info.path: (info.tail, info.closed, info.failure) for info in infos})

    def _compare_told(self, listed: dict[str, Known]) -> None:
        """Who watches knows every stream that is listed, and beside these only those whose time is over."""
        told = self.follower.streams
        over = {path for path, stream in self.model.streams.items() if not stream.deleted} - listed.keys()
        self._run(self.follower.until(lambda: listed == {path: told[path] for path in told.keys() - over}))
        assert not self.follower.faults, self.follower.faults

    def learn(self, stream: ModelStream, text: str, position: int) -> None:
        """Note an offset; it must mean what it meant before, and lie between its neighbours.

        What a fork gives out of the records it inherits, its source has too, and so have other forks of that.
        """
        if stream.source is not None and position < stream.fork_at:
            self.learn(stream.source, text, position)
        known = self.offsets.setdefault(stream, {})
        if text in known:
            assert known[text] == position, f"{text} is {position}, it was {known[text]}"
            return
        below = max((known[other] for other in known if other < text), default=position)
        above = min((known[other] for other in known if other > text), default=position)
        assert below <= position <= above, f"{text} is {position}, between {below} and {above}"
        known[text] = position

    def _learn_tail(self, path: str, text: str) -> None:
        stream = self.model.streams[path]
        self.learn(stream, text, stream.tail)
        self.highest = max(self.highest, text)

    def _inherit(self, path: str) -> None:
        """A fork answers to its source's offsets up to the fork point."""
        stream = self.model.streams[path]
        known = self.offsets.get(stream.source, {}) if stream.source is not None else {}
        for text, position in known.items():
            if position <= stream.fork_at:
                self.learn(stream, text, position)

    def _run(self, call: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(call)

    def _outcome(self, call: Coroutine[Any, Any, T]) -> T | HeadwaterError:
        try:
            return self._run(call)
        except HeadwaterError as refusal:
            return refusal

    def _both(self, call: Coroutine[Any, Any, T], model: Callable[[], Any]) -> tuple[T, Any] | None:
        """What both return; None when both refuse, for the same reason."""
        expected: Any
        try:
            expected = model()
        except HeadwaterError as refusal:
            expected = refusal
        result = self._outcome(call)
        refused = isinstance(result, HeadwaterError), isinstance(expected, HeadwaterError)
        same = type(result) is type(expected) if all(refused) else not any(refused)
        assert same, f"the store: {result!r}, the model: {expected!r}"
        return None if isinstance(result, HeadwaterError) else (result, expected)


def _model_of(config: StreamConfig) -> ModelConfig:
    return ModelConfig(config.content_type or "application/octet-stream", config.expiry, config.retention)
