"""A message of the AI SDK as the chunks that make it, for readers who do not have it: see `parts.Start.earlier`.

What a client sent is told as it was sent. What it should not have sent is left out, never an error.
"""

from __future__ import annotations

from typing import Any, Final

from headwater.llm.parts import Json

#: Fields that are no text; another type of a value is fatal to clients.
_TYPES: Final[dict[str, type]] = {"providerExecuted": bool, "preliminary": bool, "providerMetadata": dict}
#: What the chunk of a source takes over from its part.
_OF_SOURCE: Final = ("sourceId", "url", "mediaType", "title", "filename", "providerMetadata")
_NEEDED: Final = {"source-url": ("sourceId", "url"), "source-document": ("sourceId", "mediaType", "title")}


def parts_of(message: Json) -> list[Json]:
    """The parts of a message with which an answer goes on."""
    found = message.get("parts")
    if not isinstance(found, list):
        return []
    return [part for part in found if isinstance(part, dict) and isinstance(part.get("type"), str)]


def chunks_of(parts: list[Json], version: int = 6) -> list[Json]:
    """The chunks that make these parts, in whole steps, as a version of the SDK knows them.

    A page that resumes begins its message anew with the `start` of a run, whatever it has of it.
    """
    chunks: list[Json] = []
    is_in_step = False
    for number, part in enumerate(parts):
        made = [] if part["type"] == "step-start" else _chunks(part, f"earlier-{number}", version)
        if part["type"] == "step-start" or (made and not is_in_step):
            chunks += [*([{"type": "finish-step"}] if is_in_step else []), {"type": "start-step"}]
            is_in_step = True
        chunks += made
    return [*chunks, {"type": "finish-step"}] if is_in_step else chunks


def _tool_of(part: Json) -> Any:
    """The tool's name, of a call; else None."""
    kind: str = part["type"]
    return part.get("toolName") if kind == "dynamic-tool" else kind[5:] if kind.startswith("tool-") else None


def _chunks(part: Json, id: str, version: int) -> list[Json]:
    kind: str = part["type"]
    if kind in ("text", "reasoning") and isinstance(part.get("text"), str):
        start = {"type": f"{kind}-start", "id": id, **_taken(part, "providerMetadata")}
        return [
            start,
            {"type": f"{kind}-delta", "id": id, "delta": part["text"]},
            {"type": f"{kind}-end", "id": id, **_taken(part, "providerMetadata")},
        ]
    if kind in _NEEDED:
        chunk = {"type": kind, **_taken(part, *_OF_SOURCE)}
        return [chunk] if all(isinstance(part.get(name), str) for name in _NEEDED[kind]) else []
    if kind == "file" and isinstance(part.get("url"), str) and isinstance(part.get("mediaType"), str):
        return [{"type": kind, **_taken(part, "url", "mediaType", "providerMetadata")}]
    if kind.startswith("data-") and "data" in part:
        return [{"type": kind, **_taken(part, "id"), "data": part["data"]}]
    return _call(part, version) if isinstance(_tool_of(part), str) and isinstance(part.get("toolCallId"), str) else []


def _call(part: Json, version: int) -> list[Json]:
    state, call = part.get("state"), {"toolCallId": part["toolCallId"]}
    about = {**call, "toolName": _tool_of(part), **_taken(part, "providerExecuted", "title")}
    if part["type"] == "dynamic-tool":
        about["dynamic"] = True
    if isinstance(part.get("callProviderMetadata"), dict):
        about["providerMetadata"] = part["callProviderMetadata"]
    call_is_ready = {"type": "tool-input-available", **about, "input": part.get("input")}
    executed = _taken(part, "providerExecuted")
    ready = [call_is_ready, *_approval(part, version)]
    match state:
        case "output-available":
            preliminary = _taken(part, "preliminary")
            return [
                *ready,
                {"type": "tool-output-available", **call, **executed, **preliminary, "output": part.get("output")},
            ]
        case "output-error":
            return [*ready, {"type": "tool-output-error", **call, **executed, "errorText": str(part.get("errorText"))}]
        case "output-denied":
            return [*ready, {"type": "tool-output-denied", **call}]
    return ready


def _approval(part: Json, version: int) -> list[Json]:
    """The question whether a call may run, and its answer, which only version 7 has a chunk for."""
    approval = part.get("approval")
    if not isinstance(approval, dict) or not isinstance(approval.get("id"), str):
        return []
    question = {"type": "tool-approval-request", "approvalId": approval["id"], "toolCallId": part["toolCallId"]}
    approved = approval.get("approved")
    if version < 7 or not isinstance(approved, bool):
        return [question]
    answer = {"type": "tool-approval-response", "approvalId": approval["id"], "approved": approved}
    return [question, {**answer, **_taken(approval, "reason")}]


def _taken(part: Json, *names: str) -> Json:
    return {name: part[name] for name in names if isinstance(part.get(name), _TYPES.get(name, str))}
