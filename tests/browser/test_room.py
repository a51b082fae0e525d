"""The room of a stream on the page at `/`: two browsers see each other, and who types."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect

if TYPE_CHECKING:
    from tests.browser.conftest import Server

pytestmark = pytest.mark.slow

PATIENCE = 60_000


def create(server: Server, path: str) -> str:
    url = f"{server.url}/v1/stream/{quote(path)}"
    httpx2.put(url, headers={"content-type": "text/plain"}).raise_for_status()
    return url


def go_in(page: Page, server: Server, path: str, name: str) -> list[str]:
    """Open a stream's room under a name; gives errors of scripts and of the policy, as they come."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    page.goto(f"{server.url}/#{quote(path)}")
    expect(page.locator("#phase")).to_have_text("Live")
    page.get_by_role("button", name="Room").click()
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Your name").press("Enter")
    return found


def test_two_browsers_see_each_other(page: Page, browser: Browser, server: Server) -> None:
    """Their names, as text; who types, until it is sent; a reload is nothing; who goes is gone."""
    url = create(server, "rooms/7")
    events: list[bytes] = []
    errors = go_in(page, server, "rooms/7", "Ada <b>")
    other = browser.new_context()
    bob = other.new_page()
    errors += go_in(bob, server, "rooms/7", "Bob")
    for seen in (page, bob):
        expect(seen.locator("#members li")).to_have_text(["Ada <b>", "Bob"])
    expect(page.locator("#members .me")).to_have_text("Ada <b>")

    bob.locator("#record").press_sequentially("hi")
    expect(page.locator("#members .types")).to_have_text("Bob types…")
    bob.locator("#record").press("Enter")
    expect(page.locator("#members .types")).to_have_count(0)
    expect(page.locator("#rows .data")).to_have_text(["hi"])
    bob.locator("#record").press_sequentially("and")
    expect(page.locator("#members .types")).to_have_count(1)
    expect(page.locator("#members .types")).to_have_count(0)  # it stopped

    # The same member comes back from a reload; nobody was told that it went.
    with httpx2.stream("GET", f"{url}?presence=1&offset=now", headers={"accept": "text/event-stream"}) as told:
        text = told.iter_raw()
        events.append(next(text))
        bob.reload()
        expect(bob.locator("#phase")).to_have_text("Live")
        bob.get_by_role("button", name="Room").click()
        expect(bob.locator("#members li")).to_have_text(["Ada <b>", "Bob"])
        members = httpx2.get(f"{url}/-/presence").json()["members"]
        assert [each["state"] for each in members].count({"name": "Bob"}) == 1
        assert len(members) == 2
        bob.get_by_role("button", name="Room").click()  # goes
        expect(page.locator("#members li")).to_have_text(["Ada <b>"])
        while b'"left"' not in b"".join(events):
            events.append(next(text))
    assert b"".join(events).count(b'"left"') == 1
    assert b"".join(events).count(b'"joined"') == 0

    bob.get_by_role("button", name="Room").click()
    expect(page.locator("#members li")).to_have_text(["Ada <b>", "Bob"])
    other.close()  # without a word
    expect(page.locator("#members li")).to_have_text(["Ada <b>"])
    assert errors == []


def test_everybody_comes_back_to_a_server_that_was_killed(page: Page, browser: Browser, server: Server) -> None:
    create(server, "rooms/7")
    go_in(page, server, "rooms/7", "Ada")
    other = browser.new_context()
    bob = other.new_page()
    go_in(bob, server, "rooms/7", "Bob")
    expect(page.locator("#members li")).to_have_text(["Ada", "Bob"])
    server.restart()
    assert httpx2.get(f"{server.url}/v1/stream/rooms/7/-/presence").status_code == 200
    for seen in (page, bob):
        expect(seen.locator("#room-note")).to_have_text("", timeout=PATIENCE)
        expect(seen.locator("#members li")).to_have_text(["Ada", "Bob"], timeout=PATIENCE)
    other.close()
