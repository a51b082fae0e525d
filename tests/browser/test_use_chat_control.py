"""`useChat` of the AI SDK 6 and 7 in Chromium before our routes, and before the AI SDK's own server functions on Node.

Rule: what a page asks for, and what it shows in the end, is the same: requests and messages field by field, but for the
ids that servers make. Stop and state are ours alone, and not here. With `-rP` the row of each scenario is shown.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httpx2
import pytest
from playwright.sync_api import BrowserContext, Page, TimeoutError
from tests.browser.test_use_chat import PACKAGES
from tests.llm.clients.node import HERE, NODE
from tests.support.processes import ServerProcess, running

ROOT = Path(__file__).parents[2]
Json = dict[str, Any]

pytestmark = pytest.mark.slow
_chats = count()
QUIET = ["--log-level=warning"]


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, ServerProcess]]:
    """Ours and the control."""
    path = os.pathsep.join([str(ROOT), *sys.path])
    ours = [sys.executable, "-m", "uvicorn", "tests.llm.clients.scenario_app:app", "--log-level", "warning"]
    app = ServerProcess(["env", f"PYTHONPATH={path}", *ours, "--port", "{port}"], health="/ready", cwd=ROOT)
    control = ServerProcess([str(NODE), str(HERE / "control.mjs"), "{port}"], health="/7/ready", cwd=HERE)
    with running(app, control):
        yield {"ours": app, "control": control}


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> dict[int, str]:
    """The page's script, with all it imports, for each version of the SDK."""
    directory = tmp_path_factory.mktemp("scripts")
    for sdk, packages in PACKAGES.items():
        aliases = [f"--alias:{name}={package}" for name, package in packages.items()]
        command = [
            str(NODE),
            "node_modules/esbuild/bin/esbuild",
            "scenario_page.mjs",
            "--bundle",
            "--log-level=warning",
        ]
        production = '--define:process.env.NODE_ENV="production"'
        subprocess.run([*command, *aliases, production, f"--outfile={directory / str(sdk)}.js"], cwd=HERE, check=True)
    return {sdk: (directory / f"{sdk}.js").read_text("utf-8") for sdk in PACKAGES}


class User:
    """Somebody with a browser before one of the servers, who uses one chat.

    Attributes:
        chat: its id.
        pages: the tabs.
    """

    def __init__(self, context: BrowserContext, server: ServerProcess, sdk: int, script: str, chat: str) -> None:
        self.chat = chat
        self.pages: list[Page] = []
        self._context = context
        self._server = server
        self._api = f"/{sdk}/api/chat"
        html = f'<!doctype html><meta charset="utf-8"><title>Chat</title><body><script>{script}</script>'
        context.route(f"{server.url}/?chat=*", lambda route: route.fulfill(body=html, content_type="text/html"))
        self.open()

    def open(self) -> None:
        """One more tab; it is the one that is used from then on."""
        page = self._context.new_page()
        self.pages.append(page)
        page.goto(f"{self._server.url}/?{urlencode({'chat': self.chat, 'api': self._api})}")
        # Who sends before the page knows that nothing is running is told that it is ready while the answer comes.
        self.until(status="ready", answered=1) if len(self.pages) == 1 else page.wait_for_function("() => window.state")

    def act(self, what: str, **how: Any) -> None:
        self.pages[-1].evaluate("([what, how]) => window.act(what, how)", [what, how])

    def send(self, text: str, **more: Any) -> None:
        self.act("send", id=f"u-{text}", text=text, **more)

    def until(self, **wanted: Any) -> None:
        self.pages[-1].wait_for_function("wanted => window.meets(wanted)", arg=wanted)

    def reload(self) -> None:
        self.pages[-1].reload()

    def release(self) -> None:
        httpx2.post(f"{self._server.url}/release/{quote(self.chat)}", timeout=60).raise_for_status()

    def seen(self) -> list[Json]:
        """What each tab asked for and shows, without the ids that the server made."""
        states = [page.evaluate("() => window.state()") for page in self.pages]
        text = json.dumps(states, sort_keys=True)
        made = [message["id"] for state in states for message in state["messages"] if message["role"] == "assistant"]
        for number, id in enumerate(dict.fromkeys(made)):
            text = text.replace(json.dumps(id), f'"answer {number}"')
        found: list[Json] = json.loads(text)
        return found


def text(user: User) -> None:
    user.send("hi", files=[{"type": "file", "mediaType": "text/plain", "url": "data:text/plain;base64,SGk="}])
    user.until(text="It ")
    user.release()
    user.until(status="ready", text="rains.")


def everything(user: User) -> None:
    user.send("hi")
    user.until(status="ready", count=2, text="rains.")


def tool_of_the_page(user: User) -> None:
    user.send("hi")
    user.until(text="In ")
    user.release()
    user.until(status="ready", text="Oslo.")
    user.send("again")
    user.until(text="In ")
    user.release()
    user.until(status="ready", count=4, text="Oslo.")


def approval(user: User) -> None:
    user.send("hi")
    user.until(status="ready", count=2)
    user.act("approve", id="a1", approved=True, reason="why not")
    user.until(text="Do")
    user.release()
    user.until(status="ready", text="Done.")


def denial(user: User) -> None:
    user.send("hi")
    user.until(status="ready", count=2)
    user.act("approve", id="a1", approved=False)
    user.until(status="ready", text="As you like.")


def agent(user: User) -> None:
    user.send("hi")
    user.until(status="ready", text="In Oslo.")


def edit_and_regenerate(user: User) -> None:
    user.send("hi")
    user.until(status="ready", text="One.")
    user.act("edit", messageId="u-hi", text="hello")
    user.until(status="ready", text="Two.")
    user.act("regenerate")
    user.until(status="ready", text="Three.")


def failure(user: User) -> None:
    user.send("hi")
    user.until(status="error", text="It ")


def reload_in_the_text(user: User) -> None:
    user.send("hi")
    user.until(text="It ")
    user.act("store_question", id=user.chat)
    user.reload()
    user.until(status="streaming", count=2, text="It ")
    user.release()
    user.until(status="ready", text="rains.")


def reload_with_a_partial_answer(user: User) -> None:
    user.send("hi")
    user.until(text="It ")
    user.act("store", id=user.chat)
    user.reload()
    user.until(status="streaming", count=2, text="It ")
    user.release()
    user.until(status="ready", text="rains.")


def reload_after_the_end(user: User) -> None:
    user.send("hi")
    user.until(status="ready", text="One.")
    user.act("store", id=user.chat)
    user.reload()
    user.until(status="ready", count=2)
    user.send("again")
    user.until(status="ready", count=4, text="Two.")


def two_tabs(user: User) -> None:
    user.send("hi")
    user.until(text="It ")
    user.act("store_question", id=user.chat)
    user.open()
    user.until(status="streaming", count=2, text="It ")
    user.release()
    user.until(status="ready", text="rains.")
    user.pages[0].wait_for_function("wanted => window.meets(wanted)", arg={"status": "ready", "text": "rains."})


def another_chat_and_back(user: User) -> None:
    user.send("hi")
    user.until(text="It ")
    user.act("store_question", id=user.chat)
    user.act("show", id=f"words-{user.chat}")
    user.until(status="ready", count=0)
    user.send("other")
    user.until(status="ready", text="One.")
    user.act("show", id=user.chat)
    user.until(status="streaming", count=2, text="It ")
    user.release()
    user.until(status="ready", text="rains.")


def reload_behind_an_approval(user: User) -> None:
    user.send("hi")
    user.until(status="ready", count=2)
    user.act("approve", id="a1", approved=True)
    user.until(text="Do")
    user.act("store_sent", id=user.chat)
    user.reload()
    user.until(status="streaming", count=2, text="Do")
    user.release()
    user.until(status="ready", text="Done.")


def reload_behind_a_tool(user: User) -> None:
    user.send("hi")
    user.until(text="In ")
    user.act("store_sent", id=user.chat)
    user.reload()
    user.until(status="streaming", count=2, text="In ")
    user.release()
    user.until(status="ready", text="Oslo.")


def reload_before_an_approval(user: User) -> None:
    user.send("hi")
    user.until(status="ready", count=2)
    user.act("store", id=user.chat)
    user.reload()
    user.until(status="ready", count=2)
    user.act("approve", id="a1", approved=True)
    user.until(text="Do")
    user.release()
    user.until(status="ready", text="Done.")


SCENARIOS: dict[str, tuple[str, Callable[[User], None]]] = {
    "a text, with a file of the user": ("text", text),
    "all kinds of parts": ("all", everything),
    "a tool of the page": ("clienttool", tool_of_the_page),
    "an approval": ("approval", approval),
    "a denial": ("denial", denial),
    "an agent of several steps": ("agent", agent),
    "an edit and a regeneration": ("words", edit_and_regenerate),
    "a failure": ("fails", failure),
    "a reload in the text": ("text", reload_in_the_text),
    "a reload with a partial answer": ("text", reload_with_a_partial_answer),
    "a reload after the end": ("words", reload_after_the_end),
    "a reload before an approval": ("approval", reload_before_an_approval),
    "a reload behind an approval": ("approval", reload_behind_an_approval),
    "a reload behind a tool": ("clienttool", reload_behind_a_tool),
    "two tabs": ("text", two_tabs),
    "another chat and back": ("text", another_chat_and_back),
}
#: Where the control forgets what it had said before the page went on, or fails; ours shows all of it.
MORE_THAN_THE_CONTROL = {
    "a reload behind a tool": "step-start text tool-city step-start text",
    "a reload behind an approval": "step-start tool-remove step-start text",
}
MAY_FAIL = {"a reload behind an approval": ("control",)}
#: How often the model is asked, where the page asks by itself.
POSTS = {"a tool of the page": 3, "an approval": 2, "a denial": 2}


@pytest.mark.parametrize("sdk", PACKAGES)
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_page_asks_and_shows_the_same(
    browser: Any, servers: dict[str, ServerProcess], scripts: dict[int, str], sdk: int, name: str
) -> None:
    kind, use = SCENARIOS[name]
    chat = f"{kind}-{next(_chats)}"
    seen = {}
    for which, server in servers.items():
        context = browser.new_context()
        context.set_default_timeout(5_000 if which in MAY_FAIL.get(name, ()) else 20_000)
        try:
            user = User(context, server, sdk, scripts[sdk], chat)
            with contextlib.suppress(TimeoutError) if which in MAY_FAIL.get(name, ()) else contextlib.nullcontext():
                use(user)
            seen[which] = user.seen()
        finally:
            context.close()
    sys.stdout.write(f"{name} | {sdk} | {' | '.join(map(_row, seen.values()))}\n")
    if name in MORE_THAN_THE_CONTROL:
        assert seen["ours"][0]["error"] is None
        parts = [part["type"] for part in seen["ours"][0]["messages"][-1]["parts"]]
        assert " ".join(parts) == MORE_THAN_THE_CONTROL[name]
        assert seen["control"][0]["messages"][-1] != seen["ours"][0]["messages"][-1]
        return
    assert seen["ours"] == seen["control"]
    posts = [request for request in seen["ours"][0]["requests"] if request["method"] == "POST"]
    assert len(posts) == POSTS.get(name, len(posts))


def _row(tabs: list[Json]) -> str:
    """What the tabs of one user asked for and show."""
    methods = [request["method"] for tab in tabs for request in tab["requests"]]
    counts = ", ".join(f"{methods.count(method)} {method}" for method in sorted(set(methods)))
    return f"{counts}; messages: {', '.join(str(len(tab['messages'])) for tab in tabs)}"
