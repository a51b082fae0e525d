"""Memory that is free again goes back to the system."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from typing import Final

import pytest
from tests.support.processes import required

from headwater.server.allocator import VARIABLES


@pytest.fixture(autouse=True)
def _glibc() -> None:
    required("mallopt, of glibc", platform.libc_ver()[0] == "glibc")


# One large block is freed, after which glibc has blocks of that size come from its heap; then each of 100 is followed
# by a small one that stays.
PROGRAM: Final = """
import ctypes, sys
from headwater.server.allocator import return_freed_memory
done = return_freed_memory() if sys.argv[1] == "set" else []
def resident():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS")) * 1024
before = resident()
del (bytearray(20_000_000))[:]
large, small = [], []
for _ in range(100):
    large.append(bytearray(4_000_000))
    small.append(bytearray(60_000))
large.clear()
print(len(done), resident() - before - sum(map(len, small)))
"""


def left(mode: str, **environment: str) -> tuple[int, int]:
    """Of a process of its own: how many parameters were set, and the bytes that stayed with it."""
    kept = {name: value for name, value in os.environ.items() if name not in VARIABLES.values()}
    command = [sys.executable, "-c", PROGRAM, mode]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, env=kept | environment)
    number, held = map(int, done.stdout.split())
    return number, held


def test_large_blocks_go_back_when_they_are_free() -> None:
    """Of 400 MB nearly nothing stays; without the threshold most of it does."""
    assert left("set")[1] < 10**7
    assert left("as it is")[1] > 2 * 10**8


def test_the_environment_has_the_last_word() -> None:
    """A threshold that somebody set is not set again."""
    assert left("set")[0] == 2
    assert left("set", MALLOC_MMAP_THRESHOLD_="65536")[0] == 1
    assert left("set", MALLOC_MMAP_THRESHOLD_="65536", MALLOC_TRIM_THRESHOLD_="65536")[0] == 0


# What a long read does: some blocks of up to 1 MiB at once, freed again before the next ones.
PIECES: Final = """
import resource
from headwater.server.allocator import return_freed_memory
assert len(return_freed_memory()) == 2
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def piece():
    return [bytes(bytearray(size)) for size in (1_000_000, 1_000_000, 400_000)]
for _ in range(3):
    piece()
before = faults()
for _ in range(50):
    piece()
print(faults() - before)
"""


def test_the_pieces_of_a_long_read_are_no_new_memory_each() -> None:
    """Blocks that are freed and taken again are the same pages: new ones are 600 page faults for each piece."""
    done = subprocess.run([sys.executable, "-c", PIECES], capture_output=True, text=True, check=True, timeout=60)
    assert int(done.stdout) < 50 * 60
