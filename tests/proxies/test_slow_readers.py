"""A reader that takes nothing costs a bounded amount, and holds up nobody, not even on its own connection: through each
proxy, and under hypercorn."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from tests.proxies.client import EVENTS, TEXT
from tests.proxies.fronts import Certificates, Front, family, private_bytes, until
from tests.proxies.hypercorns import HypercornProcess
from tests.proxies.raw import RawClient
from tests.support.processes import ServerProcess

pytestmark = pytest.mark.slow

STREAM = "/v1/stream/s"
MIB = 1024 * 1024
RECORD = 64 * 1024 - 1
#: What a reader that takes nothing must not cost, and what is written meanwhile.
ALLOWED = 16 * MIB
WRITTEN = 48 * MIB
WARM_UP = 8 * MIB


def memory(pid: int) -> int:
    """Bytes of a process and what it started."""
    return sum(private_bytes(each) for each in family(pid))


def write(client: httpx2.Client, size: int) -> None:
    for number in range(size // (RECORD + 1)):
        answer = client.post(STREAM, content=f"{number}".ljust(RECORD, "."), headers=TEXT)
        assert answer.status_code == 204


def data(body: bytearray) -> bytes:
    """Of an event stream; a record across a limit comes in two events."""
    return b"".join(line[5:] for line in body.splitlines() if line.startswith(b"data:"))


def hold_a_reader(url: str, port: int, certificates: Certificates, *measures: Callable[[], int]) -> None:
    """One reader takes nothing while another of the same connection gets everything; then it takes everything too."""
    with httpx2.Client(base_url=url, trust_env=False, timeout=30) as writer, RawClient(port, certificates) as raw:
        assert writer.put(STREAM, headers=TEXT).status_code == 201
        write(writer, WARM_UP)
        still = raw.get(f"{STREAM}?offset=now", EVENTS, stalled=True)
        other = raw.get(f"{STREAM}?offset=now", EVENTS)
        raw.until(lambda: b"id:" in raw.received[still] and b"id:" in raw.received[other])
        before = [measure() for measure in measures]
        thread = threading.Thread(target=write, args=(writer, WRITTEN))
        thread.start()
        raw.until(lambda: raw.received[other].count(b"\n", -10) == 2 and len(raw.received[other]) > WRITTEN)
        thread.join()
        assert len(raw.received[still]) <= 65_535
        grown = [measure() - start for measure, start in zip(measures, before, strict=True)]
        assert all(size < ALLOWED for size in grown), grown
        raw.release(still)
        assert writer.post(STREAM, headers={"stream-closed": "true"}).status_code == 204
        raw.until(lambda: raw.ended == {still: 0, other: 0})
        assert data(raw.received[still]) == data(raw.received[other])


def test_a_stalled_stream_is_bounded_through_a_proxy(
    server: ServerProcess, front: Front, certificates: Certificates
) -> None:
    """Neither the server nor the proxy keeps what one of two readers of a connection does not take."""
    hold_a_reader(server.url, front.port, certificates, lambda: memory(server.pid), front.memory)


def test_a_stalled_stream_is_bounded_under_hypercorn(hypercorn: HypercornProcess) -> None:
    """Although hypercorn's own `send` does not wait for a stream that has no window."""
    hold_a_reader(hypercorn.url, hypercorn.tls_port, hypercorn.certificates, lambda: memory(hypercorn.pid))


def stats(server: HypercornProcess) -> dict[str, int]:
    found: dict[str, int] = httpx2.get(f"{server.url}/v1/stream/-/stats", trust_env=False).json()
    return found


def test_a_stalled_stream_is_cut_under_hypercorn(certificates: Certificates, tmp_path: Path) -> None:
    """After `write_seconds`, with an error; the other readers of its connection go on."""
    with (
        HypercornProcess(certificates, tmp_path, write_seconds=0.5) as server,
        httpx2.Client(base_url=server.url, trust_env=False) as writer,
        RawClient(server.tls_port, certificates) as raw,
    ):
        writer.put(STREAM, headers=TEXT)
        still, other = raw.get(STREAM, EVENTS, stalled=True), raw.get(STREAM, EVENTS)
        raw.until(lambda: b"id:" in raw.received[still] and b"id:" in raw.received[other])
        write(writer, MIB)
        raw.until(lambda: still in raw.ended and len(raw.received[other]) > MIB)
        assert raw.ended == {still: 2}
        assert (stats(server)["stalls"], stats(server)["readers"]) == (1, 1)
        size = len(raw.received[other])
        write(writer, RECORD + 1)
        raw.until(lambda: len(raw.received[other]) > size + RECORD)


@pytest.mark.parametrize("whole", [True, False], ids=["connection", "stream"])
def test_a_stalled_client_that_goes_is_freed_under_hypercorn(hypercorn: HypercornProcess, whole: bool) -> None:
    """Its reader ends while it waits for a window that never comes."""
    with (
        httpx2.Client(base_url=hypercorn.url, trust_env=False) as writer,
        RawClient(hypercorn.tls_port, hypercorn.certificates) as raw,
    ):
        writer.put(STREAM, headers=TEXT)
        still = raw.get(STREAM, EVENTS, stalled=True)
        raw.until(lambda: b"id:" in raw.received[still])
        write(writer, MIB)
        raw.until(lambda: len(raw.received[still]) == 65_535)
        assert stats(hypercorn)["readers"] == 1
        if whole:
            raw.close()
        else:
            raw.reset(still)
        until(lambda: stats(hypercorn)["readers"] == 0)
