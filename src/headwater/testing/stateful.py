"""Random histories of a store, as a hypothesis state machine; each is compared with the model."""

from __future__ import annotations

import json
from typing import Any

from headwater.errors import InvalidBody
from headwater.model import BEGINNING, Expiry, Failure, ForkPoint, Principal, Producer, Retention, StreamConfig
from headwater.protocol.ledger import Append
from headwater.protocol.preconditions import ANY, Condition
from headwater.testing.contract import MakeStore, Reopen
from headwater.testing.lockstep import JSON, Lockstep
from headwater.testing.model import ModelStream
from headwater.testing.model_config import ModelFork

try:
    from hypothesis import strategies as st
    from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
except ImportError as error:
    raise ImportError("headwater.testing.stateful needs hypothesis. Install it with: pip install hypothesis") from error

__all__ = ["StoreMachine", "store_machine"]

# Few of everything, so that histories meet: deletes of sources, retries, expired paths made anew.
PATHS = ("a", "b", "c", "d")
# Mostly a path where the step does something; `st.runner` is the machine itself.
used = st.runner().flatmap(lambda machine: st.sampled_from((*(3 * machine.paths_used()), *PATHS)))
free = st.runner().flatmap(lambda machine: st.sampled_from((*(3 * machine.paths_free()), *PATHS)))
types = st.sampled_from([JSON, "application/octet-stream"])
picks = st.integers(0, 30)
places = st.sampled_from(PATHS)
rarely = st.sampled_from([False, False, False, False, False, True])
lists = st.lists(st.one_of(st.integers(-99, 99), st.text(max_size=3), st.just([1, [2]]), st.none()), max_size=3)
bodies = st.binary(min_size=1, max_size=7)
expiries = st.sampled_from([Expiry()] * 4 + [Expiry(ttl=0), Expiry(ttl=3), Expiry(ttl=8), Expiry(at=12.0)])
retentions = st.sampled_from([Retention()] * 3 + [Retention(count=2), Retention(size=6), Retention(age=5)])
writers = st.sampled_from([None, None, Principal("u"), Principal("u", "https://a.example"), Principal("v")])
failures = st.sampled_from([None, None, Failure("a"), Failure("b", "why")])
moves = st.sampled_from(["next"] * 3 + ["again", "older", "gap", "new epoch", "bad epoch", "old epoch"])


class StoreMachine(RuleBasedStateMachine):
    """Does the same things to a store and to a model of it. Use `store_machine` to bind it to a store."""

    make_store: MakeStore
    reopen: Reopen | None = None
    crashed: Reopen | None = None

    def __init__(self) -> None:
        super().__init__()
        self.pair = Lockstep(type(self).make_store, type(self).reopen, type(self).crashed)

    def paths_used(self) -> tuple[str, ...]:
        """Paths of streams."""
        return tuple(self.pair.model.listed())

    def paths_free(self) -> tuple[str, ...]:
        """Paths without a stream."""
        return tuple(path for path in PATHS if path not in self.pair.model.streams)

    def teardown(self) -> None:
        """Read all there is from everywhere, and close the store."""
        try:
            self.pair.read_everything()
        finally:
            self.pair.end()

    @initialize(values=lists, body=bodies)
    def begin(self, values: list[Any], body: bytes) -> None:
        """Begin with a stream of each kind."""
        self.create("a", JSON, values, body, Expiry(), Retention(), closed=False, by=None)
        self.create("b", "application/octet-stream", values, body, Expiry(), Retention(), closed=False, by=None)

    @rule(
        path=free,
        kind=types,
        values=lists,
        body=bodies,
        expiry=expiries,
        retention=retentions,
        closed=rarely,
        by=writers,
    )
    def create(
        self,
        path: str,
        kind: str,
        values: list[Any],
        body: bytes,
        expiry: Expiry,
        retention: Retention,
        closed: bool,
        by: Principal | None,
    ) -> None:
        """Create or re-create a stream that is no fork."""
        body, records = _body(values, body, json_array=kind == JSON)
        self.pair.create(path, StreamConfig(kind, expiry, retention), body, records, closed=closed, by=by)

    @rule(path=used)
    def create_again(self, path: str) -> None:
        """Confirm a stream with its own configuration."""
        stream = self.pair.model.streams.get(path)
        if stream is not None and stream.source is None:
            config = StreamConfig(stream.content_type, stream.expiry, stream.retention)
            self.pair.create(path, config, b"", [], closed=stream.closed)

    @rule(path=free, source=used, pick=picks, sub_offset=st.integers(0, 3), kind=st.none() | types)
    def fork(self, path: str, source: str, pick: int, sub_offset: int, kind: str | None) -> None:
        """Fork at an offset that the source gave out."""
        offset, position = self.pair.pick(source, pick)
        config = StreamConfig(kind, fork=ForkPoint(source, offset, sub_offset))
        self.pair.create(path, config, b"", [], ModelFork(source, offset, sub_offset, position))

    @rule(path=free, source=used)
    def fork_tail(self, path: str, source: str) -> None:
        """Fork at the tail."""
        self.pair.create(path, StreamConfig(fork=ForkPoint(source)), b"", [], ModelFork(source))

    @rule(path=used)
    def fork_again(self, path: str) -> None:
        """Confirm a fork in its own words."""
        stream = self.pair.model.streams.get(path)
        if stream is not None and stream.fork is not None:
            point = ForkPoint(stream.fork.source, stream.fork.offset, stream.fork.sub_offset)
            config = StreamConfig(None, stream.expiry, fork=point)
            self.pair.create(path, config, b"", [], stream.fork, closed=stream.closed)

    @rule(
        path=used,
        values=lists,
        body=bodies,
        close=rarely,
        seq=st.none() | st.sampled_from(["1", "10", "2"]),
        by=writers,
    )
    def append(
        self, path: str, values: list[Any], body: bytes, close: bool, seq: str | None, by: Principal | None
    ) -> None:
        """Append, with or without a close and a Stream-Seq."""
        self._append(path, values, body, seq=seq, close=close, by=by)

    @rule(
        path=free,
        kind=types,
        values=lists,
        body=bodies,
        expiry=expiries,
        retention=retentions,
        producer=st.sampled_from([None, Producer("p", 1, 0), Producer("p", 1, 1)]),
        close=rarely,
        anywhere=rarely,
        by=writers,
    )
    def append_first(
        self,
        path: str,
        kind: str,
        values: list[Any],
        body: bytes,
        expiry: Expiry,
        retention: Retention,
        producer: Producer | None,
        close: bool,
        anywhere: bool,
        by: Principal | None,
    ) -> None:
        """Append to a stream that is created if it is not there, in one step."""
        found = self.pair.model.streams.get(path)
        open_kind = found.content_type if found is not None and path in self.paths_used() else kind
        body, records = _body(values or [None], body, json_array=open_kind == JSON)
        condition = Condition(if_match=(ANY,)) if anywhere else None
        create = StreamConfig(kind, expiry, retention)
        request = Append(body, kind, producer, close=close, condition=condition, create=create, by=by)
        self.pair.append(path, request, records)

    @rule(
        steps=st.lists(
            st.tuples(st.sampled_from(PATHS), lists, bodies, st.booleans(), rarely, rarely, writers),
            min_size=1,
            max_size=4,
        ),
        kind=types,
    )
    def append_together(
        self, steps: list[tuple[str, list[Any], bytes, bool, bool, bool, Principal | None]], kind: str
    ) -> None:
        """Append to several streams in one step, some of which may be refused."""
        made: dict[str, str] = {}
        appends = []
        for path, values, body, creates, produces, close, by in steps:
            found = self.pair.model.streams.get(path)
            is_there = found is not None and path in self.paths_used()
            open_kind = found.content_type if found is not None and is_there else made.get(path, kind)
            if creates:
                made.setdefault(path, kind)
            data, records = _body(values or [None], body, json_array=open_kind == JSON)
            producer = Producer("together", 1, 0) if produces else None
            create = StreamConfig(kind) if creates else None
            content_type = kind if creates else None
            request = Append(data, content_type, producer, close=close, create=create, by=by)
            appends.append((path, request, records))
        self.pair.append_all(appends)

    @rule(path=used, values=lists, body=bodies, name=st.sampled_from("pq"), move=moves, close=rarely, by=writers)
    def produce(
        self, path: str, values: list[Any], body: bytes, name: str, move: str, close: bool, by: Principal | None
    ) -> None:
        """Append as a producer, with a right or a wrong number."""
        stream = self.pair.model.streams.get(path)
        epoch, last = stream.producers.get(name, (1, -1)) if stream else (1, -1)
        epoch, seq = {
            "next": (epoch, last + 1),
            "again": (epoch, max(last, 0)),
            "older": (epoch, max(last - 1, 0)),
            "gap": (epoch, last + 2),
            "new epoch": (epoch + 1, 0),
            "bad epoch": (epoch + 1, 1),
            "old epoch": (epoch - 1, last + 1),
        }[move]
        self._append(path, values, body, producer=Producer(name, epoch, seq), close=close, by=by)

    @rule(path=used, values=lists, body=bodies, pick=picks, seq=st.none() | st.just("1"), close=rarely)
    def append_at(self, path: str, values: list[Any], body: bytes, pick: int, seq: str | None, close: bool) -> None:
        """Append on the condition that the tail is at an offset that was given out."""
        condition = Condition(if_match=(self.pair.pick(path, pick)[0],))
        self._append(path, values, body, seq=seq, close=close, condition=condition)

    @rule(path=used)
    def append_another_type(self, path: str) -> None:
        """Append with a content type that no stream has."""
        self._append(path, [1], b"1", content_type="text/plain")

    @rule(path=used, producer=st.none() | st.just(Producer("p", 1, 0)), failure=failures)
    def close(self, path: str, producer: Producer | None, failure: Failure | None) -> None:
        """Close without a record, as complete or as failed."""
        self.pair.append(path, Append(producer=producer, close=True, failure=failure), [])

    def _append(
        self,
        path: str,
        values: list[Any],
        body: bytes,
        *,
        content_type: str | None = None,
        producer: Producer | None = None,
        seq: str | None = None,
        close: bool = False,
        condition: Condition | None = None,
        by: Principal | None = None,
    ) -> None:
        stream = self.pair.model.streams.get(path)
        body, records = _body(values or [None], body, json_array=stream is not None and stream.content_type == JSON)
        request = Append(body, content_type, producer, seq, close, condition=condition, by=by)
        self.pair.append(path, request, records)

    @rule(path=used, body=st.sampled_from([b"[]", b"{", b"1 2", b'"\xff"']))
    def append_bad_json(self, path: str, body: bytes) -> None:
        """Append what a JSON stream does not take."""
        stream = self.pair.model.streams.get(path)
        if stream is not None and stream.content_type == JSON:
            self.pair.refuse(path, Append(body), InvalidBody)

    @rule(path=used)
    def delete(self, path: str) -> None:
        """Delete."""
        self.pair.delete(path)

    @rule(path=used, pick=picks)
    def delete_at(self, path: str, pick: int) -> None:
        """Delete on the condition that the tail is at an offset that was given out."""
        self.pair.delete(path, Condition(if_match=(self.pair.pick(path, pick)[0],)))

    @rule(path=used, pick=picks, limit=st.integers(1, 9))
    def read(self, path: str, pick: int, limit: int) -> None:
        """Read to the tail from any offset ever given out."""
        offset, position = self.pair.pick(path, pick)
        self.pair.read(path, offset, position, limit)

    @rule(path=used, pick=picks, count=st.integers(1, 5), limit=st.integers(1, 9))
    def page(self, path: str, pick: int, count: int, limit: int) -> None:
        """Read what lies before any offset ever given out."""
        offset, position = self.pair.pick(path, pick)
        self.pair.page(path, offset, position, count, limit)

    @rule(path=used, other=used, pick=picks)
    def read_a_strangers_offset(self, path: str, other: str, pick: int) -> None:
        """An offset of an unrelated stream is refused."""
        offset, _ = self.pair.pick(other, pick)
        if offset != BEGINNING and {path, other} <= set(self.pair.model.listed()) and not self._related(path, other):
            self.pair.refuse_offset(path, offset)

    def _related(self, path: str, other: str) -> bool:
        return _root(self.pair.model.streams[path]) is _root(self.pair.model.streams[other])

    @rule(path=used, pick=picks)
    def read_a_dead_streams_offset(self, path: str, pick: int) -> None:
        """An offset of an earlier stream at the path is refused, unless that was of the same family."""
        if path in self.pair.model.listed():
            lives = [known for stream, known in self.pair.offsets.items() if stream.path == path]
            dead = sorted({text for known in lives for text in known} - self._known(path))
            if dead:
                self.pair.refuse_offset(path, dead[pick % len(dead)])

    def _known(self, path: str) -> set[str]:
        """The offsets of a stream and of those it was forked from."""
        known: set[str] = set()
        stream: ModelStream | None = self.pair.model.streams[path]
        while stream is not None:
            known |= set(self.pair.offsets.get(stream, {}))
            stream = stream.source
        return known

    @rule(seconds=st.integers(0, 5))
    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.pair.clock.advance(seconds)

    @rule(path=used, on=st.booleans())
    def watch(self, path: str, on: bool) -> None:
        """Somebody comes to a stream, or leaves it."""
        self.pair.watch(path, on=on)

    @rule(ages=st.dictionaries(st.sampled_from(PATHS), st.integers(-2, 9), min_size=1))
    def touch(self, ages: dict[str, int]) -> None:
        """Tell of several uses at once, of long ago and of what cannot be yet."""
        self.pair.touch(ages)

    @rule(seconds=st.sampled_from([2, 7, 1000]), back=st.booleans())
    def jump(self, seconds: int, back: bool) -> None:
        """The clock is set, forward or back."""
        self.pair.jump(-seconds if back else seconds)

    @rule()
    def sweep(self) -> None:
        """Have both drop what is over."""
        self.pair.sweep()

    @precondition(lambda self: self.pair.reopen is not None)
    @rule()
    def restart(self) -> None:
        """Close the store and open its data again."""
        self.pair.restart()

    @precondition(lambda self: self.pair.crashed is not None)
    @rule()
    def crash(self) -> None:
        """Go on with the data of a store that was not closed."""
        self.pair.crash()

    @invariant()
    def both_agree(self) -> None:
        """The store lists what the model lists."""
        self.pair.compare()


def _body(values: list[Any], body: bytes, *, json_array: bool) -> tuple[bytes, list[bytes]]:
    """A request body and the records it gives."""
    if json_array:
        return json.dumps(values).encode(), [json.dumps(value).encode() for value in values]
    return body, [body]


def _root(stream: ModelStream) -> ModelStream:
    while stream.source is not None:
        stream = stream.source
    return stream


def store_machine(
    make_store: MakeStore, *, reopen: Reopen | None = None, crash: Reopen | None = None
) -> type[StoreMachine]:
    """A state machine for one kind of store; run it with `hypothesis.stateful.run_state_machine_as_test`.

    Args:
        make_store: gives a new store without streams, not yet opened, that uses the given clock.
        reopen: gives another store over the data of a closed one; None: the store keeps nothing.
        crash: gives another store over a copy of the data of one that is in use, as a crash would leave them; the one
            in use is closed afterwards. None: crashes are left out.
    """
    members: dict[str, Any] = {"make_store": staticmethod(make_store)}
    if reopen is not None:
        members["reopen"] = staticmethod(reopen)
    if crash is not None:
        members["crashed"] = staticmethod(crash)
    return type("BoundStoreMachine", (StoreMachine,), members)
