"""`openai`: chunks of OpenAI's chat completions.

Told: text, refusals, thinking (as `reasoning_content`, the word of DeepSeek, vLLM and llama.cpp), calls of tools that
the client is to run, cited pages, images, usage; and whatever a source of this dialect had beside it. Not told, for
want of a place: other files, data, calls that the provider runs and their results, steps.
An end that is no success is `{"error": {...}}` before `[DONE]`; OpenAI has no finish reason for it. An error of a
source of this dialect is told as it came.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import msgspec

from headwater.llm import parts
from headwater.llm.parts import Json
from headwater.llm.providers.dialect import (
    DONE,
    End,
    Ending,
    SseDialect,
    frame,
    is_told,
    object_of,
    of_provider,
    without_empty,
)
from headwater.llm.providers.figures import merged
from headwater.llm.providers.openai.told_calls import ToldCalls
from headwater.llm.providers.usage import openai_usage

_REASONS: Final = {
    parts.FinishReason.STOP: "stop",
    parts.FinishReason.LENGTH: "length",
    parts.FinishReason.TOOL_CALLS: "tool_calls",
    parts.FinishReason.CONTENT_FILTER: "content_filter",
}


class OpenAI(SseDialect):
    """A run as chunks of OpenAI's chat completions.

    Args:
        fallback: see `SseDialect`.
        ids: see `SseDialect`.
        usage: send the tokens in a last chunk with no choices, as after `stream_options.include_usage`.
    """

    name: ClassVar[str] = "openai"
    relays: ClassVar[str] = "openai"
    lacks: ClassVar[frozenset[str]] = frozenset(
        {"sealed thinking", "hosted calls", "results", "approvals", "documents", "files", "data", "foreign"}
    )
    clients: ClassVar[str] = "SDKs for chat completions"

    def __init__(self, fallback: parts.Start | None = None, *, ids: bool = True, usage: bool = True) -> None:
        super().__init__(fallback, ids=ids)
        self._wants_usage = usage
        self._usage = parts.Usage()
        self._head = b""
        self._beside: Json = {}  # fields of the provider's chunks
        self._texts: dict[str, str] = {}  # id of an open text that is no plain content -> its field
        self._thoughts: dict[str, tuple[str, ...]] = {}  # id of open thinking -> its fields, if they are not ours
        self._thinking: set[str] = set()  # open thinking of other sources that has said something
        self._has_thought = False
        self._lists: dict[str, list[Json]] = {}  # what is told in one piece
        self._calls = ToldCalls()

    def state(self) -> object:
        """See `Dialect.state`."""
        texts = tuple(self._texts.items()), tuple(self._thoughts.items()), frozenset(self._thinking), self._has_thought
        held = repr(self._beside), {name: len(items) for name, items in self._lists.items()}
        return super().state(), self._calls.state(), texts, held, self._usage

    def _say(self, part: parts.Part) -> list[bytes]:
        match part:
            case parts.Text(id, delta):
                field = self._texts.get(id)
                return self._delta({"content": delta} if field is None else _in_field(field, delta))
            case parts.TextStart() | parts.TextEnd() | parts.ReasoningStart() | parts.ReasoningEnd():
                self._open_or_close(part)
            case parts.Reasoning(id, delta):
                return self._think(id, delta)
            case parts.ToolStart() | parts.ToolInput() | parts.ToolReady() | parts.ToolOutput() | parts.ToolError():
                return [block for delta in self._calls.say(part) for block in self._delta(delta)]
            case parts.Source():
                return self._cite(part)
            case parts.File():
                return self._show(part)
            case parts.Foreign("openai", dict(chunk)):
                return self._tell_again(chunk)
            case parts.Usage():
                self._usage = merged(self._usage, part)
            case parts.Finish():
                return self._finish(part)
            case parts.Error(code, message):
                return self._fail(message or code, code, part.native and part.native.get("openai"))
            case parts.Abort(reason):
                return self._fail(reason or Ending(End.STOPPED).told, "stopped")
            case _:
                pass
        return []

    def _open_or_close(self, part: parts.TextStart | parts.TextEnd | parts.ReasoningStart | parts.ReasoningEnd) -> None:
        match part:
            case parts.TextStart(id):
                if part.refusal:
                    self._texts[id] = "refusal"
                elif of_provider(part.metadata, parts.OURS).get("fields"):
                    self._texts[id] = "blocks"
            case parts.TextEnd(id):
                self._texts.pop(id, None)
            case parts.ReasoningStart(id):
                fields = of_provider(part.metadata, parts.OURS).get("fields")
                if isinstance(fields, list) and all(isinstance(field, str) for field in fields):
                    self._thoughts[id] = tuple(fields)
            case parts.ReasoningEnd(id):
                self._thoughts.pop(id, None)
                self._thinking.discard(id)

    def _think(self, id: str, delta: str) -> list[bytes]:
        """Thinking; parts of another source are paragraphs here, where all of it is one text."""
        fields = self._thoughts.get(id)
        if fields is None and id not in self._thinking:
            self._thinking.add(id)
            delta = "\n\n" + delta if self._has_thought else delta
        self._has_thought = True
        return self._delta(_thinking(fields or ("reasoning_content",), delta))

    def _cite(self, part: parts.Source) -> list[bytes]:
        own = object_of(part.metadata, "openai", "annotation")
        if not part.url or is_told(part.metadata, self.name):
            return []
        cited = {"url": part.url, "title": part.title, "start_index": part.start or 0, "end_index": part.end or 0}
        self._lists.setdefault("annotations", []).append(own or {"type": "url_citation", "url_citation": cited})
        return []

    def _show(self, part: parts.File) -> list[bytes]:
        """An image, as OpenRouter has it; there is no place for other files."""
        own = object_of(part.metadata, "openai", "image")
        if is_told(part.metadata, self.name) or not part.media_type.startswith("image/"):
            return []
        self._lists.setdefault("images", []).append(own or {"type": "image_url", "image_url": {"url": part.url}})
        return []

    def _tell_lists(self) -> list[bytes]:
        """Citations and images, in one delta: the SDKs' helpers keep the last list, or fail at a second one."""
        lists, self._lists = self._lists, {}
        return self._delta(lists) if lists else []

    def _tell_again(self, chunk: Json) -> list[bytes]:
        """A chunk with what only this dialect has a place for; fields beside the choices stay until they are null."""
        if "choices" in chunk:
            return self._chunk(chunk)
        if chunk.keys() & {"type", "object"}:  # an event of a later version, in which nobody looks for choices in vain
            return self._chunk({"choices": [], **chunk})
        self._beside = without_empty({**self._beside, **chunk})
        opening = self._begin()
        self._head = self._head_of_deltas()
        return opening or (self._chunk({"choices": []}) if any(chunk.values()) else [])

    def _finish(self, part: parts.Finish) -> list[bytes]:
        if self._has_finished or self._has_failed:
            return []
        self._has_finished = True
        reason = _REASONS.get(part.reason) or part.native or "stop"
        if part.dialect == "openai":
            reason = part.native
        blocks = self._tell_lists()
        blocks += self._chunk(
            {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}], **self._left_out.fields()}
        )
        return blocks + self._tokens()

    def _tokens(self) -> list[bytes]:
        if not self._wants_usage or self._usage == parts.Usage():
            return []
        return self._chunk({"choices": [], "usage": openai_usage(self._usage)})

    def _end(self, ending: Ending) -> list[bytes]:
        blocks = self._finish(parts.Finish()) if ending.is_success else self._fail(ending.told, ending.told_code)
        return [*blocks, DONE]

    def _fail(self, message: str, code: str, native: Any = None) -> list[bytes]:
        if self._has_failed:
            return []
        self._has_failed = True
        left_out = self._left_out.fields()
        return [
            *self._tell_lists(),
            *(self._chunk({"choices": [], **left_out}) if left_out else []),
            *self._tokens(),
            frame({"error": native or {"message": message, "type": "server_error", "param": None, "code": code}}),
        ]

    def _delta(self, delta: Mapping[str, Any]) -> list[bytes]:
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
        self._head = self._head_of_deltas()
        return self._delta({"role": "assistant", "content": ""})

    def _head_of_deltas(self) -> bytes:
        return frame(self._identity())[:-3] + b',"choices":[{"index":0,"delta":'

    def _identity(self) -> dict[str, Any]:
        """What is the same in every chunk."""
        about = self._about
        return {
            "id": about.id or about.run,
            "object": "chat.completion.chunk",
            "created": about.created,
            "model": about.model,
            **self._beside,
        }


def _in_field(field: str, delta: str) -> Json:
    return {"content": [{"type": "text", "text": delta}]} if field == "blocks" else {field: delta}


def _thinking(fields: tuple[str, ...], delta: str) -> Json:
    """Thinking, by the words of its provider; in the content it is a block."""
    block = [{"type": "thinking", "thinking": [{"type": "text", "text": delta}]}]
    return {field: block if field == "content" else delta for field in fields}
