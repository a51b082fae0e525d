"""The pages of the examples, in Chromium."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Page, expect
from tests.support.processes import ServerProcess

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[2] / "examples"


@contextmanager
def application(name: str, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServerProcess]:
    monkeypatch.setenv(store, f"sqlite:{tmp_path}/example.db")
    app = ServerProcess([sys.executable, str(EXAMPLES / name)], health="/openapi.json")
    monkeypatch.setenv("PORT", str(app.port))
    with app:
        yield app


def test_two_tabs_of_an_inbox_count_the_same(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with application("inbox.py", "INBOX_STORE", tmp_path, monkeypatch) as app:
        other = page.context.new_page()
        for tab in (page, other):
            tab.goto(f"{app.url}/as/ada")
        for count in ("1", "2"):
            page.get_by_role("button").click()
            for tab in (page, other):
                expect(tab.locator("#count")).to_have_text(count)
        other.locator("li").first.click()
        for tab in (page, other):
            expect(tab.locator("#count")).to_have_text("1")
        page.reload()
        expect(page.locator("#count")).to_have_text("1")
        other.close()


def test_the_table_of_prices_is_whole(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with application("prices.py", "PRICES_STORE", tmp_path, monkeypatch) as app:
        page.goto(app.url)
        expect(page.locator("tr")).to_have_count(100)
        cells = page.locator("tr").all_inner_texts()
        expect(page.locator("table")).not_to_have_text("".join(cells).replace("\t", ""))  # it moves


def test_a_room_scrolls_back_and_shows_edits(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of 120 messages once and in order; an edit is shown wherever its message is met."""
    with application("room.py", "ROOM_STORE", tmp_path, monkeypatch) as app, httpx2.Client(base_url=app.url) as client:
        page.goto(f"{app.url}/#lobby")
        for number in range(120):
            client.post("/rooms/lobby", json={"by": "ada", "text": f"m{number}"}).raise_for_status()
        expect(page.locator("li")).to_have_count(120)
        first = client.get("/streams/rooms/lobby").json()[0]["id"]
        client.post("/rooms/lobby", json={"by": "ada", "text": "edited", "edits": first}).raise_for_status()
        expect(page.locator("li").first).to_have_text("ada: edited")
        page.reload()
        expect(page.locator("li")).to_have_count(49)  # and the edit
        for count in (99, 120):
            page.evaluate("list.scrollTop = 1000")
            page.evaluate("list.scrollTop = 0")
            expect(page.locator("li")).to_have_count(count)
        texts = page.locator("li").all_inner_texts()
        assert texts == ["ada: edited", *(f"ada: m{number}" for number in range(1, 120))]


def test_a_sidebar_of_chats_is_the_same_in_two_tabs(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One connection tells all chats; an answer is shown while it is written, and again after a crash."""
    with application("sidebar.py", "SIDEBAR_STORE", tmp_path, monkeypatch) as app:
        other = page.context.new_page()
        for tab in (page, other):
            tab.goto(app.url)
        page.get_by_placeholder("Ask").fill("first")
        page.keyboard.press("Enter")
        expect(other.locator("#list a.writing")).to_have_text("first")
        other.locator("#list a").click()
        for tab in (page, other):
            expect(tab.locator("section p.finished")).to_contain_text("there is to say", timeout=60_000)
        other.locator("#new").click()
        other.get_by_placeholder("Ask").fill("second")
        other.keyboard.press("Enter")
        for tab in (page, other):
            expect(tab.locator("#list a")).to_have_text(["second", "first"])
        expect(other.locator("section p")).to_contain_text("second")  # it is being told
        app.kill()
        app.start()
        for tab in (page, other):
            expect(tab.locator("#list a").first).to_have_class("lost", timeout=60_000)
        expect(other.locator("section p.lost")).to_contain_text("second")
        other.close()


def test_a_long_chat_of_the_sidebar_scrolls_back(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with application("sidebar.py", "SIDEBAR_STORE", tmp_path, monkeypatch) as app, httpx2.Client() as client:
        asked = [f"question {number}" for number in range(40)]
        for text in asked:
            client.post(f"{app.url}/chats/long", json=text).raise_for_status()
        page.goto(f"{app.url}/#long")
        expect(page.locator("section p.finished").last).to_be_attached(timeout=60_000)
        for _ in range(40):
            expect(page.locator("#list a.writing")).to_have_count(0, timeout=60_000)
            if page.locator("section").count() == 40:
                break
            page.evaluate("log.scrollTop = 1000000")
            page.evaluate("log.scrollTop = 0")
            page.wait_for_function("!busy")
        assert page.locator("section b").all_inner_texts() == asked
