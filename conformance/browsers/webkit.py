"""WebKitGTK's small browser in a display of memory, over WebDriver (W3C, 2018) and the driver that WebKitGTK has."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import httpx2

from conformance.browsers.tab import PATIENCE, BrowserError

_PLACES: Final = ("/usr/lib/*/webkit2gtk-4.*/MiniBrowser", "/usr/libexec/webkit2gtk-4.*/MiniBrowser")
_INSTALL: Final = "apt-get install webkit2gtk-driver xvfb"
#: Part of the script itself: a page's policy may forbid `eval`.
_EVALUATE: Final = """
const $told = arguments[0];
(async () => JSON.stringify((await (%s)) ?? null))()
    .then((value) => $told({ value }), (error) => $told({ error: String(error) }))
"""


def _found() -> tuple[str, str, Path]:
    driver, display = shutil.which("WebKitWebDriver"), shutil.which("Xvfb")
    browser = next((path for place in _PLACES for path in sorted(Path("/").glob(place[1:]))), None)
    if driver is None or display is None or browser is None:
        raise BrowserError(f"WebKitWebDriver, MiniBrowser and Xvfb are needed: {_INSTALL}")
    return driver, display, browser


class WebKit:
    """See `Browser`.

    Raises:
        BrowserError: there is none, or it does not start.
    """

    def __init__(self) -> None:
        driver, display, browser = _found()
        self._home = tempfile.TemporaryDirectory(prefix="webkit-", ignore_cleanup_errors=True)
        self._processes: list[subprocess.Popen[bytes]] = []
        try:
            number = self._show(display)
            port = self._drive(driver, number)
            self._http = httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE, trust_env=False)
            capabilities = self._session(port, browser)
        except BaseException:
            self._kill()
            raise
        self.version = f"WebKitGTK {capabilities['browserVersion']}"

    def _start(self, *command: str, environment: dict[str, str], inherited: Sequence[int] = ()) -> None:
        process = subprocess.Popen(
            command,
            env=environment,
            pass_fds=inherited,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._processes.append(process)

    def _show(self, display: str) -> str:
        """A display of memory; gives its number, which it chooses itself and tells through a pipe."""
        reads, writes = os.pipe()
        command = (display, "-displayfd", str(writes), "-screen", "0", "1280x800x24", "-nolisten", "tcp")
        self._start(*command, environment=dict(os.environ), inherited=[writes])
        os.close(writes)
        with os.fdopen(reads) as pipe:
            number = pipe.readline().strip()
        if not number:
            raise BrowserError(f"{display} ended before it had a display")
        return number

    def _drive(self, driver: str, number: str) -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        # Its profile is below the home directory; there is no graphics card.
        places = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"), self._home.name)
        drawing = {"DISPLAY": f":{number}", "LIBGL_ALWAYS_SOFTWARE": "1", "WEBKIT_DISABLE_COMPOSITING_MODE": "1"}
        self._start(driver, f"--port={port}", environment={**os.environ, **places, **drawing})
        return port

    def _session(self, port: int, browser: Path) -> Any:
        end = time.monotonic() + PATIENCE
        with socket.socket() as probe:
            while probe.connect_ex(("127.0.0.1", port)):
                if time.monotonic() > end or self._processes[-1].poll() is not None:
                    raise BrowserError("WebKitWebDriver does not listen")
                time.sleep(0.02)
        options = {"binary": str(browser), "args": ["--automation"]}
        wanted = {"alwaysMatch": {"webkitgtk:browserOptions": options}}
        session = self._post("/session", {"capabilities": wanted})
        self._http.base_url = httpx2.URL(f"http://127.0.0.1:{port}/session/{session['sessionId']}/")
        self.command("timeouts", {"script": int(PATIENCE * 1000)})
        self._first: str = self.told("window")
        return session["capabilities"]

    def command(self, name: str, body: dict[str, Any]) -> Any:
        """A command of the session; gives its value."""
        return self._post(name, body)

    def _post(self, url: str, body: dict[str, Any]) -> Any:
        try:
            response = self._http.post(url, json=body)
        except httpx2.HTTPError as error:
            raise BrowserError(f"{url}: {error!r}") from error
        value = response.json()["value"]
        if response.status_code != 200:
            raise BrowserError(f"{url}: {value.get('error')}: {value.get('message')}")
        return value

    def told(self, name: str) -> Any:
        """What the session tells."""
        return self._http.get(name).json()["value"]

    def close_window(self) -> None:
        """The one that was switched to last."""
        self._http.delete("window")

    def open(self, url: str) -> Page:
        """See `Browser.open`."""
        # From a window that is there: the one that was looked at last may be closed.
        self.command("window", {"handle": self._first})
        page = Page(self, self.command("window/new", {"type": "window"})["handle"])
        page.go(url)
        return page

    def end(self) -> None:
        """See `Browser.end`."""
        try:
            self._http.delete("")
        except httpx2.HTTPError:
            pass
        finally:
            self._http.close()
            self._kill()

    def _kill(self) -> None:
        for process in reversed(self._processes):
            process.terminate()
            process.wait()
        self._home.cleanup()


class Page:
    """See `Tab`."""

    def __init__(self, browser: WebKit, handle: str) -> None:
        self._browser = browser
        self._handle = handle

    def _look(self) -> WebKit:
        self._browser.command("window", {"handle": self._handle})
        return self._browser

    def go(self, url: str) -> None:
        """See `Tab.go`."""
        self._look().command("url", {"url": url})

    def evaluate(self, expression: str) -> Any:
        """See `Tab.evaluate`."""
        told = self._look().command("execute/async", {"script": _EVALUATE % expression, "args": []})
        if "error" in told:
            raise BrowserError(told["error"])
        return json.loads(told["value"])

    def close(self) -> None:
        """See `Tab.close`."""
        self._look().close_window()
