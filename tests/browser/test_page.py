"""The page at `/` and a bare `EventSource`, in Chromium, against a server process that is killed on the way."""

from __future__ import annotations

import json
import re
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

import httpx2
import pytest
from playwright.sync_api import Dialog, Page, expect

if TYPE_CHECKING:
    from tests.browser.conftest import Gate, Server

pytestmark = pytest.mark.slow

#: As in conftest.py, which tests cannot import.
PREFIX = "/deep/down"
#: Milliseconds the browser may take for a reconnect and what follows.
PATIENCE = 60_000
KILLS = 3


COLLECT = """
url => {
    window.seen = [];
    window.opens = 0;
    window.ended = false;
    window.source = new EventSource(url);
    source.onopen = () => { opens += 1; };
    source.onmessage = event => seen.push([event.lastEventId, event.data]);
    source.addEventListener("stream-closed", () => { ended = true; });
}
"""


class Appender:
    """Another client: appends 0, 1, 2 and so on until told to stop, each exactly once, whatever the server does."""

    def __init__(self, server: Server, path: str) -> None:
        self.count = 0
        self._url = f"{server.url}/v1/stream/{path}"
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()
        if self._failure is not None and error is None:
            raise self._failure

    def _run(self) -> None:
        try:
            with httpx2.Client() as client:
                while not self._stop.is_set():
                    self.count += self._append(client)
        except BaseException as failure:
            self._failure = failure

    def _append(self, client: httpx2.Client) -> bool:
        headers = {"producer-id": "appender", "producer-epoch": "0", "producer-seq": str(self.count)}
        try:
            client.post(self._url, json=self.count, headers=headers).raise_for_status()
        except httpx2.TransportError:
            # The server is away. Whether it has the record is unknown; its sequence number makes trying again safe.
            self._stop.wait(0.05)
            return False
        return True


def create(server: Server, path: str, content_type: str = "application/json") -> str:
    url = f"{server.url}/v1/stream/{quote(path)}"
    httpx2.put(url, headers={"content-type": content_type}).raise_for_status()
    return url


def append(url: str, *values: Any) -> None:
    httpx2.post(url, json=list(values)).raise_for_status()


def follow(page: Page, server: Server, path: str, *, prefix: str = "") -> None:
    """Open the page at a stream."""
    page.goto(f"{server.url}{prefix}/#{quote(path)}")
    expect(page.locator("#phase")).to_have_text("Live")


def collect(page: Page, server: Server, path: str, query: str = "") -> None:
    """Read a stream with a bare `EventSource` in a document of the same origin that has no script of its own."""
    page.goto(f"{server.url}/-/health")
    page.evaluate(COLLECT, f"/v1/stream/{path}{query}")


def records(page: Page) -> list[str]:
    return page.locator("#rows .data").all_text_contents()


def watch_violations(page: Page) -> list[str]:
    """Errors of scripts and of the content security policy, as they come."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    page.expose_function("reportViolation", lambda text: found.append(text))
    page.add_init_script(
        "addEventListener('securitypolicyviolation', event => reportViolation(`policy: ${event.violatedDirective}`))"
    )
    return found


def test_create_append_and_see(page: Page, server: Server) -> None:
    """A stream is created and appended to with the keyboard alone, and each record is shown with its offset."""
    page.goto(server.url)
    page.get_by_label("New stream").press_sequentially("jobs/7")
    page.keyboard.press("Enter")
    expect(page.locator("#phase")).to_have_text("Live")
    expect(page.locator("#record")).to_be_focused()
    page.keyboard.type('{"done":1}')
    page.keyboard.press("Enter")
    expect(page.locator("#record")).to_have_value("")
    page.keyboard.type('[{"done":2},')
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("3]")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#rows .data")).to_have_text(['{"done":1}', '{"done":2}', "3"])
    head = httpx2.head(f"{server.url}/v1/stream/jobs/7").headers
    assert head["content-type"] == "application/json"
    assert page.locator("#rows .offset").last.text_content() == head["stream-next-offset"]


def test_page_comes_back_after_a_reload(page: Page, server: Server) -> None:
    """The chosen stream is in the URL, so a reload, a bookmark and the back button lead to it."""
    append(create(server, "räume/größe 1"), "ä<b>")
    page.goto(server.url)
    page.get_by_role("link", name="räume/größe 1").click()
    expect(page.locator("#rows .data")).to_have_text(['"ä<b>"'])
    page.reload()
    expect(page.locator("#rows .data")).to_have_text(['"ä<b>"'])
    page.go_back()
    expect(page.locator("#overview")).to_be_visible()
    page.go_forward()
    expect(page.locator("#rows .data")).to_have_text(['"ä<b>"'])


def test_event_source_survives_kills(page: Page, server: Server) -> None:
    """A bare `EventSource` sees every record once and in order, though the server is killed while records come."""
    create(server, "log")
    collect(page, server, "log")
    with Appender(server, "log") as appender:
        for kill in range(KILLS):
            before = page.evaluate("seen.length")
            page.wait_for_function("before => seen.length > before + 20", arg=before)
            server.restart()
            page.wait_for_function("opens => window.opens >= opens", arg=kill + 2, timeout=PATIENCE)
    page.wait_for_function("count => seen.length >= count", arg=appender.count, timeout=PATIENCE)
    seen: list[tuple[str, str]] = page.evaluate("seen")
    assert [int(data) for _, data in seen] == list(range(appender.count))
    offsets = [offset for offset, _ in seen]
    assert offsets == sorted(set(offsets))


def test_page_survives_kills(page: Page, server: Server) -> None:
    """The page shows the outages and goes on after them, and its own check finds nothing lost or repeated."""
    create(server, "log")
    follow(page, server, "log")
    with Appender(server, "log") as appender:
        for kill in range(KILLS):
            expect(page.locator("#rows .data").first).to_be_attached()
            server.kill()
            expect(page.locator("#phase")).to_have_text("Reconnecting")
            server.start()
            expect(page.locator("#reconnects")).to_have_text(str(kill + 1))
            expect(page.locator("#phase")).to_have_text("Live")
    expect(page.locator("#count")).to_have_text(f"{appender.count:,}")
    page.locator("#check").click()
    expect(page.locator("#verdict")).to_contain_text(f"{appender.count:,} records match the log")
    numbers = [int(text) for text in records(page)]
    assert numbers == list(range(appender.count))[-len(numbers) :]


def test_page_shows_the_gap(page: Page, server: Server) -> None:
    """An outage becomes two lines between the records: when it began, how long it was and where reading went on."""
    url = create(server, "log")
    append(url, 1)
    follow(page, server, "log")
    expect(page.locator("#rows .data")).to_have_text(["1"])
    server.restart()
    append(url, 2)
    expect(page.locator("#rows .data")).to_have_text(["1", "2"])
    offset = page.locator("#rows .offset").first.text_content()
    expect(page.locator("#rows .mark")).to_have_text(
        [
            re.compile(r"^connection lost at \d\d:\d\d:\d\d$"),
            re.compile(rf"^reconnected after \d+\.\d s at offset {offset}$"),
        ]
    )


def test_append_during_an_outage_is_stored_once(page: Page, server: Server) -> None:
    """What is appended while the server is away is sent again until it answers, and the log has it once, in order."""
    url = create(server, "log")
    follow(page, server, "log")
    server.kill()
    page.locator("#record").fill('"patience"')
    page.keyboard.press("Enter")
    expect(page.locator("#append-note")).to_contain_text("The server does not answer. Trying again: 1 append waiting")
    page.keyboard.type('"and more"')
    page.keyboard.press("Enter")
    server.start()
    expect(page.locator("#rows .data")).to_have_text(['"patience"', '"and more"'])
    expect(page.locator("#append-note")).to_contain_text("Enter appends")
    assert httpx2.get(url).json() == ["patience", "and more"]


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/octet-stream"])
def test_where_no_websocket_passes_the_page_reads_by_http(page: Page, plain_server: Server, content_type: str) -> None:
    """With times as ever; and after a proxy's 503, which makes an `EventSource` give up for good, it goes on."""
    url = create(plain_server, "log", content_type)
    headers = {"content-type": content_type}
    httpx2.post(url, content=b"1", headers=headers).raise_for_status()
    follow(page, plain_server, "log")
    [shown] = records(page)
    expect(page.locator("#link")).to_have_text("own")
    [reader] = httpx2.get(f"{plain_server.url}/-/readers").json()["readers"]
    assert (reader["wire"], reader["name"]) == ("ndjson", "page")
    page.route("**/v1/stream/log*", lambda route: route.fulfill(status=503, body="down"), times=1)
    plain_server.restart()
    httpx2.post(url, content=b"1", headers=headers).raise_for_status()
    expect(page.locator("#rows .data")).to_have_text([shown, shown])
    times = page.locator("#rows time").evaluate_all("all => all.map(each => Date.parse(each.dateTime))")
    assert abs(times[1] / 1000 - time.time()) < 300
    assert times[0] <= times[1]


def test_an_empty_stream_loses_nothing_in_an_outage(page: Page, server: Server) -> None:
    """The page goes on where it was, also when the connection broke before any record."""
    url = create(server, "log")
    follow(page, server, "log")
    server.kill()
    expect(page.locator("#phase")).to_have_text("Reconnecting")
    server.start()
    append(url, "new")
    expect(page.locator("#rows .data")).to_have_text(['"new"'])


def test_a_stream_that_was_made_anew_meanwhile(page: Page, server: Server, gate: Gate) -> None:
    """The page says that it has left something out, and shows what there is now."""
    url = create(server, "log")
    append(url, "old")
    follow(page, server, "log")
    gate.is_shut = True
    server.restart()
    httpx2.delete(url).raise_for_status()
    append(create(server, "log"), "new")
    gate.is_shut = False
    expect(page.locator("#rows .data")).to_have_text(['"new"'])
    expect(page.locator("#rows .mark.warn")).to_contain_text("left out (a gap)")
    expect(page.locator("#phase")).to_have_text("Live")
    append(url, "more")
    expect(page.locator("#rows .data")).to_have_text(['"new"', '"more"'])
    page.locator("#check").click()
    expect(page.locator("#verdict")).to_contain_text("2 records match the log")


def test_browser_stops_at_a_closed_stream(page: Page, server: Server) -> None:
    """After `stream-closed` the browser comes back once, is answered 204 and stays away."""
    url = create(server, "done")
    append(url, 1)
    collect(page, server, "done")
    httpx2.post(url, headers={"stream-closed": "true"}).raise_for_status()
    page.wait_for_function("ended && source.readyState === EventSource.CLOSED", timeout=PATIENCE)
    assert page.evaluate("seen.map(([, data]) => data)") == ["1"]
    assert server.answers("done") == [200, 204]
    # A second stream goes the same way meanwhile: as long as the browser takes to come back once more, if it did.
    httpx2.put(f"{server.url}/v1/stream/other", headers={"stream-closed": "true"}).raise_for_status()
    page.evaluate(COLLECT, "/v1/stream/other")
    page.wait_for_function("source.readyState === EventSource.CLOSED", timeout=PATIENCE)
    assert server.answers("other") == [200, 204]
    assert server.answers("done") == [200, 204]


def test_page_says_that_a_stream_is_closed(page: Page, server: Server) -> None:
    """Closing asks first; then the page says where the stream ends, takes no more records and stops reading."""
    append(create(server, "done"), 1)
    follow(page, server, "done")
    page.get_by_role("button", name="Close stream").click()
    page.keyboard.press("Escape")
    expect(page.locator("#phase")).to_have_text("Live")
    page.get_by_role("button", name="Close stream").click()
    page.get_by_role("button", name="Close it").click()
    expect(page.locator("#phase")).to_have_text("Closed")
    expect(page.locator("#rows .mark")).to_have_text([re.compile("^the stream is closed; it ends at offset ")])
    expect(page.locator("#verdict")).to_contain_text("1 record matches the log")
    expect(page.locator("#record")).to_be_disabled()
    assert 204 not in server.answers("done")


def test_delete_asks_first(page: Page, server: Server) -> None:
    """Deleting is two steps, and every other page that reads the stream says what happened."""
    url = create(server, "old")
    follow(page, server, "old")
    other = page.context.new_page()
    follow(other, server, "old")
    page.get_by_role("button", name="Delete stream").click()
    page.get_by_role("button", name="Keep it").click()
    assert httpx2.head(url).status_code == 200
    page.get_by_role("button", name="Delete stream").click()
    page.get_by_role("button", name="Delete it").click()
    expect(page.locator("#overview")).to_be_visible()
    expect(page.locator("#streams")).to_be_empty()
    assert httpx2.head(url).status_code == 404
    expect(other.locator("#phase")).to_have_text("Stopped")
    expect(other.locator("#rows .mark.bad")).to_contain_text("deleted or has expired")


def test_bad_json_is_not_sent(page: Page, server: Server) -> None:
    """What is no JSON is refused in the page, with the place of the mistake, and stays to be corrected."""
    url = create(server, "log")
    follow(page, server, "log")
    page.locator("#record").fill('{"open": ')
    page.keyboard.press("Enter")
    expect(page.locator("#append-note")).to_contain_text("This is not JSON")
    expect(page.locator("#record")).to_have_value('{"open": ')
    page.locator("#record").press("End")
    page.keyboard.type("1}")
    page.keyboard.press("Enter")
    expect(page.locator("#rows .data")).to_have_text(['{"open": 1}'])
    assert httpx2.get(url).json() == [{"open": 1}]


def test_refusals_come_with_advice(page: Page, server: Server) -> None:
    """An error of the server is shown with what happened and what to do."""
    create(server, "taken", "text/plain")
    follow(page, server, "taken")
    page.get_by_label("New stream").fill("taken")
    page.keyboard.press("Enter")
    expect(page.locator("#create-note")).to_have_text(
        re.compile("differs in its content type.*Use the same content type")
    )
    page.route(
        "**/v1/stream/taken", lambda route: route.continue_(headers={**route.request.headers, "content-type": "a/b"})
    )
    page.locator("#record").fill("some text")
    page.keyboard.press("Enter")
    expect(page.locator("#append-note")).to_contain_text("Send the Content-Type that HEAD returns")
    expect(page.locator("#record")).to_have_value("some text")
    page.goto(f"{server.url}/#nowhere")
    expect(page.locator("#rows .mark.bad")).to_contain_text("Create it with PUT")


@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
def test_records_are_shown_as_text(page: Page, server: Server, content_type: str) -> None:
    """Markup in a record, a path or an error is text, and nothing in the page breaks its own policy."""
    violations = watch_violations(page)
    dialogs: list[Dialog] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog))
    attack = '<img src=x onerror="alert(1)"><script>alert(2)<\\/script>'
    path = "<img src=x onerror=alert(3)>"
    url = create(server, path, content_type)
    shown = json.dumps(attack) if content_type == "application/json" else attack
    httpx2.post(url, content=shown.encode(), headers={"content-type": content_type}).raise_for_status()
    follow(page, server, path)
    expect(page.locator("#rows .data")).to_have_text([shown])
    expect(page.locator("#path")).to_have_text(path)
    expect(page.get_by_role("link", name=path)).to_be_visible()
    page.locator("#check").click()
    expect(page.locator("#verdict")).to_contain_text("match")
    assert page.locator("img").count() == 0
    assert (violations, dialogs) == ([], [])
    # The policy does hold, and a violation would have been seen.
    page.evaluate("document.querySelector('#rows').innerHTML = '<img src=data:, onerror=alert(4)>'")
    expect(page.locator("img")).to_have_count(1)
    page.evaluate("new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)))")
    assert any(violation.startswith("policy: script-src") for violation in violations)
    assert dialogs == []


def test_a_key_of_the_record_names_the_event(page: Page, server: Server) -> None:
    """With `?event=type` a page listens for the names it wants; records without a name stay messages."""
    url = create(server, "feed")
    collect(page, server, "feed", "?event=type")
    page.evaluate("source.addEventListener('price', event => seen.push(['price', event.data]))")
    append(
        url,
        {"type": "price", "eur": 1},
        {"type": "news"},
        {"eur": 2},
        {"type": "price", "eur": 3},
        {"type": "stream-closed"},
    )
    page.wait_for_function("seen.length === 4", timeout=PATIENCE)
    assert page.evaluate("seen.map(([name, data]) => [name === 'price', data])") == [
        [True, '{"type":"price","eur":1}'],
        [False, '{"eur":2}'],
        [True, '{"type":"price","eur":3}'],
        [False, '{"type":"stream-closed"}'],
    ]
    assert page.evaluate("ended") is False


def test_text_with_lines_arrives_whole(page: Page, server: Server) -> None:
    """Line breaks, leading spaces and characters cut between appends arrive as they were."""
    url = create(server, "answer", "text/plain")
    collect(page, server, "answer")
    for part in (b" two\n\nlines\n", "\N{SNOWMAN}".encode()[:1], "\N{SNOWMAN}".encode()[1:], b"end"):
        httpx2.post(url, content=part, headers={"content-type": "text/plain"}).raise_for_status()
    page.wait_for_function("seen.map(([, data]) => data).join('').endsWith('end')", timeout=PATIENCE)
    assert page.evaluate("seen.map(([, data]) => data).join('')") == " two\n\nlines\n\N{SNOWMAN}end"
    follow(page, server, "answer")
    expect(page.locator("#rows .data").last).to_have_text("end")
    page.locator("#check").click()
    expect(page.locator("#verdict")).to_contain_text("13 characters match the log")


def test_words_are_explained_where_they_stand(page: Page, server: Server) -> None:
    """By a pointer, a tap or the keyboard; the state of a stream says what it means, too."""
    create(server, "log")
    follow(page, server, "log")
    page.locator("#columns").get_by_text("Offset").click()
    expect(page.locator("#meaning")).to_contain_text("The place in the log behind the record")
    expect(page.locator("#meaning")).to_be_in_viewport(ratio=1)
    page.keyboard.press("Escape")
    expect(page.locator("#meaning")).to_be_hidden()
    page.locator("#state").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#meaning")).to_have_text("What is appended appears here at once.")
    page.goto(f"{server.url}/#/")
    for title in page.locator(".tile h3").all():
        expect(title).to_have_attribute("title", re.compile(r"\w+ \w+"))


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_no_width_needs_sideways_scrolling(page: Page, server: Server, width: int) -> None:
    """From a phone to a wide screen everything is reachable by scrolling down only."""
    append(create(server, "long/path/" + "x" * 80), {"word": "y" * 300})
    page.set_viewport_size({"width": width, "height": 740})
    page.goto(server.url)
    page.get_by_role("link", name="long/path").click()
    expect(page.locator("#rows .data")).to_be_visible()
    for name in ("Close stream", "Delete stream", "Append"):
        expect(page.get_by_role("button", name=re.compile(f"^{name.split()[0]}"))).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate("document.querySelector('#log').scrollWidth === document.querySelector('#log').clientWidth")


def test_page_works_below_a_prefix(page: Page, mounted_server: Server) -> None:
    """Mounted in another application, the page finds its streams below the place where it is."""
    violations = watch_violations(page)
    page.goto(f"{mounted_server.url}{PREFIX}/")
    page.get_by_label("New stream").fill("jobs/7")
    page.keyboard.press("Enter")
    page.locator("#record").fill('"mounted"')
    page.keyboard.press("Enter")
    expect(page.locator("#rows .data")).to_have_text(['"mounted"'])
    assert httpx2.get(f"{mounted_server.url}{PREFIX}/v1/stream/jobs/7").json() == ["mounted"]
    assert violations == []
