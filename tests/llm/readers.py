"""A small reader of each dialect, written from the formats' documentation and not from our code.

A dialect without one here is read by the source of its own provider: what it tells must be what that one hears.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from headwater.llm.answer import Answer, ReasoningPiece, coalesce
from headwater.llm.parts import Part, Reasoning, Text, ToolInput, Usage
from headwater.llm.providers.wire import FORMS, WireRecogniser


class Seen(msgspec.Struct):
    """What a client has seen at the end of a body.

    Attributes:
        text: all texts.
        reasoning: all thinking.
        tools: name and input of each call whose input is complete.
        finish: the dialect's word for why the model stopped.
        error: the message of an error.
        tokens: read and written.
        done: the dialect's last event was there.
        id: of the message.
        last_id: of the last event.
    """

    text: str = ""
    reasoning: str = ""
    tools: list[tuple[str, Any]] = []
    finish: str | None = None
    error: str | None = None
    tokens: tuple[Any, Any] | None = None
    done: bool = False
    id: str | None = None
    last_id: str = ""


def events(body: bytes) -> list[tuple[str, str, str]]:
    """Name, data and last id of each event that is complete."""
    found: list[tuple[str, str, str]] = []
    name, last_id = "", ""
    data: list[str] = []
    for line in body.decode(errors="replace").replace("\r\n", "\n").split("\n")[:-1]:
        if not line:
            if data:
                found.append((name, "\n".join(data), last_id))
            name, data = "", []
            continue
        key, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if key == "event":
            name = value
        elif key == "data":
            data.append(value)
        elif key == "id":
            last_id = value
    return found


def array(body: bytes) -> list[Any]:
    """The elements of an array that are complete; it must be one if its bracket is there."""
    if body.rstrip().endswith(b"]"):
        found: list[Any] = json.loads(body)
        return found
    text, decoder = body.decode(errors="replace").lstrip().removeprefix("["), json.JSONDecoder()
    found = []
    while text := text.lstrip(", \r\n"):
        try:
            value, end = decoder.raw_decode(text)
        except ValueError:
            break
        found.append(value)
        text = text[end:]
    return found


def read(dialect: str, body: bytes) -> Seen:
    """What a client of a dialect sees."""
    seen = Seen()
    if dialect not in OF_THEIR_OWN:
        return _by_its_source(dialect, body)
    if dialect == "text":
        seen.text = body.decode()
        return seen
    inputs: dict[Any, list[str]] = {}
    if dialect == "ollama":
        for line in body.splitlines():
            _ollama(seen, json.loads(line))
        return seen
    if dialect == "gemini-array":
        for response in array(body):
            _gemini(seen, "", response, inputs)
        return seen
    for name, data, last_id in events(body):
        seen.last_id = last_id
        if data == "[DONE]":
            seen.done = True
            continue
        READERS[dialect](seen, name, json.loads(data), inputs)
    if dialect == "openai":
        seen.tools = [(pieces[0], _input("".join(pieces[1:]))) for pieces in inputs.values()]
    return seen


def _parts(dialect: str, body: bytes) -> tuple[list[Part], bool]:
    """What the provider's own source hears, and whether it was all."""
    assert dialect in FORMS, f"{dialect} has no reader here, and no source has it in its `wires`"
    recogniser = WireRecogniser(dialect)
    parts = recogniser.feed(body)
    is_complete = recogniser.is_complete
    return coalesce([*parts, *recogniser.finish()]), is_complete


def _by_its_source(dialect: str, body: bytes) -> Seen:
    parts, is_complete = _parts(dialect, body)
    answer = Answer(parts)
    return Seen(
        text=answer.text,
        reasoning="".join(piece.text for piece in answer.pieces if isinstance(piece, ReasoningPiece)),
        tools=[(tool.name, tool.ready.input) for tool in answer.tools if tool.ready],
        finish=None if answer.finish is None or answer.error else answer.finish.native,
        error=None if answer.error is None else answer.error.message,
        tokens=None if answer.usage == Usage() else (answer.usage.input_tokens, answer.usage.output_tokens),
        done=is_complete,
        id=answer.start.id,
        last_id=events(body)[-1][2] if FORMS[dialect] == "sse" and events(body) else "",
    )


def values(dialect: str, body: bytes) -> list[Any]:
    """The JSON of each event, line or element."""
    match FORMS.get(dialect):
        case "lines":
            return [json.loads(line) for line in body.splitlines()]
        case "array":
            return array(body)
    return [json.loads(data) for _, data, _ in events(body) if data != "[DONE]"]


#: What may be told in fewer, longer pieces.
_DELTAS = {
    *("text-delta", "reasoning-delta", "tool-input-delta"),
    *("TEXT_MESSAGE_CONTENT", "REASONING_MESSAGE_CONTENT", "TOOL_CALL_ARGS"),
    *("text_delta", "thinking_delta", "input_json_delta"),
    *(f"response.{kind}.delta" for kind in ("output_text", "refusal", "reasoning_text", "reasoning_summary_text")),
    "response.function_call_arguments.delta",
}


def outline(dialect: str, body: bytes) -> list[Any]:
    """All events in their order, but for deltas, outputs that the next one replaces, and what counts deltas or tokens
    on the way."""
    found = []
    if dialect not in OF_THEIR_OWN:
        heard, _ = _parts(dialect, body)
        return [part for part in heard if not isinstance(part, Text | Reasoning | ToolInput | Usage)]
    if dialect == "ollama":
        return [line for line in map(json.loads, body.splitlines()) if not _has_text(line.get("message") or {})]
    if dialect == "gemini-array":
        return [response for response in array(body) if not _is_delta("gemini", response)]
    for _, data, _ in events(body):
        event: Any = {"type": data} if data == "[DONE]" else json.loads(data)
        if _is_delta(dialect, event) or event.get("preliminary"):
            continue
        event.pop("sequence_number", None)
        if event.get("type") == "message_start":
            del event["message"]["usage"]
        found.append(event)
    return found


def _is_delta(dialect: str, event: Any) -> bool:
    if dialect == "plain":
        return "content" in event
    if dialect == "gemini" and event.get("candidates"):
        return any(map(_has_text, (event["candidates"][0].get("content") or {"parts": []})["parts"]))
    if dialect == "openai" and event.get("choices"):
        delta = event["choices"][0]["delta"]
        is_whole = not delta or delta.keys() & {"annotations", "role"}
        return not is_whole and not any(call.get("id") for call in delta.get("tool_calls", ()))
    kind = event["delta"].get("type") if event.get("type") == "content_block_delta" else event.get("type")
    return kind in _DELTAS


def _has_text(holder: Any) -> bool:
    return bool(holder.get("text") or holder.get("content") or holder.get("thinking"))


def _input(text: str) -> Any:
    """A tool's input; a model may write what is no JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _plain(seen: Seen, name: str, event: Any, inputs: Any) -> None:
    seen.text += event.get("content", "")
    seen.error = event.get("error", seen.error)


def _openai(seen: Seen, name: str, event: Any, inputs: Any) -> None:
    if event.get("error"):
        seen.error = event["error"]["message"]
        return
    assert event["object"] == "chat.completion.chunk"
    assert seen.id in (None, event["id"])
    seen.id = event["id"]
    if event.get("usage"):
        seen.tokens = event["usage"]["prompt_tokens"], event["usage"]["completion_tokens"]
    for choice in event["choices"]:
        assert seen.finish is None
        seen.finish = choice["finish_reason"]
        delta = choice["delta"]
        seen.text += delta.get("content") or delta.get("refusal") or ""
        seen.reasoning += delta.get("reasoning_content") or ""
        for call in delta.get("tool_calls") or []:
            function = call.get("function") or call["custom"]
            if call["index"] not in inputs:
                assert "id" in call
                inputs[call["index"]] = [function["name"]]
            inputs[call["index"]].append(function.get("arguments") or function.get("input") or "")


def _responses(seen: Seen, name: str, event: Any, inputs: Any) -> None:
    assert name == event["type"]
    assert event["sequence_number"] > inputs.get("last", -1)
    inputs["last"] = event["sequence_number"]
    assert not seen.done
    kind = name.removeprefix("response.")
    if kind in ("output_text.delta", "refusal.delta"):
        seen.text += event["delta"]
    elif kind in ("reasoning_text.delta", "reasoning_summary_text.delta"):
        seen.reasoning += event["delta"]
    elif kind == "output_item.done" and event["item"]["type"] in ("function_call", "custom_tool_call", "mcp_call"):
        item = event["item"]
        seen.tools.append((item["name"], _input(item.get("arguments") or item.get("input") or "null")))
    elif kind in ("created", "completed", "incomplete", "failed"):
        response = event["response"]
        seen.id = response["id"]
        if kind == "created":
            return
        seen.done, seen.finish = True, response["status"]
        seen.error = (response["error"] or {}).get("message")
        said = [part for item in response["output"] if item["type"] == "message" for part in item["content"]]
        assert "".join(part.get("text") or part.get("refusal") or "" for part in said) == seen.text
        if response["usage"]:
            seen.tokens = response["usage"]["input_tokens"], response["usage"]["output_tokens"]
    elif kind == "error":
        seen.error = event["message"]


def _anthropic(seen: Seen, name: str, event: Any, inputs: Any) -> None:
    assert name == event["type"]
    assert not seen.done
    index = event.get("index")
    if name == "message_start":
        seen.id = event["message"]["id"]
    elif name == "content_block_start":
        assert index not in inputs
        inputs[index] = [event["content_block"]]
    elif name == "content_block_delta":
        delta = event["delta"]
        seen.text += delta.get("text", "")
        seen.reasoning += delta.get("thinking", "")
        inputs[index].append(delta.get("partial_json", ""))
    elif name == "content_block_stop":
        block, *pieces = inputs[index]
        if block["type"].endswith("tool_use") and "".join(pieces):
            seen.tools.append((block["name"], _input("".join(pieces))))
    elif name == "message_delta":
        seen.finish = event["delta"]["stop_reason"]
        seen.tokens = event["usage"]["input_tokens"], event["usage"]["output_tokens"]
    elif name == "message_stop":
        seen.done = True
    elif name == "error":
        seen.error = event["error"]["message"]


def _ai_sdk(seen: Seen, name: str, event: Any, inputs: Any) -> None:
    kind = event["type"]
    assert seen.error is None
    if kind == "start":
        seen.id = event["messageId"]
    elif kind in ("text-start", "reasoning-start"):
        assert (kind[:4], event["id"]) not in inputs
        inputs[kind[:4], event["id"]] = []
    elif kind in ("text-delta", "reasoning-delta"):
        assert (kind[:4], event["id"]) in inputs
        if kind == "text-delta":
            seen.text += event["delta"]
        else:
            seen.reasoning += event["delta"]
    elif kind in ("text-end", "reasoning-end"):
        del inputs[kind[:4], event["id"]]
    elif kind == "tool-input-available":
        seen.tools.append((event["toolName"], event["input"]))
    elif kind == "error":
        seen.error = event["errorText"]
    elif kind == "finish":
        seen.finish = event.get("finishReason")
        usage = (event.get("messageMetadata") or {}).get("usage")
        seen.tokens = (usage.get("inputTokens"), usage.get("outputTokens")) if usage else None


def _ag_ui(seen: Seen, name: str, event: Any, inputs: Any) -> None:
    kind = event["type"]
    assert not seen.done
    match kind:
        case "RUN_STARTED":
            seen.id = event["runId"]
        case "TEXT_MESSAGE_START" | "REASONING_MESSAGE_START" | "TOOL_CALL_START" | "REASONING_START":
            key = kind.removesuffix("_START"), event.get("messageId") or event["toolCallId"]
            assert key not in inputs
            inputs[key] = [event.get("toolCallName", "")]
        case "TEXT_MESSAGE_CONTENT":
            assert ("TEXT_MESSAGE", event["messageId"]) in inputs
            assert event["delta"]
            seen.text += event["delta"]
        case "REASONING_MESSAGE_CONTENT":
            assert ("REASONING_MESSAGE", event["messageId"]) in inputs
            seen.reasoning += event["delta"]
        case "TOOL_CALL_ARGS":
            inputs["TOOL_CALL", event["toolCallId"]].append(event["delta"])
        case "TEXT_MESSAGE_END" | "REASONING_MESSAGE_END" | "TOOL_CALL_END" | "REASONING_END":
            name, *pieces = inputs.pop((kind.removesuffix("_END"), event.get("messageId") or event["toolCallId"]))
            if name and "".join(pieces):
                seen.tools.append((name, _input("".join(pieces))))
        case "RUN_FINISHED":
            assert not inputs
            seen.done, seen.finish = True, event["outcome"]["type"]
        case "RUN_ERROR":
            seen.done, seen.error = True, event["message"]
    if event.get("usage"):
        seen.tokens = event["usage"][0].get("inputTokens"), event["usage"][0].get("outputTokens")


def _raw(seen: Seen, name: str, event: Any, inputs: Any) -> None:
    if name == "end":
        seen.done = True
        seen.error = event.get("message")
        return
    match event["type"]:
        case "start":
            seen.id = event.get("id")
        case "text":
            seen.text += event["delta"]
        case "reasoning":
            seen.reasoning += event["delta"]
        case "tool-ready":
            seen.tools.append((event["name"], event.get("input")))
        case "finish":
            seen.finish = event.get("reason", "stop")
        case "usage":
            seen.tokens = event.get("input_tokens"), event.get("output_tokens")


def _gemini(seen: Seen, name: str, event: Any, inputs: Any) -> None:
    assert not seen.done
    if event.get("error"):
        seen.error = event["error"]["message"]
        seen.done = True
        return
    seen.id = event.get("responseId")
    for candidate in event.get("candidates") or ():
        for part in (candidate.get("content") or {"parts": []})["parts"]:
            if part.get("thought"):
                seen.reasoning += part["text"]
            else:
                seen.text += part.get("text") or ""
            if call := part.get("functionCall"):
                seen.tools.append((call["name"], call["args"]))
        if candidate.get("finishReason"):
            seen.done, seen.finish = True, candidate["finishReason"]
    if usage := event.get("usageMetadata"):
        seen.tokens = usage.get("promptTokenCount"), usage.get("candidatesTokenCount")


def _ollama(seen: Seen, line: Any) -> None:
    assert not seen.done
    if "error" in line:
        seen.error, seen.done = line["error"], True
        return
    message = line["message"]
    seen.text += message.get("content") or ""
    seen.reasoning += message.get("thinking") or ""
    seen.tools += [
        (call["function"]["name"], call["function"]["arguments"]) for call in message.get("tool_calls") or ()
    ]
    if line["done"]:
        seen.done, seen.finish = True, line["done_reason"]
        seen.tokens = (line.get("prompt_eval_count"), line["eval_count"]) if "eval_count" in line else None


READERS = {
    "gemini": _gemini,
    "plain": _plain,
    "openai": _openai,
    "openai-responses": _responses,
    "anthropic": _anthropic,
    "ai-sdk": _ai_sdk,
    "ai-sdk-7": _ai_sdk,
    "ag-ui": _ag_ui,
    "raw": _raw,
}
#: Dialects that are not read by our own code.
OF_THEIR_OWN = {*READERS, "text", "ollama", "gemini-array"}
