"""The tabs of the page in one browser: they share a connection, which goes to another tab when its holder is gone."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from tests.support.http import call
from tests.support.processes import ServerProcess, headwater_server

if TYPE_CHECKING:
    from tests.browser.conftest import Gate

pytestmark = pytest.mark.slow

TABS = 10
STREAMS = [f"rooms/{index}" for index in range(4)]
JSON = "application/json"
#: Seconds between two records of the writer, of which a browser without timers of its own sees each at once.
PAUSE = 0.01


@pytest.fixture
def durable(tmp_path: Path) -> Iterator[ServerProcess]:
    """`headwater serve` with SQLite."""
    with headwater_server(f"sqlite:{tmp_path}/log.db") as server:
        for path in STREAMS:
            assert call(server, "PUT", f"/v1/stream/{path}", content_type=JSON).status == 201
        yield server


def append(server: ServerProcess, path: str, body: str) -> None:
    assert call(server, "POST", f"/v1/stream/{path}", body, content_type=JSON).status == 204


def opened(context: BrowserContext, url: str, index: int) -> Page:
    """A tab at one of the streams."""
    tab = context.new_page()
    tab.goto(f"{url}/#{STREAMS[index % len(STREAMS)]}")
    expect(tab.locator("#phase")).to_have_text("Live")
    return tab


def opened_all(context: BrowserContext, server: ServerProcess, count: int = TABS) -> list[Page]:
    """Tabs, at the streams by turns."""
    return [opened(context, server.url, index) for index in range(count)]


def connections(server: ServerProcess) -> int:
    """How many connections carry live reads: each has a source port of its own."""
    readers = call(server, "GET", "/-/readers?limit=1000").json()["readers"]
    return len({reader["address"] for reader in readers})


def holders(tabs: list[Page]) -> list[Page]:
    return [tab for tab in tabs if tab.locator("#link").text_content() == "held here"]


def hide(tab: Page, hidden: bool) -> None:
    """What a browser tells a tab that another one covers, and that is seen again."""
    tab.evaluate(
        "hidden => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        hidden,
    )


#: From now on the page's timers of a second or more do not go off.
NO_LONG_TIMERS = """() => {
  const real = window.setTimeout;
  window.setTimeout = (call, wait = 0, ...given) => wait >= 1000 ? 0 : real(call, wait, ...given);
}"""


class Writer(threading.Thread):
    """Appends 0, 1, 2 and so on to each stream, until it is told to stop."""

    def __init__(self, server: ServerProcess) -> None:
        super().__init__(daemon=True)
        self.count = 0
        self.stop = threading.Event()
        self._server = server

    def run(self) -> None:
        while not self.stop.wait(PAUSE) and self.count < 500:
            for path in STREAMS:
                append(self._server, path, str(self.count))
            self.count += 1


def test_ten_tabs_share_a_connection(context: BrowserContext, durable: ServerProcess) -> None:
    """Over HTTP/1.1; an append from each is answered, and every tab of the stream sees it, hidden or not."""
    tabs = opened_all(context, durable)
    assert call(durable, "GET", "/-/readers").json()["total"] == len(STREAMS)
    assert connections(durable) == 1
    assert len(holders(tabs)) == 1
    for tab in tabs:
        hide(tab, tab is not tabs[0])
    for index, tab in enumerate(tabs):
        tab.locator("#record").fill(str(index))
        tab.locator("#send").click()
        expect(tab.locator("#rows .data").last).to_have_text(str(index))
        expect(tab.locator("#append-note")).to_contain_text("Enter appends")
    for index, tab in enumerate(tabs):
        expect(tab.locator("#rows .data")).to_have_text(
            [str(n) for n in range(index % len(STREAMS), TABS, len(STREAMS))]
        )
        expect(tab.locator("#phase")).to_have_text("Live")
    assert connections(durable) == 1
    tabs[1].goto(f"{durable.url}/#/")
    expect(tabs[1].locator("#overview")).to_be_visible()
    tabs[5].close()
    tabs[9].close()
    # Nobody follows the second stream any more.
    expect_readers(tabs[0], durable, len(STREAMS) - 1)


def expect_readers(tab: Page, server: ServerProcess, count: int) -> None:
    """Until the server has so many; asked by the tab, whose patience it is."""
    tab.wait_for_function(
        "async count => (await (await fetch('/-/readers')).json()).total === count", arg=count, timeout=60_000
    )


def test_another_tab_takes_over(context: BrowserContext, durable: ServerProcess) -> None:
    """When the holder is closed while records come, the others go on at once; nothing is lost or comes twice.

    At once: the page promises a second, and no timer of as long goes off here. So what they wait for is the browser's
    lock and one request, and no retry.
    """
    tabs = opened_all(context, durable)
    for tab in tabs:
        tab.evaluate(NO_LONG_TIMERS)
    writer = Writer(durable)
    writer.start()
    for _ in range(2):
        [holder] = holders(tabs)
        tabs.remove(holder)
        before = {tab: tab.locator("#rows li").count() for tab in tabs}
        holder.close()
        for tab in tabs:
            tab.wait_for_function("n => document.querySelectorAll('#rows li').length > n + 5", arg=before[tab])
    writer.stop.set()
    writer.join()
    for tab in tabs:
        expect(tab.locator("#count")).to_have_text(str(writer.count))
        assert tab.locator("#rows .data").all_text_contents() == [str(number) for number in range(writer.count)]
        assert tab.locator("#rows .mark").count() == 0
        tab.locator("#check").click()
        expect(tab.locator("#verdict")).to_contain_text(f"{writer.count} records match the log")
    assert connections(durable) == 1


def test_all_tabs_survive_a_kill(context: BrowserContext, durable: ServerProcess) -> None:
    """Each says how long it was, and goes on behind its last record."""
    tabs = opened_all(context, durable, 3)
    for path in STREAMS:
        append(durable, path, "1")
    for tab in tabs:
        expect(tab.locator("#rows .data")).to_have_text(["1"])
    durable.kill()
    for tab in tabs:
        expect(tab.locator("#phase")).to_have_text("Reconnecting")
    durable.start()
    for path in STREAMS:
        append(durable, path, "2")
    for tab in tabs:
        expect(tab.locator("#rows .data")).to_have_text(["1", "2"])
        expect(tab.locator("#reconnects")).to_have_text("1")
        expect(tab.locator("#rows .mark")).to_have_text(
            [re.compile("^connection lost"), re.compile("^reconnected after")]
        )
    assert connections(durable) == 1


def test_a_server_that_stops_lets_its_tabs_go(context: BrowserContext, durable: ServerProcess) -> None:
    """All of them say so, and go on when there is a server again."""
    tabs = opened_all(context, durable, 2)
    durable.stop()
    for tab in tabs:
        expect(tab.locator("#rows .mark").first).to_have_text("the server lets its readers go for a moment")
    durable.start()
    for index, tab in enumerate(tabs):
        append(durable, STREAMS[index], "1")
        expect(tab.locator("#rows .data")).to_have_text(["1"])
        expect(tab.locator("#phase")).to_have_text("Live")
    assert connections(durable) == 1


def test_a_stream_that_was_made_anew_meanwhile(context: BrowserContext, durable: ServerProcess, gate: Gate) -> None:
    """One of those that are read together: its tab says that something is left out, and shows all that is there now."""
    one, two = opened_all(context, durable, 2)
    append(durable, STREAMS[0], "1")
    expect(one.locator("#rows .data")).to_have_text(["1"])
    gate.is_shut = True
    durable.kill()
    durable.start()
    assert call(durable, "DELETE", f"/v1/stream/{STREAMS[0]}").status == 204
    assert call(durable, "PUT", f"/v1/stream/{STREAMS[0]}", "[2]", content_type=JSON).status == 201
    gate.is_shut = False
    expect(one.locator("#rows .data")).to_have_text(["2"])
    expect(one.locator("#rows .mark.warn")).to_contain_text("left out (a gap)")
    one.locator("#check").click()
    expect(one.locator("#verdict")).to_contain_text("1 record matches the log")
    expect(two.locator("#phase")).to_have_text("Live")


def test_a_stream_that_is_deleted_ends_for_its_tabs_alone(context: BrowserContext, durable: ServerProcess) -> None:
    """The others go on."""
    one, two, three = opened_all(context, durable, 3)
    assert call(durable, "DELETE", f"/v1/stream/{STREAMS[0]}").status == 204
    expect(one.locator("#phase")).to_have_text("Stopped")
    expect(one.locator("#rows .mark.bad")).to_contain_text("deleted or has expired")
    append(durable, STREAMS[1], "1")
    assert call(durable, "POST", f"/v1/stream/{STREAMS[2]}", stream_closed="true").status == 204
    expect(two.locator("#rows .data")).to_have_text(["1"])
    expect(two.locator("#phase")).to_have_text("Live")
    expect(three.locator("#phase")).to_have_text("Closed")


@pytest.mark.parametrize("why", ["no locks", "not multi"])
def test_tabs_with_connections_of_their_own(context: BrowserContext, tmp_path: Path, why: str) -> None:
    """Without Web Locks, or where the server gives one stream on a read, by HTTP; a hidden tab lets go of its own."""
    flags = ["--no-multi"] if why == "not multi" else ["--allowed-hosts", "loopback,insecure.test"]
    with headwater_server(f"sqlite:{tmp_path}/own.db", *flags) as server:
        for path in STREAMS:
            call(server, "PUT", f"/v1/stream/{path}", content_type=JSON)
        tabs: list[Page] = []
        for index in range(7):
            url = server.url if why == "not multi" else f"http://insecure.test:{server.port}"
            tab = opened(context, url, index)
            expect(tab.locator("#link")).to_have_text("own")
            if tabs:
                hide(tabs[-1], True)
                expect(tabs[-1].locator("#phase")).to_have_text("Hidden")
            tabs.append(tab)
        assert connections(server) == 1
        append(server, STREAMS[0], "1")
        hide(tabs[0], False)
        expect(tabs[0].locator("#rows .data")).to_have_text(["1"])
        expect(tabs[0].locator("#reconnects")).to_have_text("0")
