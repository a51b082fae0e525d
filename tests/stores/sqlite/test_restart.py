"""What a restart keeps: everything that was acknowledged, and the numbers that offsets are made of."""

from __future__ import annotations

from asyncio import gather
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.stores.sqlite.helpers import append, content, opened

from headwater.errors import OffsetGone, ProducerFenced, SequenceRegression, StreamClosed, StreamNotFound
from headwater.model import Expiry, ForkPoint, Principal, Producer, Record, Retention, StreamConfig
from headwater.protocol.ledger import Append

if TYPE_CHECKING:
    from tests.conftest import Run
    from tests.stores.sqlite.conftest import Place


def test_a_stream_is_the_same_after_a_restart(place: Place, run: Run[None]) -> None:
    """Its configuration, offsets, records and closure."""

    async def scenario() -> None:
        config = StreamConfig(
            "application/json", Expiry(ttl=60, at=None), Retention(age=3600, size=10**6, count=100), None
        )
        async with opened(place.store()) as store:
            await store.create("a", config, b'[{"n": 1}, 2]')
            first = await store.append("a", Append(b"3", content_type="application/json"))
            await store.append("a", Append(b"[4, 5]", close=True))
            before, records = await store.info("a"), await content(store, "a")
        async with opened(place.store()) as store:
            assert await store.info("a") == before
            assert await content(store, "a") == records == [b'{"n": 1}', b"2", b"3", b"4", b"5"]
            assert await content(store, "a", first.next_offset) == [b"4", b"5"]
            with pytest.raises(StreamClosed):
                await store.append("a", Append(b"6"))

    run(scenario())


@pytest.mark.parametrize("times", [False, True])
@pytest.mark.parametrize("limit", [1, 3, 5, 100])
def test_who_appended_is_read_from_the_file(place: Place, run: Run[None], limit: int, times: bool) -> None:
    """However a name looks, between records of nobody, and where a limit cuts; a read that asks for none gets none."""
    names = [
        None,
        Principal('1","2],3"[4\\'),
        Principal("u", 'https://issuer.example/?a=["1",2]'),
        None,
        Principal("7"),
        Principal('\\"', ","),
    ]

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig("application/json"))
            for number, by in enumerate(names):
                await store.append("a", Append(b"[%d]" % (number + 10), content_type="application/json", by=by))
        async with opened(place.store()) as store:
            records: list[Record] = []
            offset = "-1"
            while len(records) < len(names):
                batch = await store.read("a", offset, limit=limit, times=times)
                records += batch.records
                offset = batch.next_offset
            assert [record.data for record in records] == [b"%d" % (number + 10) for number in range(len(names))]
            if times:
                assert [record.by for record in records] == names
                assert all(record.at for record in records)
            else:
                assert not any(record.by for record in records)

    run(scenario())


def test_producers_and_sequences_go_on_after_a_restart(place: Place, run: Run[None]) -> None:
    """A retry is still a duplicate, an old epoch still fenced, an old Stream-Seq still refused."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig())
            await append(store, "a", b"x", Producer("p", 3, 0))
            await store.append("a", Append(b"y", seq="0007"))
        async with opened(place.store()) as store:
            assert (await append(store, "a", b"x", Producer("p", 3, 0))).duplicate
            with pytest.raises(ProducerFenced):
                await append(store, "a", b"x", Producer("p", 2, 0))
            with pytest.raises(SequenceRegression):
                await store.append("a", Append(b"y", seq="0007"))
            assert not (await append(store, "a", b"z", Producer("p", 3, 1))).duplicate
            assert await content(store, "a") == [b"x", b"y", b"z"]

    run(scenario())


def test_the_retry_of_a_close_is_known_after_a_restart(place: Place, run: Run[None]) -> None:
    """The producer request that closed a stream is answered again as it was."""

    async def scenario() -> None:
        closing = Append(b"end", producer=Producer("p", 0, 0), close=True)
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig())
            await store.append("a", closing)
        async with opened(place.store()) as store:
            assert (await store.append("a", closing)).duplicate

    run(scenario())


def test_forks_read_their_source_after_a_restart(place: Place, run: Run[None]) -> None:
    """Also a fork of a fork, also when the sources are deleted; the last fork's delete frees them all."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig(), b"one,")
            await store.create("b", StreamConfig(fork=ForkPoint("a")), b"two,")
            await store.create("c", StreamConfig(fork=ForkPoint("b", None, 0)), b"three")
            await append(store, "a", b"unseen")
            await store.delete("a")
            await store.delete("b")
        async with opened(place.store()) as store:
            await store.sweep()
            assert await content(store, "c") == [b"one,", b"two,", b"three"]
            await store.delete("c")
            await store.sweep()
            assert (await store.create("a", StreamConfig())).created
            assert (await store.create("b", StreamConfig())).created
        rows = place.connect().run("SELECT count(*) FROM records")
        assert rows == [(0,)]

    run(scenario())


@pytest.mark.parametrize("survivors", [0, 1])
def test_incarnations_are_never_reused(place: Place, run: Run[None], survivors: int) -> None:
    """An offset of a deleted stream stays gone after a restart, also when the file has no stream any more."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            for number in range(survivors):
                await store.create(f"other{number}", StreamConfig())
            old = await store.create("a", StreamConfig(), b"old")
            await store.delete("a")
            await store.sweep()
        async with opened(place.store()) as store:
            new = await store.create("a", StreamConfig(), b"new")
            assert new.info.incarnation > old.info.incarnation
            with pytest.raises(OffsetGone):
                await store.read("a", old.info.tail)

    run(scenario())


def test_a_number_given_and_deleted_in_one_batch_is_never_reused(place: Place, run: Run[None]) -> None:
    """Even when the stream never reached the file, its offsets were given out."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            created, _ = await gather(store.create("a", StreamConfig()), store.delete("a"))
        async with opened(place.store()) as store:
            assert (await store.create("a", StreamConfig())).info.incarnation > created.info.incarnation

    run(scenario())


def test_reads_keep_a_stream_alive_over_a_restart(place: Place, run: Run[None]) -> None:
    """The last read counts for the TTL, although reads write nothing."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            for path in ("read", "idle"):
                await store.create(path, StreamConfig(expiry=Expiry(ttl=60)), b"x")
            place.clock.advance(50)
            await store.read("read", "-1")
        place.clock.advance(20)
        async with opened(place.store()) as store:
            await store.sweep()
            assert [info.path for info in await store.list()] == ["read"]
            with pytest.raises(StreamNotFound):
                await store.info("idle")

    run(scenario())


def test_a_closed_store_leaves_one_file_to_copy(place: Place, run: Run[None]) -> None:
    """Closing moves the log into the database file."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig(), b"x")
        await store.aclose()

    run(scenario())
    assert sorted(entry.name for entry in Path(place.path).parent.iterdir()) == ["log.db", "log.db.lock"]
