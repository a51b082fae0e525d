"""Firefox without a window, over WebDriver BiDi (W3C, 2026), which it speaks itself: no driver beside it is needed."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from conformance.browsers.tab import PATIENCE, BrowserError

NAMES: Final = ("firefox-esr", "firefox")
#: It asks nobody for updates, experiments or lists. A request whose connection is reset is sent once, not up to ten
#: times, and a WebSocket is opened when a page asks for it, not a while after another one failed: what is judged is
#: the client's own pace.
_PREFERENCES: Final[dict[str, bool | int | str]] = {
    "app.normandy.enabled": False,
    "app.update.auto": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "dom.disable_open_during_load": False,
    "extensions.getAddons.cache.enabled": False,
    "messaging-system.rsexperimentloader.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.http.request.max-attempts": 1,
    "network.websocket.delay-failed-reconnects": False,
    "services.settings.server": "data:,",
    "toolkit.telemetry.enabled": False,
}
_LISTENS: Final = re.compile(r"WebDriver BiDi listening on (ws://\S+)")


class Firefox:
    """See `Browser`.

    Raises:
        BrowserError: there is none, or it does not start.
    """

    def __init__(self) -> None:
        path = next((path for name in NAMES if (path := shutil.which(name))), None)
        if path is None:
            raise BrowserError(f"none of {', '.join(NAMES)} is on the PATH: apt-get install firefox-esr")
        self._profile = tempfile.TemporaryDirectory(prefix="firefox-", ignore_cleanup_errors=True)
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in _PREFERENCES.items()]
        (Path(self._profile.name) / "user.js").write_text("".join(lines))
        self._process = subprocess.Popen(
            [path, "--headless", "--no-remote", "--profile", self._profile.name, "--remote-debugging-port", "0"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._drained: threading.Thread | None = None
        self._open = contextlib.ExitStack()
        try:
            self._socket = self._open.enter_context(
                connect(f"{self._address()}/session", max_size=None, open_timeout=PATIENCE)
            )
            capabilities = self.call("session.new", capabilities={})["capabilities"]
        except BaseException:
            self._kill()
            raise
        self.version = f"Firefox {capabilities['browserVersion']}"

    def _address(self) -> str:
        assert self._process.stderr is not None
        told = []
        for line in self._process.stderr:
            told.append(line)
            if found := _LISTENS.search(line):
                # What nobody reads fills the pipe, and stops the browser.
                self._drained = threading.Thread(target=_drain, args=(self._process.stderr,), daemon=True)
                self._drained.start()
                return found[1]
        raise BrowserError(f"Firefox ended before it listened: {''.join(told)}")

    def call(self, method: str, **params: Any) -> Any:
        """A command of the protocol; gives its result."""
        return call(self._socket, method, params)

    def open(self, url: str) -> Page:
        """See `Browser.open`."""
        page = Page(self, self.call("browsingContext.create", type="tab")["context"])
        page.go(url)
        return page

    def end(self) -> None:
        """See `Browser.end`."""
        try:
            self.call("browser.close")
            self._process.wait(PATIENCE)
        except (BrowserError, subprocess.TimeoutExpired):
            pass
        finally:
            self._kill()

    def _kill(self) -> None:
        self._open.close()
        self._process.kill()
        self._process.wait()
        if self._drained is not None:
            self._drained.join()
        assert self._process.stderr is not None
        self._process.stderr.close()
        self._profile.cleanup()


def call(socket: ClientConnection, method: str, params: dict[str, Any]) -> Any:
    """Send a command, and read until its result; what else the browser tells is passed over.

    Raises:
        BrowserError: it refuses, is gone, or says nothing within `PATIENCE`.
    """
    try:
        socket.send(json.dumps({"id": 1, "method": method, "params": params}))
        while True:
            message = json.loads(socket.recv(PATIENCE))
            if message.get("id") == 1:
                break
    except (ConnectionClosed, TimeoutError) as error:
        raise BrowserError(f"{method}: {error!r}") from error
    if message["type"] == "error":
        raise BrowserError(f"{method}: {message['message']}")
    return message["result"]


def _drain(lines: Iterable[str]) -> None:
    for _ in lines:
        pass


class Page:
    """See `Tab`."""

    def __init__(self, browser: Firefox, context: str) -> None:
        self._browser = browser
        self._context = context

    def go(self, url: str) -> None:
        """See `Tab.go`."""
        self._browser.call("browsingContext.navigate", context=self._context, url=url, wait="complete")

    def evaluate(self, expression: str) -> Any:
        """See `Tab.evaluate`."""
        result = self._browser.call(
            "script.evaluate",
            expression=f"(async () => JSON.stringify((await ({expression})) ?? null))()",
            target={"context": self._context},
            awaitPromise=True,
        )
        if result["type"] == "exception":
            raise BrowserError(result["exceptionDetails"]["text"])
        return json.loads(result["result"]["value"])

    def close(self) -> None:
        """See `Tab.close`."""
        self._browser.call("browsingContext.close", context=self._context)
