"""`python -m conformance`: drive a client through the scenarios; see README.md."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from conformance.adapter import started
from conformance.fault_server import fault_server
from conformance.origin import Origin, headwater
from conformance.runs import Outcome, Runs, chosen, table
from conformance.scenario import READS, WRITES, load


def arguments() -> argparse.ArgumentParser:
    """Of the command line."""
    parser = argparse.ArgumentParser(prog="python -m conformance", description=__doc__)
    parser.add_argument("--client", help="the command line of its adapter")
    parser.add_argument(
        "--server", help="the URL below which a server has its streams; without it a Headwater is started"
    )
    parser.add_argument("--protocol-only", action="store_true", help="the server is no Headwater")
    parser.add_argument("--pages", type=Path, help="a folder with a page, for a client in a browser: at {serverUrl}/-/")
    parser.add_argument("--scenario", action="append", default=[], help="only those with this text in their names")
    parser.add_argument("--transport", action="append", default=[], choices=sorted({*READS, *WRITES}))
    parser.add_argument("--step", type=int, default=1, help="of cuts and statuses every so many")
    parser.add_argument("--stop", action="store_true", help="end at the first failure")
    parser.add_argument("--json", action="store_true", help="outcomes as lines of JSON")
    parser.add_argument("--list", action="store_true", help="name the scenarios, and what they are for")
    return parser


@contextlib.asynccontextmanager
async def _origin(url: str | None) -> AsyncIterator[Origin]:
    if url is not None:
        yield Origin(url)
    else:
        async with headwater() as found:
            yield found


async def run(options: argparse.Namespace) -> int:
    """Run what was asked for; gives the exit code."""
    outcomes: list[Outcome] = []
    async with (
        _origin(options.server) as origin,
        fault_server(options.pages) as server,
        started(options.client) as adapter,
    ):
        await adapter.init(server.address)
        runs = Runs(adapter, server, origin, is_headwater=not options.protocol_only, step=options.step)
        for scenario, transport in chosen(load(), options.scenario, options.transport):
            outcome = await runs.run(scenario, transport)
            outcomes.append(outcome)
            _tell(outcome, as_json=options.json)
            if options.stop and outcome.failures:
                break
    if not options.json:
        sys.stdout.write(f"\n{adapter.name}\n{table(outcomes)}\n")
    return int(any(outcome.failures for outcome in outcomes))


def _tell(outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(msgspec.json.encode(outcome).decode() + "\n")
        return
    if outcome.failures:
        sys.stdout.write(
            f"FAILED {outcome.scenario} over {outcome.transport}: {len(outcome.failures)} of {outcome.runs}\n"
        )
        for failure in outcome.failures[:5]:
            sys.stdout.write(f"    {failure}\n")
    sys.stdout.flush()


def main() -> int:
    """The command."""
    parser = arguments()
    options = parser.parse_args()
    if options.list:
        for scenario in load():
            sys.stdout.write(f"{scenario.name}: {scenario.why} ({', '.join(scenario.ways())})\n")
        return 0
    if not options.client:
        parser.error("--client is needed")
    return asyncio.run(run(options))


if __name__ == "__main__":
    raise SystemExit(main())
