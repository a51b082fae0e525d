"""What a start says of a disk, a folder or a path that it cannot use: what happened, and what to do."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.stores.sqlite.helpers import content, opened

from headwater.errors import StoreUnavailable
from headwater.model import StreamConfig
from headwater.stores.sqlite import SqliteStore

if TYPE_CHECKING:
    from tests.conftest import Run
    from tests.stores.sqlite.conftest import Place


def a_folder(path: Path) -> Path:
    """The path is a folder."""
    path.mkdir()
    return path


def no_folder(path: Path) -> Path:
    """Its folder is missing."""
    return path / "log.db"


def below_a_file(path: Path) -> Path:
    """Its folder is a file."""
    path.touch()
    return path / "log.db"


def a_circle(path: Path) -> Path:
    """A symbolic link to itself."""
    path.symlink_to(path)
    return path


def too_long(path: Path) -> Path:
    """A name longer than file systems allow."""
    return path.with_name("x" * 300)


def no_database(path: Path) -> Path:
    """A text."""
    path.write_text("This is no database, and longer than the header of one. " * 10)
    return path


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (a_folder, "name a file in it"),
        (no_folder, "make the folder first"),
        (below_a_file, "is a file and no folder"),
        (a_circle, "lead in a circle"),
        (too_long, "use a shorter path"),
        (no_database, "name another file, or restore"),
    ],
)
def test_a_path_that_cannot_be_used_is_told_with_advice(
    make: object, said: str, tmp_path: Path, run: Run[None]
) -> None:
    """And nothing is made beside it but the lock file."""
    assert callable(make)
    path = make(tmp_path / "log.db")
    with pytest.raises(StoreUnavailable, match=said):
        run(SqliteStore(str(path)).open())
    assert {found.suffix for found in tmp_path.rglob("*")} <= {".db", ".lock"}


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "make room on the disk"),
        (errno.EDQUOT, "make room on the disk"),
        (errno.EACCES, "must be allowed to read and write"),
        (errno.EROFS, "mounted read-only"),
        (errno.EMFILE, "raise the limit of the process"),
        (errno.EIO, "look at the system's log"),
    ],
)
@pytest.mark.parametrize("call", ["open", "pwrite"])
def test_what_the_system_refuses_is_told_with_advice(
    place: Place, run: Run[None], monkeypatch: pytest.MonkeyPatch, number: int, said: str, call: str
) -> None:
    """Wherever the start meets it; the same store opens once it is over."""
    store = place.store()

    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, refuse)
        with pytest.raises(StoreUnavailable, match=f"{os.strerror(number)}; .*{said}"):
            run(store.open())

    async def scenario() -> None:
        async with opened(store):
            await store.create("a", StreamConfig(), b"x")
            assert await content(store, "a") == [b"x"]

    run(scenario())


# Opens a store where no file may become larger than the second argument says.
LIMITED = """
import asyncio, resource, sys
from headwater.errors import StoreUnavailable
from headwater.stores.sqlite import SqliteStore
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
try:
    asyncio.run(SqliteStore(sys.argv[1]).open())
except StoreUnavailable as error:
    print(error.message)
"""


@pytest.mark.parametrize("limit", [0, 100, 4096, 20_000, 30_000])
def test_a_start_without_room_says_so_and_leaves_a_file_that_opens(place: Place, run: Run[None], limit: int) -> None:
    """Wherever in the making of the schema the room ends."""
    command = [sys.executable, "-c", LIMITED, place.path, str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "; " in done.stdout
    assert any(said in done.stdout for said in ("raise the limit", "disk is full", "make room")), done.stdout

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig(), b"x")
            assert await content(store, "a") == [b"x"]

    run(scenario())


@pytest.mark.slow
def test_a_server_says_it_in_one_sentence(tmp_path: Path) -> None:
    """No traceback: there is nothing wrong with the program."""
    command = [sys.executable, "-m", "headwater.cli", "serve", "--port", "0", "--store", f"sqlite:{tmp_path}/no/log.db"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert "make the folder first" in done.stderr
    assert "Traceback" not in done.stderr
