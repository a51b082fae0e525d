"""What a dialect has no place for is told with its last event, counted, and kept in the log."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from tests.llm.readers import array, events
from tests.llm.sample_runs import START, batch_of, told, told_late
from tests.llm.test_encoder import live

from headwater.llm.encoder import RunEncoder
from headwater.llm.parts import (
    Data,
    File,
    Finish,
    Foreign,
    Part,
    Source,
    Text,
    ToolApproval,
    ToolOutput,
    ToolReady,
)
from headwater.llm.providers.left_out import KINDS
from headwater.llm.providers.registry import DIALECTS, dialect
from headwater.protocol import cursor

#: One of each kind, two of some, and what is no loss: an output that is replaced, data that is, what goes by.
PARTS: list[Part] = [
    START,
    Text("t", "Hi"),
    File("data:image/png;base64,AAAA", "image/png"),
    File("https://f.example/a.pdf", "application/pdf"),
    Source("s1", "https://a.example", "A"),
    Source("s2", "", "B", "text/plain"),
    ToolReady("c1", "search", {}, provider_executed=True),
    ToolOutput("c1", 1, preliminary=True),
    ToolOutput("c1", 2),
    ToolReady("c2", "city", {}),
    ToolApproval("a1", "c2"),
    Data("x", 1, "d1"),
    Data("x", 2, "d1"),
    Data("gone", 3, transient=True),
    Foreign("klingon", {"type": "war"}, content=True),
    Foreign("klingon", {"type": "more war"}, content=True),
    Foreign("klingon", {"type": "beside it"}),
    Finish(),
]
LEFT_OUT: dict[str, dict[str, int]] = {
    "openai": {
        "files": 1,
        "documents": 1,
        "hosted calls": 1,
        "results": 1,
        "approvals": 1,
        "data": 1,
        "foreign": 2,
    },
    "openai-responses": {"files": 1, "data": 1, "foreign": 2},
    "anthropic": {"images": 1, "files": 1, "results": 1, "approvals": 1, "data": 1, "foreign": 2},
    "ai-sdk": {"foreign": 2},
    "ai-sdk-7": {"foreign": 2},
    "ag-ui": {"foreign": 2},
    "gemini": {"documents": 1, "hosted calls": 1, "results": 1, "approvals": 1, "data": 1, "foreign": 2},
    "gemini-array": {"documents": 1, "hosted calls": 1, "results": 1, "approvals": 1, "data": 1, "foreign": 2},
    "ollama": {
        "files": 1,
        "pages": 1,
        "documents": 1,
        "hosted calls": 1,
        "results": 1,
        "approvals": 1,
        "data": 1,
        "foreign": 2,
    },
}


def found(value: Any) -> list[Any]:
    """What stands in any object of a value as ours."""
    if isinstance(value, list):
        return [one for item in value for one in found(item)]
    if not isinstance(value, dict):
        return []
    here = [value["left_out"]] if "left_out" in value else []
    return here + [one for item in value.values() for one in found(item)]


def values(name: str, body: bytes) -> list[Any]:
    if name == "ollama":
        return [json.loads(line) for line in body.splitlines()]
    if name == "gemini-array":
        return array(body)
    return [json.loads(data) for _, data, _ in events(body) if data != "[DONE]"]


@pytest.mark.parametrize("name", LEFT_OUT)
def test_it_is_told_with_the_end_and_counted(name: str) -> None:
    """The same to who was there and to who comes late, and once."""
    for body in (told(name, PARTS), told_late(name, PARTS)):
        assert found(values(name, body)) == [LEFT_OUT[name]]
    counts: Counter[str] = Counter()
    encoder = RunEncoder(dialect(name), left_out=counts)
    encoder.encode(cursor.Data(batch_of(PARTS)), 0.0)
    assert counts == {f"{name}: {kind}": count for kind, count in LEFT_OUT[name].items()}


@pytest.mark.parametrize("name", LEFT_OUT)
def test_readers_at_one_place_are_alike(name: str) -> None:
    early, late = RunEncoder(dialect(name)), RunEncoder(dialect(name))
    live(early, PARTS[:-1])
    late.encode(cursor.Data(batch_of(PARTS[:-1], closed=False)), 0.0)
    assert early.state() == late.state()


@pytest.mark.parametrize("name", LEFT_OUT)
def test_where_nothing_is_left_out_nothing_is_told(name: str) -> None:
    assert found(values(name, told(name, [START, Text("t", "Hi"), Finish()]))) == []
    event = {"type": "tool-approval-request"} if name.startswith("ai-sdk") else {"type": "own"}
    own: list[Part] = [START, Foreign(name.removesuffix("-7").removesuffix("-array"), event, content=True), Finish()]
    assert found(values(name, told(name, own))) == []


def test_what_only_a_later_version_knows_is_left_out() -> None:
    custom: list[Part] = [START, Foreign("ai-sdk", {"type": "custom", "kind": "a.b"}, content=True), Finish()]
    assert found(values("ai-sdk", told("ai-sdk", custom))) == [{"foreign": 1}]
    assert found(values("ai-sdk-7", told("ai-sdk-7", custom))) == []


def test_every_dialect_but_those_of_the_text_alone_says_what_it_lacks() -> None:
    assert LEFT_OUT.keys() == DIALECTS.keys() - {"plain", "text", "raw"}
    assert {kind for counts in LEFT_OUT.values() for kind in counts} == KINDS
    assert b'"type":"war"' in told("raw", PARTS)
