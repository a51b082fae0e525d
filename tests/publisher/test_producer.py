"""Producer ids and numbers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headwater.publisher.producer import MAX_STREAMS, Identity, Numbering

Take = Callable[[str], Identity]


@pytest.fixture
def take(tmp_path: Path) -> Iterator[Take]:
    """An id of an application, given back at the end."""
    taken: list[Identity] = []

    def new(name: str) -> Identity:
        taken.append(Identity(name, tmp_path))
        return taken[-1]

    yield new
    for identity in taken:
        identity.release()


def test_ids_are_one_processs_at_a_time(take: Take, tmp_path: Path) -> None:
    """Two at once differ; who comes later takes over what is free, also of a process that was killed."""
    first, second = take("app"), take("app")
    assert len({first.id, second.id, take("other").id}) == 3
    first.release()
    assert take("app").id == first.id
    code = (
        "import os, signal, sys; from pathlib import Path; from headwater.publisher.producer import Identity;"
        "identity = Identity('app', Path(sys.argv[1])); print(identity.id, flush=True);"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True).stdout.strip()
    assert killed not in {"", first.id, second.id}
    assert take("app").id == killed


def test_a_forked_child_leaves_the_parents_id_alone(take: Take) -> None:
    """It lets go of the file, and the parent keeps the lock."""
    parent = take("app")
    child = os.fork()
    if child == 0:
        parent.forget()
        os._exit(0 if take("app").id != parent.id else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert take("app").id != parent.id


def test_without_a_folder_ids_differ(tmp_path: Path) -> None:
    """Each is drawn."""
    (tmp_path / "file").touch()
    ids = {Identity("a name/of \u00e4", tmp_path / "file").id for _ in range(10)}
    assert len(ids) == 10
    assert all(id.isascii() and "/" not in id and len(id) <= 256 for id in ids)


def test_numbers_follow_each_other_within_an_epoch() -> None:
    """Per stream; a new epoch is larger than all before, also where the clock goes back, and begins with 0."""
    now = [100.0]
    numbers = Numbering(lambda: now[0])
    assert numbers.peek("a") == numbers.peek("a") == (100_000, 0)
    numbers.advance("a")
    assert numbers.peek("a") == (100_000, 1)
    assert numbers.peek("b") == (100_001, 0)
    now[0] = 50.0
    numbers.restart("a")
    assert numbers.peek("a") == (100_002, 0)
    numbers.restart("a", above=200_000)
    assert numbers.peek("a") == (200_001, 0)
    now[0] = 300.0
    numbers.restart("b")
    assert numbers.peek("b") == (300_000, 0)


def test_what_is_forgotten_begins_a_new_epoch() -> None:
    """The stream that was used longest ago."""
    numbers = Numbering(lambda: 1.0)
    first = numbers.peek("0")
    for number in range(1, MAX_STREAMS + 1):
        numbers.peek(str(number))
    assert numbers.peek("0") > first
    assert numbers.peek("0")[1] == 0
