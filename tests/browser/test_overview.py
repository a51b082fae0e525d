"""The overview of the page at `/` in Chromium: live figures of a real server, and what looking at them costs it."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from playwright.sync_api import Page, Request, expect

from headwater.http.page import VERSION

if TYPE_CHECKING:
    from tests.browser.conftest import Server

pytestmark = pytest.mark.slow

#: As in conftest.py, which tests cannot import.
PREFIX = "/deep/down"


def create(server: Server, path: str) -> str:
    url = f"{server.url}/v1/stream/{path}"
    httpx2.put(url, headers={"content-type": "application/json"}).raise_for_status()
    return url


@contextmanager
def reading(server: Server, path: str, query: str = "", accept: str = "text/event-stream") -> Iterator[socket.socket]:
    """A reader that never reads: it stays live as long as its buffers take what comes."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect((host, int(port)))
        request = f"GET /v1/stream/{path}{query} HTTP/1.1\r\nhost: {host}:{port}\r\naccept: {accept}\r\n\r\n"
        connection.sendall(request.encode())
        yield connection


def asked(page: Page) -> list[str]:
    """URLs of the requests a page makes from now on."""
    urls: list[str] = []

    def note(request: Request) -> None:
        urls.append(request.url)

    page.on("request", note)
    return urls


def uptime(server: Server) -> float:
    found: float = httpx2.get(f"{server.url}/-/overview").json()["uptime_seconds"]
    return found


def tile(page: Page, title: str) -> Any:
    return page.locator(".tile", has=page.get_by_role("heading", name=title, exact=True))


def test_figures_are_live(page: Page, server: Server) -> None:
    """Throughput, lag, readers by wire and state, streams with most readers, memory and processor, as they change."""
    url = create(server, "rooms/lobby")
    page.goto(server.url)
    expect(page.locator("#health-phase")).to_have_text("Live")
    expect(tile(page, "Readers").locator("b")).to_have_text("0")
    expect(tile(page, "Memory").locator("b")).to_have_text(re.compile(r"^[\d.]+ MB$"))
    with reading(server, "rooms/lobby"), reading(server, "rooms/lobby", accept="application/x-ndjson"):
        expect(tile(page, "Readers").locator("b")).to_have_text("2")
        expect(page.locator("#wires tr")).to_have_count(2)
        expect(page.locator("#wires")).to_contain_text("NDJSON")
        expect(page.locator("#busiest li")).to_have_text(["rooms/lobby2"])
        expect(page.locator("#now")).to_have_text("1 stream · 2 readers")
        httpx2.post(url, json=[1, 2]).raise_for_status()
        expect(tile(page, "Lag, p99").locator("b")).to_have_text(re.compile(r"^[\d.]+ m?s$"))
        expect(tile(page, "Deliveries").locator(".detail")).to_have_text(re.compile("^peak "))
        expect(page.locator("#store-facts")).to_contain_text("Commits")
    expect(tile(page, "Readers").locator("b")).to_have_text("0")
    expect(page.locator("#wires-none")).to_have_text("No live readers.")
    drawn = page.locator(".tile svg .line").evaluate_all("lines => lines.map(line => line.getAttribute('d').length)")
    assert min(drawn) > 0


def test_the_slowest_readers_are_named(page: Page, server: Server) -> None:
    """A reader that takes nothing is listed by the name it gave, with its stream and how far it is behind."""
    url = create(server, "big")
    page.goto(server.url)
    expect(page.locator("#behind-none")).to_contain_text("Nobody is behind")
    with reading(server, "big", "?reader=phone-7"):
        for _ in range(60):
            httpx2.post(url, json="x" * 200_000).raise_for_status()
        row = page.locator("#behind tr")
        expect(row).to_contain_text("phone-7")
        expect(row).to_contain_text("paused")
        expect(row).to_contain_text("MB")
        row.get_by_role("link", name="big").click()
        expect(page.locator("#path")).to_have_text("big")


def test_one_request_a_second_while_somebody_looks(page: Page, server: Server) -> None:
    """Never more; none in a hidden tab, none while paused for figures; at once again when the tab is seen."""
    page.clock.install()
    page.goto(server.url)
    expect(page.locator("#health-phase")).to_have_text("Live")
    urls = asked(page)
    for _ in range(20):
        with page.expect_request(re.compile("/-/(overview|streams)")):
            page.clock.run_for(1000)
    assert 18 <= len(urls) <= 21
    assert {re.sub(r".*/-/(\w+).*", r"\1", url) for url in urls} == {"overview", "streams"}
    page.evaluate(
        "Object.defineProperty(document, 'hidden', { value: true, configurable: true });"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    urls.clear()
    page.clock.run_for(60_000)
    assert urls == []
    with page.expect_request(re.compile("/-/streams")):
        page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
    page.get_by_role("button", name="Pause").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#health-phase")).to_have_text("Paused")
    urls.clear()
    page.clock.run_for(20_000)
    assert all("/-/streams" in url for url in urls)
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#health-phase")).to_have_text("Live")


def test_nothing_comes_from_elsewhere(page: Page, server: Server) -> None:
    """Every request goes to the server itself, and the page's policy is never hurt."""
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    urls = asked(page)
    page.goto(server.url)
    expect(page.locator("#health-phase")).to_have_text("Live")
    expect(page.locator("#version")).not_to_be_empty()
    assert [url for url in urls if not url.startswith((server.url, "data:"))] == []
    assert errors == []


def test_a_stream_cannot_be_a_script_of_the_page(page: Page, server: Server) -> None:
    """Bytes that anybody appended are of this origin, and still nothing that the page would run."""
    url = f"{server.url}/v1/stream/evil"
    httpx2.put(url, content=b"document.title = 'taken'", headers={"content-type": "text/javascript"}).raise_for_status()
    page.goto(server.url)
    page.evaluate(
        "void (window.seen = new Promise(resolve => addEventListener('securitypolicyviolation', event => "
        "resolve(event.violatedDirective))))"
    )
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), { src: '/v1/stream/evil?offset=-1' }))"
    )
    assert page.evaluate("seen").startswith("script-src")
    assert page.title() == "Headwater"


def test_an_outage_is_said_and_the_counters_may_begin_again(page: Page, server: Server) -> None:
    """Without the server the last figures stay, with their time; after a restart no rate is below nothing, although
    the page comes back when the new server is up for longer than the old one was."""
    url = create(server, "s")
    httpx2.post(url, json=list(range(5))).raise_for_status()
    page.goto(server.url)
    expect(page.locator("#health-phase")).to_have_text("Live")
    was_up = uptime(server)
    server.kill()
    expect(page.locator("#health-phase")).to_have_text("No figures")
    expect(page.locator("#health-since")).to_have_text(
        re.compile(r"^The server does not answer\. These are from \d\d:\d\d:\d\d\.$")
    )
    expect(tile(page, "Readers").locator("b")).to_have_text("0")
    page.route("**/-/overview", lambda route: route.abort())
    server.start()
    while uptime(server) <= was_up:
        page.wait_for_timeout(50)
    page.unroute("**/-/overview")
    expect(page.locator("#health-phase")).to_have_text("Live")
    httpx2.post(url, json=1).raise_for_status()
    expect(tile(page, "Appends").locator(".detail")).to_have_text(re.compile("^peak "))
    texts = page.locator(".tile b, #events td, #store-facts dd").all_text_contents()
    assert [text for text in texts if text.startswith("-") or "NaN" in text or "undefined" in text] == []


def test_many_streams_are_found_by_their_beginning(page: Page, server: Server) -> None:
    """The list shows two hundred, more on demand, and what begins with what is typed."""
    with httpx2.Client() as client:
        for number in range(205):
            client.put(f"{server.url}/v1/stream/a/{number:03d}").raise_for_status()
        client.put(f"{server.url}/v1/stream/z/last").raise_for_status()
    page.goto(server.url)
    expect(page.locator("#streams li")).to_have_count(200)
    expect(page.locator("#streams-note")).to_have_text("The first 200 are shown.")
    page.get_by_role("searchbox").fill("z/")
    expect(page.locator("#streams li b")).to_have_text(["z/last"])
    page.get_by_role("searchbox").fill("none/<b>")
    expect(page.locator("#streams-note")).to_have_text("No path begins with none/<b>")
    page.get_by_role("searchbox").fill("")
    page.get_by_role("button", name="Show more").click()
    expect(page.locator("#streams li")).to_have_count(206)
    expect(page.locator("#streams li a").nth(200)).to_be_focused()


def test_the_keyboard_is_enough(page: Page, server: Server) -> None:
    """From the overview into a stream and back, without a pointer."""
    create(server, "s")
    page.goto(server.url)
    expect(page.locator("#streams li")).to_have_count(1)
    page.get_by_role("link", name="Overview").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name=re.compile("^s"))).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#path")).to_have_text("s")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#overview")).to_be_visible()
    expect(page.get_by_role("link", name="Overview")).to_have_attribute("aria-current", "page")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1440])
def test_the_overview_fits_every_width(page: Page, server: Server, width: int, scheme: Any) -> None:
    """No sideways scrolling; on a phone the list and the overview are two views. Text stands out from its ground."""
    create(server, "long/path/" + "x" * 80)
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 740})
    with reading(server, "long/path/" + "x" * 80, "?reader=" + "n" * 60):
        page.goto(server.url)
        if width < 700:
            expect(page.locator("#overview")).to_be_hidden()
            page.get_by_role("link", name="Overview").click()
        expect(page.locator("#busiest li")).to_have_count(1)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.locator("#overview").evaluate("node => node.scrollWidth <= node.clientWidth")
        if width < 700:
            page.get_by_role("link", name="Streams").click()
            expect(page.locator("#overview")).to_be_hidden()


def test_the_overview_works_below_a_prefix(page: Page, mounted_server: Server) -> None:
    """Mounted in another application, also when its last slash was forgotten."""
    page.goto(f"{mounted_server.url}{PREFIX}")
    expect(page.locator("#health-phase")).to_have_text("Live")
    httpx2.put(f"{mounted_server.url}{PREFIX}/v1/stream/s").raise_for_status()
    expect(page.locator("#now")).to_have_text("1 stream · 0 readers")


def test_percentiles_are_those_of_the_time_between(page: Page, server: Server) -> None:
    """A quantile of what a histogram gained between two looks, interpolated as Prometheus does it."""
    page.goto(f"{server.url}/-/health")
    found = page.evaluate(
        f"import('/-/page/{VERSION}/history.js').then(({{ quantile, mean }}) => [\n"
        "  quantile(0.5, { bounds: [1, 2], counts: [0, 10, 0] }),\n"
        "  quantile(0.5, { bounds: [1, 2], counts: [90, 10, 0] }, { counts: [90, 0, 0] }),\n"
        "  quantile(0.99, { bounds: [1, 2], counts: [0, 0, 5] }),\n"
        "  quantile(0.99, { bounds: [1, 2], counts: [3, 4, 5] }, { counts: [3, 4, 5] }),\n"
        "  mean({ counts: [1, 3], sum: 10 }, { counts: [1, 1], sum: 4 }),\n"
        "])"
    )
    assert json.dumps(found) == "[1.5, 1.5, 2, null, 3]"
