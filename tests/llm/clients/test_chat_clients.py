"""A stock `HttpAgent` of AG-UI and the `fetch` of the tutorials before a real server."""

from __future__ import annotations

import json
import urllib.request
from itertools import count
from typing import Any

import pytest
from tests.llm.chat_app import token
from tests.llm.clients.asking import model_of
from tests.llm.clients.node import Node
from tests.llm.scripted import Scripted
from tests.support.processes import ServerProcess

TOKENS = 6
WHOLE = "".join(map(token, range(TOKENS)))
TEXT = "H\N{LATIN SMALL LETTER E WITH ACUTE}llo, w\N{LATIN SMALL LETTER O WITH DIAERESIS}rld! \u2028 \N{GRINNING FACE}"
SCRIPT = {"tokens": TOKENS, "pause": 0}
PATIENCE = 60.0

pytestmark = pytest.mark.slow
_chats = count()


def new_chat() -> str:
    return f"client-{next(_chats)}"


def ask(server: ServerProcess, path: str, method: str = "GET") -> bytes:
    request = urllib.request.Request(server.url + path, method=method)
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        body: bytes = answer.read()
        return body


def begun(server: ServerProcess) -> int:
    calls: dict[str, int] = json.loads(ask(server, "/calls"))
    return calls["begun"]


def body(chat: str, script: dict[str, Any], id: str = "m1") -> dict[str, Any]:
    return {"id": chat, "messages": [{"id": id, "role": "user", "content": json.dumps(script)}]}


def url(server: ServerProcess, dialect: str) -> str:
    return f"{server.url}/api/chat?dialect={dialect}"


def test_an_agent_of_agui(chat: ServerProcess, sdks: Node) -> None:
    """Pointed at the chat's routes: its thread is the chat, each of its runs one run, and the same run asked again is
    the same answer, without a second call of the model."""
    thread, before = new_chat(), begun(chat)
    say = {"url": url(chat, "ag-ui"), "thread": thread}
    first = sdks.do("agent", **say, content=json.dumps(SCRIPT), run="r1")
    assert (first["text"], first["error"], first["outcome"]) == (WHOLE, None, "success")
    assert first["thread"] == thread
    assert [message["role"] for message in first["messages"]] == ["user", "assistant"]
    again = sdks.do("agent", **say, run="r1")
    assert (again["text"], again["run"]) == (WHOLE, first["run"])
    assert begun(chat) == before + 1
    assert json.loads(ask(chat, f"/api/chat/{thread}"))["run"] == first["run"]
    second = sdks.do("agent", **say, content=json.dumps(SCRIPT))
    assert second["text"] == WHOLE
    assert second["run"] != first["run"]
    assert begun(chat) == before + 2


def test_calls_of_tools_and_tokens_for_an_agent(chat: ServerProcess, sdks: Node) -> None:
    """As the provider's stream has them."""
    script = json.dumps({"upstream": model_of("good")})
    seen = sdks.do("agent", url=url(chat, "ag-ui"), thread=new_chat(), content=script)
    assert (seen["text"], seen["tokens"]) == (TEXT, 18)
    calls = [call for message in seen["messages"] for call in message.get("calls") or []]
    found = [(call["name"], json.loads(call["arguments"])) for call in calls]
    assert found == [("weather", {"city": "K\xf6ln"}), ("time", {})]


def test_an_agent_of_a_chat_that_is_stopped(chat: ServerProcess, sdks: Node) -> None:
    """The run ends as cancelled, and is no error."""
    thread = new_chat()
    seen = sdks.do(
        "agent",
        url=url(chat, "ag-ui"),
        thread=thread,
        content=json.dumps({**SCRIPT, "hold": 3}),
        stop=f"{chat.url}/api/chat/{thread}/stop",
        word=token(2),
    )
    assert (seen["text"], seen["error"], seen["outcome"]) == ("".join(map(token, range(3))), None, "cancelled")


def test_fetch_in_node(chat: ServerProcess, sdks: Node) -> None:
    """The same message again is the same run; a resumed one is told from its start, and nothing runs after the end."""
    name, before = new_chat(), begun(chat)
    first = sdks.do("plain", url=url(chat, "plain"), body=body(name, SCRIPT))
    assert (first["text"], first["done"], first.get("error")) == (WHOLE, True, None)
    assert sdks.do("plain", url=url(chat, "plain"), body=body(name, SCRIPT))["text"] == WHOLE
    assert begun(chat) == before + 1
    assert sdks.do("plain", url=f"{chat.url}/api/chat/{name}/stream?dialect=plain")["status"] == 204
    run = json.loads(ask(chat, f"/api/chat/{name}"))["run"]
    assert sdks.do("plain", url=f"{chat.url}/runs/{run}/stream?dialect=plain")["text"] == WHOLE


@pytest.mark.parametrize("dialect", ["plain", "ai-sdk", "ag-ui", "openai", "openai-responses"])
def test_silence_before_the_first_token(provider: Scripted, chat: ServerProcess, sdks: Node, dialect: str) -> None:
    """It is bridged by keepalives; the answer is whole. They are read here, and passed over by every client."""
    model = model_of("silent")
    release = f"{provider.url}/release/{model}"
    seen = sdks.do("quiet", url=url(chat, dialect), body=body(new_chat(), {"upstream": model}), release=release)
    assert seen["comments"] >= 3
    assert "w\xf6rld" not in seen["early"]
    assert "w\xf6rld" in seen["rest"]


def test_an_agent_in_silence(provider: Scripted, chat: ServerProcess, sdks: Node) -> None:
    """Three keepalives and more before the first token are nothing to it."""
    model = model_of("silent")
    thread = new_chat()
    seen = sdks.do(
        "agent",
        url=url(chat, "ag-ui"),
        thread=thread,
        content=json.dumps({"upstream": model}),
        watch=f"{chat.url}/api/chat/{thread}/stream?dialect=ag-ui",
        release=f"{provider.url}/release/{model}",
    )
    assert (seen["text"], seen["error"]) == (TEXT, None)
