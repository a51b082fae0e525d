"""What proxies keep for readers that take nothing: the figures of docs/howto/behind-a-proxy.md.

Run it with `python -m tests.proxies.measure`. Each of `READERS` is a stream of one HTTP/2 connection that is given no
window beyond the first 65,535 bytes, while more is appended than anybody keeps.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import httpx2
from tests.proxies.client import EVENTS
from tests.proxies.fronts import FRONTS, HOST, Certificates, in_front_of
from tests.proxies.hypercorns import HypercornProcess
from tests.proxies.raw import RawClient
from tests.proxies.test_slow_readers import MIB, STREAM, memory, write
from tests.support.http import call
from tests.support.processes import ServerProcess, headwater_server

READERS = 40
WRITTEN = 24 * MIB


def stall(
    url: str, port: int, certificates: Certificates, pids: list[int], readers: int
) -> tuple[list[int], RawClient]:
    """Growth of the processes, and the client with its stalled readers."""
    with httpx2.Client(base_url=url, trust_env=False, timeout=30) as writer:
        writer.put(STREAM, headers={"content-type": "text/plain"})
        write(writer, 8 * MIB)
        raw = RawClient(port, certificates)
        streams = [raw.get(f"{STREAM}?offset=now", EVENTS, stalled=True) for _ in range(readers)]
        raw.until(lambda: all(b"id:" in raw.received[stream] for stream in streams))
        before = [memory(pid) for pid in pids]
        write(writer, WRITTEN)
        raw.until(lambda: all(len(raw.received[stream]) == 65_535 for stream in streams))
        return [memory(pid) - start for pid, start in zip(pids, before, strict=True)], raw


def sent(server: ServerProcess) -> float:
    """Bytes that left the server for a reader, on average, after the first 8 MiB and the client's window."""
    shown = call(server, "GET", "/-/readers").json()["readers"]
    read = [int(reader["offset"].partition("_")[2]) - 8 * MIB - (reader["held"] or 0) for reader in shown]
    return sum(read) / len(read) - 65_535


def of_proxy(kind: str, certificates: Certificates, directory: Path, readers: int) -> tuple[float, list[int]]:
    """Bytes on their way to each reader, and growth of the proxy and of the server."""
    with (
        headwater_server(f"sqlite:{directory}/log.db", "--allowed-hosts", HOST) as server,
        in_front_of(server.port, kind, certificates, directory) as front,
    ):
        growth, raw = stall(server.url, front.port, certificates, [front.pid, server.pid], readers)
        with raw:
            return sent(server) if readers else 0.0, growth


def of_hypercorn(certificates: Certificates, directory: Path, readers: int) -> int:
    """Growth of the server."""
    with HypercornProcess(certificates, directory) as server:
        [growth], raw = stall(server.url, server.tls_port, certificates, [server.pid], readers)
        raw.close()
    return growth


def main() -> None:
    """Print a table; what the appends alone cost is taken off."""
    certificates = Certificates(Path(tempfile.mkdtemp()))
    rows: dict[str, list[float]] = {}
    for kind in FRONTS:
        _, alone = of_proxy(kind, certificates, Path(tempfile.mkdtemp()), 0)
        way, growth = of_proxy(kind, certificates, Path(tempfile.mkdtemp()), READERS)
        rows[kind] = [way, *((size - base) / READERS for size, base in zip(growth, alone, strict=True))]
    base, size = (of_hypercorn(certificates, Path(tempfile.mkdtemp()), readers) for readers in (0, READERS))
    rows["hypercorn"] = [0.0, 0.0, (size - base) / READERS]
    sys.stdout.write(f"{'':12}{'on its way':>15}{'in the proxy':>15}{'in the server':>15}  KiB for each reader\n")
    for name, figures in rows.items():
        sys.stdout.write(f"{name:12}" + "".join(f"{figure / 1024:15.0f}" for figure in figures) + "\n")


if __name__ == "__main__":
    main()
