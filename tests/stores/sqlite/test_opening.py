"""Opening and closing: options, and errors that say what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.stores.sqlite.helpers import opened

from headwater.errors import MissingExtra, StoreUnavailable
from headwater.model import StreamConfig
from headwater.stores import open_store
from headwater.stores.registry import UnknownStore
from headwater.stores.sqlite import SqliteOptions, SqliteStore, database, parse_options

if TYPE_CHECKING:
    from tests.conftest import Run
    from tests.stores.sqlite.conftest import Place


def test_options_come_from_a_store_url(place: Place, run: Run[None]) -> None:
    """Text is turned into what each option is."""
    options = parse_options({"synchronous": "normal", "busy_timeout": "0.5", "cached_streams": "7"})
    assert options == SqliteOptions(synchronous="normal", busy_timeout=0.5, cached_streams=7)

    async def scenario() -> None:
        store = open_store(f"sqlite:{place.path}?synchronous=off&driver={place.driver}")
        await store.open()
        assert (await store.create("a", StreamConfig())).created
        await store.aclose()

    run(scenario())


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"sync": "full"}, "sync"),
        ({"synchronous": "sometimes"}, "sometimes"),
        ({"busy_timeout": "-1"}, "busy_timeout"),
        ({"cached_streams": "0"}, "cached_streams"),
        ({"max_bytes": "many"}, "max_bytes"),
        ({"readers": "1000"}, "readers"),
    ],
)
def test_a_wrong_option_is_refused_by_name(values: dict[str, str], named: str) -> None:
    """Unknown names and values out of range alike."""
    with pytest.raises(ValueError, match=named):
        parse_options(values)


@pytest.mark.parametrize("path", ["", ":memory:"])
def test_a_store_needs_a_file(path: str) -> None:
    """There is another store for memory; in a URL, too."""
    with pytest.raises(ValueError, match="memory:"):
        SqliteStore(path)
    with pytest.raises(UnknownStore):
        open_store(f"sqlite:{path}")


def test_a_missing_folder_is_named(place: Place, run: Run[None]) -> None:
    """The store does not make it."""
    with pytest.raises(StoreUnavailable, match=r"nowhere/log\.db\.lock: No such file.*make the folder"):
        run(SqliteStore(place.path.replace("log.db", "nowhere/log.db")).open())


def test_a_failed_open_lets_go_of_the_file(place: Place, run: Run[None]) -> None:
    """What was wrong can be repaired, and the same store opened again."""

    async def scenario() -> None:
        other = place.connect()
        other.run("CREATE TABLE customers (name TEXT)")
        store = place.store()
        with pytest.raises(StoreUnavailable):
            await store.open()
        other.run("DROP TABLE customers")
        async with opened(store):
            assert (await store.create("a", StreamConfig())).created

    run(scenario())


def test_a_store_that_is_not_open_says_so(place: Place, run: Run[None]) -> None:
    """After the close, for writes and reads; closing again does nothing."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig(), b"x")
        await store.aclose()
        with pytest.raises(StoreUnavailable, match="not open"):
            await store.create("b", StreamConfig())
        with pytest.raises(StoreUnavailable, match="not open"):
            await store.read("a", "-1")

    run(scenario())


def test_a_driver_that_is_missing_names_the_extra(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `auto`, Python's own driver is used instead."""
    monkeypatch.setattr(database, "apsw", None)
    with pytest.raises(MissingExtra, match=r"headwater\[sqlite\]"):
        database.connect(place.path, SqliteOptions(driver="apsw"))
    connection = database.connect(place.path, SqliteOptions())
    assert isinstance(connection, database.Sqlite3Database)
    connection.close()


def test_a_file_system_without_wal_is_refused(place: Place, run: Run[None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it, readers would block the writer."""
    connect = database.connect

    def connect_without_wal(*given: object) -> object:
        return NoWal(connect(*given))  # type: ignore[arg-type]

    class NoWal:
        def __init__(self, inner: database.Database) -> None:
            self._inner = inner

        def run(self, sql: str, values: object = ()) -> list[tuple[str]]:
            return [("delete",)]

        def close(self) -> None:
            self._inner.close()

    monkeypatch.setattr(database, "connect", connect_without_wal)
    with pytest.raises(StoreUnavailable, match="WAL mode, only in mode delete"):
        run(place.store().open())
