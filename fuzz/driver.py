"""Runs a check on many inputs: under atheris (libFuzzer) where it is installed, else by random mutation."""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_atheris: Any = import_module("atheris") if find_spec("atheris") else None


def instrumented() -> AbstractContextManager[object]:
    """What is imported inside guides the search by its branches."""
    if _atheris is None:
        return nullcontext()
    return _atheris.instrument_imports(include=["headwater.protocol"])  # type: ignore[no-any-return]


def run(check: Callable[[bytes], None], seeds: Sequence[bytes], words: Sequence[bytes]) -> None:
    """Check inputs until one fails, or as many as `-runs=` on the command line says.

    Args:
        check: raises for an input that breaks the invariant.
        seeds: inputs to start from.
        words: byte strings that mean something to the parser.
    """
    if _atheris is None:
        _run_by_mutation(check, seeds, words)
        return
    with tempfile.TemporaryDirectory() as place:
        corpus = Path(place, "corpus")
        corpus.mkdir()
        for number, seed in enumerate(seeds):
            Path(corpus, str(number)).write_bytes(seed)
        dictionary = Path(place, "words")
        escaped = ("".join(f"\\x{byte:02x}" for byte in word) for word in words)
        dictionary.write_text("".join(f'"{word}"\n' for word in escaped))
        _atheris.Setup([sys.argv[0], f"-dict={dictionary}", "-print_final_stats=1", *sys.argv[1:], str(corpus)], check)
        _atheris.Fuzz()


def _run_by_mutation(check: Callable[[bytes], None], seeds: Sequence[bytes], words: Sequence[bytes]) -> None:
    runs = next((int(option[6:]) for option in sys.argv[1:] if option.startswith("-runs=")), 100_000)
    seed = time.time_ns()
    draw, begun = random.Random(seed), time.monotonic()
    for done in range(runs):
        data = bytearray(draw.choice(seeds))
        for _ in range(draw.randrange(8)):
            at = draw.randrange(len(data) + 1)
            data[at : at + draw.randrange(4)] = draw.choice((draw.choice(words), draw.randbytes(2), b""))
        try:
            check(bytes(data))
        except Exception:
            print(f"seed {seed}, input {done}: {bytes(data)!r}")
            raise
    print(f"{runs} inputs, {runs / (time.monotonic() - begun):.0f} a second, seed {seed}")
