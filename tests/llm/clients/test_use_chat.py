"""Pages with a stock `useChat({ resume: true })` before a real server: what a user sees, whatever is done to them."""

from __future__ import annotations

import json
import urllib.request
from itertools import count
from typing import Any
from urllib.parse import quote

import pytest
from tests.llm.chat_app import token
from tests.llm.clients.node import Node
from tests.support.processes import ServerProcess

TOKENS = 6
HOLD = 3
SCRIPT = {"tokens": TOKENS, "pause": 0, "hold": HOLD}
PART = "".join(map(token, range(HOLD)))
WHOLE = "".join(map(token, range(TOKENS)))
PATIENCE = 60.0

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("sdk", [6, 7])]
_chats = count()


def ask(server: ServerProcess, path: str, method: str = "GET") -> Any:
    request = urllib.request.Request(server.url + path, method=method)
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return answer.status, answer.read()


def state(server: ServerProcess, chat: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ask(server, f"/api/chat/{chat}")[1])
    return found


def begun(server: ServerProcess) -> int:
    calls: dict[str, int] = json.loads(ask(server, "/calls")[1])
    return calls["begun"]


def message(script: dict[str, Any] = SCRIPT) -> dict[str, Any]:
    return {"id": "m1", "role": "user", "parts": [{"type": "text", "text": json.dumps(script)}]}


class Page:
    """One page of one chat."""

    def __init__(self, node: Node, name: str, sdk: int, chat: str, messages: list[Any]) -> None:
        self._node = node
        self._name = name
        self.first = node.do("mount", page=name, sdk=sdk, chat=chat, messages=messages)

    def do(self, what: str, **more: Any) -> Any:
        return self._node.do(what, page=self._name, **more)

    def until(self, **wanted: Any) -> dict[str, Any]:
        seen: dict[str, Any] = self.do("until", wanted=wanted)
        assert "late" not in seen, (wanted, seen)
        return seen


class Browser:
    """Opens pages of a chat of its own.

    Attributes:
        chat: its id.
    """

    def __init__(self, node: Node, sdk: int) -> None:
        self.chat = f"chat {next(_chats)} ü"
        self.path = quote(self.chat, safe="")
        self._node = node
        self._sdk = sdk
        self._pages = count()

    def open(self, messages: list[Any] | None = None) -> Page:
        return Page(self._node, f"{self.chat} {next(self._pages)}", self._sdk, self.chat, messages or [])


@pytest.fixture
def browser(pages: Node, sdk: int) -> Browser:
    return Browser(pages, sdk)


def test_a_reload_in_the_middle(chat: ServerProcess, browser: Browser) -> None:
    """The page that comes back shows what was there at once, then the rest: one message, once, with the same id; also
    when its history has the partial answer already. A second tab shows the same meanwhile. The model is asked once."""
    before = begun(chat)
    page = browser.open()
    page.do("send", message=message())
    first = page.until(status="streaming", text=PART)
    tab = browser.open([message()])
    assert tab.until(text=PART)["id"] == first["id"]
    page.do("unmount")
    reloaded = browser.open([message()])
    partial = {"id": first["id"], "role": "assistant", "parts": [{"type": "text", "text": PART[:5], "state": "done"}]}
    restored = browser.open([message(), partial])
    pages = [tab, reloaded, restored]
    for each in pages:
        each.until(status="streaming", text=PART)
    ask(chat, f"/release/{browser.path}", "POST")
    for each in pages:
        seen = each.until(status="ready", text=WHOLE)
        assert seen["messages"] == [["user", "m1"], ["assistant", first["id"]]]
        assert (seen["texts"], seen["finishReason"], seen.get("error")) == (["done"], "stop", None)
        each.do("unmount")
    assert begun(chat) == before + 1
    assert ask(chat, f"/api/chat/{browser.path}/stream")[0] == 204
    late = browser.open(seen["raw"])
    assert late.until(status="ready", text=WHOLE)["messages"] == seen["messages"]


def test_a_stop(chat: ServerProcess, browser: Browser) -> None:
    """Every tab keeps what came, and says that it is over and not that it failed; a reload finds nothing running."""
    page = browser.open()
    page.do("send", message=message())
    page.until(status="streaming", text=PART)
    tab = browser.open([message()])
    tab.until(status="streaming", text=PART)
    assert json.loads(ask(chat, f"/api/chat/{browser.path}/stop", "POST")[1])["state"] == "stopped"
    for each in (page, tab):
        seen = each.until(status="ready")
        assert (seen["text"], seen["finishReason"], seen.get("error")) == (PART, "other", None)
    reloaded = browser.open(seen["raw"])
    assert reloaded.until(status="ready")["text"] == PART
    assert state(chat, browser.path)["state"] == "stopped"


def test_a_regeneration(chat: ServerProcess, browser: Browser) -> None:
    """Another run with another answer, in the place of the first."""
    before = begun(chat)
    page = browser.open()
    page.do("send", message=message({"tokens": 2, "pause": 0}))
    first = page.until(status="ready", text=token(0) + token(1))
    page.do("regenerate")
    page.until(status="submitted")
    second = page.until(status="ready", text=token(0) + token(1))
    assert [role for role, _ in second["messages"]] == ["user", "assistant"]
    assert second["id"] != first["id"]
    assert begun(chat) == before + 2


def test_two_sends_at_once(chat: ServerProcess, browser: Browser) -> None:
    """The same message from two tabs is one run: both show the one answer."""
    before = begun(chat)
    pages = [browser.open(), browser.open()]
    for page in pages:
        page.do("send", message=message())
    ids = {page.until(status="streaming", text=PART)["id"] for page in pages}
    ask(chat, f"/release/{browser.path}", "POST")
    for page in pages:
        seen = page.until(status="ready", text=WHOLE)
        ids.add(seen["id"])
        assert len(seen["messages"]) == 2
    assert len(ids) == 1
    assert begun(chat) == before + 1


def test_a_source_that_raises(browser: Browser) -> None:
    """The page keeps what came and shows an error; the same message again is the same run, and says the same."""
    page = browser.open()
    page.do("send", message=message({"tokens": 2, "pause": 0, "then": "raise"}))
    seen = page.until(status="error")
    assert (seen["text"], seen["error"]) == (token(0) + token(1), "the source raised OSError")


def test_the_server_is_killed(chat: ServerProcess, browser: Browser) -> None:
    """The page keeps what came and shows an error. After the restart the run is lost, and says so to whoever looks for
    it; a page that is opened then finds nothing running, and the next message is answered."""
    page = browser.open()
    page.do("send", message=message())
    first = page.until(status="streaming", text=PART)
    chat.kill()
    seen = page.until(status="error")
    page.do("unmount")
    chat.start()
    assert (seen["text"], seen["id"], seen["isError"]) == (PART, first["id"], True)
    run = state(chat, browser.path)["run"]
    assert b'"type":"error"' in ask(chat, f"/runs/{run}/stream")[1]  # ends when the lease is over
    assert state(chat, browser.path)["state"] == "lost"
    fresh = browser.open(first["raw"])
    assert fresh.until(status="ready")["text"] == PART
    assert ask(chat, f"/api/chat/{browser.path}/stream")[0] == 204
    script = {"tokens": 1, "pause": 0}
    fresh.do("send", message={**message(script), "id": "m2"})
    seen = fresh.until(status="ready", text=token(0))
    assert [role for role, _ in seen["messages"]] == ["user", "assistant", "user", "assistant"]
