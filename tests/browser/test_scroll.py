"""The page at a long stream: it scrolls through all of it, and has a window of it in the document."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx2
import pytest
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from tests.browser.conftest import Server

pytestmark = pytest.mark.slow

PATIENCE = 60_000
COUNT = 3000
#: Rows that are in the document at most.
WINDOW = 600
#: Scrolls to an end of the document until nothing more comes, and gives all numbers that were seen and the most rows.
SCROLL = """
async top => {
    const log = document.querySelector("#log"), rows = document.querySelector("#rows"), seen = [];
    const frame = () => new Promise(resolve => requestAnimationFrame(resolve));
    const ends = () => top ? !document.querySelector("#start-of-log").hidden : document.querySelector("#newest").hidden;
    let most = 0;
    for (let isEnd = false; !isEnd;) {
        isEnd = ends();
        const shown = [...rows.querySelectorAll(".data")].map(node => Number(node.textContent));
        most = Math.max(most, rows.children.length);
        if (top) seen.unshift(...shown.filter(number => !(number >= seen[0])));
        else seen.push(...shown.filter(number => !(number <= seen.at(-1))));
        log.scrollTop = top ? 0 : log.scrollHeight;
        await frame();
        await frame();
    }
    return [seen, most];
}
"""


@pytest.fixture
def url(server: Server) -> str:
    """A long stream."""
    url = f"{server.url}/v1/stream/log"
    httpx2.put(url, json=list(range(COUNT))).raise_for_status()
    return url


def follow(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/#log")
    expect(page.locator("#phase")).to_have_text("Live")


def test_back_to_the_oldest_record(page: Page, server: Server, url: str) -> None:
    """Page by page each record once, a window of them at a time; what is appended meanwhile waits at the other end."""
    follow(page, server)
    expect(page.locator("#rows .data").last).to_be_in_viewport()
    expect(page.locator("#count")).to_have_text("200")
    expect(page.locator("#newest")).to_be_hidden()
    seen, most = page.evaluate(SCROLL, True)
    assert seen == list(range(COUNT))
    assert most <= WINDOW
    assert page.evaluate("document.querySelectorAll('*').length") < 10 * WINDOW
    expect(page.locator("#start-of-log")).to_be_in_viewport()
    httpx2.post(url, json=[COUNT, COUNT + 1]).raise_for_status()
    expect(page.locator("#newest")).to_have_text("Go to the newest (2 records since)")
    expect(page.locator("#rows .data").first).to_be_in_viewport()
    page.locator("#newest").click()
    expect(page.locator("#rows .data").last).to_have_text(str(COUNT + 1))
    expect(page.locator("#rows .data").last).to_be_in_viewport()
    httpx2.post(url, json=[COUNT + 2]).raise_for_status()
    expect(page.locator("#rows .data").last).to_have_text(str(COUNT + 2))
    expect(page.locator("#rows .data").last).to_be_in_viewport()
    page.locator("#check").click()
    expect(page.locator("#verdict")).to_contain_text("203 records match the log")


def test_from_the_oldest_to_the_newest(page: Page, server: Server, url: str) -> None:
    """One click to the first record, and by scrolling to the last one, where the page follows again."""
    follow(page, server)
    page.locator("#oldest").click()
    expect(page.locator("#rows .data").first).to_have_text("0")
    expect(page.locator("#rows .data").first).to_be_in_viewport()
    httpx2.post(url, json=[COUNT]).raise_for_status()
    expect(page.locator("#newest")).to_contain_text("1 record since")
    seen, most = page.evaluate(SCROLL, False)
    assert seen == list(range(COUNT + 1))
    assert most <= WINDOW
    httpx2.post(url, json=[COUNT + 1]).raise_for_status()
    expect(page.locator("#rows .data").last).to_have_text(str(COUNT + 1))


def test_what_is_read_stays_where_it_is(page: Page, server: Server, url: str) -> None:
    """Neither a page that comes before it nor new records move the row that is looked at."""
    follow(page, server)
    page.evaluate("document.querySelector('#log').scrollTop = 700")
    row = page.locator("#rows li", has_text=str(COUNT - 160))
    before = row.bounding_box()
    page.evaluate("document.querySelector('#log').scrollTop = 590")
    page.wait_for_function("() => document.querySelectorAll('#rows li').length === 400", timeout=PATIENCE)
    after = row.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(after["y"] - before["y"] - 110) < 2
    httpx2.post(url, json=list(range(300))).raise_for_status()
    expect(page.locator("#newest")).to_contain_text("Go to the newest")
    expect(page.locator("#count")).to_have_text("500")
    assert row.bounding_box() == after


@pytest.mark.parametrize("width", [800, 1280])
def test_who_follows_sees_the_last_row_whole(page: Page, server: Server, width: int) -> None:
    """Whatever else on the page takes or gives room: the note below, or the line above the oldest record."""
    url = f"{server.url}/v1/stream/log"
    httpx2.put(url, json=[{"n": number} for number in range(30)]).raise_for_status()
    page.set_viewport_size({"width": width, "height": 640})
    follow(page, server)
    log = "document.querySelector('#log')"
    at_end = f"() => {log}.scrollHeight - {log}.scrollTop - {log}.clientHeight < 2"
    page.wait_for_function(at_end, timeout=PATIENCE)
    page.evaluate("document.querySelector('#record').style.height = '200px'")
    page.wait_for_function(at_end, timeout=PATIENCE)
    expect(page.locator("#rows .data").last).to_be_in_viewport(ratio=1)


def test_the_time_is_that_of_the_append(page: Page, server: Server, url: str) -> None:
    """By the server's clock, whenever the page is opened."""
    lines = httpx2.get(f"{url}?last=1&envelope=1").text
    follow(page, server)
    shown = page.locator("#rows time").last.get_attribute("datetime")
    assert shown is not None
    assert datetime.fromisoformat(shown) == datetime.fromtimestamp(round(json.loads(lines)["at"], 3), UTC)


def test_text_comes_back_whole(page: Page, server: Server) -> None:
    """Page by page, with characters that appends and pages cut."""
    text = "".join(f"{number} \N{SNOWMAN}" for number in range(8000)).encode()
    url = f"{server.url}/v1/stream/log"
    httpx2.put(url, headers={"content-type": "text/plain"}).raise_for_status()
    for start in range(0, len(text), 1000):
        httpx2.post(url, content=text[start : start + 1000], headers={"content-type": "text/plain"}).raise_for_status()
    follow(page, server)
    page.evaluate(SCROLL, True)
    assert "".join(page.locator("#rows .data").all_text_contents()) == text.decode()
    page.locator("#check").click()
    expect(page.locator("#verdict")).to_contain_text("match the log")


def test_a_page_that_cannot_be_read_is_tried_again(page: Page, server: Server, url: str) -> None:
    """The page says why, and the next scroll asks again."""
    follow(page, server)
    page.route("**/v1/stream/log?*before=*", lambda route: route.fulfill(status=503, body="down"), times=1)
    page.evaluate("document.querySelector('#log').scrollTop = 0")
    expect(page.locator("#append-note")).to_have_class("note bad")
    page.evaluate("document.querySelector('#log').scrollTop = 1")
    page.wait_for_function("() => document.querySelectorAll('#rows li').length === 400", timeout=PATIENCE)
    expect(page.locator("#append-note")).to_contain_text("Enter appends")
