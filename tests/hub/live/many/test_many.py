"""Many streams on one read: what each reader gets, through cuts, deletes, new streams and slow times."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import Run
from tests.support.hub_clock import HubClock
from tests.support.inprocess import turns
from tests.support.many import JSON, ManyClient, json_streams, until

from headwater import Hub, Limits, StreamConfig
from headwater.errors import Refused, StoreUnavailable
from headwater.hub.live.many import slot
from headwater.hub.peers import Peer
from headwater.model import BEGINNING, Retention
from headwater.stores import Sweeping
from headwater.stores.registry import open_store
from headwater.testing import ManualClock


def test_each_record_names_its_stream(run: Run[None]) -> None:
    """Of what was there, and of what comes."""

    async def main() -> None:
        async with Hub() as hub:
            await json_streams(hub, "a", "b")
            await hub.append("a", 1)
            client = ManyClient(hub, "a", "b")
            client.connect()
            await until(lambda: client.cursor, client)
            await hub.append("b", {"n": 2})
            await hub.append("a", 3)
            await until(lambda: len(client.records.get("a", [])) == 2, client)
            assert client.records == {"a": [1, 3], "b": [{"n": 2}]}
            assert (hub.stats.readers, hub.reader_count("a")) == (2, 1)
            client.lose()
            assert hub.stats.readers == 0

    run(main())


@pytest.mark.parametrize(
    ("content_type", "data", "shown"),
    [("text/plain", "hä\n".encode(), "hä\n"), ("application/octet-stream", b"\xff\x00", "/wA="), (JSON, b"[[1]]", [1])],
)
def test_each_kind_of_stream(run: Run[None], content_type: str, data: bytes, shown: Any) -> None:
    async def main() -> None:
        async with Hub() as hub:
            await hub.create("a", content_type=content_type, body=data)
            client = ManyClient(hub, "a")
            client.connect()
            await until(lambda: client.cursor, client)
            assert client.records == {"a": [shown]}

    run(main())


def test_a_character_that_two_appends_split_is_whole(run: Run[None]) -> None:
    """And a cursor told in between stands before it."""

    async def main() -> None:
        async with Hub() as hub:
            hub.runtime.cursors.every = 0.05
            await hub.create("a", content_type="text/plain", body=b"a\xc3")
            client = ManyClient(hub, "a")
            client.connect()
            await until(lambda: client.cursor, client)
            client.lose()
            await hub.append("a", b"\xa4b")
            client.connect()
            await until(lambda: len(client.records["a"]) == 2, client)
            assert client.records["a"] == ["a", "äb"]

    run(main())


def test_where_each_begins(run: Run[None]) -> None:
    async def main() -> None:
        async with Hub() as hub:
            await json_streams(hub, "a", "b", "c")
            for path in ("a", "b", "c"):
                await hub.append(path, b"[1,2,3]")
            client = ManyClient(hub, "a", "b", "c")
            client.connect(last="2")
            await until(lambda: client.cursor, client)
            assert client.records == {path: [2, 3] for path in ("a", "b", "c")}
            late = ManyClient(hub, "a", "b", "c")
            late.connect(offset="now")
            await until(lambda: late.cursor, late)
            assert late.records == {}

    run(main())


def test_a_stream_that_is_not_there_is_waited_for(run: Run[None]) -> None:
    """The others go on; when it is made all of it comes, and when it is made anew after a delete, too."""

    async def main() -> None:
        async with Hub() as hub:
            await json_streams(hub, "a")
            client = ManyClient(hub, "late", "a")
            client.connect()
            await until(lambda: client.names("late") == ["stream-waiting"], client)
            await hub.append("a", 1)
            await hub.create("late", content_type=JSON, body=b"[1,2]")
            await until(lambda: client.records == {"late": [1, 2], "a": [1]}, client)
            await hub.delete("late")
            await until(lambda: client.names("late")[-2:] == ["stream-error", "stream-waiting"], client)
            await hub.create("late", content_type=JSON, body=b"[3]")
            await until(lambda: client.records["late"] == [1, 2, 3], client)
            assert client.names("late")[-2:] == ["stream-created", "stream-gap"]
            gap = next(data for name, data in client.said if name == "stream-gap")
            assert gap["reason"] == "recreated"
            await hub.append("a", 2)
            await until(lambda: client.records["a"] == [1, 2], client)

    run(main())


@pytest.mark.parametrize("start", [{"offset": "now"}, {"last": "1"}], ids=["now", "last"])
def test_a_stream_that_is_made_while_its_reader_is_away(start: dict[str, str], run: Run[None]) -> None:
    """All of it comes: where the request begins is where a stream began that was there."""

    async def main() -> None:
        async with Hub() as hub:
            await json_streams(hub, "a")
            await hub.append("a", 1)
            client = ManyClient(hub, "late", "a")
            for _ in range(2):  # also when it was away before
                client.connect(access=None, **start)
                await until(lambda: client.cursor and client.names("late")[-1:] == ["stream-waiting"], client)
                client.said.clear()
                client.lose()
            await hub.create("late", content_type=JSON, body=b"[1,2,3]")
            await hub.append("a", 2)
            client.connect(access=None, **start)
            await until(lambda: client.records.get("late") and client.records.get("a", [0])[-1] == 2, client)
            await until(lambda: len(client.records["late"]) == 3, client)
            assert client.records == {"late": [1, 2, 3], "a": [1, 2] if "last" in start else [2]}

    run(main())


def test_a_stream_that_is_replaced_at_once(run: Run[None]) -> None:
    """Deleted and made anew before anybody is told: the same is told."""

    async def main() -> None:
        async with Hub() as hub:
            await json_streams(hub, "a")
            client = ManyClient(hub, "a")
            client.connect()
            await hub.append("a", 1)
            await until(lambda: client.records.get("a") == [1], client)
            await hub.delete("a")
            await hub.create("a", content_type=JSON, body=b"[2]")
            await until(lambda: client.records["a"] == [1, 2], client)
            assert client.names("a")[-2:] == ["stream-created", "stream-gap"]

    run(main())


def test_patterns_take_what_is_there_and_what_comes(run: Run[None]) -> None:
    """Each stream once, an exact name first, and nothing private."""

    async def main() -> None:
        async with Hub() as hub:
            await json_streams(hub, "rooms/1", "rooms/2", "runs/secret", "other")
            for path in ("rooms/1", "rooms/2", "runs/secret", "other"):
                await hub.append(path, path)
            client = ManyClient(hub, "rooms/*", "**", "rooms/2")
            client.connect()
            await until(lambda: client.cursor, client)
            await hub.create("rooms/3", content_type=JSON, body=b'["rooms/3"]')
            await hub.create("runs/more", content_type=JSON, body=b"[0]")
            await hub.create("deep/er", content_type=JSON, body=b'["deep/er"]')
            await until(lambda: len(client.records) == 5, client)
            assert client.records == {path: [path] for path in ("rooms/1", "rooms/2", "other", "rooms/3", "deep/er")}
            client.lose()
            assert not hub.live.patterns.count

    run(main())


def test_a_pattern_that_matches_nothing_has_a_cursor(run: Run[None]) -> None:
    """With which a stream that is made meanwhile comes from its start."""

    async def main() -> None:
        async with Hub() as hub:
            hub.runtime.cursors.every = 0.05
            client = ManyClient(hub, "rooms/*")
            client.connect()
            await until(lambda: client.cursor, client)
            client.lose()
            await hub.create("rooms/1", content_type=JSON, body=b"[1,2]")
            client.connect(offset="now")
            await until(lambda: client.records.get("rooms/1") == [1, 2], client)

    run(main())


def test_a_new_stream_comes_with_its_first_record(run: Run[None]) -> None:
    """To a crowd, too, and with what a fork has of its source; one that ends before it had any is told to be over."""

    async def main() -> None:
        async with Hub() as hub:
            await json_streams(hub, "source")
            await hub.append("source", "of source")
            clients = [ManyClient(hub, "rooms/*") for _ in range(40)] + [ManyClient(hub, "**", "rooms/*")]
            for client in clients:
                client.connect()
            await until(lambda: all(client.cursor for client in clients), *clients)
            await json_streams(hub, "rooms/1", "rooms/empty", "rooms/gone")
            assert hub.reader_count("rooms/1") == 0
            await hub.append("rooms/1", 1)
            await hub.fork("rooms/fork", "source")
            await hub.close("rooms/empty")
            await hub.delete("rooms/gone")
            await hub.append("rooms/1", 2)
            rooms = {"rooms/1": [1, 2], "rooms/fork": ["of source"]}
            *crowd, both = clients
            await until(lambda: all(client.records == rooms for client in crowd), *crowd)
            await until(lambda: both.records == {"source": ["of source"], **rooms}, both)
            for client in clients:
                await until(lambda: "stream-closed" in client.names("rooms/empty"), client)  # noqa: B023
                assert not client.names("rooms/gone")
                assert client.again == 0
                client.lose()
            assert (hub.stats.readers, hub.live.patterns.count) == (0, 0)

    run(main())


def test_a_cursor_knows_of_streams_that_had_nothing_to_tell(run: Run[None]) -> None:
    """What is made after them does not make them old: their records come when the reader comes back."""

    async def main() -> None:
        async with Hub() as hub:
            await json_streams(hub)
            client = ManyClient(hub, "rooms/*")
            client.connect()
            await until(lambda: client.cursor, client)
            was = client.cursor
            await json_streams(hub, "rooms/quiet", "rooms/loud")
            await hub.append("rooms/loud", 1)
            await until(lambda: client.records and client.cursor != was, client)
            client.lose()
            await hub.append("rooms/quiet", 2)
            client.connect()
            await until(lambda: client.records == {"rooms/loud": [1], "rooms/quiet": [2]}, client)
            assert client.again == 0

    run(main())


def test_what_ended_under_one_pattern_is_not_new_to_another(run: Run[None]) -> None:
    """A stream that both match comes once, also when it has ended and the reader comes back."""

    async def main() -> None:
        async with Hub() as hub:
            await json_streams(hub, "rooms/1")
            client = ManyClient(hub, "rooms/*", "**")
            client.connect()
            await until(lambda: client.cursor, client)
            await hub.create("rooms/2", content_type=JSON, body=b"[2]")
            for path in ("rooms/1", "rooms/2"):
                await hub.close(path)
            await until(lambda: "stream-closed" in client.names("rooms/2"), client)
            was = client.cursor
            await until(lambda: client.cursor != was, client)
            client.lose()
            client.connect()
            told = len(client.said)
            await until(lambda: client.names()[told:] == ["stream-cursor"], client)
            assert (client.records, client.again) == ({"rooms/2": [2]}, 0)

    run(main())


def test_what_does_not_fit_is_told_once(run: Run[None]) -> None:
    """With the pattern; the rest goes on, and where a stream has ended there is room for another one."""

    async def main() -> None:
        async with Hub() as hub:
            await json_streams(hub, *(f"rooms/{index}" for index in range(5)))
            for index in range(5):
                await hub.append(f"rooms/{index}", "first")
            client = ManyClient(hub, "rooms/*", max_streams=3)
            client.connect()
            await until(lambda: client.cursor, client)
            await hub.create("rooms/5", content_type=JSON, body=b"[5]")
            await hub.append("rooms/0", 0)
            await until(lambda: client.records.get("rooms/0") == ["first", 0], client)
            refused = [data for name, data in client.said if name == "stream-error"]
            assert [(data["stream"], data["code"]) for data in refused] == [("rooms/*", "too-many-streams")]
            assert list(client.records) == ["rooms/0", "rooms/1", "rooms/2"]
            await hub.close("rooms/0")
            await until(lambda: "stream-closed" in client.names("rooms/0"), client)
            await hub.create("rooms/6", content_type=JSON, body=b"[6]")
            await until(lambda: client.records.get("rooms/6") == [6], client)

    run(main())


def test_one_streams_error_is_an_event(run: Run[None]) -> None:
    """An offset that it never gave out; the others go on."""

    async def main() -> None:
        async with Hub() as hub:
            await json_streams(hub, "a", "b")
            await hub.append("b", 1)
            client = ManyClient(hub, "a", "b")
            client.connect(offset="0000000000000002_0000000000000000")
            await until(lambda: client.records.get("b") == [1], client)
            assert next(data for name, data in client.said if name == "stream-error")["code"] == "invalid-offset"

    run(main())


def test_what_is_no_longer_kept_is_a_gap(run: Run[None]) -> None:
    """And not the end of the stream for a reader who has no other offset to come with."""

    async def main() -> None:
        async with Hub() as hub:
            hub.runtime.cursors.every = 0.05
            await hub.create("a", content_type=JSON, retention=_last(2))
            await hub.append("a", 0)
            client = ManyClient(hub, "a")
            client.connect()
            await until(lambda: client.cursor, client)
            client.lose()
            for number in range(1, 9):
                await hub.append("a", number)
            await hub.store.sweep()  # type: ignore[attr-defined]
            client.connect()
            await until(lambda: client.records["a"][-1] == 8, client)
            gap = next(data for name, data in client.said if name == "stream-gap")
            assert gap["reason"] == "retention"
            assert client.records["a"] == [0, 7, 8]

    run(main())


def _last(count: int) -> Any:
    from headwater import Retention

    return Retention(count=count)


def test_when_all_have_ended_the_read_ends(run: Run[None]) -> None:
    """Behind a last cursor, with which nothing comes again."""

    async def main() -> None:
        async with Hub() as hub:
            await json_streams(hub, "a", "b")
            client = ManyClient(hub, "a", "b")
            client.connect()
            await hub.append("a", 1)
            await hub.close("a")
            await until(lambda: "stream-closed" in client.names("a"), client)
            assert client.sink.ended is None
            await hub.close("b")
            await until(lambda: client.sink.ended == "finished", client)
            told = len(client.said)
            client.connect()
            await until(lambda: client.sink.ended == "finished", client)
            assert client.names()[told:] == ["stream-cursor"]
            assert (hub.stats.readers, client.again) == (0, 0)

    run(main())


def test_a_stop_is_told_once_with_the_cursor(run: Run[None]) -> None:
    """Whether streams are there or waited for."""

    async def main() -> None:
        async with Hub() as hub:
            await json_streams(hub, "a")
            client, waits = ManyClient(hub, "a", "none", "x/*"), ManyClient(hub, "none")
            client.connect()
            waits.connect()
            await until(lambda: client.cursor and waits.cursor, client, waits)
            hub.drain()
            await until(lambda: client.sink.ended and waits.sink.ended, client, waits)
            for each in (client, waits):
                assert each.names()[-1] == "stream-detached"
                assert each.said[-1][1]["reason"] == "stopping"
                assert each.names().count("stream-detached") == 1
            late = ManyClient(hub, "a")
            late.connect()
            await until(lambda: late.sink.ended == "finished", late)
            assert hub.stats.readers == 0

    run(main())


def test_who_cannot_be_told_which_streams_match_is_let_go(
    run: Run[None], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """To come back, and not to wait for what nobody will tell; a mistake in the program is logged."""

    async def main() -> None:
        async with Hub() as hub:
            await json_streams(hub, "a")
            for error, logged in ((StoreUnavailable("the disk is gone"), 0), (ValueError("a mistake"), 1)):

                async def fail(error: Exception = error, **_: object) -> None:
                    raise error

                monkeypatch.setattr(hub.store, "list", fail)
                client = ManyClient(hub, "a", "x/*")
                client.connect()
                await until(lambda: client.sink.ended == "finished", client)  # noqa: B023
                assert client.said[-1] == ("stream-detached", {"retry_after": 1.0, "reason": "failed"})
                assert len(caplog.records) == logged
            assert (hub.stats.readers, hub.live.patterns.count) == (0, 0)

    run(main())


def test_each_stream_is_asked_for_by_itself(run: Run[None]) -> None:
    """Whoever may not read a stream is told so if it was named, and does not learn of it by a pattern."""

    async def main() -> None:
        async with Hub() as hub:
            await json_streams(hub, "a", "x/mine", "x/other")
            asked: list[str] = []

            async def later(path: str) -> Peer:
                await asyncio.sleep(0)
                return Peer("events", path)

            def access(path: str) -> Peer | Awaitable[Peer]:
                asked.append(path)
                if "other" in path:
                    raise Refused("not yours")
                return later(path)

            for path in ("a", "x/mine", "x/other"):
                await hub.append(path, path)
            client = ManyClient(hub, "a", "x/*")
            client.connect(access=access)
            await until(lambda: client.cursor, client)
            await hub.create("x/other2", content_type=JSON, body=b"[1]")
            await hub.create("x/new", content_type=JSON, body=b"[1]")
            await until(lambda: "x/new" in client.records, client)
            assert sorted(client.records) == ["a", "x/mine", "x/new"]
            assert set(asked) == {"a", "x/mine", "x/other", "x/other2", "x/new"}
            assert not [data for _, data in client.said if "other" in str(data)]

    run(main())


def test_a_full_connection_delays_nothing_and_loses_nothing(run: Run[None]) -> None:
    """All of its streams pause, and each goes on from its own offset; none is opened meanwhile."""

    async def main() -> None:
        async with Hub(limits=Limits(buffer_bytes=2048, read_bytes=4096)) as hub:
            paths = [f"s{index}" for index in range(20)]
            await json_streams(hub, *paths)
            for path in paths:
                for _ in range(4):
                    await hub.append(path, "x" * 500)
            client = ManyClient(hub, *paths, high_water=2048)
            client.connect()
            for _ in range(50):
                await asyncio.sleep(0)
            assert client.sink.held() < 40_000
            for path in paths:
                await hub.append(path, "last")
            await until(lambda: all(client.records.get(path, [])[-1:] == ["last"] for path in paths), client)
            assert all(len(client.records[path]) == 5 for path in paths)
            assert client.again == 0

    run(main())


@pytest.mark.parametrize("seed", range(6))
def test_every_record_once_and_in_order_through_cuts(
    run: Run[None], monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Cuts at any byte, streams that come, end, and come anew, slow times: after the three lines of script each record
    came once and in its order, and of a stream that was deleted nothing but an end of it is missing."""
    clock = HubClock(monkeypatch)

    async def main() -> None:
        chance = random.Random(seed)
        async with Hub(limits=Limits(buffer_bytes=1024, window_bytes=4096)) as hub:
            hub.runtime.cursors.every = 0.05
            names = ["a", "b", "late/1", "rooms/*", "deep/**"]
            written: dict[str, list[str]] = {}
            pool = ["a", "b", "late/1", *(f"rooms/{n}" for n in range(4)), "deep/1/2", "deep/3"]
            client = ManyClient(hub, *names, high_water=1024)
            client.connect()
            for number in range(400):
                path = chance.choice(pool)
                if path not in written:
                    await hub.create(path, content_type=JSON)
                    written[path] = []
                value = f"{path} {number} {'x' * chance.choice((1, 50, 900))}"
                await hub.append(path, value)
                written[path].append(value)
                if chance.random() < 0.15:
                    client.take()
                if chance.random() < 0.1:
                    await clock.move(hub, chance.random() * 0.02)
                if chance.random() < 0.05:
                    client.lose(chance.randrange(3000))
                    await asyncio.sleep(0)
                    client.connect()
            for path in written:
                await hub.close(path)
            await until(lambda: all(client.records.get(path) == written[path] for path in written), client)
            client.lose()
            assert client.records == written
            assert hub.stats.readers == 0

    run(main())


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.integers(1, 400))
def test_a_cursor_may_be_cut_anywhere(seed: int, keep: int) -> None:
    """Whatever of the bytes arrived, what comes next completes it."""

    async def main() -> None:
        chance = random.Random(seed)
        async with Hub() as hub:
            paths = ["a", "b", "c/1"]
            await json_streams(hub, *paths)
            client = ManyClient(hub, "a", "b", "c/*")
            written: dict[str, list[int]] = {path: [] for path in paths}
            for number in range(30):
                path = chance.choice(paths)
                await hub.append(path, number)
                written[path].append(number)
                if number % 10 == 0:
                    client.connect(offset=BEGINNING)
                    await turns()
                    client.lose(keep)
            client.connect()
            await until(lambda: {path: client.records.get(path, []) for path in paths} == written, client)
            client.lose()

    asyncio.run(main())


def test_a_matching_stream_that_is_replaced_comes_from_its_start(run: Run[None]) -> None:
    """Deleted and made anew before anybody is told, live and after a cut."""

    async def main() -> None:
        async with Hub() as hub:
            await json_streams(hub, "rooms/1")
            await hub.append("rooms/1", 1)
            client = ManyClient(hub, "rooms/*")
            client.connect()
            await until(lambda: client.records.get("rooms/1") == [1], client)
            for number in (2, 3):
                await hub.delete("rooms/1")
                await hub.create("rooms/1", content_type=JSON, body=b"[%d]" % number)
            await until(lambda: client.records["rooms/1"][-1] == 3, client)
            client.lose()
            await hub.append("rooms/1", 4)
            client.connect()
            await until(lambda: client.records["rooms/1"][-2:] == [3, 4], client)

    run(main())


@pytest.mark.parametrize("where", [{}, {"offset": "now"}])
def test_a_cursor_of_a_read_that_was_let_go_early_loses_nothing(run: Run[None], where: dict[str, str]) -> None:
    """Before a pattern was listed: a new read begins where it says, one that was here before where it was."""

    async def main() -> None:
        async with Hub() as hub:
            await json_streams(hub, "x/1", "x/2")
            for path in ("x/1", "x/2"):
                await hub.append(path, 1)
            client, late = ManyClient(hub, "x/*"), ManyClient(hub, "x/*")
            client.connect()
            await until(lambda: len(client.records) == 2 and client.cursor, client)
            client.lose()
            hub.runtime.draining = True
            for each in (client, late):
                each.connect(**where)  # type: ignore[arg-type]
                await until(lambda: each.sink.ended, each)  # noqa: B023
                assert each.names()[-1] == "stream-detached"
            hub.runtime.draining = False
            await hub.append("x/1", 2)
            for each in (client, late):
                each.connect(**where)  # type: ignore[arg-type]
            await until(lambda: client.records == {"x/1": [1, 2], "x/2": [1]}, client)
            await until(lambda: late.cursor, late)
            await hub.append("x/2", 3)
            await until(lambda: late.records.get("x/2", [])[-1:] == [3], late)
            assert late.records == ({"x/2": [3]} if where else {"x/1": [1, 2], "x/2": [1, 3]})

    run(main())


def test_what_passes_is_tried_again(run: Run[None], monkeypatch: pytest.MonkeyPatch) -> None:
    """One reader too many is no end of a stream: neither now, nor for a cursor."""

    async def main() -> None:
        monkeypatch.setattr(slot, "RETRY_SECONDS", 0.05)
        async with Hub(limits=Limits(max_readers=1)) as hub:
            await json_streams(hub, "a", "x/1", "b")
            for path in ("a", "x/1", "b"):
                await hub.append(path, path)
            client = ManyClient(hub, "a", "b", "x/*")
            client.connect()
            await until(lambda: client.cursor and "stream-error" in client.names("x/1"), client)
            assert client.records == {"a": ["a"]}
            await hub.close("a")
            await until(lambda: len(client.records) == 2, client)
            (second,) = client.records.keys() - {"a"}
            await hub.close(second)
            await until(lambda: client.records == {path: [path] for path in ("a", "x/1", "b")}, client)

    run(main())


@pytest.mark.parametrize("name", ["a", "*"])
def test_retention_that_overtakes_a_reader_is_a_gap(run: Run[None], name: str) -> None:
    async def main() -> None:
        async with Hub(limits=Limits(buffer_bytes=600, read_bytes=600, window_bytes=600)) as hub:
            hub.runtime.cursors.every = 0.05
            await hub.create("a", content_type=JSON, retention=_last(3))
            client = ManyClient(hub, name, high_water=600)
            await hub.append("a", "first")
            client.connect()
            await until(lambda: client.cursor, client)
            for number in range(40):
                await hub.append("a", f"{number} {'x' * 200}")
            await hub.store.sweep()  # type: ignore[attr-defined]
            await hub.append("a", "last")
            await until(lambda: client.records["a"][-1] == "last", client)
            assert "stream-error" not in client.names("a")
            assert next(data for event, data in client.said if event == "stream-gap")["reason"] == "retention"
            assert [text[:2] for text in client.records["a"][-4:]] == ["37", "38", "39", "la"]

    run(main())


def test_a_cursor_is_told_to_who_takes_less_than_there_is(run: Run[None]) -> None:
    """While it catches up, or it would begin anew after each cut."""

    async def main() -> None:
        async with Hub(limits=Limits(buffer_bytes=1000, read_bytes=1000, window_bytes=1000)) as hub:
            await json_streams(hub, "a", "b")
            for number in range(300):
                await hub.append("a", f"{number} {'x' * 500}")
            client = ManyClient(hub, "a", "b", high_water=1000)
            client.connect()
            await until(lambda: client.names().count("stream-cursor") >= 3, client)
            assert len(client.records["a"]) < 300
            client.lose()
            client.connect()
            await until(lambda: len(client.records["a"]) == 300, client)
            assert client.again < 100

    run(main())


def test_who_waits_is_not_given_more_while_the_connection_is_full(run: Run[None]) -> None:
    async def main() -> None:
        async with Hub(limits=Limits(buffer_bytes=2000)) as hub:
            late = [f"late/{number}" for number in range(20)]
            await json_streams(hub, "a")
            client = ManyClient(hub, "a", *late, high_water=4000)
            client.connect()
            await until(lambda: client.cursor, client)
            while not client.reader.connection.is_stopped:
                await hub.append("a", "x" * 1000)
                await turns()
            full = client.sink.held()
            for path in late:
                await hub.create(path, content_type=JSON, body=b'["' + b"x" * 1000 + b'"]')
            await turns(50)
            assert client.sink.held() == full
            await until(lambda: all(path in client.records for path in late), client)

    run(main())


def test_a_name_that_was_waited_for_begins_at_its_start(run: Run[None]) -> None:
    """Also when the read said `now`, and was cut before the stream was made."""

    async def main() -> None:
        async with Hub() as hub:
            client = ManyClient(hub, "late")
            client.connect(offset="now")
            await until(lambda: client.cursor, client)
            client.lose()
            await json_streams(hub, "late")
            await hub.append("late", 1)
            client.connect(offset="now")
            await until(lambda: client.records.get("late") == [1], client)

    run(main())


def test_thousands_of_streams_without_a_record_take_no_place(run: Run[None]) -> None:
    """Neither on the read nor in a cursor that the server would not take."""

    async def main() -> None:
        async with Hub() as hub:
            hub.runtime.cursors.every = 0.05
            client = ManyClient(hub, "x/*", max_streams=5)
            client.connect()
            await until(lambda: client.cursor, client)
            await json_streams(hub, *(f"x/{number}" for number in range(200)))
            await hub.append("x/150", 1)
            await until(lambda: client.records, client)
            was = client.cursor
            await until(lambda: client.cursor != was, client)
            assert len(client.cursor) < 100
            client.lose()
            await hub.append("x/180", 2)
            await hub.close("x/180")
            client.connect()
            await until(lambda: client.records == {"x/150": [1], "x/180": [2]}, client)
            assert "stream-error" not in client.names()
            assert hub.reader_count("x/10") == 0

    run(main())


@pytest.mark.parametrize("store", ["memory:", "sqlite:"])
@pytest.mark.parametrize("way", ["append", "create", "closed", "records"])
def test_no_reader_of_a_pattern_asks_the_store_for_a_new_stream(
    run: Run[None], tmp_path: Path, store: str, way: str
) -> None:
    """Its first records are at hand for all of them, however many they are, and come once."""
    wanted = {"append": [1], "create": [1], "closed": [1], "records": [1, 2, 3]}[way]

    async def main() -> None:
        async with Hub(store + str(tmp_path / "hub.db") * (store == "sqlite:")) as hub:
            await json_streams(hub, "rooms/old")
            await hub.append("rooms/old", 0)
            clients = [ManyClient(hub, "rooms/*") for _ in range(40)]
            for client in clients:
                client.connect()
            await until(lambda: all(client.cursor for client in clients), *clients)
            before = hub.stats.store_reads
            if way == "append":
                await hub.append("rooms/new", 1, create=StreamConfig(JSON))
            else:
                await hub.create(
                    "rooms/new", content_type=JSON, body=json.dumps(wanted).encode(), closed=way == "closed"
                )
            await until(lambda: all(client.records.get("rooms/new") == wanted for client in clients), *clients)
            assert hub.stats.store_reads == before
            if way == "closed":
                await until(lambda: all("stream-closed" in client.names("rooms/new") for client in clients), *clients)
                assert hub.live.stream("rooms/new") is None
            else:
                await hub.append("rooms/new", 9)
                await until(lambda: all(client.records["rooms/new"][-1] == 9 for client in clients), *clients)
                assert hub.reader_count("rooms/new") == 40
            assert {client.again for client in clients} == {0}
            assert hub.stats.store_reads == before

    run(main())


def test_a_new_stream_that_nobody_takes_is_not_kept(run: Run[None]) -> None:
    """It matched and is another name's, or did not fit: nothing of it stays in memory."""

    async def main() -> None:
        async with Hub() as hub:
            await json_streams(hub, "rooms/old")
            await hub.append("rooms/old", 0)
            client = ManyClient(hub, "rooms/*", max_streams=1)
            client.connect()
            await until(lambda: client.cursor, client)
            await hub.append("rooms/new", 1, create=StreamConfig(JSON))
            await until(lambda: "stream-error" in client.names(), client)
            assert hub.live.stream("rooms/new") is None
            assert hub.reader_count("rooms/old") == 1

    run(main())


@pytest.mark.parametrize("store", ["memory:", "sqlite:"])
def test_a_cursor_a_year_old(run: Run[None], tmp_path: Path, store: str) -> None:
    """Of each stream what came since, and what happened to it; of a pattern those that are new, whole."""
    clock = ManualClock()
    location = store + str(tmp_path / "hub.db") * (store == "sqlite:")

    async def main() -> None:
        async with Hub(open_store(location, clock=clock)) as hub:
            await json_streams(hub, "kept", "anew", "gone", "shut", "done", "rooms/a", "rooms/b")
            await hub.create("aged", content_type=JSON, retention=Retention(age=3600))
            names = ("kept", "anew", "gone", "shut", "done", "aged", "rooms/*")
            for path in (*names[:-1], "rooms/a", "rooms/b"):
                await hub.append(path, 1)
            await hub.close("done")
            client = ManyClient(hub, *names)
            client.connect()
            await until(lambda: client.cursor and "done" in client.records, client)
            client.reader.tell_cursor()
            await until(lambda: len(client.records) == 8, client)
            client.lose()
            client.said.clear()
            await hub.append("aged", 2)
            clock.advance(365 * 24 * 3600.0)
            for path in ("anew", "gone", "rooms/b"):
                await hub.delete(path)
            await hub.create("anew", content_type=JSON, body=b"[7]")
            await hub.create("rooms/new", content_type=JSON, body=b"[7,8]")
            for path in ("kept", "shut", "aged", "rooms/a"):
                await hub.append(path, 9)
            await hub.close("shut")
            assert isinstance(hub.store, Sweeping)
            for _ in range(3):
                await hub.store.sweep()
            client.connect()
            wanted = {
                "kept": [1, 9], "anew": [1, 7], "gone": [1], "shut": [1, 9], "done": [1], "aged": [1, 9],
                "rooms/a": [1, 9], "rooms/b": [1], "rooms/new": [7, 8],
            }  # fmt: skip
            await until(lambda: client.records == wanted and "stream-cursor" in client.names(), client)
            told = {path: client.names(path) for path in wanted if client.names(path)}
            assert told.pop("anew")[-2:] == ["stream-created", "stream-gap"]
            assert told == {
                "gone": ["stream-waiting"], "shut": ["stream-closed"], "aged": ["stream-gap"],
            }  # fmt: skip
            reasons = {data["stream"]: data["reason"] for name, data in client.said if name == "stream-gap"}
            assert reasons == {"anew": "recreated", "aged": "retention"}
            client.lose()

    run(main())


def test_a_pattern_of_everything_has_its_bound(run: Run[None]) -> None:
    """What fits is read; the rest is one error for the whole, counted once, until there is room."""

    async def main() -> None:
        async with Hub() as hub:
            await json_streams(hub, *(f"s{number:04}" for number in range(1200)))
            for number in range(1200):
                await hub.append(f"s{number:04}", number)
            client = ManyClient(hub, "**")
            client.connect()
            await until(lambda: client.cursor, client)
            assert sorted(client.records.items()) == [(f"s{number:04}", [number]) for number in range(1000)]
            (error,) = [data for name, data in client.said if name == "stream-error"]
            assert (error["stream"], error["code"]) == ("**", "too-many-streams")
            assert hub.stats.errors["too-many-streams"] == 1
            assert hub.stats.readers == 1000
            client.lose()

    run(main())
