"""A stock `useChat({ resume: true })` of npm in Chromium, before the ready-made routes of a real server."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Request, expect
from tests.llm.chat_app import token
from tests.llm.clients.conftest import chat_server
from tests.llm.clients.node import HERE, NODE
from tests.llm.scripted import scripted
from tests.support.processes import ServerProcess

HOLD = 30
TOKENS = 60
PART = "".join(map(token, range(HOLD))).strip()
WHOLE = "".join(map(token, range(TOKENS))).strip()
#: The model waits before this token until it is released, so that what happens meanwhile is in the middle.
QUESTION = json.dumps({"tokens": TOKENS, "pause": 0.005, "hold": HOLD})
#: npm's names of each major version, as the page imports them.
PACKAGES: dict[int, dict[str, str]] = {6: {"ai": "ai6", "@ai-sdk/react": "ai6-react"}, 7: {}}

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("sdk", PACKAGES)]
_chats = count()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """The ready-made routes with a scripted model."""
    with scripted() as provider, chat_server(tmp_path_factory.mktemp("chat") / "log.db", provider) as process:
        yield process


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """The page's script, with all it imports, for each version of the SDK."""
    directory = tmp_path_factory.mktemp("scripts")
    made = {}
    for sdk, packages in PACKAGES.items():
        made[sdk] = directory / f"{sdk}.js"
        aliases = [f"--alias:{name}={package}" for name, package in packages.items()]
        command = [str(NODE), "node_modules/esbuild/bin/esbuild", "chromium.mjs", "--bundle", "--log-level=warning"]
        production = '--define:process.env.NODE_ENV="production"'
        subprocess.run([*command, *aliases, production, f"--outfile={made[sdk]}"], cwd=HERE, check=True)
    return made


class Tabs:
    """Tabs of one browser, all with the same chat.

    Attributes:
        asked: requests to the routes so far: method and what follows the chat's id.
    """

    def __init__(self, context: BrowserContext, server: ServerProcess, script: Path) -> None:
        self.chat = f"chat {next(_chats)} ü"
        self.asked: Counter[str] = Counter()
        self._server = server
        self._context = context
        self._url = str(httpx2.URL(f"{server.url}/", params={"chat": self.chat}))
        source = script.read_text("utf-8")
        page = f'<!doctype html><meta charset="utf-8"><title>Chat</title><body><script>{source}</script>'
        context.route(f"{server.url}/?chat=*", lambda route: route.fulfill(body=page, content_type="text/html"))
        context.on("request", self._count)

    def open(self) -> Page:
        """One more tab."""
        page = self._context.new_page()
        page.goto(self._url)
        return page

    def release(self) -> None:
        """Let the model go on."""
        self._do("POST", f"/release/{self._id}")

    @property
    def state(self) -> dict[str, Any]:
        """The chat's run, as the server has it."""
        found: dict[str, Any] = self._do("GET", f"/api/chat/{self._id}").json()
        return found

    @property
    def begun(self) -> int:
        """How often the model was called."""
        return int(self._do("GET", "/calls").json()["begun"])

    @property
    def _id(self) -> str:
        return quote(self.chat, safe="")

    def _do(self, method: str, path: str) -> httpx2.Response:
        return httpx2.request(method, self._server.url + path, timeout=60).raise_for_status()

    def _count(self, request: Request) -> None:
        if "/api/chat" in request.url:
            self.asked[f"{request.method} {request.url.rpartition('/')[2]}"] += 1


@pytest.fixture
def tabs(context: BrowserContext, server: ServerProcess, scripts: dict[int, Path], sdk: int) -> Tabs:
    """No tab yet."""
    return Tabs(context, server, scripts[sdk])


def ask(page: Page, text: str = QUESTION) -> None:
    page.get_by_label("Question").fill(text)
    page.keyboard.press("Enter")


def answers(page: Page) -> Locator:
    return page.locator("p.assistant")


def shows(page: Page, text: str, status: str) -> str:
    """The page has one question and one answer, which is this; gives the answer's id."""
    expect(answers(page)).to_have_text([text])
    expect(page.locator("main")).to_have_attribute("data-status", status)
    expect(page.locator("p.user")).to_have_count(1)
    expect(page.get_by_role("alert")).to_have_count(0)
    return str(answers(page).get_attribute("id"))


def test_an_answer_streams(tabs: Tabs) -> None:
    """What is said is there while the model is still busy, and the rest when it comes."""
    page = tabs.open()
    ask(page)
    id = shows(page, PART, "streaming")
    assert tabs.state["state"] == "running"
    tabs.release()
    assert shows(page, WHOLE, "ready") == id
    assert tabs.state["state"] == "finished"
    assert tabs.asked["POST chat"] == 1


def test_a_refresh_in_the_middle(tabs: Tabs) -> None:
    """The page that comes back goes on with the same message, twice; nothing is there twice, and the model is asked
    once. When the answer is over there is nothing to go on with."""
    before = tabs.begun
    page = tabs.open()
    ask(page)
    id = shows(page, PART, "streaming")
    for _ in range(2):
        page.reload()
        assert shows(page, PART, "streaming") == id
    tabs.release()
    assert shows(page, WHOLE, "ready") == id
    assert tabs.begun == before + 1
    with page.expect_response(lambda response: response.url.endswith("/stream")) as resumed:
        page.reload()
    assert resumed.value.status == 204


def test_a_second_tab(tabs: Tabs) -> None:
    """It shows the same message, grows with the first, and stays when the first is closed."""
    before = tabs.begun
    first = tabs.open()
    ask(first)
    id = shows(first, PART, "streaming")
    second, third = tabs.open(), tabs.open()
    for tab in (second, third):
        assert shows(tab, PART, "streaming") == id
    first.close()
    tabs.release()
    for tab in (second, third):
        assert shows(tab, WHOLE, "ready") == id
    assert tabs.begun == before + 1


def test_a_stop_in_any_tab(tabs: Tabs) -> None:
    """Every tab keeps what came, and is ready; a refresh finds nothing running."""
    first = tabs.open()
    ask(first)
    id = shows(first, PART, "streaming")
    second = tabs.open()
    shows(second, PART, "streaming")
    second.get_by_role("button", name="Stop").click()
    for tab in (first, second):
        assert shows(tab, PART, "ready") == id
    assert tabs.state["state"] == "stopped"
    with first.expect_response(lambda response: response.url.endswith("/stream")) as resumed:
        first.reload()
    assert resumed.value.status == 204


def test_a_failure(tabs: Tabs) -> None:
    """The page keeps what came, and shows the run's error."""
    page = tabs.open()
    ask(page, json.dumps({"tokens": 2, "pause": 0, "then": "raise"}))
    expect(page.get_by_role("alert")).to_have_text("the source raised OSError")
    expect(answers(page)).to_have_text([(token(0) + token(1)).strip()])
    expect(page.locator("main")).to_have_attribute("data-status", "error")


def test_another_answer(tabs: Tabs) -> None:
    """A regeneration is another message, in the place of the first."""
    page = tabs.open()
    ask(page, json.dumps({"tokens": 2, "pause": 0}))
    said = (token(0) + token(1)).strip()
    id = shows(page, said, "ready")
    page.get_by_role("button", name="Again").click()
    expect(page.locator(f"[id={id}]")).to_have_count(0)
    assert shows(page, said, "ready") != id
