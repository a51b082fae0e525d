"""A message of the AI SDK told again: as it was, to readers who do not have it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.llm.readers import events
from tests.llm.sample_runs import batch_of
from tests.llm.strategies import values

from headwater.llm.encoder import RunEncoder
from headwater.llm.parts import Finish, Start, Text
from headwater.llm.providers.ai_sdk.ui_message import chunks_of, parts_of
from headwater.llm.providers.registry import dialect
from headwater.protocol.cursor import Data

CALL = {"type": "tool-city", "toolCallId": "c", "state": "output-available", "input": {"of": 1}, "output": "K\xf6ln"}
STEP = {"type": "step-start"}
KINDS = st.sampled_from(["text", "reasoning", "tool-x", "dynamic-tool", "source-url", "file", "data-d", "step-start"])
PARTS = st.lists(st.dictionaries(st.sampled_from(["text", "state", "toolCallId", "url", "data", "input"]), values))


def kinds(chunks: list[Any]) -> str:
    return " ".join(chunk["type"] for chunk in chunks)


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ([], ""),
        ([STEP, {"type": "text", "text": "a"}], "start-step text-start text-delta text-end finish-step"),
        ([{"type": "text", "text": "a"}], "start-step text-start text-delta text-end finish-step"),
        (
            [STEP, CALL, STEP, {"type": "reasoning", "text": "b"}],
            "start-step tool-input-available tool-output-available finish-step"
            " start-step reasoning-start reasoning-delta reasoning-end finish-step",
        ),
        (
            [
                STEP,
                {**CALL, "state": "output-error", "errorText": "no"},
                {**CALL, "type": "dynamic-tool", "toolName": "x", "state": "output-denied"},
                {**CALL, "state": "input-available"},
                {"type": "source-url", "sourceId": "s", "url": "u"},
                {"type": "source-document", "sourceId": "s", "mediaType": "m", "title": "t"},
                {"type": "file", "url": "u", "mediaType": "m"},
                {"type": "data-d", "data": 1},
            ],
            "start-step tool-input-available tool-output-error tool-input-available tool-output-denied"
            " tool-input-available source-url source-document file data-d finish-step",
        ),
        ([STEP, {"type": "tool-x"}, {"type": "file"}, {"type": "text"}, {"type": "new"}], "start-step finish-step"),
    ],
)
def test_parts_as_chunks(parts: list[Any], told: str) -> None:
    """Each with what a client must have; what has not is left out."""
    assert kinds(chunks_of(parts_of({"parts": parts}))) == told


@pytest.mark.parametrize("approved", [True, False, None])
def test_an_approval_as_chunks(approved: bool | None) -> None:
    """A page that resumes begins its message anew, also with such a call; the answer is told where it can be."""
    part = {**CALL, "state": "approval-responded", "approval": {"id": "a1", "approved": approved, "reason": "r"}}
    told = "start-step tool-input-available tool-approval-request"
    assert kinds(chunks_of(parts_of({"parts": [STEP, part]}))) == f"{told} finish-step"
    answer = " tool-approval-response" if approved is not None else ""
    assert kinds(chunks_of(parts_of({"parts": [STEP, part]}), 7)) == f"{told}{answer} finish-step"


@given(PARTS, KINDS)
def test_no_message_can_break_it(parts: list[Any], kind: str) -> None:
    """Whatever a client sent."""
    found = parts_of({"parts": [*({**part, "type": kind} for part in parts), None, {"type": 1}]})
    told = kinds(chunks_of(found))
    assert told.count("start-step") == told.count("finish-step")
    assert parts_of({"parts": 1}) == parts_of({}) == []


@pytest.mark.parametrize("name", ["ai-sdk", "ai-sdk-7"])
def test_who_is_told(name: str) -> None:
    """Readers who did not ask, behind the start and before the answer; the one that asked has it."""
    start = Start(id="msg-1", run="r", earlier=[STEP, CALL])
    batch = Data(batch_of([start, Text("t", "a"), Finish()]))
    for has_earlier in (True, False):
        body = RunEncoder(dialect(name), has_earlier=has_earlier).encode(batch, 0.0)
        chunks = [json.loads(data) for _, data, _ in events(body) if data != "[DONE]"]
        earlier = "start-step tool-input-available tool-output-available finish-step "
        answer = "start-step text-start text-delta text-end finish-step finish"
        assert kinds(chunks) == f"start {'' if has_earlier else earlier}{answer}"
        assert chunks[0]["messageId"] == "msg-1"
    for other in ("plain", "openai", "ag-ui", "text"):
        assert b"K\xc3\xb6ln" not in RunEncoder(dialect(other)).encode(batch, 0.0)
