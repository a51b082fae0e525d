"""Chromium without a window, by Playwright."""

from __future__ import annotations

import json
import shutil
from typing import Any, Final

from playwright.sync_api import Error, sync_playwright
from playwright.sync_api import Page as TheirPage

from conformance.browsers.tab import PATIENCE, BrowserError

NAMES: Final = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


class Chromium:
    """See `Browser`.

    Raises:
        BrowserError: there is none, or it does not start.
    """

    def __init__(self) -> None:
        path = next((path for name in NAMES if (path := shutil.which(name))), None)
        if path is None:
            raise BrowserError(f"none of {', '.join(NAMES)} is on the PATH: apt-get install chromium")
        self._playwright = sync_playwright().start()
        try:
            self._browser = self._playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        except Error as error:
            self._playwright.stop()
            raise BrowserError(str(error)) from error
        self._context = self._browser.new_context()
        self._context.set_default_timeout(PATIENCE * 1000)
        self.version = f"Chromium {self._browser.version}"

    def open(self, url: str) -> Page:
        """See `Browser.open`."""
        page = Page(self._context.new_page())
        page.go(url)
        return page

    def end(self) -> None:
        """See `Browser.end`."""
        self._browser.close()
        self._playwright.stop()


class Page:
    """See `Tab`."""

    def __init__(self, page: TheirPage) -> None:
        self._page = page

    def go(self, url: str) -> None:
        """See `Tab.go`."""
        self._page.goto(url)

    def evaluate(self, expression: str) -> Any:
        """See `Tab.evaluate`."""
        try:
            return json.loads(self._page.evaluate(f"(async () => JSON.stringify((await ({expression})) ?? null))()"))
        except Error as error:
            raise BrowserError(str(error)) from error

    def close(self) -> None:
        """See `Tab.close`."""
        self._page.close(run_before_unload=True)
