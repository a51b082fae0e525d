"""Providers that misbehave, as every stock client sees them: what is seen is what docs/reference/dialects.md says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.llm.clients.asking import APIS, Asking, model_of
from tests.llm.clients.conftest import Proxies
from tests.llm.clients.node import Node
from tests.llm.scripted import Scripted
from tests.support.processes import ServerProcess

DOCS = Path(__file__).parents[3] / "docs" / "reference" / "dialects.md"
BEHAVIOURS = ["eof", "half", "fin", "reset", "stall", "error"]
#: What the API's SDK is called in the table.
SDKS = {"chat": "`openai`, chat", "responses": "`openai`, responses", "messages": "`anthropic`"}
LANGUAGES = {"python": "Python", "javascript": "JavaScript"}
#: The text that comes before anything goes wrong; a recorded error comes where its recording has it.
BEGINNING = "Héllo, wörld"
TEXT = f"{BEGINNING}! \u2028 😀"

pytestmark = pytest.mark.slow


def assert_in_docs(*cells: str) -> None:
    line = f"| {' | '.join(cells)} |"
    assert line in DOCS.read_text("utf-8").splitlines(), line


@pytest.mark.parametrize("way", ["transparent", "run"])
@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_through_the_proxy(proxies: Proxies, sdks: Node, language: str, api: str, way: str) -> None:
    """What came before is there in any case. With a run the user is told what happened; without, what happened above
    happens below."""
    asking = Asking(proxies, sdks, language, api)
    cells = []
    for behaviour in BEHAVIOURS:
        seen = asking.see(way, model_of(behaviour))
        if behaviour == "half":
            assert seen.text == BEGINNING[:7]
        elif behaviour != "error":
            assert seen.text == BEGINNING
        cells.append(seen.told)
    assert_in_docs(f"{SDKS[api]}, {LANGUAGES[language]}", way, *cells)


class Asked:
    """A chat's clients, each asking for a model of the provider."""

    def __init__(self, provider: Scripted, pages: Node, sdks: Node, url: str) -> None:
        self._provider = provider
        self._pages = pages
        self._sdks = sdks
        self._url = url

    def see(self, client: str, model: str) -> dict[str, Any]:
        """The text, and what is wrong; None: nothing."""
        release = f"{self._provider.url}/release/{model}"
        script = json.dumps({"upstream": model})
        if client.startswith("useChat"):
            return self._page(client, model, script)
        if client == "HttpAgent":
            url = f"{self._url}/api/chat?dialect=ag-ui"
            return self._sdks.do("agent", url=url, thread=f"{client} {model}", content=script, release=release)  # type: ignore[no-any-return]
        message = {"id": "m1", "role": "user", "content": script}
        body = {"id": f"{client} {model}", "messages": [message]}
        return self._sdks.do("plain", url=f"{self._url}/api/chat?dialect=plain", body=body, release=release)  # type: ignore[no-any-return]

    def _page(self, client: str, model: str, script: str) -> dict[str, Any]:
        page = f"{client} {model}"
        self._pages.do("mount", page=page, sdk=int(client[-1]), chat=page, messages=[])
        parts = [{"type": "text", "text": script}]
        self._pages.do("send", page=page, message={"id": "m1", "role": "user", "parts": parts})
        if model.startswith("reset"):
            self._pages.do("until", page=page, wanted={"text": BEGINNING})
            self._provider.release(model)
        good = {"status": "ready", "text": TEXT}
        wanted = good if model.startswith("good") else {"status": "error"}
        seen: dict[str, Any] = self._pages.do("until", page=page, wanted=wanted)
        self._pages.do("unmount", page=page)
        assert "late" not in seen, seen
        return seen


CLIENTS = ["useChat 6", "useChat 7", "HttpAgent", "fetch"]


@pytest.mark.parametrize("client", CLIENTS)
def test_through_a_chat(provider: Scripted, chat: ServerProcess, pages: Node, sdks: Node, client: str) -> None:
    """Whose source is the provider's SDK: what came, and the run's error in the client's place for it. For silence see
    test_silence.py."""
    asked = Asked(provider, pages, sdks, chat.url)
    seen = asked.see(client, model_of("good"))
    assert (seen["text"], seen.get("error")) == (TEXT, None)
    for behaviour in BEHAVIOURS:
        if behaviour != "stall":
            _check(behaviour, asked.see(client, model_of(behaviour)))


NAMES = {
    "eof": "ends without its last event",
    "half": "ends in half a character",
    "fin": "closes the connection",
    "reset": "resets the connection",
    "stall": "is silent",
    "error": "sends an error",
}


def _check(behaviour: str, seen: dict[str, Any]) -> None:
    """The row of the table has the message, and the code that clients which know one are told."""
    if behaviour == "half":
        assert seen["text"] == BEGINNING[:7]
    elif behaviour != "error":
        assert seen["text"] == BEGINNING
    (line,) = [line for line in DOCS.read_text("utf-8").splitlines() if line.startswith(f"| {NAMES[behaviour]} |")]
    _, code, message = line.strip("| ").split(" | ")
    assert (seen["error"], f"`{seen.get('code') or code[1:-1]}`") == (message, code)
