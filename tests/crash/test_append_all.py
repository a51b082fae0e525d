"""SIGKILL in the middle of appends to many streams at once: each step is in all of its streams, or in none."""

from __future__ import annotations

import http.client
import json
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest
from tests.support.http import call
from tests.support.processes import ServerProcess, headwater_server

STREAMS: Final = 200
#: Steps whose answers are read before the kill. Behind them others are under way, on the wire or in the writer.
KILLS: Final = (0, 1, 2, 5, 9)
#: Steps that are sent behind those, without waiting.
AHEAD: Final = 3
#: Numbers of each life.
STEPS: Final = 12


def step(number: int) -> bytes:
    """A request that appends a number to each of the streams, and makes those that are not there."""
    made = {"type": "application/json", "create": True}
    # Of each step the first streams are new: they are made with it, or not at all.
    paths = [*(f"new/{number}/{each}" for each in range(10)), *(f"s/{each}" for each in range(STREAMS - 10))]
    body = b"".join(json.dumps({"stream": path, "data": number, **made}).encode() + b"\n" for path in paths)
    return (
        b"POST /v1/stream/-/append HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-ndjson\r\n"
        b"content-length: %d\r\n\r\n%b" % (len(body), body)
    )


def send_and_kill(server: ServerProcess, first: int, answers: int) -> set[int]:
    """Send steps one behind the other, and kill the server behind so many answers; gives the acknowledged ones."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.connect()
    sock, acknowledged = connection.sock, set[int]()
    with suppress(OSError), sock.makefile("rb") as told:
        for number in range(first, first + answers + AHEAD):
            sock.sendall(step(number))
        for number in range(first, first + answers):
            assert told.readline().startswith(b"HTTP/1.1 200")
            acknowledged.add(number)
            length = 0
            while (line := told.readline()) != b"\r\n":
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            told.read(length)
    server.kill()
    connection.close()
    return acknowledged


@pytest.mark.slow
def test_a_step_is_in_all_of_its_streams_or_in_none(tmp_path: Path) -> None:
    """Killed before the first answer and behind later ones; every record of every stream is counted."""
    acknowledged: set[int] = set()
    with headwater_server(f"sqlite:{tmp_path}/log.db") as server:
        for life, answers in enumerate(KILLS):
            acknowledged |= send_and_kill(server, life * STEPS, answers)
            server.start()
        found: Counter[int] = Counter()
        for each in range(STREAMS - 10):
            reply = call(server, "GET", f"/v1/stream/s/{each}")
            if reply.status == 200:
                numbers = reply.json()
                assert numbers == sorted(set(numbers)), "repeated or out of order"
                found.update(numbers)
        steps = range(len(KILLS) * STEPS)
        made = Counter(
            number
            for number in steps
            for each in range(10)
            if call(server, "GET", f"/v1/stream/new/{number}/{each}").status == 200
        )
    assert set(found.values()) <= {STREAMS - 10}
    assert set(made.values()) <= {10}
    assert set(found) == set(made), "a step made its streams, and did not append to the others"
    assert acknowledged <= set(found)
    assert len(acknowledged) == sum(KILLS)
