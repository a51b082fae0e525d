"""The `fetch` of the tutorials in a page, before a real server of chats."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import Page
from tests.llm.chat_app import token
from tests.llm.clients.conftest import chat_server
from tests.llm.scripted import scripted

READER = Path(__file__).parents[1] / "llm" / "clients" / "tutorial.mjs"
PART = "".join(map(token, range(3)))
WHOLE = "".join(map(token, range(6)))
SCRIPT = {"tokens": 6, "pause": 0, "hold": 3}
BEGIN = """([url, body, part]) => new Promise((resolve) => {
    const post = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    window.read(url, post, (seen) => seen.text === part && resolve(seen.text));
})"""
RESUME = """([url, release, part]) => window.read(url, {}, (seen) => {
    if (seen.text === part) void fetch(release, { method: "POST" });
})"""

pytestmark = pytest.mark.slow


def test_a_reload_in_the_middle(page: Page, tmp_path: Path) -> None:
    """The answer is whole afterwards, and of one call of the model; then there is nothing to go on with."""
    source = READER.read_text("utf-8").replace("export ", "window.read = ", 1)
    message = {"id": "m1", "role": "user", "content": json.dumps(SCRIPT)}
    with scripted() as provider, chat_server(tmp_path / "log.db", provider) as server:
        page.goto(f"{server.url}/calls")
        page.evaluate(source)
        body = {"id": "c1", "messages": [message]}
        assert page.evaluate(BEGIN, [f"{server.url}/api/chat?dialect=plain", body, PART]) == PART
        page.reload()
        page.evaluate(source)
        stream = f"{server.url}/api/chat/c1/stream?dialect=plain"
        seen = page.evaluate(RESUME, [stream, f"{server.url}/release/c1", PART])
        assert (seen["text"], seen["done"], seen.get("error")) == (WHOLE, True, None)
        assert page.evaluate("(url) => fetch(url).then((answer) => answer.status)", stream) == 204
        with urllib.request.urlopen(f"{server.url}/calls", timeout=20) as answer:
            assert json.loads(answer.read())["begun"] == 1
