"""Large records: their data has a table of its own, so that others are found without reading it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.stores.sqlite.helpers import append, content, opened, together

from headwater.model import Retention, StreamConfig
from headwater.protocol.ledger import Append
from headwater.stores.sqlite import schema
from headwater.stores.sqlite.checkup import check_file
from headwater.stores.sqlite.schema import SCHEMA, Schema
from headwater.stores.sqlite.tables import LARGE_BYTES

if TYPE_CHECKING:
    from tests.conftest import Run
    from tests.stores.sqlite.conftest import Place

JSON = "application/json"
LARGE = b"x" * (LARGE_BYTES + 1)
SMALL = b"y" * LARGE_BYTES
VALUE = b'"' + LARGE + b'"'


def rows(place: Place, table: str) -> list[tuple[int, int]]:
    """The keys in a table."""
    return [(row[0], row[1]) for row in place.connect().run(f"SELECT incarnation, position FROM {table}")]


@pytest.mark.parametrize("times", [True, False])
def test_large_and_small_ones_are_read_in_their_order(place: Place, run: Run[None], times: bool) -> None:
    """From their beginning, from within, backwards and by forks; of bytes and of JSON; after a restart too."""

    async def scenario() -> None:
        data = [LARGE, b"1", SMALL, LARGE, b"2"]
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig())
            await store.create("j", StreamConfig(JSON), b"[%s,1,%s,2]" % (VALUE, VALUE))
            for each in data:
                await append(store, "a", each)
        assert len(rows(place, "large")) == 4
        async with opened(place.store()) as store:
            batch = await store.read("a", "-1", limit=1 << 30, times=times)
            assert [record.data for record in batch.records] == data
            assert (await content(store, "a", batch.records[0].offset)) == data[1:]
            values = await store.read("j", "-1", limit=1 << 30, times=times)
            assert [record.data for record in values.records] == [VALUE, b"1", VALUE, b"2"]
            assert [record.data for record in (await store.read("j", "-1", limit=5, times=times)).records] == [VALUE]
        report = check_file(place.path)
        assert (report.is_whole, report.records) == (True, 9)

    run(scenario())


def test_what_goes_takes_its_data_along(place: Place, run: Run[None]) -> None:
    """By retention and by a delete."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig(retention=Retention(count=1)))
            await store.create("b", StreamConfig())
            for _ in range(3):
                await append(store, "a", LARGE)
                await append(store, "b", LARGE)
            for _ in range(3):
                await store.sweep()
            assert len(rows(place, "large")) == 4
            await store.delete("b")
            for _ in range(3):
                await store.sweep()
            assert len(rows(place, "large")) == 1
            assert await content(store, "a") == [LARGE]

    run(scenario())


def test_data_that_is_missing_is_found(place: Place, run: Run[None]) -> None:
    """By a check of the file; a read of it fails, and others go on."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig(), LARGE)
            await append(store, "a", b"1")
            await store.sweep()
        place.connect().run("DELETE FROM large")
        assert not check_file(place.path).is_whole

    run(scenario())


def test_a_file_from_before_keeps_its_large_records(place: Place, run: Run[None]) -> None:
    """They stay where they are, and are read; new ones go to the new table."""
    database = place.connect()
    schema.prepare(
        database, Schema(SCHEMA.create.partition("-- The data of large records")[0] + REST, SCHEMA.migrations[:-1])
    )
    lineage = '[{"incarnation": 1, "start": 0}]'
    database.run(
        "INSERT INTO streams VALUES (1, 'a', '{}', ?, 0, 0, 0, ?, 0, NULL, NULL, 0, 0, 0, NULL, NULL, NULL, 0)",
        (lineage, len(LARGE)),
    )
    database.run(
        "INSERT INTO records (incarnation, position, at, told, data) VALUES (1, 0, 1700000000.0, 1700000000000, ?)",
        (LARGE,),
    )
    database.run("UPDATE store SET last_incarnation = 1")
    place.close()

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await append(store, "a", LARGE)
            assert await content(store, "a") == [LARGE, LARGE]
            await store.sweep()
        assert rows(place, "large") == [(1, len(LARGE))]

    run(scenario())


#: The tables behind that of large records.
REST = "-- The newest epoch" + SCHEMA.create.partition("-- The newest epoch")[2]


def test_no_row_that_is_searched_is_large(place: Place, run: Run[None]) -> None:
    """A body of 16 MiB was read for each key that was compared with its own: 9 ms for each small record."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("small", StreamConfig())
            await store.create("large", StreamConfig())
            for _ in range(4):
                await store.append("large", Append(bytes(4 * 1024 * 1024)))
            for _ in range(10):
                await together(store, *[("small", b"x")] * 300)
            await store.sweep()
        database = place.connect()
        sizes = database.run("SELECT max(length(data)) FROM records")
        assert sizes[0][0] <= LARGE_BYTES

    run(scenario())
