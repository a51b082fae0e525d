"""The calls of a run as deltas of chat completions."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from headwater.llm import parts
from headwater.llm.parts import OURS, Json
from headwater.llm.providers.dialect import object_of, of_provider


class _Told(msgspec.Struct):
    """An open call: its index, and the field that its input has."""

    index: int
    field: str
    is_empty: bool = True


class ToldCalls:
    """Calls that the client is to run; those of the provider have no place."""

    def __init__(self) -> None:
        self._open: Final[dict[str, _Told]] = {}
        self._count = 0

    def state(self) -> object:
        """Equal for those that tell the same next."""
        return self._count, tuple((id, call.index, call.field, call.is_empty) for id, call in self._open.items())

    def say(
        self, part: parts.ToolStart | parts.ToolInput | parts.ToolReady | parts.ToolOutput | parts.ToolError
    ) -> list[Json]:
        """The deltas of a part."""
        call = self._open.get(part.id)
        match part:
            case parts.ToolStart() if call is None and not part.provider_executed:
                return self._begin(part, "")
            case parts.ToolInput(_, delta) if call is not None:
                call.is_empty = False
                return [_piece(call, delta)]
            case parts.ToolReady() if call is not None:
                del self._open[part.id]
                is_said = not call.is_empty or of_provider(part.metadata, OURS).get("empty")
                return [] if is_said else [_piece(call, _text(part.input, call.field))]
            case parts.ToolReady() if not part.provider_executed:
                text = _text(part.input, "function")
                said = self._begin(parts.ToolStart(part.id, part.name, metadata=part.metadata), text)
                del self._open[part.id]
                return said
            case parts.ToolError() if call is None and part.input is not None:  # what the model wrote
                said = self._begin(parts.ToolStart(part.id, part.name), _text(part.input, "function"))
                del self._open[part.id]
                return said
            case parts.ToolOutput() | parts.ToolError():
                self._open.pop(part.id, None)  # the id may be used again
        return []

    def _begin(self, part: parts.ToolStart, value: str) -> list[Json]:
        field = "custom" if part.text_input else "function"
        own, hints = object_of(part.metadata, "openai", "own"), of_provider(part.metadata, OURS)
        if hints.get("legacy"):
            field = "function_call"
        call = self._open[part.id] = _Told(self._count, field)
        self._count += 1
        if field == "function_call":
            return [{"function_call": {"name": part.name, "arguments": value}}]
        names = hints.get("names")
        first, *others = names if names and isinstance(names, list) else [part.name]
        said = {"name": first, "input" if field == "custom" else "arguments": value}
        opening = {**own, "index": call.index, "id": hints.get("id", part.id), "type": field, field: said}
        pieces = [{"index": call.index, field: {"name": name}} for name in others]
        return [{"tool_calls": [piece]} for piece in (opening, *pieces)]


def _piece(call: _Told, delta: str) -> Json:
    if call.field == "function_call":
        return {"function_call": {"arguments": delta}}
    said = {"input" if call.field == "custom" else "arguments": delta}
    return {"tool_calls": [{"index": call.index, call.field: said}]}


def _text(value: Any, field: str) -> str:
    """An input, which is JSON unless it is a text."""
    return value if field == "custom" and isinstance(value, str) else msgspec.json.encode(value).decode()
