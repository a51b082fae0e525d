"""Pages whose tools run in the browser, with `sendAutomaticallyWhen` as the SDK's documentation has it.

The model is asked twice, and there is one answer: whatever the source, and whatever it says.
"""

from __future__ import annotations

import json
import urllib.request
from itertools import count
from typing import Any
from urllib.parse import quote

import pytest
from tests.llm.clients.node import Node
from tests.llm.turns import HELD, KINDS, WORD
from tests.support.processes import ServerProcess

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("sdk", [6, 7])]
_chats = count()


def message(id: str, kind: str) -> dict[str, Any]:
    return {"id": id, "role": "user", "parts": [{"type": "text", "text": json.dumps({"turns": kind})}]}


def begun(server: ServerProcess) -> int:
    with urllib.request.urlopen(server.url + "/calls", timeout=60) as answer:
        calls: dict[str, int] = json.loads(answer.read())
        return calls["begun"]


def until(pages: Node, page: str, **wanted: Any) -> dict[str, Any]:
    seen: dict[str, Any] = pages.do("until", page=page, wanted=wanted, patience=20_000)
    assert "late" not in seen, (wanted, seen)
    return seen


@pytest.mark.parametrize("kind", KINDS)
def test_a_tool_of_the_page(chat: ServerProcess, pages: Node, sdk: int, kind: str) -> None:
    """One message, with a step for each call of the model. The next question is asked only when nothing is under way,
    so that it would be behind all requests of a page that asks without end."""
    name, before = f"tools {next(_chats)}", begun(chat)
    pages.do("mount", page=name, sdk=sdk, chat=name, messages=[], tools=True)
    pages.do("send", page=name, message=message("m1", kind))
    is_empty, is_server = kind.endswith("-empty"), kind.endswith("-server")
    steps = "step-start tool-city step-start" + ("" if is_empty else " text")
    first = until(pages, name, status="ready", steps=steps, text="" if is_empty else WORD)
    assert [tool["state"] for tool in first["tools"]] == ["output-available"]
    assert [role for role, _ in first["messages"]] == ["user", "assistant"]
    pages.do("send", page=name, message={**message("m2", kind), "parts": [{"type": "text", "text": LAST}]})
    second = until(pages, name, status="ready", text="done")
    assert [role for role, _ in second["messages"]] == ["user", "assistant", "user", "assistant"]
    assert second["messages"][:2] == first["messages"]
    assert begun(chat) == before + (1 if is_server else 2) + 1
    pages.do("unmount", page=name)


def test_a_page_that_comes_while_the_answer_goes_on(chat: ServerProcess, pages: Node, sdk: int) -> None:
    """It has what was there when the tool had run, or nothing, and shows what the first page shows: one message, with
    the tool's call, its output and the text."""
    name = f"held {next(_chats)}"
    pages.do("mount", page=name, sdk=sdk, chat=name, messages=[], tools=True)
    pages.do("send", page=name, message=message("m1", "text-held"))
    seen = until(pages, name, status="streaming", text=HELD)
    with_tool = [part for part in seen["raw"][1]["parts"] if part["type"] != "text"][:2]
    histories = [seen["raw"], [seen["raw"][0], {**seen["raw"][1], "parts": with_tool}], seen["raw"][:1]]
    others = [f"{name} {number}" for number in range(len(histories))]
    for other, history in zip(others, histories, strict=True):
        pages.do("mount", page=other, sdk=sdk, chat=name, messages=history, tools=True)
        until(pages, other, status="streaming", text=HELD)
    urllib.request.urlopen(
        urllib.request.Request(f"{chat.url}/release/{quote(name)}", method="POST"), timeout=60
    ).close()
    answers = [until(pages, page, status="ready", text=WORD) for page in (name, *others)]
    for answer in answers:
        assert answer["messages"] == seen["messages"]
        assert answer["steps"] == "step-start tool-city step-start text"
        assert answer["tools"] == answers[0]["tools"]
        assert answer["raw"][1]["parts"] == answers[0]["raw"][1]["parts"]
    pages.do("send", page=others[2], message={**message("m2", "last"), "parts": [{"type": "text", "text": LAST}]})
    assert len(until(pages, others[2], status="ready", text="done")["messages"]) == 4


LAST = json.dumps({"turns": "last"})
