"""Files of other versions, files of other programs, and the SQL files themselves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.stores.sqlite.helpers import content, opened

from headwater.errors import StoreUnavailable
from headwater.model import Failure, Principal, SlowPolicy, StreamConfig
from headwater.protocol.ledger import Append
from headwater.stores.base import Store
from headwater.stores.sqlite import schema
from headwater.stores.sqlite.schema import APPLICATION_ID, QUERIES, SCHEMA, Many, Schema

if TYPE_CHECKING:
    from tests.conftest import Run
    from tests.stores.sqlite.conftest import Place

#: As it was at version 1.
FIRST = Path(__file__).with_name("schema_1.sql")
OLD = Schema("CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('kept');")
STEPS = (
    (2, "ALTER TABLE notes ADD COLUMN stars INTEGER NOT NULL DEFAULT 5;"),
    (3, "CREATE INDEX notes_stars ON notes (stars);"),
)
NEW = Schema("CREATE TABLE notes (text TEXT, stars INTEGER); CREATE INDEX notes_stars ON notes (stars);", STEPS)


def test_an_older_file_is_upgraded_step_by_step(place: Place) -> None:
    """Its rows stay, and it has the newest version afterwards."""
    database = place.connect()
    schema.prepare(database, OLD)
    assert database.run("PRAGMA user_version") == [(1,)]
    schema.prepare(database, NEW)
    assert database.run("SELECT text, stars FROM notes WHERE stars = 5") == [("kept", 5)]
    assert database.run("PRAGMA user_version") == [(3,)]


def test_a_file_of_the_first_release_opens(place: Place, run: Run[None]) -> None:
    """Its streams and records are as they were, and can end in every way there is now."""
    database = place.connect()
    schema.prepare(database, Schema(FIRST.read_text("utf-8")))
    lineage = '[{"incarnation": 1, "start": 0}]'
    database.run(
        "INSERT INTO streams VALUES (1, 'a', '{\"content_type\": \"text/plain\"}', ?, 0, 0, 0, 3, 0, NULL, NULL,"
        " 0, 0, 0, NULL, NULL)",
        (lineage,),
    )
    database.run("INSERT INTO records VALUES (1, 0, 1700000000.1234567, x'616263')")
    database.run("UPDATE store SET last_incarnation = 1")
    database.close()

    async def main() -> None:
        async with opened(place.store()) as store:
            assert await content(store, "a") == [b"abc"]
            place.clock.jump(-86400 * 365 * 9)
            await store.append("a", Append(b"d"))
            # The time that the file had, to the millisecond; what comes behind it is no older, wherever the clock is.
            assert [record.at for record in (await store.read("a", "-1")).records] == [1700000000.123] * 2
            assert (await store.info("a")).slow == SlowPolicy()
            await store.append("a", Append(close=True, failure=Failure("timeout")))
            assert (await store.info("a")).failure == Failure("timeout")

    run(main())


def test_a_file_of_the_release_before_opens(place: Place, run: Run[None]) -> None:
    """Of its records nobody is named, those of its journal included; what comes behind them has who appended it. The
    release before refuses the file then, with a sentence."""
    older = Schema(FIRST.read_text("utf-8"), SCHEMA.migrations[:-1])
    database = place.connect()
    schema.prepare(database, Schema(older.create))
    schema.prepare(database, older)
    database.run(
        "INSERT INTO streams (incarnation, path, config, lineage, created_at, touched_at, earliest, tail, closed,"
        " deleted, forks, source, appended_at) VALUES (1, 'a', ?, ?, 0, 0, 0, 2, 0, 0, 0, 0, 1.5)",
        ('{"content_type": "application/json"}', '[{"incarnation": 1, "start": 0}]'),
    )
    database.run("INSERT INTO records (incarnation, position, at, told, data) VALUES (1, 0, 1.5, 1500, x'31')")
    database.run("INSERT INTO records (incarnation, position, at, told, data) VALUES (1, 1, 1.5, 1500, x'32')")
    grown = [1, 5.0, 3, False, None, None, None, 2.5]
    entry = msgspec.msgpack.encode([[grown], [], [[1, 2, 2.5, b"3", 2500]], []])
    database.run("INSERT INTO journal (entry) VALUES (?)", (entry,))
    database.run("UPDATE store SET last_incarnation = 1")
    database.close()

    async def known(store: Store) -> list[tuple[bytes, float, Principal | None]]:
        return [(record.data, record.at, record.by) for record in (await store.read("a", "-1")).records]

    async def main() -> None:
        async with opened(place.store()) as store:
            before = [(b"1", 1.5, None), (b"2", 1.5, None), (b"3", 2.5, None)]
            assert await known(store) == before
            await store.append("a", Append(b"4", by=Principal("u1")))
            assert [row[2] for row in await known(store)] == [None, None, None, Principal("u1")]
        async with opened(place.store()) as store:
            assert [row[2] for row in await known(store)] == [None, None, None, Principal("u1")]
            assert (await known(store))[:3] == before

    run(main())
    with pytest.raises(StoreUnavailable, match=f"version {SCHEMA.version}, this release knows {older.version}"):
        schema.prepare(place.connect(), older)


def test_a_new_file_gets_the_newest_schema_at_once(place: Place) -> None:
    """Without the migrations, which would fail on it."""
    database = place.connect()
    schema.prepare(database, NEW)
    schema.prepare(database, NEW)
    assert database.run("PRAGMA user_version") == [(3,)]


def test_a_failed_migration_changes_nothing(place: Place) -> None:
    """The file stays at the version before the broken step."""
    database = place.connect()
    schema.prepare(database, OLD)
    broken = Schema("", (*STEPS, (4, "CREATE TABLE more (x); INSERT INTO missing VALUES (1);")))
    with pytest.raises(Exception, match="missing"):
        schema.prepare(database, broken)
    database.close()
    database = place.connect()
    assert database.run("PRAGMA user_version") == [(3,)]
    assert database.run("SELECT count(*) FROM sqlite_schema WHERE name = 'more'") == [(0,)]


def test_a_newer_file_is_refused(place: Place, run: Run[None]) -> None:
    """The message says which versions meet; the file is not touched."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig(), b"x")
        other = place.connect()
        other.run(f"PRAGMA user_version = {SCHEMA.version + 1}")
        with pytest.raises(StoreUnavailable, match=f"version {SCHEMA.version + 1}.*knows {SCHEMA.version}"):
            await place.store().open()
        other.run(f"PRAGMA user_version = {SCHEMA.version}")
        async with opened(place.store()) as store:
            assert await content(store, "a") == [b"x"]

    run(scenario())


def test_another_programs_database_is_refused(place: Place, run: Run[None]) -> None:
    """Tables that are not ours are never mixed with ours."""
    place.connect().run("CREATE TABLE customers (name TEXT)")
    with pytest.raises(StoreUnavailable, match="another program"):
        run(place.store().open())


def test_a_file_that_is_no_database_is_refused(place: Place, run: Run[None]) -> None:
    """With a clear error, and nothing is written to it."""
    with open(place.path, "wb") as file:
        file.write(b"no database at all\n" * 100)
    with pytest.raises(StoreUnavailable, match="not a database"):
        run(place.store().open())
    with open(place.path, "rb") as file:
        assert file.read() == b"no database at all\n" * 100


def test_the_file_says_whose_it_is(place: Place, run: Run[None]) -> None:
    """Tools can tell by the application id."""

    async def scenario() -> None:
        async with opened(place.store()):
            pass

    run(scenario())
    assert place.connect().run("PRAGMA application_id") == [(APPLICATION_ID,)]


def test_migrations_are_numbered_without_holes() -> None:
    """From 2 on, as `Schema.version` counts them."""
    assert [number for number, _ in SCHEMA.migrations] == list(range(2, SCHEMA.version + 1))


@pytest.mark.parametrize("name", QUERIES)
def test_every_query_fits_the_schema(place: Place, name: str) -> None:
    """Each compiles."""
    database = place.connect()
    schema.prepare(database)
    database.run("EXPLAIN " + QUERIES[name], [None] * QUERIES[name].count("?"))


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("expired", "streams_expires"),
        ("looks_due", "streams_look_at"),
        ("stream_at", "sqlite_autoindex_streams_1"),
        ("streams_after", "sqlite_autoindex_streams_1"),
        ("records_from", "PRIMARY KEY"),
        ("newest_edge", "PRIMARY KEY"),
        ("edge_at_or_after", "PRIMARY KEY"),
        ("younger_edge", "PRIMARY KEY"),
        ("record_after", "PRIMARY KEY"),
        ("purge_records", "PRIMARY KEY"),
    ],
)
def test_no_query_scans_or_sorts_a_table(place: Place, name: str, index: str) -> None:
    """Each is a search in an index, so that it costs the same in a large file."""
    database = place.connect()
    schema.prepare(database)
    plan = database.run("EXPLAIN QUERY PLAN " + QUERIES[name], [None] * QUERIES[name].count("?"))
    steps = [row[-1] for row in plan]
    assert any(index in step for step in steps)
    assert not any(step.startswith(("SCAN", "USE TEMP B-TREE")) and step != "SCAN CONSTANT ROW" for step in steps)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8, 9, 31])
def test_many_rows_are_kept_whatever_their_number(place: Place, count: int) -> None:
    """In few statements of few sizes."""
    database = place.connect()
    schema.prepare(database)
    rows = [(1, number, 0.5, b"%d" % number, 500, '"u1"' if number % 2 else None) for number in range(count)]
    Many("insert_records", 8).run(database, rows)
    found = database.run("SELECT incarnation, position, at, data, told, principal FROM records ORDER BY position")
    assert found == rows
