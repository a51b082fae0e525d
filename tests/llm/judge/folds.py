"""A stream's events put together, for users of `create`: by the rules of each API's documentation, not by our code."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]

#: Fields of a delta that are said whole, and again.
_WHOLE = {"id", "type", "role", "index", "format", "status"}


def value_of(text: Any) -> Any:
    """A call's arguments; a model may write what is no JSON."""
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text) if text else {}
    except ValueError:
        return text


def fold(api: str, events: Sequence[Json]) -> Json:
    """The answer that the events make."""
    return {"chat": fold_chat, "responses": fold_responses, "messages": fold_messages}[api](events)


def fold_chat(events: Sequence[Json]) -> Json:
    """A completion whose choices have `delta`, put together, in place of `message`."""
    found: Json = {}
    choices: dict[int, Json] = {}
    for event in events:
        for key, value in event.items():
            if key not in ("choices", "obfuscation") and value is not None and not (key == "id" and key in found):
                found[key] = value
        for choice in event.get("choices") or []:
            known = choices.setdefault(choice.get("index") or 0, {"delta": {}})
            known["delta"] = grown(known["delta"], choice.get("delta") or {})
            known.update({key: value for key, value in choice.items() if key != "delta" and value is not None})
    made: Json = mended({**found, "choices": [choices[index] for index in sorted(choices)]})
    return made


def mended(value: Any) -> Any:
    """Halves of surrogate pairs of two deltas are one character."""
    return json.loads(json.dumps(value))


def grown(old: Any, new: Any, key: str = "") -> Any:
    """A value of a delta, and its next piece."""
    if new is None or new == "" or new == []:
        return new if old is None else old
    if key == "arguments" and isinstance(new, dict):
        new = json.dumps(new, separators=(",", ":"))
    if key == "tool_calls" and isinstance(new, dict):
        new = [new]
    if isinstance(new, dict):
        old = old if isinstance(old, dict) else {}
        return {**old, **{name: grown(old.get(name), value, name) for name, value in new.items()}}
    if isinstance(new, list):
        return _grown_list(old if isinstance(old, list) else [], new)
    if isinstance(new, str) and isinstance(old, str) and key not in _WHOLE:
        return old + new
    return new


def _is_another(known: Json, piece: Json) -> bool:
    """A new id at the same index is another call."""
    return bool(known.get("id") and piece.get("id") and known["id"] != piece["id"])


def _grown_list(old: list[Any], new: list[Any]) -> list[Any]:
    """Pieces with the same `index` are of one thing; calls without one are told apart by their ids."""
    found = list(old)
    for piece in new:
        index = piece.get("index") if isinstance(piece, dict) else None
        places = [place for place, known in enumerate(found) if index is not None and known.get("index") == index]
        if places and not _is_another(found[places[-1]], piece):
            found[places[-1]] = grown(found[places[-1]], piece)
        else:
            found.append(grown(None, piece))
    return found


def fold_responses(events: Sequence[Json]) -> Json:
    """The response of the last event; of one that does not hold its output, with the items of the events."""
    found: Json = {}
    items: dict[int, Json] = {}
    for event in events:
        kind = event["type"].removeprefix("response.")
        if "response" in event:
            found = event["response"]
        elif kind == "error":
            found = {**found, "error": {"message": event.get("message"), "code": event.get("code")}}
        elif kind in ("output_item.added", "output_item.done"):
            items[event["output_index"]] = json.loads(json.dumps(event["item"]))
        elif kind == "content_part.added":
            items[event["output_index"]]["content"].append({**event["part"]})
        elif kind in ("output_text.delta", "refusal.delta"):
            part = items[event["output_index"]]["content"][event["content_index"]]
            name = "text" if kind == "output_text.delta" else "refusal"
            part[name] += event["delta"]
        elif kind == "output_text.annotation.added":
            part = items[event["output_index"]]["content"][event["content_index"]]
            part["annotations"] = [*part["annotations"], event["annotation"]]
    return {**found, "output": found.get("output") or [items[index] for index in sorted(items)]}


def fold_messages(events: Sequence[Json]) -> Json:
    """The message."""
    found: Json = {"content": []}
    blocks: dict[int, Json] = {}
    for event in events:
        match event["type"]:
            case "message_start":
                found = {**event["message"]}
            case "content_block_start":
                blocks[event["index"]] = {**event["content_block"]}
            case "content_block_delta":
                _grow_block(blocks[event["index"]], event["delta"])
            case "message_delta":
                usage = {key: value for key, value in event.get("usage", {}).items() if value is not None}
                found = {**found, **event["delta"], "usage": {**found["usage"], **usage}}
    for block in blocks.values():
        if text := block.pop("json", ""):
            block["input"] = value_of(text)
    return {**found, "content": [blocks[index] for index in sorted(blocks)]}


def _grow_block(block: Json, delta: Json) -> None:
    match delta["type"]:
        case "text_delta":
            block["text"] += delta["text"]
        case "thinking_delta":
            block["thinking"] += delta["thinking"]
        case "signature_delta":
            block["signature"] = delta["signature"]
        case "input_json_delta":
            block["json"] = block.get("json", "") + delta["partial_json"]
        case "citations_delta":
            block["citations"] = [*(block.get("citations") or []), delta["citation"]]
