"""The connection of the client for TypeScript in Chromium: records, credit, signals, presence, and servers that go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page
from tests.browser.client_site import served, until
from tests.support.http import call
from tests.support.processes import ServerProcess, headwater_server

pytestmark = pytest.mark.slow

JSON = "application/json"
PAGE = """
import { connect } from "./connection.js"
window.open = (root, name) => {
  const connection = connect(root, { name, retry: { base: 50 } })
  const states = []
  connection.on("state", (state) => states.push(state))
  const room = connection.stream("rooms/7", { type: "application/json" })
  Object.assign(window, { connection, states, room })
}
window.reading = (stream, options) => {
  const got = []
  const reader = stream.read(options)
  got.done = (async () => { for await (const { data } of reader) got.push(data) })().catch(String)
  return got
}
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("site"), ("connection",), PAGE) as url:
        yield url


@pytest.fixture
def server(tmp_path: Path, site: str) -> Iterator[ServerProcess]:
    with headwater_server(f"sqlite:{tmp_path}/log.db", "--cors-origins", site.rstrip("/")) as server:
        yield server


def opened(page: Page, site: str, server: ServerProcess, name: str = "ada") -> Page:
    page.goto(site)
    until(page, "window.reading !== undefined")
    page.evaluate("([root, name]) => open(root, name)", [f"{server.url}/v1/stream/", name])
    return page


def readers(server: ServerProcess) -> list[dict[str, object]]:
    found: list[dict[str, object]] = call(server, "GET", "/-/readers?limit=100").json()["readers"]
    return found


def test_history_live_and_appends_of_several_readers_on_one_socket(
    page: Page, site: str, server: ServerProcess
) -> None:
    opened(page, site, server)
    page.evaluate("room.create({ records: [1, 2] })")
    page.evaluate("window.all = reading(room); window.last = reading(room, { last: 1 }); undefined")
    until(page, "all.length === 2 && last.length === 1")
    assert page.evaluate("Promise.all([3, 4, 5, 6].map((n) => room.append(n)))")[-1] > ""
    until(page, "all.length === 6")
    assert [reader["wire"] for reader in readers(server)] == ["websocket"]
    page.evaluate("room.close(7)")
    assert page.evaluate("Promise.all([all.done, last.done])") == [None, None]
    assert page.evaluate("[all, last]") == [[1, 2, 3, 4, 5, 6, 7], [2, 3, 4, 5, 6, 7]]
    assert page.evaluate("states") == ["connecting", "live"]


def test_a_consumer_that_waits_stops_its_own_stream_alone(page: Page, site: str, server: ServerProcess) -> None:
    """16 MB lie before it; the other stream of the same socket goes on, and it has everything later."""
    opened(page, site, server)
    body = "[" + ",".join(['"' + "x" * 10_000 + '"'] * 100) + "]"
    for path in ("rooms/7", "rooms/8"):
        assert call(server, "PUT", f"/v1/stream/{path}", "[0]", content_type=JSON).status == 201
    for _ in range(16):
        assert call(server, "POST", "/v1/stream/rooms/7", body, content_type=JSON).status == 204
    page.evaluate(
        """async () => {
            window.slow = room.read()[Symbol.asyncIterator]()
            await slow.next()
            window.other = reading(connection.stream("rooms/8"))
        }"""
    )
    until(page, "other.length === 1")
    assert call(server, "POST", "/v1/stream/rooms/8", "[1]", content_type=JSON).status == 204
    until(page, "other.length === 2")
    # It catches up until its credit is used up; a busy machine takes its time.
    held: dict[str, object] = {"state": "catching-up"}
    while held["state"] == "catching-up":
        [held] = [reader for reader in readers(server) if reader["path"] == "rooms/7"]
    assert held["state"] == "paused"
    assert page.evaluate("async () => { let n = 1; while (n < 1601) { await slow.next(); n += 1 } return n }") == 1601


def test_signals_and_who_is_there(context: BrowserContext, site: str, server: ServerProcess) -> None:
    ada, bob = (opened(context.new_page(), site, server, name) for name in ("ada", "bob"))
    ada.evaluate("room.create()")
    for tab in (ada, bob):
        tab.evaluate(
            """async () => {
                window.heard = []
                window.presence = room.presence({ typing: false })
                ;(async () => { for await (const { from, data } of room.signals()) heard.push([from, data]) })()
            }"""
        )
        until(tab, "presence.members.length > 0")
    until(ada, "presence.members.length === 2")
    bob.evaluate("presence.set({ typing: true })")
    until(ada, "presence.members.some(({ id, state }) => id === 'bob' && state.typing)")
    bob.evaluate("room.signal({ on: true }, { topic: 'typing' })")
    until(ada, "heard.length > 0")
    assert ada.evaluate("heard") == [["bob", {"on": True}]]
    bob.close()
    server.kill()
    server.start()
    until(ada, "presence.members.length === 1 && presence.members[0].id === 'ada'")


@pytest.mark.parametrize("way", ["stops", "crashes"])
def test_a_server_that_goes_and_comes_back(page: Page, site: str, server: ServerProcess, way: str) -> None:
    """Each record once; what is appended meanwhile arrives once."""
    opened(page, site, server)
    page.evaluate("room.create({ records: [1] })")
    page.evaluate("window.all = reading(room); undefined")
    until(page, "all.length === 1")
    if way == "stops":
        server.stop()
        until(page, "states.includes('draining')")
    else:
        server.kill()
    until(page, "connection.state === 'waiting' || connection.state === 'connecting'")
    page.evaluate("window.appended = Promise.all([2, 3].map((n) => room.append(n))); undefined")
    server.start()
    page.evaluate("window.appended")
    until(page, "all.length === 3")
    assert page.evaluate("all") == [1, 2, 3]
    assert call(server, "GET", "/v1/stream/rooms/7?offset=-1").json() == [1, 2, 3]
    until(page, "connection.state === 'live'")
    page.evaluate("connection.close()")
    assert page.evaluate("states.at(-1)") == "closed"
