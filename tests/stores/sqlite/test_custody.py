"""Files that are removed or replaced, while the store is open and before it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.stores.sqlite.helpers import ANOTHER, append, backup, content, cut_log, empty_log, opened
from tests.support.http import call
from tests.support.processes import headwater_server

from headwater.errors import StoreUnavailable
from headwater.model import StreamConfig
from headwater.protocol.ledger import Append
from headwater.stores.sqlite import SqliteStore, guard

if TYPE_CHECKING:
    from tests.conftest import Run
    from tests.stores.sqlite.conftest import Place


def remove_database(path: str) -> None:
    """The file is gone."""
    os.remove(path)


def replace_database(path: str) -> None:
    """A backup is moved to its place."""
    os.replace(f"{path}.backup", path)


def overwrite_database(path: str) -> None:
    """A backup is copied over it: the same inode."""
    shutil.copyfile(f"{path}.backup", path)


def empty_database(path: str) -> None:
    """As `> log.db` does."""
    os.truncate(path, 0)


def remove_log(path: str) -> None:
    """The write-ahead log is gone."""
    os.remove(f"{path}-wal")


def replace_log(path: str) -> None:
    """Another file is at its place."""
    Path(f"{path}-new").write_bytes(b"")
    os.replace(f"{path}-new", f"{path}-wal")


def remove_index(path: str) -> None:
    """The index of the log is gone, and with it what keeps other programs apart from this one."""
    os.remove(f"{path}-shm")


IN_LOG = [empty_log, cut_log]
OF_DATABASE = [remove_database, replace_database, overwrite_database, empty_database]
OF_LOG = [remove_log, replace_log, remove_index]
Harm = Callable[[str], None]


@pytest.mark.parametrize("harm", OF_DATABASE + OF_LOG + IN_LOG)
def test_writes_are_refused_once_a_file_is_lost(
    place: Place, run: Run[None], harm: Harm, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them, the first one after a look too; the log tells it once, and reads of what is open go on."""
    monkeypatch.setattr(guard, "LOOK_SECONDS", 0.0)

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig(), b"kept")
            backup(place.path)
            assert store.fault() is None
            harm(place.path)
            if harm in (overwrite_database,):
                await store.sweep()
            for _ in range(3):
                with pytest.raises(StoreUnavailable, match="nothing is written any more"):
                    await append(store, "a", b"lost")
                with pytest.raises(StoreUnavailable, match="nothing is written any more"):
                    store.post("a", Append(b"lost"), print)
                await store.sweep()
            assert "file was" in (store.fault() or "")
            assert ("read out what" in (store.fault() or "")) == (harm in (remove_database, replace_database))
            if harm in (overwrite_database, empty_database, *IN_LOG):
                with pytest.raises(StoreUnavailable, match="nothing is written any more"):
                    await content(store, "a")
            else:
                assert await content(store, "a") == [b"kept"]
            assert (await store.info("a")).size == 4

    run(scenario())
    told = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [place.path in record.getMessage() for record in told] == [True]


@pytest.mark.parametrize("harm", OF_DATABASE + OF_LOG + IN_LOG)
def test_a_sweep_finds_what_nobody_writes_to(place: Place, run: Run[None], harm: Harm) -> None:
    """So a server that is idle is not ready within a second."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig(), b"kept")
            backup(place.path)
            harm(place.path)
            assert store.fault() is None
            await store.sweep()
            assert store.fault() is not None
        assert store.fault() is None

    run(scenario())


@pytest.mark.parametrize("harm", OF_LOG)
def test_what_was_acknowledged_outlives_the_log(place: Place, run: Run[None], harm: Harm) -> None:
    """The process still has it open, and moves it into the database as soon as it is missed: a kill loses nothing."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig(), b"kept")
            harm(place.path)
            await store.sweep()
            assert store.fault() is not None
            copy = f"{place.path}.killed"
            shutil.copy(place.path, copy)
        for path in (copy, place.path):
            async with opened(SqliteStore(path)) as again:
                assert await content(again, "a") == [b"kept"]
                await append(again, "a", b"more")

    run(scenario())


@pytest.mark.parametrize("harm", [remove_database, replace_database])
def test_a_lost_store_leaves_the_files_of_others_alone(place: Place, run: Run[None], harm: Harm) -> None:
    """What lies at its path by now is not its own: it removes no log there, and changes no database."""
    database, log = Path(place.path), Path(f"{place.path}-wal")

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig(), b"kept")
            backup(place.path)
            harm(place.path)
            os.remove(log)
            write(log, b"another's log")
            before = bytes_of(database)
            await store.sweep()
        assert (bytes_of(database), bytes_of(log)) == (before, b"another's log")

    run(scenario())


def write(path: Path, data: bytes) -> None:
    """Make a file."""
    path.write_bytes(data)


def bytes_of(path: Path) -> bytes | None:
    """A file's content; None: it is not there."""
    return path.read_bytes() if path.exists() else None


def test_a_name_that_leads_elsewhere_by_now_is_followed_at_the_next_start(
    place: Place, run: Run[None], tmp_path: Path
) -> None:
    """A symbolic link may be turned while the store is open: it goes on with the file that it opened."""
    link = tmp_path / "current.db"
    link.symlink_to(place.path)

    async def scenario() -> None:
        async with opened(SqliteStore(str(link))) as store:
            await store.create("a", StreamConfig(), b"1")
            link.unlink()
            link.symlink_to(f"{place.path}.next")
            await append(store, "a", b"2")
            await store.sweep()
            assert store.fault() is None
        async with opened(place.store()) as store:
            assert await content(store, "a") == [b"1", b"2"]
        async with opened(SqliteStore(str(link))) as store:
            assert await store.count() == 0

    run(scenario())


def test_checkpoints_and_other_programs_that_read_are_no_loss(place: Place, run: Run[None]) -> None:
    """Nor is a backup, or a connection that comes and goes."""

    async def scenario() -> None:
        async with opened(place.store(checkpoint_bytes="65536")) as store:
            await store.create("a", StreamConfig())
            for _ in range(20):
                await append(store, "a", bytes(10_000))
                backup(place.path)
                await store.sweep()
            assert store.fault() is None

    run(scenario())


WRITER = """
import sqlite3, sys
with sqlite3.connect(sys.argv[1], isolation_level=None) as connection:
    connection.execute("CREATE TABLE of_another_program (name TEXT)")
    connection.execute("VACUUM")
    connection.execute("PRAGMA wal_checkpoint")
"""


def write_as_another(path: str) -> None:
    """Change the database through SQLite."""
    subprocess.run([*ANOTHER, WRITER, path], check=True)


def test_another_program_that_writes_as_sqlite_does_is_no_loss(place: Place, run: Run[None]) -> None:
    """It makes a table and the file smaller; the bytes change, and this process's connection knows."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig(), bytes(1_000_000))
            await store.create("b", StreamConfig(), b"kept")
            await store.sweep()
            await store.delete("a")
            for _ in range(3):
                await store.sweep()
        async with opened(place.store()) as store:
            before = os.stat(place.path).st_size
            write_as_another(place.path)
            assert os.stat(place.path).st_size < before
            await append(store, "b", b"more")
            await store.sweep()
            assert store.fault() is None
            assert await content(store, "b") == [b"kept", b"more"]

    run(scenario())


def test_a_file_with_several_names_is_warned_of(place: Place, run: Run[None], caplog: pytest.LogCaptureFixture) -> None:
    """What was not moved into it yet is beside the name that it was opened by."""

    async def scenario() -> None:
        async with opened(place.store()):
            pass
        assert "names" not in caplog.text
        os.link(place.path, f"{place.path}.other")
        async with opened(place.store()):
            pass

    run(scenario())
    assert f"{place.path} has 2 names (hard links)" in caplog.text


# Before the start


def remove(path: str, *suffixes: str) -> None:
    """Remove what is there of a database's files."""
    for suffix in suffixes:
        Path(path + suffix).unlink(missing_ok=True)


def harmed(place: Place, run: Run[str], harm: Callable[[], None], *, killed: bool) -> str:
    """What the next start says of a store that was stopped or killed, and then harmed."""

    async def scenario() -> str:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig(), b"kept")
            backup(place.path)
            await append(store, "a", b"more")
            if killed:
                for suffix in ("", "-wal"):
                    os.rename(place.path + suffix, place.path + suffix + ".left")
        if killed:
            # The same inodes as before, with what a kill leaves in them.
            remove(place.path, "-shm", "-wal")
            for suffix in ("", "-wal"):
                os.rename(place.path + suffix + ".left", place.path + suffix)
        harm()
        with pytest.raises(StoreUnavailable) as caught:
            await place.store().open()
        return caught.value.message

    return run(scenario())


@pytest.mark.parametrize("killed", [False, True], ids=["stopped", "killed"])
@pytest.mark.parametrize("how", ["removed", "empty"])
def test_no_store_is_begun_where_one_was(place: Place, run: Run[Any], killed: bool, how: str) -> None:
    """The message says what is missing; who does what it says begins anew."""
    harm = os.remove if how == "removed" else empty_database
    message = harmed(place, run, lambda: harm(place.path), killed=killed)
    assert place.path in message
    assert f"remove {place.path}.lock" in message
    assert ("-wal is" in message) is killed
    remove(place.path, "", "-wal", "-shm", ".lock")

    async def anew() -> None:
        async with opened(place.store()) as store:
            assert await store.count() == 0

    run(anew())


def test_a_first_start_that_was_killed_is_begun_again(place: Place, run: Run[None]) -> None:
    """While SQLite makes the database there is an empty file and a rollback journal beside it, and no note yet."""
    Path(place.path).touch()
    Path(f"{place.path}-journal").write_bytes(bytes(512))
    Path(f"{place.path}.lock").write_text("12345\n\n")

    async def scenario() -> None:
        async with opened(place.store()) as store:
            assert (await store.create("a", StreamConfig())).created

    run(scenario())


@pytest.mark.parametrize("left", ["-wal", "-journal"])
def test_a_log_without_its_database_is_not_thrown_away(place: Place, run: Run[None], left: str) -> None:
    """Without a lock file too; SQLite would remove it."""
    Path(place.path + left).write_bytes(bytes(512))
    with pytest.raises(StoreUnavailable, match=f"is not there, but its {left} is: put the database back"):
        run(place.store().open())
    assert Path(place.path + left).exists()
    assert not Path(place.path).exists()


def test_a_backup_is_not_joined_to_the_log_of_the_file_before(place: Place, run: Run[Any]) -> None:
    """SQLite would, and damage it. Without the log it is taken."""
    message = harmed(place, run, lambda: os.replace(f"{place.path}.backup", place.path), killed=True)
    assert "if it is a backup, remove -wal" in message
    remove(place.path, "-wal", "-shm")

    async def restored() -> None:
        async with opened(place.store()) as store:
            assert await content(store, "a") == [b"kept"]

    run(restored())


def test_files_that_were_copied_together_are_taken(place: Place, run: Run[None], tmp_path: Path) -> None:
    """To another folder, after a kill, the note of the lock file with them."""
    there = tmp_path / "there"
    there.mkdir()

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig(), b"kept")
            for suffix in ("", "-wal", ".lock"):
                shutil.copy(place.path + suffix, there)
        async with opened(SqliteStore(str(there / "log.db"))) as store:
            assert await content(store, "a") == [b"kept"]

    run(scenario())


@pytest.mark.slow
@pytest.mark.parametrize("harm", [remove_database, remove_log, replace_database])
def test_a_server_whose_file_is_lost_is_not_ready(tmp_path: Path, harm: Harm) -> None:
    """It says so to who asks and to who writes, with 503, and starts again when the files are right."""
    path = str(tmp_path / "log.db")
    with headwater_server(f"sqlite:{path}") as server:
        assert call(server, "PUT", "/v1/stream/a", Content_Type="text/plain").status == 201
        assert call(server, "POST", "/v1/stream/a", b"1", Content_Type="text/plain").status == 204
        backup(path)
        assert call(server, "GET", "/-/ready").status == 200
        harm(path)
        deadline = time.monotonic() + 5.0
        while call(server, "GET", "/-/ready").status != 503:
            assert time.monotonic() < deadline, "it is ready without its file"
            time.sleep(0.02)
        refused = call(server, "POST", "/v1/stream/a", b"2", Content_Type="text/plain")
        assert (refused.status, refused.json()["code"]) == (503, "store-unavailable")
        assert call(server, "GET", "/-/health").status == 200
        assert call(server, "GET", "/v1/stream/a").body == b"1"
        server.stop()
        if harm is remove_database:
            shutil.copy(f"{path}.backup", path)
        if harm is not remove_log:
            remove(path, "-wal", "-shm")
        server.start()
        assert call(server, "GET", "/v1/stream/a").body == b"1"
