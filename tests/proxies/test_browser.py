"""Thirty readers of one page in Chromium: through each proxy and hypercorn they share one HTTP/2 connection; over
HTTP/1.1 the browser opens six. And its WebSockets through each proxy."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from tests.browser.conftest import find_chromium
from tests.browser.test_websocket import ROOM, TOLD
from tests.proxies.client import TEXT, make_client
from tests.proxies.fronts import HOST, Certificates, Front
from tests.proxies.hypercorns import HypercornProcess
from tests.support.http import call
from tests.support.processes import ServerProcess, required

pytestmark = pytest.mark.slow

COUNT = 30
OPEN = """() => {
  window.seen = [];
window.opened = new Set();
window.sources = [];
for (let number = 0; number < COUNT; number++) {
  const source = new EventSource(`/v1/stream/s/${number}`);
  seen.push([]);
  sources.push(source);
  source.onopen = () => opened.add(number);
  source.onmessage = event => seen[number].push(event.data);
}
}""".replace("COUNT", str(COUNT))


# Not for the whole session: while Playwright's synchronous interface is open, no test can run an event loop of its own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for which `HOST` is this machine."""
    with sync_playwright() as playwright:
        path = find_chromium(playwright)
        required("Chromium", path is not None)
        rules = f"--host-resolver-rules=MAP {HOST} 127.0.0.1"
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu", rules])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty tab that takes the tests' certificate."""
    context = browser.new_context(ignore_https_errors=True)
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()


def create_all(client: httpx2.Client) -> None:
    for number in range(COUNT):
        assert client.put(f"/v1/stream/s/{number}", headers=TEXT).status_code == 201


def append_all(client: httpx2.Client, data: str) -> None:
    for number in range(COUNT):
        assert client.post(f"/v1/stream/s/{number}", content=data, headers=TEXT).status_code == 204


def open_all(page: Page, url: str) -> None:
    page.goto(f"{url}/nothing-here")
    page.evaluate(OPEN)
    page.wait_for_function(f"opened.size === {COUNT}")
    assert page.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol") == "h2"


def all_saw(page: Page, *data: str) -> None:
    """Wait until each reader has as many records, and look at them."""
    page.wait_for_function(f"seen.every(records => records.length >= {len(data)})")
    assert page.evaluate("seen") == [list(data)] * COUNT


def test_thirty_readers_of_one_page_are_live_at_once(
    page: Page, server: ServerProcess, front: Front, client: httpx2.Client
) -> None:
    """All are open at the same time, and each record reaches its reader before the next is written."""
    create_all(client)
    open_all(page, front.url)
    assert call(server, "GET", "/-/stats").json()["readers"] == COUNT
    append_all(client, "one")
    all_saw(page, "one")
    append_all(client, "two")
    all_saw(page, "one", "two")


@pytest.mark.parametrize("flags", [("--drain-seconds", "0.5")])
def test_thirty_readers_come_back_by_themselves(
    page: Page, server: ServerProcess, front: Front, client: httpx2.Client, certificates: Certificates
) -> None:
    """After a crash of the server, a stop of it, and a crash of the proxy, with nothing lost and nothing twice."""
    create_all(client)
    open_all(page, front.url)
    append_all(client, "one")
    all_saw(page, "one")
    server.kill()
    page.wait_for_function("sources.every(source => source.readyState !== EventSource.CLOSED)")
    server.start()
    append_all(client, "two")
    all_saw(page, "one", "two")
    server.stop()
    server.start()
    append_all(client, "three")
    all_saw(page, "one", "two", "three")
    front.kill()
    front.start()
    with make_client(front.url, certificates) as again:
        append_all(again, "four")
    all_saw(page, "one", "two", "three", "four")


def test_a_page_talks_by_websockets(page: Page, front: Front) -> None:
    """Through both doors, as without a proxy."""
    page.goto(f"{front.url}/v1/stream/nothing-here")
    assert page.evaluate(ROOM, f"{front.url}/v1/stream/") == TOLD


def test_thirty_readers_are_live_on_hypercorn(page: Page, hypercorn: HypercornProcess) -> None:
    """A mounted hub under hypercorn needs no proxy for HTTP/2."""
    with make_client(hypercorn.tls_url, hypercorn.certificates) as client:
        create_all(client)
        open_all(page, hypercorn.tls_url)
        append_all(client, "one")
        all_saw(page, "one")
        append_all(client, "two")
        all_saw(page, "one", "two")


def test_over_http_1_the_seventh_reader_waits(page: Page, server: ServerProcess) -> None:
    """Why HTTP/2: a browser has six connections for an origin, and a live reader keeps one."""
    with httpx2.Client(base_url=server.url, trust_env=False) as client:
        create_all(client)
        page.goto(f"{server.url}/nothing-here")
        page.evaluate(OPEN)
        page.wait_for_function("opened.size === 6")
        append_all(client, "one")
        page.wait_for_function("seen.filter(records => records.length).length === 6")
        assert call(server, "GET", "/-/stats").json()["readers_total"] == 6
        page.evaluate("sources[[...opened][0]].close()")
        page.wait_for_function("opened.size === 7")
