"""Readers before their stream, on a real server: through restarts, on each wire that waits."""

from __future__ import annotations

import json
import threading
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest
from tests.support.http import call
from tests.support.processes import ServerProcess, headwater_server

PATH = "/v1/stream/late"
COUNT = 40
JSON = {"Content-Type": "application/json"}


class Reader(threading.Thread):
    """Comes before the stream, comes back when it is cut, and reads until the stream is closed."""

    def __init__(self, server: ServerProcess, accept: str) -> None:
        super().__init__(daemon=True)
        self.waits = threading.Event()
        self.numbers: list[int] = []
        self.created = 0
        self.cuts = 0
        self._server = server
        self._accept = accept
        self._offset = ""
        self._closed = False

    def run(self) -> None:
        while not self._closed:
            connection = HTTPConnection("127.0.0.1", self._server.port, timeout=60)
            try:
                headers = {"accept": self._accept, **({"last-event-id": self._offset} if self._offset else {})}
                query = "" if "event" in self._accept or not self._offset else f"&offset={self._offset}"
                connection.request("GET", f"{PATH}?missing=wait{query}", headers=headers)
                with connection.getresponse() as answer:
                    assert answer.status == 200
                    for line in answer:
                        self._take(line.decode().rstrip("\n"))
            except (OSError, HTTPException):
                pass
            finally:
                connection.close()
                self.cuts += not self._closed

    def _take(self, line: str) -> None:
        if "waiting" in line:
            self.waits.set()
        self.created += "created" in line
        self._closed |= "closed" in line
        if line.startswith("id:"):
            self._offset = line[3:]
        elif line.startswith("data:") and line[5:].isdigit():
            self.numbers.append(int(line[5:]))
        elif line.startswith('{"offset"'):
            told = json.loads(line)
            self._offset = told["offset"]
            self.numbers.append(told["data"])


@pytest.mark.slow
def test_readers_that_came_before_get_all_of_it(tmp_path: Path) -> None:
    """Through a crash and a stop of the server while they wait, and another crash while they read."""
    with headwater_server(f"sqlite:{tmp_path}/log.db", "--drain-seconds", "0") as server:
        readers = [Reader(server, accept) for accept in ("text/event-stream", "application/x-ndjson") * (COUNT // 2)]
        for reader in readers:
            reader.start()
        for end in (server.kill, server.stop):
            for reader in readers:
                assert reader.waits.wait(60)
                reader.waits.clear()
            end()
            server.start()
        for reader in readers:
            assert reader.waits.wait(60)
        assert call(server, "GET", "/-/stats").json()["readers"] == COUNT
        assert call(server, "PUT", PATH, "[0]", **JSON).status == 201
        for number in range(1, 50):
            assert call(server, "POST", PATH, str(number), **JSON).status == 204
        server.kill()
        server.start()
        for number in range(50, 100):
            assert call(server, "POST", PATH, str(number), **JSON).status == 204
        assert call(server, "POST", PATH, Stream_Closed="true").status == 204
        for reader in readers:
            reader.join(60)
            assert reader.numbers == list(range(100))
            assert reader.cuts >= 2
            assert reader.created <= 1
