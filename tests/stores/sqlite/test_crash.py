"""A process that is killed at any moment loses nothing that it acknowledged, and repeats nothing."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from pathlib import Path

import pytest
from tests.stores.sqlite import crash_child
from tests.stores.sqlite.helpers import opened

from headwater.stores.sqlite import SqliteStore, parse_options

PRODUCERS, STREAMS, ROUNDS = 20, 3, 5


@pytest.mark.slow
def test_a_killed_process_loses_no_acknowledged_append(tmp_path: Path, driver: str) -> None:
    """Five kills, at random moments of heavy writing; each process goes on in the file of the one before."""
    path = str(tmp_path / "log.db")
    for _ in range(ROUNDS):
        acknowledged = write_and_kill(path, driver, after=random.randint(100, 3000))
        log = asyncio.run(read_back(path, driver))
        for producer, last in acknowledged.items():
            assert last < len(log[producer]), "an acknowledged append is missing"
        for producer, sequences in log.items():
            assert sequences == list(range(len(sequences))), f"producer {producer} has holes or repeats"


def write_and_kill(path: str, driver: str, *, after: int) -> dict[int, int]:
    """Run a process, kill it after so many acknowledgements; returns the last one by producer."""
    command = [sys.executable, crash_child.__file__, path, driver, str(PRODUCERS), str(STREAMS)]
    acknowledged: dict[int, int] = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        for count, line in enumerate(child.stdout, 1):
            if not line.endswith(b"\n"):
                break
            producer, sequence = line.split()
            acknowledged[int(producer)] = int(sequence)
            if count == after:
                child.kill()
    assert len(acknowledged) > 0, "the process did not start"
    return acknowledged


async def read_back(path: str, driver: str) -> dict[int, list[int]]:
    """All sequence numbers by producer."""
    log: dict[int, list[int]] = {}
    async with opened(SqliteStore(path, parse_options({"driver": driver}))) as store:
        for stream in range(STREAMS):
            log.update(await crash_child.written(store, crash_child.stream_of(stream, STREAMS)))
    return log
