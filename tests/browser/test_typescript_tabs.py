"""One connection for all tabs of the client for TypeScript, in Chromium over HTTP/1.1: whoever goes, the others go on.

How long it took until another tab had the connection is recorded (`--junitxml`), not judged.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from tests.browser.client_site import served, until
from tests.browser.conftest import ARGUMENTS, PATIENCE
from tests.support.http import call
from tests.support.processes import ServerProcess, headwater_server, required

pytestmark = pytest.mark.slow

Record = Callable[[str, object], None]

PATH = "rooms/7"
JSON = "application/json"
#: Seconds between the server's signs of life, by which tabs find that a leader hangs.
HEARTBEAT = "1"
PAUSE = 0.01
PAGE = """
import { stream } from "./index.js"
import { connect } from "./connection.js"
import { outbox } from "./outbox.js"
import { tabs } from "./tabs.js"

const send = WebSocket.prototype.send
const sent = []
WebSocket.prototype.send = function (data) { sent.push([Date.now(), data]); send.call(this, data) }

function open(root, path, user) {
  const connection = connect(root, { share: tabs({ user }), name: user, retry: { base: 50 } })
  const roles = []
  connection.on("role", (role) => roles.push([role, Date.now()]))
  const room = connection.stream(path, { type: "application/json" })
  const reader = room.read()
  const got = []
  const ended = (async () => { for await (const { data } of reader) got.push(data) })().catch(String)
  Object.assign(window, { connection, room, reader, got, roles, ended })
}
Object.assign(window, { open, outbox, sent, stream })
"""


#: A service worker by which the page is there without a network.
KEEP = """
addEventListener("install", (event) => event.waitUntil(caches.open("kept").then((kept) => kept.addAll(%s))))
addEventListener("fetch", (event) => {
  if (new URL(event.request.url).origin !== location.origin) return
  event.respondWith(caches.match(event.request).then((found) => found ?? fetch(event.request)))
})
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory = tmp_path_factory.mktemp("site")
    with served(directory, ("index", "connection", "outbox", "tabs"), PAGE) as url:
        kept = ["./", *(path.name for path in directory.iterdir() if path.suffix == ".js")]
        (directory / "keep.js").write_text(KEEP % json.dumps(kept))
        yield url


@pytest.fixture
def server(tmp_path: Path, site: str) -> Iterator[ServerProcess]:
    """`headwater serve` with SQLite and a stream, for pages of the site."""
    origins = ("--cors-origins", site.rstrip("/"))
    with headwater_server(f"sqlite:{tmp_path}/log.db", "--heartbeat-seconds", HEARTBEAT, *origins) as server:
        assert call(server, "PUT", f"/v1/stream/{PATH}", "[-2, -1]", content_type=JSON).status == 201
        yield server


def append(server: ServerProcess, value: int) -> None:
    assert call(server, "POST", f"/v1/stream/{PATH}", f"[{value}]", content_type=JSON).status == 204


def log(server: ServerProcess) -> list[object]:
    found: list[object] = call(server, "GET", f"/v1/stream/{PATH}?offset=-1").json()
    return found


def opened(context: BrowserContext, site: str, server: ServerProcess, user: str = "ada") -> Page:
    """A tab that reads the stream, and stands at its tail."""
    tab = context.new_page()
    tab.goto(site)
    until(tab, "window.open !== undefined && window.sent !== undefined")
    tab.evaluate("([root, path, user]) => open(root, path, user)", [f"{server.url}/v1/stream/", PATH, user])
    until(tab, "reader.state === 'live'")
    return tab


def sockets(server: ServerProcess) -> int:
    """How many connections read: each has a source port of its own."""
    readers = call(server, "GET", "/-/readers?limit=1000").json()["readers"]
    return len({reader["address"] for reader in readers})


def leader(tabs: list[Page]) -> Page:
    [found] = [tab for tab in tabs if tab.evaluate("connection.role") == "leader"]
    return found


def renderer(browser: Browser, tab: Page) -> int:
    """The process id of the tab's renderer: the one that is busy when the tab is."""
    session = browser.new_browser_cdp_session()
    found = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    pids: list[int] = [process["id"] for process in found if process["type"] == "renderer"]
    before = {pid: _cpu(pid) for pid in pids}
    tab.evaluate("() => { const end = performance.now() + 100; while (performance.now() < end); }")
    return max(pids, key=lambda pid: _cpu(pid) - before[pid])


def _cpu(pid: int) -> int:
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])


class Writer(threading.Thread):
    """Appends 0, 1, 2 and so on, until it is told to stop."""

    def __init__(self, server: ServerProcess) -> None:
        super().__init__(daemon=True)
        self.count = 0
        self._stop_now = threading.Event()
        self._server = server

    def run(self) -> None:
        while not self._stop_now.wait(PAUSE) and self.count < 3000:
            append(self._server, self.count)
            self.count += 1

    def stop(self) -> None:
        self._stop_now.set()
        self.join()


@contextmanager
def written(server: ServerProcess, tabs: list[Page]) -> Iterator[None]:
    """Records come all the time; in the end every tab has each of them once and in order."""
    writer = Writer(server)
    writer.start()
    yield
    writer.stop()
    everything = log(server)
    for tab in tabs:
        until(tab, f"got.length >= {len(everything)}")
        assert tab.evaluate("got") == everything
        assert tab.evaluate("[connection.state, reader.state]") == ["live", "live"]


def goes_on(tabs: list[Page]) -> None:
    for tab in tabs:
        until(tab, f"got.length > {tab.evaluate('got.length')} + 5")


def test_ten_tabs_have_one_socket(context: BrowserContext, site: str, server: ServerProcess) -> None:
    """An append from each is answered, and each tab has it; a tab that reads now starts from its own place."""
    tabs = [opened(context, site, server) for _ in range(10)]
    assert sockets(server) == 1
    assert [tab.evaluate("connection.role") for tab in tabs].count("leader") == 1
    for index, tab in enumerate(tabs):
        assert tab.evaluate("(n) => room.append(n)", index) > ""
    for tab in tabs:
        until(tab, "got.length === 12")
        assert tab.evaluate("got") == [-2, -1, *range(10)]
    assert tabs[3].evaluate("room.all({ last: 2 })") == [8, 9]
    assert sockets(server) == 1
    assert sum(tab.evaluate("sent.length > 0") for tab in tabs) == 1


@pytest.mark.parametrize("way", ["closed", "crashed"])
def test_another_tab_takes_over(
    browser: Browser, context: BrowserContext, site: str, server: ServerProcess, way: str, record_property: Record
) -> None:
    tabs = [opened(context, site, server) for _ in range(4)]
    first = leader(tabs)
    tabs.remove(first)
    with written(server, tabs):
        goes_on(tabs)
        pid = renderer(browser, first)
        began = time.time() * 1000
        if way == "closed":
            first.close()
        else:
            os.kill(pid, signal.SIGKILL)
        goes_on(tabs)
        record_property("milliseconds", leader(tabs).evaluate("roles.at(-1)[1]") - began)
    assert sockets(server) == 1


def test_a_leader_that_hangs_is_robbed(
    browser: Browser, context: BrowserContext, site: str, server: ServerProcess, record_property: Record
) -> None:
    """By a tab that is seen; what it was asked for arrives once, and it sends nothing more when it wakes."""
    tabs = [opened(context, site, server) for _ in range(3)]
    first = leader(tabs)
    others = [tab for tab in tabs if tab is not first]
    with written(server, tabs):
        goes_on(tabs)
        pid = renderer(browser, first)
        began = time.time() * 1000
        os.kill(pid, signal.SIGSTOP)
        try:
            others[0].evaluate("room.append('while it hangs')")
            goes_on(others)
            record_property("milliseconds", leader(others).evaluate("roles.at(-1)[1]") - began)
        finally:
            os.kill(pid, signal.SIGCONT)
        goes_on(tabs)
        assert first.evaluate("(time) => sent.filter(([when]) => when > time)", began) == []
    assert log(server).count("while it hangs") == 1
    assert first.evaluate("connection.role") == "follower"
    assert sockets(server) == 1


def test_a_leader_that_is_put_aside_lets_go(
    browser: Browser, site: str, server: ServerProcess, record_property: Record
) -> None:
    """Into the back/forward cache, which headless shells have not, and back; Playwright does not find it then."""
    chromium = next((path for name in ("chromium", "google-chrome") if (path := shutil.which(name))), None)
    required("a whole Chromium", chromium is not None)
    reports = "/v1/stream/reports"
    assert call(server, "PUT", reports, "[]", content_type=JSON).status == 201
    whole = browser.browser_type.launch(
        executable_path=chromium, args=ARGUMENTS, ignore_default_args=["--disable-back-forward-cache"]
    )
    context = whole.new_context()
    context.set_default_timeout(PATIENCE)
    tabs = [opened(context, site, server) for _ in range(2)]
    first, second = tabs
    first.evaluate(
        """(url) => addEventListener("pageshow", async ({ persisted }) => {
            while (got.at(-1) !== 2) await new Promise((resolve) => setTimeout(resolve, 10))
            const body = JSON.stringify([[persisted, connection.role, got]])
            await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body })
        })""",
        f"{server.url}{reports}",
    )
    began = time.time() * 1000
    first.goto(f"{site}index.html?elsewhere")
    until(second, "connection.role === 'leader' && connection.state === 'live'")
    record_property("milliseconds", second.evaluate("roles.at(-1)[1]") - began)
    append(server, 1)
    until(second, "got.at(-1) === 1")
    first.evaluate("history.back()")
    append(server, 2)
    until(second, f"(await (await fetch('{server.url}{reports}?offset=-1', {{ cache: 'no-store' }})).json()).length")
    assert call(server, "GET", f"{reports}?offset=-1").json() == [[True, "follower", [-2, -1, 1, 2]]]
    assert sockets(server) == 1
    whole.close()


def test_two_users_share_nothing_and_one_who_leaves_is_gone_from_all_tabs(
    context: BrowserContext, site: str, server: ServerProcess
) -> None:
    ada, other, bob = (opened(context, site, server, user) for user in ("ada", "ada", "bob"))
    assert sockets(server) == 2
    for tab in (ada, other):
        tab.evaluate("void connection.on('sign-out', () => (window.told = true))")
    ada.evaluate("connection.signOut()")
    until(other, "window.told === true")
    assert [tab.evaluate("connection.state") for tab in (ada, other, bob)] == ["closed", "closed", "live"]
    assert other.evaluate("reader.end.then(({ kind }) => kind)") == "stopped"
    append(server, 1)
    until(bob, "got.at(-1) === 1")
    assert sockets(server) == 1


OPEN_BOX = """() => {
    const url = room.url
    window.box = outbox("notes", { user: "ada", stream: () => room })
    window.told = []
    box.on(({ state, data }) => told.push([state, data]))
}"""


@pytest.mark.parametrize("seconds", [0, pytest.param(60, marks=pytest.mark.soak)])
def test_offline_with_appends_that_wait(
    context: BrowserContext, site: str, server: ServerProcess, seconds: int
) -> None:
    """The browser has no network; the page, which a service worker keeps, is reloaded meanwhile."""
    tab = opened(context, site, server)
    tab.evaluate("navigator.serviceWorker.register('keep.js').then(() => navigator.serviceWorker.ready)")
    tab.evaluate(OPEN_BOX)
    context.set_offline(True)
    append_fifty = (
        "(from) => Promise.all(Array.from({ length: 50 }, (_, n) => box.append(room, from + n, { queued: true })))"
    )
    for start in (0, 50):
        tab.evaluate(append_fifty, start)
        time.sleep(seconds / 2)
        tab.reload()
        until(tab, "window.open !== undefined && window.sent !== undefined")
        tab.evaluate("([root, path]) => open(root, path, 'ada')", [f"{server.url}/v1/stream/", PATH])
        tab.evaluate(OPEN_BOX)
    assert log(server) == [-2, -1]
    context.set_offline(False)
    until(tab, "told.some(([state, data]) => state === 'acknowledged' && data === 99)")
    assert log(server) == [-2, -1, *range(100)]
    until(tab, "got.length === 102")
    assert tab.evaluate("got") == [-2, -1, *range(100)]


def family(pid: int) -> list[int]:
    """A process and all below it."""
    children = [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]
    return [pid, *(each for child in children for each in family(child))]


@pytest.mark.parametrize("seconds", [0, pytest.param(20, marks=pytest.mark.soak)])
def test_the_machine_sleeps(
    browser: Browser, context: BrowserContext, site: str, server: ServerProcess, seconds: int
) -> None:
    """The whole browser stops until the server has let it go; then all tabs have everything, on one socket."""
    tabs = [opened(context, site, server) for _ in range(2)]
    session = browser.new_browser_cdp_session()
    [main] = [
        each["id"] for each in session.send("SystemInfo.getProcessInfo")["processInfo"] if each["type"] == "browser"
    ]
    pids = family(main)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        end = time.monotonic() + seconds
        while sockets(server) or time.monotonic() < end:
            time.sleep(0.05)
        for value in range(50):
            append(server, value)
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    for tab in tabs:
        until(tab, "got.length >= 52")
        assert tab.evaluate("got.slice(0, 52)") == [-2, -1, *range(50)]
        assert tab.evaluate("room.append('awake')") > ""
    until(tabs[0], "connection.state === 'live' && got.length === 54")
    assert sockets(server) == 1
