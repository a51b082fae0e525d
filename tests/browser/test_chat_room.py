"""docs/howto/chat-room.md in Chromium: two pages in one room, by a bare WebSocket and by `EventSource`."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.docs.pages import ROOT, all_blocks
from tests.support.http import call
from tests.support.processes import ServerProcess, headwater_server

pytestmark = pytest.mark.slow

PAGE = ROOT / "docs" / "howto" / "chat-room.md"
#: The files that a reader of the page saves.
FILES = ("file: room.html", "file: socket.js", "file: events.js")
ROOM = "/v1/stream/rooms/1"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """The files of the page on a server of their own, as `python -m http.server` does."""
    folder = tmp_path / "site"
    folder.mkdir()
    found = {mark: code for mark, _, code in all_blocks(PAGE)}
    for mark in FILES:
        (folder / mark.removeprefix("file: ")).write_text(found[mark])
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=folder)) as served:
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        yield f"http://localhost:{served.server_address[1]}"
        served.shutdown()
        thread.join()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with headwater_server(f"sqlite:{tmp_path}/room.db", "--drain-seconds", "0.2") as process:
        call(process, "PUT", ROOM, content_type="application/json")
        yield process


def come(page: Page, site: str, server: ServerProcess, me: str, over: str) -> None:
    page.goto(f"{site}/room.html?server=localhost:{server.port}&me={me}&over={over}")


def say(page: Page, text: str) -> None:
    page.fill("#text", text)
    page.press("#text", "Enter")


def says(page: Page, *messages: str) -> None:
    """Wait until the page shows these, and no others."""
    expect(page.locator("#messages li")).to_have_text([re.compile(f"^{re.escape(text)}$") for text in messages])


def test_two_pages_talk(page: Page, site: str, server: ServerProcess) -> None:
    """Messages, who is there, who types; markup is text; both live through a crash and a stop, and a reload."""
    other = page.context.new_page()
    come(page, site, server, "ada", "socket")
    come(other, site, server, "bob", "events")
    for each in (page, other):
        expect(each.locator("#who")).to_have_text("ada, bob")
    page.type("#text", "h")
    expect(other.locator("#typing")).to_have_text("ada is typing")
    other.type("#text", "h")
    expect(page.locator("#typing")).to_have_text("bob is typing")
    expect(other.locator("#typing")).to_have_text("ada is typing")
    say(page, "hi <b>bob</b>")
    for each in (page, other):
        says(each, "ada: hi <b>bob</b>")
    expect(other.locator("#typing")).to_have_text("")
    say(other, "hi ada")
    for each in (page, other):
        says(each, "ada: hi <b>bob</b>", "bob: hi ada")
    expect(page.locator("#typing")).to_have_text("")
    expected = {"ada: hi <b>bob</b>", "bob: hi ada"}
    for number, crashes in enumerate((True, False)):
        if crashes:
            server.kill()
        else:
            server.stop()
        # What is said without a server is said when there is one, once.
        say(page, f"a{number}")
        say(other, f"b{number}")
        server.start()
        expected |= {f"ada: a{number}", f"bob: b{number}"}
        for each in (page, other):
            expect(each.locator("#messages li")).to_have_count(len(expected))
            assert set(each.locator("#messages li").all_inner_texts()) == expected
            expect(each.locator("#who")).to_have_text("ada, bob")
    records = call(server, "GET", ROOM).json()
    assert len(records) == len(expected)
    texts = [f"{record['from']}: {record['text']}" for record in records]
    page.reload()
    says(page, *texts)
    other.close()
    expect(page.locator("#who")).to_have_text("ada")


def test_the_end_of_a_room(page: Page, site: str, server: ServerProcess) -> None:
    """Both halves are told, and come back no more."""
    other = page.context.new_page()
    come(page, site, server, "ada", "socket")
    come(other, site, server, "bob", "events")
    for each in (page, other):
        expect(each.locator("#who")).to_have_text("ada, bob")
    call(server, "POST", ROOM, stream_closed="true")
    says(page, "The room: is closed: closed")
    says(other, "The room: is closed")
