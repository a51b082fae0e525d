"""The client for TypeScript in Firefox and WebKitGTK: scenarios in a page of each, tabs, the outbox and the drop-in."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conformance.browsers.firefox import Firefox
from conformance.browsers.tab import Browser, BrowserError, Tab
from conformance.browsers.webkit import WebKit
from tests.browser.client_site import CLIENT, served, until
from tests.support.http import call
from tests.support.processes import ServerProcess, headwater_server, required

pytestmark = pytest.mark.slow

ROOT = CLIENT.parents[1]
KINDS: dict[str, Callable[[], Browser]] = {"firefox": Firefox, "webkit": WebKit}
#: What a reader needs every day, over all transports; the others are a matter of minutes.
BASIC = [
    "cut-json",
    "cut-text",
    "cut-in-a-record",
    "gap",
    "ends",
    "closed",
    "deleted",
    "failed",
    "token",
    "absent",
    "lost",
]
JSON = "application/json"
PATH = "rooms/7"
PAGE = """
import { stream } from "./index.js"
import { connect } from "./connection.js"
import { ReconnectingEventSource } from "./eventsource.js"
import { outbox } from "./outbox.js"
import { tabs } from "./tabs.js"

function open(root, path) {
  const connection = connect(root, { share: tabs({ user: "ada" }), name: "ada", retry: { base: 50 } })
  const room = connection.stream(path, { type: "application/json" })
  const reader = room.read()
  const got = []
  void (async () => { for await (const { data } of reader) got.push(data) })()
  Object.assign(window, { connection, reader, got })
}
function box(url) {
  const told = []
  const kept = outbox("notes", { user: "ada", stream: (url) => stream(url, { retry: { base: 50 } }) })
  kept.on(({ state, data }) => told.push([state, data]))
  const notes = stream(url, { type: "application/json", retry: { base: 50 } })
  const one = (data) => kept.append(notes, data, { queued: true })
  const append = (from) => Promise.all(Array.from({ length: 50 }, (_, n) => one(from + n)))
  Object.assign(window, { append, told })
}
Object.assign(window, { ReconnectingEventSource, box, connect, open, stream })
"""


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def browser(kind: str) -> Iterator[Browser]:
    """One of each, with all of these tests' pages; without it the tests are skipped, but fail in CI."""
    try:
        browser = KINDS[kind]()
    except BrowserError as error:
        required(str(error), found=False)
        raise
    yield browser
    browser.end()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory = tmp_path_factory.mktemp("site")
    with served(directory, ("index", "connection", "eventsource", "outbox", "tabs"), PAGE) as url:
        yield url


@pytest.fixture
def server(tmp_path: Path, site: str) -> Iterator[ServerProcess]:
    """`headwater serve` with SQLite and a stream, for pages of the site."""
    with headwater_server(f"sqlite:{tmp_path}/log.db", "--cors-origins", site.rstrip("/")) as server:
        assert call(server, "PUT", f"/v1/stream/{PATH}", "[-1]", content_type=JSON).status == 201
        yield server


def opened(browser: Browser, site: str) -> Tab:
    tab = browser.open(site)
    until(tab, "window.stream !== undefined")
    return tab


def append(server: ServerProcess, value: int) -> None:
    assert call(server, "POST", f"/v1/stream/{PATH}", f"[{value}]", content_type=JSON).status == 204


def sockets(server: ServerProcess) -> int:
    """How many connections read: each has a source port of its own."""
    readers = call(server, "GET", "/-/readers?limit=1000").json()["readers"]
    return len({reader["address"] for reader in readers})


def lag_that_stays(server: ServerProcess) -> int:
    """Bytes that the only reader is behind, when it has stood still for as long as thirty requests take."""
    looks: list[int] = []
    while len(looks) < 30 or len(set(looks[-30:])) > 1:
        [reader] = call(server, "GET", "/-/readers?limit=1").json()["readers"]
        looks.append(reader["lag_bytes"])
    return looks[-1]


def scenarios(kind: str, directory: Path, *more: str) -> dict[tuple[str, str], list[str]]:
    """Outcomes of scenarios in a page of the browser: failures by scenario and transport."""
    required("clients/typescript/node_modules: make it", (CLIENT / "node_modules").is_dir())
    esbuild = CLIENT / "node_modules" / ".bin" / "esbuild"
    options = [
        "--bundle",
        "--splitting",
        "--format=esm",
        "--target=es2022",
        "--log-level=error",
        f"--outdir={directory}",
    ]
    subprocess.run([esbuild, "conformance/page.ts", *options], cwd=CLIENT, check=True, timeout=60)
    shutil.copy(CLIENT / "conformance" / "index.html", directory)
    client = f"{sys.executable} -m conformance.browsers {kind}"
    command = [sys.executable, "-m", "conformance", "--pages", str(directory), "--client", client, "--json", *more]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1500, check=False)
    outcomes = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"scenario"')]
    assert outcomes, done.stdout + done.stderr
    assert not done.stderr, done.stderr
    return {(each["scenario"], each["transport"]): each["failures"] for each in outcomes}


def explained(kind: str) -> set[tuple[str, str]]:
    """What is known to fail in this browser, or over WebSocket in each; the files say why."""
    everywhere = json.loads((CLIENT / "conformance" / "exceptions.json").read_text())
    known = {(name, "websocket") for group in everywhere.values() for name in group["scenarios"]}
    here = json.loads((CLIENT / "conformance" / "browsers.json").read_text()).get(kind, [])
    return known | {(name, transport) for group in here for name, transport in group["scenarios"]}


def judge(kind: str, outcomes: dict[tuple[str, str], list[str]]) -> None:
    unexplained = {key: failures for key, failures in outcomes.items() if failures and key not in explained(kind)}
    assert unexplained == {}


def test_the_basic_scenarios(kind: str, tmp_path: Path) -> None:
    """Over each transport: cuts, gaps, ends, refusals and writes."""
    named = [word for name in BASIC for word in ("--scenario", name)]
    outcomes = scenarios(kind, tmp_path, "--step", "80", *named)
    assert {transport for _, transport in outcomes} >= {"sse", "ndjson", "long-poll", "live-sse", "websocket", "http"}
    assert len(outcomes) > 50
    judge(kind, outcomes)


@pytest.mark.soak
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("browser_name", ["chromium", *KINDS])
def test_all_scenarios(browser_name: str, tmp_path: Path) -> None:
    """With every twentieth of the cuts and statuses."""
    outcomes = scenarios(browser_name, tmp_path, "--step", "20")
    assert len(outcomes) > 390
    judge(browser_name, outcomes)


def test_tabs_have_one_connection_and_go_on_without_the_one_that_had_it(
    browser: Browser, site: str, server: ServerProcess
) -> None:
    tabs = [opened(browser, site) for _ in range(3)]
    for tab in tabs:
        tab.evaluate(f"open({json.dumps(f'{server.url}/v1/stream/')}, {json.dumps(PATH)})")
        until(tab, "reader.state === 'live'")
    assert sockets(server) == 1
    [leader] = [tab for tab in tabs if tab.evaluate("connection.role") == "leader"]
    for value in range(50):
        append(server, value)
        if value == 25:
            leader.close()
            tabs.remove(leader)
    for tab in tabs:
        until(tab, "got.at(-1) === 49")
        assert tab.evaluate("got") == [-1, *range(50)]
    assert sockets(server) == 1
    for tab in tabs:
        tab.close()


def test_an_outbox_outlives_a_reload_and_the_server(browser: Browser, site: str, server: ServerProcess) -> None:
    """What was appended while the server was away arrives once and in order, from a page that was loaded since."""
    tab = opened(browser, site)
    url = f"{server.url}/v1/stream/{PATH}"
    server.kill()
    for start in (0, 50):
        tab.evaluate(f"box({json.dumps(url)})")
        tab.evaluate(f"append({start})")
        until(tab, "told.length > 0")
        tab.go(site)
        until(tab, "window.stream !== undefined")
    server.start()
    tab.evaluate(f"box({json.dumps(url)})")
    until(tab, "told.some(([state, data]) => state === 'acknowledged' && data === 99)")
    assert call(server, "GET", f"/v1/stream/{PATH}?offset=-1").json() == [-1, *range(100)]
    tab.close()


def test_the_drop_in_goes_on_behind_a_crash_of_the_server(browser: Browser, site: str, server: ServerProcess) -> None:
    tab = opened(browser, site)
    source = f"new ReconnectingEventSource({json.dumps(f'{server.url}/v1/stream/{PATH}')}, {{ retry: {{ base: 50 }} }})"
    tab.evaluate(f"void (window.source = {source}, window.seen = [], source.onmessage = (e) => seen.push(e.data))")
    until(tab, "seen.length === 1")
    server.kill()
    server.start()
    append(server, 7)
    until(tab, "seen.length === 2")
    assert tab.evaluate("seen") == ["-1", "7"]
    tab.evaluate("source.close()")
    tab.close()


@pytest.mark.parametrize("way", ["ndjson", "connection"])
def test_what_a_consumer_does_not_pull_waits(browser: Browser, site: str, server: ServerProcess, way: str) -> None:
    """The rest of 20 MB comes when it is pulled, whole.

    Both read the body of a `fetch` as it comes, whether the page pulls or not: the credit of a connection holds the
    server back, and a response does not.
    """
    big = json.dumps(["x" * 100_000])
    for _ in range(200):
        assert call(server, "POST", f"/v1/stream/{PATH}", big, content_type=JSON).status == 204
    tab = opened(browser, site)
    root, path = json.dumps(f"{server.url}/v1/stream/"), json.dumps(PATH)
    read = {
        "ndjson": f"stream({root} + {path}).read({{ transport: 'ndjson' }})",
        "connection": f"connect({root}).stream({path}, {{ type: 'application/json' }}).read()",
    }[way]
    tab.evaluate(f"void (window.reader = {read}, window.each = reader[Symbol.asyncIterator]())")
    assert tab.evaluate("each.next().then(({ value }) => value.data)") == -1
    if way == "connection":
        assert lag_that_stays(server) > 10_000_000
    rest = "(async () => { let n = 0; while (n < 200) { await each.next(); n += 1 } await each.return(); return n })()"
    assert tab.evaluate(rest) == 200
    tab.close()
