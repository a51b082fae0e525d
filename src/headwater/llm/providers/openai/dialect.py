"""`openai`: chunks of OpenAI's chat completions.

Told: text, refusals, thinking (as `reasoning_content`, the word of DeepSeek, vLLM and llama.cpp), calls of tools that
the client is to run, cited pages, usage. Not told, for want of a place: files, data, results of tools, steps.
An end that is no success is `{"error": {...}}` before `[DONE]`; OpenAI has no finish reason for it.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

import msgspec

from headwater.llm import parts
from headwater.llm.parts import Json
from headwater.llm.providers.builder import merge_usage
from headwater.llm.providers.dialect import DONE, End, Ending, SseDialect, frame
from headwater.llm.providers.usage import openai_usage

_REASONS: Final = {
    parts.FinishReason.STOP: "stop",
    parts.FinishReason.LENGTH: "length",
    parts.FinishReason.TOOL_CALLS: "tool_calls",
    parts.FinishReason.CONTENT_FILTER: "content_filter",
}


class OpenAI(SseDialect):
    """See the module.

    Args:
        fallback: see `SseDialect`.
        ids: see `SseDialect`.
        usage: send the tokens in a last chunk with no choices, as after `stream_options.include_usage`.
    """

    name: ClassVar[str] = "openai"
    relays: ClassVar[str] = "openai"

    def __init__(self, fallback: parts.Start | None = None, *, ids: bool = True, usage: bool = True) -> None:
        super().__init__(fallback, ids=ids)
        self._wants_usage = usage
        self._usage = parts.Usage()
        self._head = b""
        self._refusals: set[str] = set()
        self._calls: dict[str, int] = {}  # id of an open call -> its index
        self._empty_calls: set[str] = set()
        self._call_count = 0

    def state(self) -> object:
        """See `Dialect.state`."""
        return (
            super().state(),
            tuple(self._calls.items()),
            self._call_count,
            frozenset(self._empty_calls),
            frozenset(self._refusals),
            self._usage,
        )

    def _say(self, part: parts.Part) -> list[bytes]:
        match part:
            case parts.Text(id, delta):
                return self._delta({"refusal" if id in self._refusals else "content": delta})
            case parts.TextStart(id):
                if part.refusal:
                    self._refusals.add(id)
            case parts.TextEnd(id):
                self._refusals.discard(id)
            case parts.Reasoning(_, delta):
                return self._delta({"reasoning_content": delta})
            case parts.ToolStart() | parts.ToolInput() | parts.ToolReady():
                return self._say_tool(part)
            case parts.ToolOutput(id) | parts.ToolError(id):
                self._calls.pop(id, None)  # the id may be used again
                self._empty_calls.discard(id)
            case parts.Source():
                if part.url:
                    cited = {"url": part.url, "title": part.title, "start_index": 0, "end_index": 0}
                    return self._delta({"annotations": [{"type": "url_citation", "url_citation": cited}]})
            case parts.Usage():
                self._usage = merge_usage(self._usage, part)
            case parts.Finish():
                return self._finish(part)
            case parts.Error(code, message):
                return self._fail(message or code, code)
            case parts.Abort(reason):
                return self._fail(reason or Ending(End.STOPPED).told, "stopped")
            case _:
                pass
        return []

    def _say_tool(self, part: parts.ToolStart | parts.ToolInput | parts.ToolReady) -> list[bytes]:
        index = self._calls.get(part.id)
        match part:
            case parts.ToolInput(_, delta) if index is not None:
                self._empty_calls.discard(part.id)
                return self._delta({"tool_calls": [{"index": index, "function": {"arguments": delta}}]})
            case parts.ToolReady(id) if index is not None:
                del self._calls[id]
                if id not in self._empty_calls:
                    return []
                self._empty_calls.discard(id)
                text = msgspec.json.encode(part.input).decode()
                return self._delta({"tool_calls": [{"index": index, "function": {"arguments": text}}]})
            case parts.ToolReady(id) if not part.provider_executed:
                text = msgspec.json.encode(part.input).decode()
                self._call_count += 1
                return self._call(self._call_count - 1, id, part.name, text)
            case parts.ToolStart(id) if index is None and not part.provider_executed:
                self._calls[id] = self._call_count
                self._empty_calls.add(id)
                self._call_count += 1
                return self._call(self._calls[id], id, part.name, "")
            case _:
                return []

    def _call(self, index: int, id: str, name: str, arguments: str) -> list[bytes]:
        function = {"name": name, "arguments": arguments}
        return self._delta({"tool_calls": [{"index": index, "id": id, "type": "function", "function": function}]})

    def _finish(self, part: parts.Finish) -> list[bytes]:
        if self._has_finished or self._has_failed:
            return []
        self._has_finished = True
        reason = _REASONS.get(part.reason, "stop")
        blocks = self._chunk({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
        if self._wants_usage and self._usage != parts.Usage():
            blocks += self._chunk({"choices": [], "usage": openai_usage(self._usage)})
        return blocks

    def _end(self, ending: Ending) -> list[bytes]:
        blocks = self._finish(parts.Finish()) if ending.is_success else self._fail(ending.told, ending.told_code)
        return [*blocks, DONE]

    def _fail(self, message: str, code: str) -> list[bytes]:
        if self._has_failed:
            return []
        self._has_failed = True
        return [frame({"error": {"message": message, "type": "server_error", "param": None, "code": code}})]

    def _delta(self, delta: Json) -> list[bytes]:
        blocks = self._begin()
        blocks.append(self._head + msgspec.json.encode(delta) + b',"finish_reason":null}]}\n\n')
        return blocks

    def _chunk(self, fields: Json) -> list[bytes]:
        blocks = self._begin()
        blocks.append(frame({**self._identity(), **fields}))
        return blocks

    def _begin(self) -> list[bytes]:
        """The chunk with the role, before the first other one."""
        if not self._open():
            return []
        self._head = frame(self._identity())[:-3] + b',"choices":[{"index":0,"delta":'
        return self._delta({"role": "assistant", "content": ""})

    def _identity(self) -> dict[str, Any]:
        """What is the same in every chunk."""
        about = self._about
        return {
            "id": about.id or about.run,
            "object": "chat.completion.chunk",
            "created": about.created,
            "model": about.model,
        }
