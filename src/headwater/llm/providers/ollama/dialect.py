"""`ollama`: the lines of Ollama's `/api/chat`, a JSON object each.

Told: text, thinking, calls of tools that the client is to run, images with their data, usage, and whatever a source of
this dialect had beside it. Not told, for want of a place: all else, such as images of which there is a URL only. Lines
have no ids, and silence has no line.
An end that is no success is `{"error": ...}`, which the SDK raises; nothing follows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import ClassVar, Final

import msgspec

from headwater.llm import parts
from headwater.llm.parts import Json
from headwater.llm.providers.dialect import Ending, SseDialect, of_provider
from headwater.llm.providers.figures import merged
from headwater.llm.providers.left_out import ALL

#: There are two words; others say what happened in ours.
_REASONS: Final = {parts.FinishReason.STOP: "stop", parts.FinishReason.TOOL_CALLS: "stop"}


class Ollama(SseDialect):
    """A run as lines of Ollama."""

    name: ClassVar[str] = "ollama"
    media_type: ClassVar[bytes] = b"application/x-ndjson"
    relays: ClassVar[str] = "ollama"
    lacks: ClassVar[frozenset[str]] = ALL - {"thinking", "calls"}
    has_ids: ClassVar[bool] = False
    clients: ClassVar[str] = "Ollama's SDKs"
    differs: ClassVar[Mapping[str, str]] = {
        "calls": "Inputs are objects: a text is the field `input` of one.",
        "end": "There is one word for an answer that is done and one that waits for a call's result.",
        "refusals": "The text of a refusal is told as text.",
        "tokens": "They are told with the last line, which an answer that fails does not have.",
    }

    def __init__(self, fallback: parts.Start | None = None, *, ids: bool = True) -> None:
        super().__init__(fallback, ids=ids)
        self._usage = parts.Usage()

    def state(self) -> object:
        """See `Dialect.state`."""
        return super().state(), self._usage

    def keepalive(self) -> bytes:
        """Nothing: each line is read as JSON."""
        return b""

    def _say(self, part: parts.Part) -> list[bytes]:
        if self._has_finished or self._has_failed:
            return []
        match part:
            case parts.Text(_, delta):
                return self._line({"content": delta})
            case parts.Reasoning(_, delta):
                return self._line({"content": "", "thinking": delta})
            case parts.ToolReady() if not part.provider_executed:
                value = part.input if isinstance(part.input, dict) else {"input": part.input}
                call = {"id": part.id, "function": {"name": part.name, "arguments": value}}
                return self._line({"content": "", "tool_calls": [call]})
            case parts.ToolError() if part.input is not None:  # what the model wrote, which is no object
                call = {"id": part.id, "function": {"name": part.name, "arguments": {"input": part.input}}}
                return self._line({"content": "", "tool_calls": [call]})
            case parts.File() if _image(part):
                return self._line({"content": "", "images": [_image(part)]})
            case parts.Foreign("ollama", dict(beside)):
                return self._line({"content": ""}, {"done": False, **beside})
            case parts.Usage():
                self._usage = merged(self._usage, part)
            case parts.Finish():
                return self._finish(part)
            case parts.Error(code, message):
                return self._fail(message or code)
            case parts.Abort(reason):
                return self._fail(reason or "the run was stopped")
            case _:
                pass
        return []

    def _is_left_out(self, part: parts.Part) -> bool:
        """See `SseDialect._is_left_out`: an image has a place with its data."""
        return super()._is_left_out(part) and not (isinstance(part, parts.File) and _image(part))

    def _line(self, message: Json, more: Json | None = None) -> list[bytes]:
        self._open()
        at = datetime.fromtimestamp(self._about.created, UTC).isoformat().replace("+00:00", "Z")
        said = {"role": "assistant", **message}
        line: Json = {"model": self._about.model, "created_at": at, "message": said, "done": False}
        return [_encoded(line | (more or {}))]

    def _finish(self, part: parts.Finish) -> list[bytes]:
        self._has_finished = True
        reason = part.native if part.dialect == self.name else _REASONS.get(part.reason, part.reason.value)
        counts = {"prompt_eval_count": self._usage.input_tokens, "eval_count": self._usage.output_tokens}
        known = {name: count for name, count in counts.items() if count is not None}
        tokens = of_provider(self._usage.native, self.name) or known
        last = {"done": True, "done_reason": reason, **tokens, **self._left_out.fields()}
        return self._line({"content": ""}, last)

    def _end(self, ending: Ending) -> list[bytes]:
        if ending.is_success:
            return [] if self._has_finished or self._has_failed else self._finish(parts.Finish())
        return self._fail(ending.told)

    def _fail(self, message: str) -> list[bytes]:
        if self._has_failed:
            return []
        self._has_failed = True
        return [_encoded({"error": message, **self._left_out.fields()})]


def _image(part: parts.File) -> str:
    """The data of an image; empty: it is none, or there is a URL only."""
    return part.url.partition(";base64,")[2] if part.media_type.startswith("image/") else ""


def _encoded(value: Json) -> bytes:
    return msgspec.json.encode(value) + b"\n"
