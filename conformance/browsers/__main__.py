"""`python -m conformance.browsers NAME`: the adapter of a client that runs in a page of that browser.

The runner's `--pages` has put the page at `{serverUrl}/-/index.html`. It has a function `command`, which takes a
command of the adapter protocol as a line of JSON, and promises the result as one.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any, Final

from conformance.browsers.chromium import Chromium
from conformance.browsers.firefox import Firefox
from conformance.browsers.tab import Browser, BrowserError, Tab
from conformance.browsers.webkit import WebKit

BROWSERS: Final[dict[str, Callable[[], Browser]]] = {"chromium": Chromium, "firefox": Firefox, "webkit": WebKit}


def answer(browser: Browser, tab: Tab | None, line: str) -> tuple[Tab, str]:
    """The result of one command, and the page that it was given in."""
    command: dict[str, Any] = json.loads(line)
    if tab is None:
        tab = browser.open(f"{command['serverUrl']}/-/index.html")
    result = json.loads(tab.evaluate(f"command({json.dumps(line)})"))
    if command["type"] == "init" and result["success"]:
        result["clientName"] = f"{result['clientName']} in {browser.version}"
    return tab, json.dumps(result)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m conformance.browsers", description=__doc__)
    parser.add_argument("browser", choices=sorted(BROWSERS))
    try:
        browser = BROWSERS[parser.parse_args().browser]()
    except BrowserError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    tab: Tab | None = None
    try:
        for line in sys.stdin:
            tab, told = answer(browser, tab, line)
            sys.stdout.write(f"{told}\n")
            sys.stdout.flush()
            if '"shutdown"' in line and json.loads(line)["type"] == "shutdown":
                break
    finally:
        browser.end()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
