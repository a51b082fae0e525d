"""A database that another program writes to while the store is open, and a log that is cut."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Awaitable, Callable
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.stores.sqlite.helpers import (
    append,
    backup,
    content,
    cut_log,
    empty_log,
    move_log,
    opened,
    restore_database,
)
from tests.support.http import call
from tests.support.processes import headwater_server

from headwater.errors import StoreUnavailable, StreamNotFound
from headwater.model import StreamConfig
from headwater.protocol.ledger import Append
from headwater.stores.sqlite import SqliteStore, guard

if TYPE_CHECKING:
    from tests.conftest import Run
    from tests.stores.sqlite.conftest import Place

Change = Callable[[SqliteStore], Awaitable[object]]


async def appends(store: SqliteStore) -> None:
    """Into the journal."""
    await append(store, "a", b"since")


async def appends_much(store: SqliteStore) -> None:
    """Into the tables."""
    await append(store, "a", bytes(100_000))


async def creates(store: SqliteStore) -> None:
    """A stream more."""
    await store.create("b", StreamConfig())


async def deletes(store: SqliteStore) -> None:
    """A stream less, of which memory has no state any more."""
    await store.delete("gone")


async def closes(store: SqliteStore) -> None:
    """Without a record."""
    await store.append("a", Append(b"", close=True))


@pytest.mark.parametrize("change", [appends, appends_much, creates, deletes, closes])
def test_a_backup_written_into_the_open_file_is_found_inside_the_next_transaction(
    place: Place, run: Run[None], change: Change, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is acknowledged on top of it, and nothing of it is told: whatever the backup lacks."""
    monkeypatch.setattr(guard, "LOOK_SECONDS", inf)

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig(), b"kept")
            await store.create("gone", StreamConfig(), b"kept")
            backup(place.path)
            await change(store)
            assert store.fault() is None
            restore_database(place.path)
            with pytest.raises(StoreUnavailable, match="another program put other data into the database file"):
                await store.create("c", StreamConfig())
            assert store.fault() is not None
            for path in ("a", "gone", "elsewhere"):
                with pytest.raises((StoreUnavailable, StreamNotFound)):
                    await append(store, path, b"lost")
            with pytest.raises(StoreUnavailable, match="another program"):
                await store.list()

    run(scenario())
    [told] = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert place.path in told


def test_a_sweep_finds_a_backup_that_nobody_writes_to(place: Place, run: Run[None]) -> None:
    """So a server that is idle is not ready within a second; a stop writes nothing into it."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig(), b"kept")
            backup(place.path)
            await append(store, "a", b"since")
            restore_database(place.path)
            assert store.fault() is None
            await store.sweep()
            assert "another program" in (store.fault() or "")
        async with opened(place.store()) as store:
            assert await content(store, "a") == [b"kept"]

    run(scenario())


def test_what_is_looked_up_in_a_restored_file_is_not_told(place: Place, run: Run[None]) -> None:
    """A stream whose state is not in memory would have an old tail."""

    async def scenario() -> None:
        async with opened(place.store(cached_streams="1")) as store:
            await store.create("a", StreamConfig(), bytes(100_000))
            backup(place.path)
            await append(store, "a", bytes(100_000))
            for number in range(3):
                await store.create(f"other{number}", StreamConfig())
            restore_database(place.path)
            with pytest.raises(StoreUnavailable, match="another program"):
                await store.info("a")

    run(scenario())


def test_a_restored_file_is_found_by_a_new_connection_too(place: Place, run: Run[None]) -> None:
    """After a commit that failed the writer connects again; that connection has seen no other version."""
    fails = False

    def hook(statement: str) -> None:
        if fails and statement == "COMMIT":
            restore_database(place.path)
            raise sqlite3.OperationalError("disk I/O error")

    place.spy(hook)

    async def scenario() -> None:
        nonlocal fails
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig(), b"kept")
            backup(place.path)
            await append(store, "a", b"since")
            restore_database(place.path)
            fails = True
            with pytest.raises(StoreUnavailable):
                await append(store, "a", b"lost")
            assert "another program" in (store.fault() or "")

    run(scenario())


def test_a_backup_that_is_as_new_as_the_file_is_no_loss(place: Place, run: Run[None]) -> None:
    """The file says what memory knows, whoever wrote it."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig(), b"kept")
            await store.create("gone", StreamConfig())
            await store.delete("gone")
            backup(place.path)
            restore_database(place.path)
            await append(store, "a", b"more")
            await store.sweep()
            assert store.fault() is None
        async with opened(place.store()) as store:
            assert await content(store, "a") == [b"kept", b"more"]

    run(scenario())


@pytest.mark.parametrize("harm", [empty_log, cut_log])
def test_a_log_that_was_cut_and_has_grown_again_is_found(
    place: Place, run: Run[None], harm: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next frame goes behind a hole. The hole is not moved into the database."""
    monkeypatch.setattr(guard, "LOOK_SECONDS", inf)

    async def scenario() -> None:
        async with opened(place.store(checkpoint_bytes="65536")) as store:
            await store.create("a", StreamConfig(), bytes(10_000))
            await store.sweep()
            before = bytes_of(place.path)
            harm(place.path)
            await append(store, "a", bytes(100_000))
            assert os.stat(f"{place.path}-wal").st_size > 100_000
            await store.sweep()
            assert "-wal file was cut off or overwritten" in (store.fault() or "")
        assert bytes_of(place.path) == before

    run(scenario())


def test_a_log_that_another_program_moves_by_the_rules_is_no_loss(place: Place, run: Run[None]) -> None:
    """It is empty then, and begins again."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig())
            expected = []
            for number in range(6):
                expected.append(b"%d" % number)
                await append(store, "a", expected[-1])
                if number % 2:
                    await store.sweep()
                move_log(place.path)
                if number % 3:
                    await store.sweep()
            assert store.fault() is None
            async with opened(place.killed()) as killed:
                assert await content(killed, "a") == expected

    run(scenario())


def bytes_of(path: str) -> bytes:
    """What a file has on the disk."""
    return Path(path).read_bytes()


def put_over(path: str, data: bytes) -> None:
    """Bytes in place of a file's first ones, by another process: a file that is closed here would lose its locks."""
    subprocess.run(["dd", f"of={path}", "conv=notrunc"], input=data, check=True, capture_output=True)


def test_an_old_copy_put_over_the_file_byte_by_byte_is_found(place: Place, run: Run[None]) -> None:
    """Its header is the same: nothing was added to the file since. The connection does not see it, the disk does."""

    async def scenario() -> None:
        async with opened(place.store(checkpoint_bytes="65536")) as store:
            for path in ("a", "b"):
                await store.create(path, StreamConfig(), bytes(200_000))
            await append(store, "a", b"kept")
            move_log(place.path)
            await store.sweep()
            old = bytes_of(place.path)
            await store.append("b", Append(b"", close=True))
            move_log(place.path)
            await store.sweep()
            assert store.fault() is None
            put_over(place.path, old)
            await store.sweep()
            assert "other data" in (store.fault() or "")

    run(scenario())


@pytest.mark.slow
@pytest.mark.parametrize("harm", [restore_database, empty_log])
def test_a_server_whose_file_says_something_else_is_not_ready(tmp_path: Path, harm: Callable[[str], None]) -> None:
    """It says so to who asks and to who writes, with 503, and starts again with the files that are there."""
    path = str(tmp_path / "log.db")
    with headwater_server(f"sqlite:{path}") as server:
        assert call(server, "PUT", "/v1/stream/a", b"1", Content_Type="text/plain").status == 201
        backup(path)
        assert call(server, "POST", "/v1/stream/a", b"2", Content_Type="text/plain").status == 204
        assert call(server, "GET", "/-/ready").status == 200
        harm(path)
        deadline = time.monotonic() + 30
        while call(server, "GET", "/-/ready").status != 503:
            assert time.monotonic() < deadline, "it is ready with a file that says something else"
            time.sleep(0.02)
        refused = call(server, "POST", "/v1/stream/a", b"3", Content_Type="text/plain")
        assert (refused.status, refused.json()["code"]) == (503, "store-unavailable")
        assert call(server, "GET", "/-/health").status == 200
        server.stop()
        shutil.copy(f"{path}.backup", path)
        for suffix in ("-wal", "-shm"):
            Path(path + suffix).unlink(missing_ok=True)
        server.start()
        assert call(server, "GET", "/v1/stream/a").body == b"1"
