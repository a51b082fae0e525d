"""A real browser and a real server process that can be killed and started again."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, WebSocketRoute, expect, sync_playwright

#: Seconds a server process may take until it answers.
START_SECONDS = 60.0
#: Milliseconds the browser may take for a reconnect and what follows, in all of these tests.
PATIENCE = 60_000
#: Where the `mounted` application has the page.
PREFIX = "/deep/down"

expect.set_options(timeout=PATIENCE)

# Without a window the shell takes two thirds of the CPU of the whole browser, and is what Playwright itself uses.
_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
#: What Chromium is started with.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-sync",
    "--no-first-run",
    # A host whose pages over HTTP are of no secure context, as those of 127.0.0.1 always are.
    "--host-resolver-rules=MAP insecure.test 127.0.0.1",
]
_APP = """
from headwater.asgi import App, Hub

app = App(Hub({store!r}), multi=True)
"""
_MOUNTED = """
from fastapi import FastAPI
from headwater.asgi import App, Hub

hub = Hub({store!r})
app = FastAPI(lifespan=hub.lifespan)
app.mount({prefix!r}, App(hub, manage_hub=False))
"""


class Server:
    """Uvicorn in a process of its own, always on the same port and the same SQLite file.

    Args:
        directory: an empty one.
        prefix: where the application is mounted in a FastAPI application; empty: served as it is.
        websockets: serve WebSockets; else a handshake is answered as a plain request, as behind some proxies.

    Attributes:
        url: where it is, without the prefix.
    """

    def __init__(self, directory: Path, *, prefix: str = "", websockets: bool = True) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._health = f"{self.url}{prefix}/-/health"
        self._directory = directory
        self._options = [] if websockets else ["--ws=none"]
        self._log = directory / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        source = (_MOUNTED if prefix else _APP).format(store=f"sqlite:{directory}/log.db", prefix=prefix)
        (directory / "served.py").write_text(source)

    def start(self) -> None:
        """Start, and return when it answers."""
        command = [sys.executable, "-m", "uvicorn", f"--app-dir={self._directory}", "--lifespan=on"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *self._options, f"--port={self._port}", "served:app"], stdout=log, stderr=subprocess.STDOUT
            )
        end = time.monotonic() + START_SECONDS
        while not self._listens():
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < end, self._log.read_text()
            time.sleep(0.02)
        assert httpx2.get(self._health, timeout=START_SECONDS).status_code == 200

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0

    def kill(self) -> None:
        """End it as a crash does: SIGKILL, and nothing is finished."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._process = None

    def restart(self) -> None:
        """A crash and a new start."""
        self.kill()
        self.start()

    def stop(self) -> None:
        """End it if it runs; not with SIGTERM, on which uvicorn waits for pages that still read."""
        if self._process is not None:
            self.kill()

    def answers(self, path: str) -> list[int]:
        """Status codes of the answers to GET requests for a stream, in order, from the access log."""
        lines = [line for line in self._log.read_text().splitlines() if f'"GET /v1/stream/{path}' in line]
        return [int(line.rpartition('" ')[2].split()[0]) for line in lines]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A running server with an empty store."""
    server = Server(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def plain_server(tmp_path: Path) -> Iterator[Server]:
    """The same without WebSockets."""
    server = Server(tmp_path, websockets=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def mounted_server(tmp_path: Path) -> Iterator[Server]:
    """The same, with the application mounted under `PREFIX` in a FastAPI application."""
    server = Server(tmp_path, prefix=PREFIX)
    server.start()
    yield server
    server.stop()


class Gate:
    """What the WebSockets of a browser's pages go through; made before the pages.

    Args:
        context: the browser window.

    Attributes:
        is_shut: none that is opened gets any further.
    """

    def __init__(self, context: BrowserContext) -> None:
        self.is_shut = False
        context.route_web_socket("**/-/connect", self._take)

    def _take(self, socket: WebSocketRoute) -> None:
        if self.is_shut:
            socket.close()
        else:
            socket.connect_to_server()


def find_chromium(playwright: Playwright) -> str | None:
    """The system's Chromium, its headless shell first, or the one that `playwright install chromium` put in place."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    own = playwright.chromium.executable_path
    return found or (own if Path(own).exists() else None)


# Not for the whole session: while Playwright's synchronous interface is open, no test can run an event loop of its own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; without it the tests are skipped, but fail in CI."""
    with sync_playwright() as playwright:
        path = find_chromium(playwright)
        if path is None:
            reason = f"no Chromium: none of {', '.join(_NAMES)} is on the PATH; try `playwright install chromium`"
            if os.environ.get("CI"):
                pytest.fail(reason)
            pytest.skip(reason)
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser window with nothing remembered."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


@pytest.fixture
def gate(context: BrowserContext) -> Gate:
    """What the WebSockets of the window's pages go through."""
    return Gate(context)


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """An empty tab."""
    return context.new_page()
