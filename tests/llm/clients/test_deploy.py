"""`headwater llm proxy` is stopped while answers are under way: readers hear how each ends, not that it goes on."""

from __future__ import annotations

import json
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.llm.clients.conftest import proxy_server
from tests.llm.scripted import WORD, Scripted

PATIENCE = 60.0

pytestmark = pytest.mark.slow


def asked(url: str, model: str) -> Any:
    body = json.dumps({"model": model, "stream": True, "messages": []}).encode()
    headers = {"content-type": "application/json", "headwater-run": model.replace("/", "-")}
    return urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=PATIENCE)


def test_a_deploy_of_the_proxy(provider: Scripted, tmp_path: Path) -> None:
    """The answer that can finish does, the other is lost; both readers are told, and the server exits."""
    server = proxy_server(tmp_path / "log.db", provider)
    with server, ThreadPoolExecutor() as threads:
        url = f"{server.url}/v1/chat/completions"
        answers = [asked(url, model) for model in ("held/deploy", "stall/deploy")]
        begun = [_until_word(answer) for answer in answers]
        stopping = threads.submit(server.stop)
        provider.release("held/deploy")
        held, stalled = [first + answer.read() for first, answer in zip(begun, answers, strict=True)]
        assert b'"finish_reason":"stop"' in held.replace(b" ", b"") or b'"finish_reason":"tool_calls"' in held
        assert b"goes on" not in held + stalled
        assert b'"code":"lost"' in stalled
        assert stopping.result(PATIENCE) == 0


def _until_word(answer: Any) -> bytes:
    found = b""
    while WORD not in found:
        found += answer.readline()
    return found
