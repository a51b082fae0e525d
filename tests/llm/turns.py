"""Answers of models that call tools, as each kind of source gives them.

A kind is `last`, which says "done", `FAMILY`, or `FAMILY-HOW`. The first request of a chat, whose last message is the
user's, is answered by a call of the tool `city`; every other one by `WORD`. `HOW` says more:

| how | |
| --- | --- |
| `empty` | the second answer says nothing |
| `held` | the second answer waits, behind `HELD`, until it is released |
| `server` | the program runs the tool itself, and asks the model again in the same run |
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

HELD = "It is"
WORD = "It is K\xf6ln."
INPUT = '{"of": "me"}'
CALL = "call-1"


def answers(kind: str, *, is_first: bool) -> Iterator[Any]:
    """The items of a source."""
    if kind == "last":
        yield "done"
        return
    family, _, how = kind.partition("-")
    call, say = FAMILIES[family]
    if not is_first:
        yield from say("" if how == "empty" else WORD)
        return
    yield from call()
    if how == "server":
        yield {"type": "tool-output", "id": CALL, "output": "K\xf6ln"}
        yield from say(WORD)


def _chunk(id: str, delta: Any, finish: str | None = None) -> Any:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": id, "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


def _openai_call(id: str = "c1") -> Iterator[Any]:
    function = {"name": "city", "arguments": INPUT}
    yield _chunk(id, {"role": "assistant", "tool_calls": [{"index": 0, "id": CALL, "function": function}]})
    yield _chunk(id, {}, "tool_calls")


def _openai_say(text: str, id: str = "c2") -> Iterator[Any]:
    if text:
        yield _chunk(id, {"role": "assistant", "content": text})
    yield _chunk(id, {}, "stop")


def _same_id_say(text: str) -> Iterator[Any]:
    """As of servers that give every answer the same id."""
    return _openai_say(text, "c1")


def _message(id: str, block: Any, delta: Any, reason: str) -> Iterator[Any]:
    message = {"id": id, "type": "message", "role": "assistant", "model": "m", "content": []}
    yield {"type": "message_start", "message": {**message, "usage": {"input_tokens": 1, "output_tokens": 1}}}
    if block:
        yield {"type": "content_block_start", "index": 0, "content_block": block}
        yield {"type": "content_block_delta", "index": 0, "delta": delta}
        yield {"type": "content_block_stop", "index": 0}
    yield {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 2}}
    yield {"type": "message_stop"}


def _anthropic_call() -> Iterator[Any]:
    block = {"type": "tool_use", "id": CALL, "name": "city", "input": {}}
    return _message("m1", block, {"type": "input_json_delta", "partial_json": INPUT}, "tool_use")


def _anthropic_say(text: str) -> Iterator[Any]:
    block = {"type": "text", "text": ""} if text else None
    return _message("m2", block, {"type": "text_delta", "text": text}, "end_turn")


def _response(id: str, item: Any, events: list[Any]) -> Iterator[Any]:
    response = {"id": id, "object": "response", "created_at": 1, "model": "m", "status": "in_progress", "output": []}
    yield {"type": "response.created", "response": response}
    if item:
        yield {"type": "response.output_item.added", "output_index": 0, "item": {**item, "status": "in_progress"}}
        yield from events
        yield {"type": "response.output_item.done", "output_index": 0, "item": {**item, "status": "completed"}}
    yield {"type": "response.completed", "response": {**response, "status": "completed"}}


def _responses_call() -> Iterator[Any]:
    item = {"id": "f1", "type": "function_call", "call_id": CALL, "name": "city", "arguments": INPUT}
    delta = {"type": "response.function_call_arguments.delta", "item_id": "f1", "output_index": 0, "delta": INPUT}
    return _response("r1", item, [delta])


def _responses_say(text: str) -> Iterator[Any]:
    part = {"type": "output_text", "text": text, "annotations": []}
    item = {"id": "i1", "type": "message", "role": "assistant", "content": [part]}
    delta = {"type": "response.output_text.delta", "item_id": "i1", "output_index": 0, "content_index": 0}
    return _response("r2", item if text else None, [{**delta, "delta": text}])


def _parts_call() -> Iterator[Any]:
    yield {"type": "tool-ready", "id": CALL, "name": "city", "input": {"of": "me"}}


def _text_say(text: str) -> Iterator[Any]:
    yield from (word for word in (text[: len(HELD)], text[len(HELD) :]) if word)


FAMILIES: dict[str, tuple[Any, Any]] = {
    "openai": (_openai_call, _openai_say),
    "sameid": (_openai_call, _same_id_say),
    "anthropic": (_anthropic_call, _anthropic_say),
    "responses": (_responses_call, _responses_say),
    "text": (_parts_call, _text_say),
}
#: Every kind.
KINDS = [f"{family}{how}" for family in FAMILIES for how in ("", "-empty", "-server")]
