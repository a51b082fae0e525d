"""One process a database file, whatever its name, for exactly as long as the process lives."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.stores.sqlite.helpers import append, content, opened

from headwater.errors import StoreUnavailable
from headwater.model import StreamConfig
from headwater.stores.sqlite import SqliteStore
from headwater.stores.sqlite.lock import FileLock

if TYPE_CHECKING:
    from tests.conftest import Run
    from tests.stores.sqlite.conftest import Place

# Opens the store of its first argument, says so, and keeps it until its input ends.
HOLDER = """
import asyncio, sys
from headwater.stores.sqlite import SqliteStore
async def main():
    store = SqliteStore(sys.argv[1])
    await store.open()
    print("open", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await store.aclose()
asyncio.run(main())
"""


@contextlib.contextmanager
def holder(path: str) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that has the store open; ends in an orderly way, unless it was killed."""
    with subprocess.Popen([sys.executable, "-c", HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as found:
        assert found.stdout is not None
        assert found.stdout.readline() == b"open\n"
        yield found


def soft_link(place: Place, there: Path) -> str:
    """A name in another folder that leads to the database."""
    os.symlink(place.path, there / "link.db")
    return str(there / "link.db")


def hard_link(place: Place, there: Path) -> str:
    """A name in another folder that is the database as well."""
    os.link(place.path, there / "hard.db")
    return str(there / "hard.db")


def same_name_without_lock_file(place: Place, there: Path) -> str:
    """The same name; somebody tidied up."""
    os.remove(f"{place.path}.lock")
    return place.path


def same_name(place: Place, there: Path) -> str:
    """The same name."""
    return place.path


def another_folder_name(place: Place, there: Path) -> str:
    """A symbolic link to the folder, which leads there."""
    os.symlink(Path(place.path).parent, there / "folder")
    return str(there / "folder" / "log.db")


NAMES = [same_name, soft_link, hard_link, another_folder_name, same_name_without_lock_file]


@pytest.fixture
def there(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another folder of the same file system."""
    return tmp_path_factory.mktemp("there")


@pytest.mark.parametrize("name", NAMES)
def test_a_second_process_is_refused_by_any_name(place: Place, there: Path, run: Run[None], name: object) -> None:
    """The message names the file, and the holder where it can be known; the holder goes on undisturbed."""
    assert callable(name)
    with holder(place.path) as process:
        other = name(place, there)
        pattern = (
            f"held by process {process.pid};" if name in (same_name, soft_link, another_folder_name) else "held by"
        )
        with pytest.raises(StoreUnavailable, match=pattern) as caught:
            run(SqliteStore(other).open())
        assert os.path.basename(os.path.realpath(other)) in caught.value.message

    async def scenario() -> None:
        async with opened(place.store()) as store:
            assert (await store.create("a", StreamConfig())).created

    run(scenario())


@pytest.mark.parametrize("name", NAMES)
def test_a_second_store_in_one_process_is_refused_by_any_name(
    place: Place, there: Path, run: Run[None], name: object
) -> None:
    """Two writers in one process would be as bad; the refusal leaves SQLite's own locks as they are."""
    assert callable(name)

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig(), b"x")
            before = locks_of_this_process(place.path)
            other = name(place, there)
            for _ in range(2):
                with pytest.raises(StoreUnavailable, match=r"held by process .*this one"):
                    await SqliteStore(other).open()
            assert locks_of_this_process(place.path) == before
            await append(store, "a", b"y")
            assert await content(store, "a") == [b"x", b"y"]

    run(scenario())


def locks_of_this_process(path: str) -> list[str]:
    """What the kernel has of POSIX locks of this process on a file (proc(5))."""
    inode = f":{os.stat(path).st_ino} "
    lines = Path("/proc/locks").read_text().splitlines()
    found = [
        line.split(":", 1)[1] for line in lines if inode in line and "POSIX" in line and f" {os.getpid()} " in line
    ]
    return sorted(found)


def test_a_killed_holder_leaves_the_file_free(place: Place, run: Run[None]) -> None:
    """At once, however often."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            assert await store.count() == 0

    for _ in range(2):
        with holder(place.path) as process:
            process.kill()
            process.wait()
            run(scenario())


# Opens the store, starts a child that outlives it, and ends without closing anything.
FORKER = """
import asyncio, os, subprocess, sys
from headwater.stores.sqlite import SqliteStore
async def main():
    store = SqliteStore(sys.argv[1])
    await store.open()
    if sys.argv[2] == "fork":
        child = os.fork()
        if child == 0:
            sys.stdin.read()
            os._exit(0)
    else:
        child = subprocess.Popen(["cat"], close_fds=False, stdout=subprocess.DEVNULL).pid
    print(child, flush=True)
    os._exit(0)
asyncio.run(main())
"""


@pytest.mark.parametrize("how", ["fork", "subprocess"])
def test_a_child_that_lives_on_does_not_keep_the_file(place: Place, run: Run[None], how: str) -> None:
    """The lock is its parent's, and free when that is gone."""
    command = [sys.executable, "-c", FORKER, place.path, how]

    async def scenario() -> None:
        async with opened(place.store()) as store:
            assert await store.count() == 0

    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.wait()
        os.kill(child, 0)
        run(scenario())
        os.kill(child, signal.SIGKILL)


# What a child that was forked while the store was open says of it, and of the lock of one of its own.
CHILD = """
import asyncio, os, sys
from headwater.errors import StoreUnavailable
from headwater.protocol.ledger import Append
from headwater.stores.sqlite import SqliteStore
from headwater.stores.sqlite.lock import FileLock
def child(store):
    for use in (
        lambda: store.append("a", Append(b"x")).send(None),
        lambda: store.post("a", Append(b"x"), print),
        lambda: FileLock(sys.argv[1]).__enter__(),
    ):
        try:
            use()
        except StoreUnavailable as error:
            os.write(1, error.message.encode() + b"\\n")
async def main():
    store = SqliteStore(sys.argv[1])
    await store.open()
    number = os.fork()
    if number == 0:
        try:
            child(store)
        finally:
            os._exit(0)
    os.waitpid(number, 0)
    print(os.getpid(), flush=True)
    await store.aclose()
asyncio.run(main())
"""


def test_a_forked_child_is_told_that_the_store_is_its_parents(place: Place) -> None:
    """It neither hangs nor writes, and cannot open the file beside its parent."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, place.path], capture_output=True, text=True, timeout=60, check=True
    )
    *told, pid = done.stdout.splitlines()
    assert [line.partition(f"process {pid}")[1:] for line in told] == [
        (f"process {pid}", ", before a fork; open one after it"),
        (f"process {pid}", ", before a fork; open one after it"),
        (f"process {pid}", "; one process a database file, whatever its name"),
    ]


def test_a_lock_file_that_cannot_be_locked_is_no_second_process(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system without locks is told as such."""

    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with pytest.raises(StoreUnavailable, match=r"No locks available; .* use a local one"), FileLock(place.path):
        pass


RACER = """
import sys, time
from headwater.errors import StoreUnavailable
from headwater.stores.sqlite.lock import FileLock
for line in sys.stdin:
    try:
        with FileLock(line.strip()):
            print("won", flush=True)
            sys.stdin.readline()
        print("done", flush=True)
    except StoreUnavailable:
        print("lost", flush=True)
        sys.stdin.readline()
        print("done", flush=True)
"""


@pytest.mark.slow
def test_of_two_that_start_at_once_one_wins(tmp_path: Path) -> None:
    """Fifty times, on a new file each time, one of them by a symbolic link."""
    command = [sys.executable, "-c", RACER]
    with contextlib.ExitStack() as stack:
        racers = [
            stack.enter_context(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
            )
            for _ in range(2)
        ]
        for number in range(50):
            path = tmp_path / f"{number}.db"
            os.symlink(path, tmp_path / f"{number}.link")
            names = [path, tmp_path / f"{number}.link" if number % 2 else path]
            for racer, name in zip(racers, names, strict=True):
                assert racer.stdin is not None
                racer.stdin.write(f"{os.path.realpath(name)}\n")
            outcomes = []
            for racer in racers:
                assert racer.stdout is not None
                outcomes.append(racer.stdout.readline().strip())
            assert sorted(outcomes) == ["lost", "won"]
            for racer in racers:
                assert racer.stdin is not None
                assert racer.stdout is not None
                racer.stdin.write("go on\n")
                assert racer.stdout.readline() == "done\n"
