"""SIGKILL at any moment: every acknowledged record is there once, in order, with its offset."""

from __future__ import annotations

import http.client
import json
import random
import threading
from collections import defaultdict
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from tests.support.processes import ServerProcess, headwater_server

ROUNDS = 50
PRODUCERS = 6
STREAM = "/v1/stream/crash"
CUT = (OSError, http.client.HTTPException)


def connect(server: ServerProcess) -> closing[http.client.HTTPConnection]:
    return closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30))


class Producer(threading.Thread):
    """Appends numbers one after another, and the same one again until it is acknowledged.

    Attributes:
        acknowledged: the offset that the server gave for each number.
    """

    def __init__(self, world: World, name: str) -> None:
        super().__init__(daemon=True)
        self.world = world
        self.label = name
        self.acknowledged: list[str] = []

    def run(self) -> None:
        while not self.world.done.is_set():
            self.world.up.wait()
            try:
                with connect(self.world.server) as connection:
                    while not self.world.done.is_set():
                        self._append(connection, len(self.acknowledged))
            except CUT:
                continue

    def _append(self, connection: http.client.HTTPConnection, number: int) -> None:
        body = json.dumps({"producer": self.label, "number": number})
        headers = {
            "content-type": "application/json",
            "producer-id": self.label,
            "producer-epoch": "0",
            "producer-seq": str(number),
        }
        connection.request("POST", STREAM, body, headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status in (200, 204), answer.status
        if answer.status == 200:
            self.acknowledged.append(answer.headers["stream-next-offset"])
        else:  # a retry of what was committed before the crash: its own offset is not told again
            self.acknowledged.append("")
        self.world.count()


class Follower(threading.Thread):
    """Reads the stream live over NDJSON, and comes back at its offset after each cut."""

    def __init__(self, world: World) -> None:
        super().__init__(daemon=True)
        self.world = world
        self.offset = "-1"
        self.seen: list[tuple[str, str, int]] = []
        self.closed = False

    def run(self) -> None:
        while not self.closed:
            self.world.up.wait()
            try:
                self._follow()
            except CUT:
                continue

    def _follow(self) -> None:
        with connect(self.world.server) as connection:
            connection.request("GET", f"{STREAM}?offset={self.offset}", headers={"accept": "application/x-ndjson"})
            with connection.getresponse() as answer:
                assert answer.status == 200, answer.read()
                while (line := answer.readline()).endswith(b"\n"):
                    self._take(json.loads(line))

    def _take(self, event: dict[str, Any]) -> None:
        self.closed = self.closed or event.get("control") == "closed"
        if "data" in event:
            self.seen.append((event["offset"], event["data"]["producer"], event["data"]["number"]))
            self.offset = event["offset"]


class World:
    """The server, whether it is up, and how many appends were acknowledged."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        self.up = threading.Event()
        self.done = threading.Event()
        self._changed = threading.Condition()
        self._acknowledged = 0

    def count(self) -> None:
        with self._changed:
            self._acknowledged += 1
            self._changed.notify_all()

    def wait_for(self, more: int) -> None:
        """Until so many more appends were acknowledged."""
        with self._changed:
            goal = self._acknowledged + more
            assert self._changed.wait_for(lambda: self._acknowledged >= goal, timeout=60)


def stored(server: ServerProcess) -> list[tuple[str, int]]:
    """The whole stream, by catch-up reads."""
    offset, found = "-1", []
    with connect(server) as connection:
        while True:
            connection.request("GET", f"{STREAM}?offset={offset}")
            answer = connection.getresponse()
            found += [(record["producer"], record["number"]) for record in json.loads(answer.read())]
            offset = answer.headers["stream-next-offset"]
            if answer.headers.get("stream-up-to-date"):
                return found


def request(server: ServerProcess, method: str, **headers: str) -> int:
    with connect(server) as connection:
        connection.request(method, STREAM, headers={name.replace("_", "-"): value for name, value in headers.items()})
        return connection.getresponse().status


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("driver", ["sqlite3", "apsw"])
def test_nothing_acknowledged_is_lost(driver: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Fifty rounds of SIGKILL under concurrent idempotent producers: none lost, none repeated, none out of order."""
    rounds = ROUNDS if driver == "sqlite3" else ROUNDS // 5
    draw = random.Random(4437)
    server = headwater_server(f"sqlite:{tmp_path}/log.db?driver={driver}")
    world = World(server)
    producers = [Producer(world, f"p{number}") for number in range(PRODUCERS)]
    follower = Follower(world)
    # Also when an assertion fails: threads that go on asking would hold up the tests behind this one.
    with server, ExitStack() as stack:
        stack.callback(world.done.set)
        assert request(server, "PUT", content_type="application/json") == 201
        for thread in (*producers, follower):
            thread.start()
        for _ in range(rounds):
            world.up.set()
            world.wait_for(draw.randint(1, 300))
            world.up.clear()
            server.kill()
            server.start()
        world.up.set()
        world.wait_for(PRODUCERS)
        world.done.set()
        for thread in producers:
            thread.join(30)
        assert request(server, "POST", stream_closed="true") == 204
        follower.join(30)
        check(producers, follower, stored(server))
    with capsys.disabled():
        total = sum(len(producer.acknowledged) for producer in producers)
        print(f"\ncrash, {driver}: {rounds} kills, {total} acknowledged, 0 lost, 0 repeated, 0 out of order")  # noqa: T201


def check(producers: list[Producer], follower: Follower, found: list[tuple[str, int]]) -> None:
    """The log has every acknowledged number once and in order, at its offset; the follower saw just the log."""
    numbers: dict[str, list[int]] = defaultdict(list)
    for producer, number in found:
        numbers[producer].append(number)
    offsets = {(producer, number): offset for offset, producer, number in follower.seen}
    for thread in producers:
        assert numbers[thread.label] == list(range(len(numbers[thread.label]))), "repeated or out of order"
        # One append may have been under way, written but not acknowledged, when its producer was told to end.
        assert 0 <= len(numbers[thread.label]) - len(thread.acknowledged) <= 1, "lost"
        for number, offset in enumerate(thread.acknowledged):
            assert offset in ("", offsets[thread.label, number]), "moved"
    assert follower.closed
    assert [(producer, number) for _, producer, number in follower.seen] == found
