"""Each transport of the client for TypeScript in Firefox and WebKitGTK: crashes, and bodies that are cut."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from conformance.browsers.tab import Browser, BrowserError, Tab
from tests.browser.client_site import served, until
from tests.browser.test_other_browsers import JSON, KINDS, PATH, append
from tests.support.http import call
from tests.support.processes import ServerProcess, headwater_server, required

pytestmark = pytest.mark.slow

PAGE = """
import { connect } from "./connection.js"
import { ReconnectingEventSource, eventsource } from "./eventsource.js"
import { stream } from "./index.js"

const retry = { base: 50 }
function open(root, path, transport, type) {
  const onSocket = () => connect(root, { retry }).stream(path, { type })
  const room = transport === "websocket" ? onSocket() : stream(root + path, { retry, type })
  const how = { websocket: undefined, eventsource }
  const reader = room.read({ transport: transport in how ? how[transport] : transport })
  const got = []
  const done = (async () => { for await (const { data } of reader) got.push(data) })()
  done.catch(() => undefined)
  Object.assign(window, { room, reader, got, done })
}
const listen = (source) => new Promise((resolve) => {
  const told = []
  const note = (event) => {
    told.push([event.type, event.data, event.lastEventId, event.origin, source.readyState])
    if (told.length === 3) { source.close(); resolve([...told, source.readyState, source.url]) }
  }
  source.onopen = note
  source.onmessage = note
  source.addEventListener("tick", note)
})
const both = (url) => Promise.all([EventSource, ReconnectingEventSource].map((Source) => listen(new Source(url))))
Object.assign(window, { both, open, stream })
"""
TEXT = "zwölf Boxkämpfer".encode()
OFFSET = "0000000000000001_0000000000000001"


@pytest.fixture(scope="module", params=KINDS)
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """One of each; without it the tests are skipped, but fail in CI."""
    try:
        browser = KINDS[request.param]()
    except BrowserError as error:
        required(str(error), found=False)
        raise
    yield browser
    browser.end()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("site"), ("connection", "eventsource", "index"), PAGE) as url:
        yield url


@pytest.fixture
def server(tmp_path: Path, site: str) -> Iterator[ServerProcess]:
    """`headwater serve` with SQLite and a stream, for pages of the site."""
    with headwater_server(f"sqlite:{tmp_path}/log.db", "--cors-origins", site.rstrip("/")) as server:
        assert call(server, "PUT", f"/v1/stream/{PATH}", "[1, 2]", content_type=JSON).status == 201
        yield server


@pytest.fixture
def tab(browser: Browser, site: str) -> Iterator[Tab]:
    tab = browser.open(site)
    until(tab, "window.both !== undefined")
    yield tab
    tab.close()


def read(tab: Tab, root: str, path: str, transport: str, media_type: str = JSON) -> None:
    arguments = ", ".join(map(json.dumps, (root, path, transport, media_type)))
    tab.evaluate(f"void open({arguments})")


@pytest.mark.parametrize("transport", ["auto", "sse", "ndjson", "long-poll", "live-sse", "eventsource", "websocket"])
def test_a_crash_of_the_server_loses_and_repeats_nothing(tab: Tab, server: ServerProcess, transport: str) -> None:
    """What is appended while it is away arrives when it is back; then the stream is closed."""
    read(tab, f"{server.url}/v1/stream/", PATH, transport)
    until(tab, "got.length === 2")
    append(server, 3)
    until(tab, "got.length === 3")
    server.kill()
    tab.evaluate("void (window.appended = Promise.all([4, 5].map((n) => room.append(n))))")
    server.start()
    tab.evaluate("appended.then(() => room.close(6)).then(() => done)")
    assert tab.evaluate("reader.end.then(({ kind }) => kind)") == "closed"
    assert tab.evaluate("got") == [1, 2, 3, 4, 5, 6]
    assert call(server, "GET", f"/v1/stream/{PATH}?offset=-1").json() == [1, 2, 3, 4, 5, 6]


def test_the_drop_in_is_what_the_browser_has(tab: Tab, server: ServerProcess) -> None:
    """The same events, ids and states as of the browser's own EventSource, on the same stream."""
    path = "/v1/stream/events"
    assert call(server, "PUT", path, '[{"kind": "tick", "n": 1}, {"n": 2}]', content_type=JSON).status == 201
    native, own = tab.evaluate(f"both({json.dumps(server.url + path)} + '?event=kind')")
    assert own == native


class Cutting(BaseHTTPRequestHandler):
    """A stream of text on another origin, of which the first four answers end before what their heads promise."""

    asked = 0

    def do_OPTIONS(self) -> None:
        self._head(204)

    def do_GET(self) -> None:
        type(self).asked += 1
        self._head(200)
        self.wfile.write(TEXT[: 0 if self.asked == 1 else 3 * self.asked] if self.asked < 5 else TEXT)

    def _head(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Connection", "close")
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Access-Control-Allow-Headers", "*")
        self.send_header("Access-Control-Expose-Headers", "*")
        if status == 200:
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(TEXT)))
            self.send_header("Stream-Next-Offset", OFFSET)
            self.send_header("Stream-Up-To-Date", "true")
            self.send_header("Stream-Closed", "true")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
def test_a_page_that_is_cut_on_another_origin_comes_whole(tab: Tab, version: str) -> None:
    """A browser may give it as if that were all, and does not tell whether it was compressed."""

    class Fresh(Cutting):
        asked = 0
        protocol_version = version

    server = ThreadingHTTPServer(("127.0.0.1", 0), Fresh)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        read(tab, f"http://127.0.0.1:{server.server_address[1]}/v1/stream/", "text", "long-poll", "text/plain")
        tab.evaluate("done")
        assert tab.evaluate("got.join('')") == TEXT.decode()
        assert Fresh.asked == 5
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
