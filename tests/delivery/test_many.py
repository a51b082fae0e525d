"""Thirty streams on one connection to a real server: through kills, stops, and streams that are made later."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlencode

import pytest
from tests.support.http import call
from tests.support.processes import ServerProcess, headwater_server

NAMED = [f"jobs/{index}" for index in range(28)]
ROOMS = [f"rooms/{index}" for index in range(6)]
JSON = {"Content-Type": "application/json"}


class Reader(threading.Thread):
    """Comes back with its cursor when it is cut, and drops what it has, until every stream is closed."""

    def __init__(self, server: ServerProcess, accept: str) -> None:
        super().__init__(daemon=True)
        self.waits = threading.Event()
        self.numbers: dict[str, list[int]] = {}
        self.cuts = 0
        self._seen: dict[str, str] = {}
        self._server = server
        self._accept = accept
        self._cursor = ""
        self._closed: set[str] = set()

    def run(self) -> None:
        query = urlencode([("stream", name) for name in [*NAMED, "rooms/*", "users/ada/inbox"]])
        while len(self._closed) < len(NAMED) + len(ROOMS) + 1:
            connection = HTTPConnection("127.0.0.1", self._server.port, timeout=60)
            try:
                headers = {"accept": self._accept, **({"last-event-id": self._cursor} if self._cursor else {})}
                connection.request("GET", f"/v1/stream/-/many?{query}", headers=headers)
                with connection.getresponse() as answer:
                    assert answer.status == 200
                    for line in answer:
                        self._take(line.decode().rstrip("\n"))
                        if len(self._closed) == len(NAMED) + len(ROOMS) + 1:
                            return
            except (OSError, HTTPException):
                self.cuts += 1
            finally:
                connection.close()

    def _take(self, line: str) -> None:
        if line.startswith("id:"):
            self._cursor = line[3:]
            self.waits.set()
            return
        text = line.removeprefix("data:")
        if not text.startswith("{"):
            return
        told = json.loads(text)
        if "cursor" in told:
            self._cursor = told["cursor"]
            self.waits.set()
        elif "data" not in told:
            if told.get("control", "closed") == "closed" and set(told) <= {"stream", "offset", "control"}:
                self._closed |= {told["stream"]} if "offset" in told else set()
        elif told["offset"] > self._seen.get(told["stream"], ""):
            self._seen[told["stream"]] = told["offset"]
            self.numbers.setdefault(told["stream"], []).append(told["data"])


@pytest.mark.slow
def test_every_record_of_each_once_and_in_order(tmp_path: Path) -> None:
    """After the three lines of script that the docs have."""
    with headwater_server(f"sqlite:{tmp_path}/log.db", "--drain-seconds", "0") as server:
        for path in NAMED:
            assert call(server, "PUT", f"/v1/stream/{path}", **JSON).status == 201
        readers = [Reader(server, accept) for accept in ("text/event-stream", "application/x-ndjson") * 4]
        for reader in readers:
            reader.start()
        every = [*NAMED, *ROOMS, "users/ada/inbox"]
        ends: list[Callable[[], object]] = [server.kill, server.stop, server.kill]
        for phase, end in enumerate(ends):
            for reader in readers:
                assert reader.waits.wait(60)
                reader.waits.clear()
            for path in every if phase else NAMED:
                answer = call(server, "POST", f"/v1/stream/{path}", str(phase), Stream_Create="true", **JSON)
                assert answer.status in (201, 204)
            end()
            server.start()
        for path in every:
            assert call(server, "POST", f"/v1/stream/{path}", "3", Stream_Closed="true", **JSON).status == 204
        for reader in readers:
            reader.join(60)
            assert reader.numbers == {path: [0, 1, 2, 3] if path in NAMED else [1, 2, 3] for path in every}
            assert reader.cuts >= 2
        assert call(server, "GET", "/-/stats").json()["readers"] == 0
