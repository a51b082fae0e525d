"""What each family's items look like: an answer of every source, in which everything that all have comes."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pydantic_ai.messages import PartDeltaEvent, PartEndEvent, PartStartEvent, TextPart, TextPartDelta
from tests.llm.readers import values
from tests.llm.sample_runs import FULL, told

from headwater.llm.providers.registry import PROVIDERS, VOICES


def _message(content: str, **more: Any) -> SimpleNamespace:
    about: dict[str, Any] = {"id": "m1", "additional_kwargs": {}, "response_metadata": {}, "tool_calls": []}
    return SimpleNamespace(type="AIMessageChunk", content=content, tool_call_chunks=[], **{**about, **more})


def _raw(kind: str, **data: Any) -> SimpleNamespace:
    return SimpleNamespace(type="raw_response_event", data={"type": kind, **data})


def _chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return {"id": "c", "object": "chat.completion.chunk", "model": "m", "created": 1, "choices": [choice]}


def _pair(content: str, reason: str = "REASON_INVALID") -> Any:
    response = SimpleNamespace(process_chunk=None, finish_reason=reason, usage=None)
    proto = SimpleNamespace(id="r", model="grok")
    return response, SimpleNamespace(content=content, reasoning_content="", tool_calls=(), citations=(), proto=proto)


def _response(delta: str) -> SimpleNamespace:
    return SimpleNamespace(delta=delta, raw=None, additional_kwargs={}, message=SimpleNamespace(blocks=()))


VECTORS = Path(__file__).parents[1] / "vectors"
#: Answers of families that no dialect tells; those whose items are JSON may be in the vectors.
ANSWERS: dict[str, list[Any]] = {
    "pydantic-ai": [
        PartStartEvent(index=0, part=TextPart("Hel")),
        PartDeltaEvent(index=0, delta=TextPartDelta("lo")),
        PartEndEvent(index=0, part=TextPart("Hello")),
    ],
    "langchain": [_message("Hel"), _message("lo"), _message("", response_metadata={"finish_reason": "stop"})],
    "openai-agents": [
        _raw("response.created", response={"id": "r1", "model": "m"}),
        _raw("response.output_text.delta", item_id="i", content_index=0, output_index=0, delta="Hello"),
        _raw("response.completed", response={"id": "r1", "output": []}),
    ],
    "bedrock": [
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"delta": {"text": "Hello"}, "contentBlockIndex": 0}},
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {"messageStop": {"stopReason": "end_turn"}},
        {"metadata": {"usage": {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7}}},
    ],
    "mistral": [{"data": _chunk({"content": "Hello"})}, {"data": _chunk({}, "stop")}],
    "llama-index": [_response("Hel"), _response("lo")],
    "cohere": [
        {"type": "message-start", "id": "m", "delta": {"message": {"role": "assistant"}}},
        {"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}},
        {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "Hello"}}}},
        {"type": "content-end", "index": 0},
        {"type": "message-end", "delta": {"finish_reason": "COMPLETE"}},
    ],
    "xai": [_pair("Hel"), _pair("lo"), _pair("", "REASON_STOP")],
    "mistral-conversations": [
        {"type": "conversation.response.started", "conversation_id": "conv_1"},
        {"type": "message.output.delta", "id": "m", "content": "Hello", "model": "mistral-medium"},
        {"type": "conversation.response.done", "usage": {}},
    ],
}


def answer_of(family: str) -> list[Any]:
    """An answer as its source gives it: as its own dialect tells it, or one of those above."""
    for provider in PROVIDERS:
        if provider.source is VOICES[family] and provider.dialects:
            name = provider.dialects[0].name
            return values(name, told(name, FULL, ids=False))
    recorded = VECTORS / f"{family}.jsonl"
    if recorded.exists():
        return [json.loads(line) for line in recorded.read_bytes().splitlines()]
    assert family in ANSWERS, f"{family} has no dialect: record an answer of its source in {recorded}, an item a line"
    return ANSWERS[family]
