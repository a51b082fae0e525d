"""Slow readers beside others on a real server: nobody else notices, memory is bounded, and every gap is told."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

import pytest
from tests.support.http import call
from tests.support.processes import ServerProcess, headwater_server
from tests.support.sockets import asking, lines_of, resident, status_of, unacknowledged

URL = "/v1/stream/prices"
READERS = 200
STALLED = 20
RECORDS = 500
KEYS = 7
PADDING = "x" * 2_000
POLICIES = ("replay", "latest", "conflate:key", "disconnect")
#: Of those who never read, how many are kept, however slow they are.
LASTING = STALLED * 3 // 4
#: What one reader that never reads may cost: a segment in the kernel, and here the mark and one piece of the log.
MOST_IN_KERNEL = 68 * 1024
MOST_HERE = 24 * 1024


async def follow(server: ServerProcess) -> list[int]:
    """The numbers of all records, as a reader that reads gets them."""
    stream, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1 << 22)
    writer.write(f"GET {URL} HTTP/1.1\r\nhost: localhost\r\naccept: application/x-ndjson\r\n\r\n".encode())
    assert (await stream.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
    numbers: list[int] = []
    held, closed = b"", False
    while size := int(await stream.readuntil(b"\r\n"), 16):
        *lines, held = (held + (await stream.readexactly(size + 2))[:-2]).split(b"\n")
        for line in map(json.loads, lines):
            assert line.get("control") != "gap"
            closed = closed or line.get("control") == "closed"
            if "data" in line:
                numbers.append(line["data"]["n"])
    writer.close()
    assert closed
    return numbers


def append_all(server: ServerProcess) -> None:
    for number in range(RECORDS):
        body = json.dumps({"n": number, "key": number % KEYS, "padding": PADDING})
        assert call(server, "POST", URL, body, content_type="application/json").status == 204


def check_told(policy: str, told: list[dict[str, Any]], offsets: list[str]) -> None:
    """Every record up to the gap, if there is one; the gap's ends fetch what is missing; then what the policy gives."""
    got = [line["data"]["n"] for line in told if "data" in line]
    gaps = [line for line in told if line.get("control") == "gap"]
    end = told[-1]["control"]
    if policy == "replay":
        assert (got, gaps, end) == (list(range(RECORDS)), [], "closed")
    elif policy == "disconnect":
        assert (end, told[-1]["reason"]) == ("detached", "slow")
        assert got == list(range(len(got)))
        assert told[-1]["offset"] == offsets[len(got) - 1]
    else:
        (gap,) = gaps
        before = offsets.index(gap["from"]) + 1
        after = [number for number in got if number >= before]
        assert got[: len(got) - len(after)] == list(range(before))
        assert gap["to"] == offsets[-1]
        assert after == ([] if policy == "latest" else list(range(RECORDS - KEYS, RECORDS)))
        assert end == "closed"


@pytest.mark.slow
def test_readers_that_never_read_cost_little_and_nobody_else_notices() -> None:
    """Twenty of two hundred readers never read, five of each policy: all others get every record in order; each of the
    twenty costs at most a segment in the kernel and two pieces here; read at last, each is told what it missed."""
    with headwater_server("memory:", "--write-seconds", "200", "--slow-seconds", "0.5") as server:
        call(server, "PUT", URL, content_type="application/json")
        stalled: list[tuple[str, socket.socket]] = []
        for index in range(STALLED):
            policy = POLICIES[index % len(POLICIES)]
            # Given, because a system's own buffer may grow until it holds the whole log.
            receive = 4096 if index % 8 < 4 else 65536
            stalled.append((policy, asking(server, f"{URL}?slow={policy}&reader=idle-{index}", receive=receive)))
        before = resident(server)

        async def main() -> list[list[int]]:
            followers = [asyncio.create_task(follow(server)) for _ in range(READERS - STALLED)]
            await asyncio.to_thread(append_all, server)
            while states_of_idle(server) != ["paused"] * LASTING:  # noqa: ASYNC110 - a server has no event
                await asyncio.sleep(0.05)  # until all of them are full, and who said so was let go
            held = [info["held"] or 0 for info in readers(server)]
            assert max(held) <= MOST_HERE
            assert max(unacknowledged(server.port)) <= MOST_IN_KERNEL
            # The log is a megabyte: the kernel's own limit for twenty connections would be 80, and 20 queues 20.
            assert sum(unacknowledged(server.port)) < STALLED * MOST_IN_KERNEL
            assert resident(server) - before < 40_000_000
            assert call(server, "POST", URL, stream_closed="true").status == 204
            return await asyncio.gather(*followers)

        for numbers in asyncio.run(main()):
            assert numbers == list(range(RECORDS))
        offsets = record_offsets(server)
        for policy, raw in stalled:
            with raw:
                assert status_of(raw) == 200
                check_told(policy, list(lines_of(raw)), offsets)
        stats = call(server, "GET", "/-/stats").json()
        assert stats["pauses"] >= STALLED
        assert stats["stalls"] == stats["sheds"] == 0


def states_of_idle(server: ServerProcess) -> list[str]:
    return [info["state"] for info in readers(server) if (info["name"] or "").startswith("idle-")]


def readers(server: ServerProcess) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = call(server, "GET", "/-/readers?limit=200").json()["readers"]
    return found


def record_offsets(server: ServerProcess) -> list[str]:
    with asking(server, URL) as raw:
        assert status_of(raw) == 200
        return [line["offset"] for line in lines_of(raw) if "data" in line]
