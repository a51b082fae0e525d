"""`anthropic`: the events of Anthropic's messages, each with its `event:` line.

Told: text, thinking with its signature or redacted, calls of tools, results of tools the provider ran, citations,
usage. Not told, for want of a place: files, data, results that are preliminary or of the client's tools, steps.
An end that is no success is an `error` event, which the SDKs raise; nothing follows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

import msgspec

from headwater.llm import parts
from headwater.llm.parts import Json
from headwater.llm.providers.anthropic.source import EVENTS
from headwater.llm.providers.dialect import End, Ending, SseDialect, frame, is_told, object_of, of_provider
from headwater.llm.providers.figures import merged
from headwater.llm.providers.reasons import ANTHROPIC_REASONS
from headwater.llm.providers.usage import LAST_USAGE, anthropic_usage

_REASONS: Final = {
    parts.FinishReason.STOP: "end_turn",
    parts.FinishReason.LENGTH: "max_tokens",
    parts.FinishReason.TOOL_CALLS: "tool_use",
    parts.FinishReason.CONTENT_FILTER: "refusal",
}
#: Anthropic's own word where it has one; the SDKs choose their exception by the HTTP status alone.
_ERROR_TYPES: Final = {"timeout": "timeout_error", "detached": "overloaded_error"}

_OF_A_PAGE: Final[Json] = {"type": "web_search_result_location", "cited_text": "", "encrypted_index": ""}
_OF_A_DOCUMENT: Final[Json] = {
    "type": "char_location",
    "cited_text": "",
    "document_index": 0,
    "start_char_index": 0,
    "end_char_index": 0,
    "file_id": None,
}


class Anthropic(SseDialect):
    """A run as events of Anthropic's messages."""

    name: ClassVar[str] = "anthropic"
    relays: ClassVar[str] = "anthropic"
    lacks: ClassVar[frozenset[str]] = frozenset({"results", "approvals", "images", "files", "data", "foreign"})
    clients: ClassVar[str] = "SDKs for Anthropic's messages"
    differs: ClassVar[Mapping[str, str]] = {
        "refusals": "The text of a refusal is told as text.",
        "tokens": "They cannot be left out: where the provider says none, they are 0.",
    }

    def __init__(self, fallback: parts.Start | None = None, *, ids: bool = True) -> None:
        super().__init__(fallback, ids=ids)
        self._usage = parts.Usage()
        self._blocks: dict[tuple[str, str], int] = {}  # kind and id of an open block -> its index
        self._empty_calls: set[str] = set()
        self._block_count = 0
        self._waiting: list[parts.Source] = []  # citations that came before their text

    def state(self) -> object:
        """See `Dialect.state`."""
        blocks = tuple(self._blocks.items()), self._block_count, frozenset(self._empty_calls)
        return super().state(), blocks, self._usage, len(self._waiting)

    def keepalive(self) -> bytes:
        """The `ping` that Anthropic itself sends."""
        return frame({"type": "ping"}, "ping")

    def _say(self, part: parts.Part) -> list[bytes]:
        if self._has_finished or self._has_failed:
            return []
        match part:
            case parts.Text(id, delta):
                opening = self._open_block("text", id, {"type": "text", "text": ""})
                return [*opening, self._delta("text", id, {"type": "text_delta", "text": delta})]
            case parts.TextStart(id):
                return self._open_block(
                    "text", id, {**object_of(part.metadata, "anthropic", "own"), "type": "text", "text": ""}
                )
            case parts.TextEnd(id):
                return self._close_block("text", id)
            case parts.Reasoning() | parts.ReasoningStart() | parts.ReasoningEnd():
                return self._say_reasoning(part)
            case parts.ToolStart() | parts.ToolInput() | parts.ToolReady() | parts.ToolOutput() | parts.ToolError():
                return self._say_tool(part)
            case parts.Source():
                return self._cite(part)
            case parts.Usage():
                self._usage = merged(self._usage, part)
                return []
            case parts.Finish():
                return self._finish(part)
            case parts.Error(code, message):
                return self._fail(code, message or code, of_provider(part.native, "anthropic"))
            case parts.Foreign("anthropic", dict(event)):
                return self._tell_again(event)
            case parts.Abort(reason):
                return self._fail("stopped", reason or Ending(End.STOPPED).told)
            case _:
                return []

    def _say_reasoning(self, part: parts.Reasoning | parts.ReasoningStart | parts.ReasoningEnd) -> list[bytes]:
        id = part.id
        block: Json = {"type": "thinking", "thinking": "", "signature": ""}
        match part:
            case parts.ReasoningStart():
                if part.redacted is not None:
                    block = {"type": "redacted_thinking", "data": part.redacted}
                return self._open_block("reasoning", id, block)
            case parts.Reasoning(_, delta):
                opening = self._open_block("reasoning", id, block)
                return [*opening, self._delta("reasoning", id, {"type": "thinking_delta", "thinking": delta})]
            case parts.ReasoningEnd():
                seal = []
                if part.signature and ("reasoning", id) in self._blocks:
                    seal = [self._delta("reasoning", id, {"type": "signature_delta", "signature": part.signature})]
                return [*seal, *self._close_block("reasoning", id)]

    def _say_tool(
        self, part: parts.ToolStart | parts.ToolInput | parts.ToolReady | parts.ToolOutput | parts.ToolError
    ) -> list[bytes]:
        id = part.id
        match part:
            case parts.ToolStart():
                own = object_of(part.metadata, "anthropic", "own")
                kind = own.get("type")
                if not isinstance(kind, str) or not kind.endswith("tool_use"):
                    kind = "server_tool_use" if part.provider_executed else "tool_use"
                self._empty_calls.add(id)
                return self._open_block("tool", id, {**own, "type": kind, "id": id, "name": part.name, "input": {}})
            case parts.ToolInput(_, delta):
                opening = self._open_block("tool", id, {"type": "tool_use", "id": id, "name": "unknown", "input": {}})
                self._empty_calls.discard(id)
                return [*opening, self._delta("tool", id, {"type": "input_json_delta", "partial_json": delta})]
            case parts.ToolReady():
                start = parts.ToolStart(id, part.name, part.provider_executed, metadata=part.metadata)
                opening = [] if ("tool", id) in self._blocks else self._say_tool(start)
                text = msgspec.json.encode(part.input).decode() if id in self._empty_calls else ""
                self._empty_calls.discard(id)
                whole = [self._delta("tool", id, {"type": "input_json_delta", "partial_json": text})] if text else []
                return [*opening, *whole, *self._close_block("tool", id)]
            case parts.ToolOutput():
                return [] if part.preliminary else self._say_result(id, part.metadata, {"content": part.output})
            case parts.ToolError() if part.input is not None and ("tool", id) not in self._blocks:
                return self._say_tool(parts.ToolReady(id, part.name, part.input))  # what the model wrote
            case parts.ToolError():
                self._empty_calls.discard(id)
                return [*self._close_block("tool", id), *self._say_result(id, part.metadata, {})]

    def _say_result(self, id: str, metadata: Json | None, more: Json) -> list[bytes]:
        """The block of a result that Anthropic gave; it has no place for others in an answer."""
        own, kind = object_of(metadata, "anthropic", "own"), _result_kind(metadata)
        if not kind:
            return []
        block = {**own, "type": kind, "tool_use_id": id, **more}
        return [*self._open_block("result", id, block), *self._close_block("result", id)]

    def _tell_again(self, event: Json) -> list[bytes]:
        """A block that only this dialect has; its place among the others is another one here."""
        key = str(event.get("index"))
        match event.get("type"):
            case "content_block_start":
                block = event.get("content_block")
                return self._open_block("own", key, block) if isinstance(block, dict) else []
            case "content_block_delta" if ("own", key) in self._blocks:
                delta = event.get("delta")
                return [self._delta("own", key, delta)] if isinstance(delta, dict) else []
            case "content_block_stop":
                return self._close_block("own", key)
            case str(kind) if kind not in EVENTS:  # of a later version
                return [*self._begin(), _frame(event)]
        return []

    def _cite(self, part: parts.Source) -> list[bytes]:
        """A citation belongs to the text that is open, or to the next one."""
        id = next((id for kind, id in reversed(self._blocks) if kind == "text"), None)
        if id is None:
            self._waiting.append(part)
            return []
        if is_told(part.metadata, self.name):
            return []
        own = object_of(part.metadata, "anthropic", "citation")
        if not own and part.metadata and "cited_text" in part.metadata:
            own = part.metadata  # in logs of 0.1
        citation = own or (_OF_A_PAGE | {"url": part.url, "title": part.title or None})
        if not own and not part.url:
            citation = _OF_A_DOCUMENT | {"document_title": part.filename or part.title or None}
        return [self._delta("text", id, {"type": "citations_delta", "citation": citation})]

    def _tell_waiting(self) -> list[bytes]:
        """Citations to which no text came."""
        return self._open_block("text", "", {"type": "text", "text": ""}) if self._waiting else []

    def _open_block(self, kind: str, id: str, block: Json) -> list[bytes]:
        if (kind, id) in self._blocks:
            return []
        index = self._blocks[kind, id] = self._block_count
        self._block_count += 1
        event = {"type": "content_block_start", "index": index, "content_block": block}
        opening = [*self._begin(), _frame(event)]
        if kind == "text" and self._waiting:
            waiting, self._waiting = self._waiting, []
            opening += [event for source in waiting for event in self._cite(source)]
        return opening

    def _delta(self, kind: str, id: str, delta: Json) -> bytes:
        return _frame({"type": "content_block_delta", "index": self._blocks[kind, id], "delta": delta})

    def _close_block(self, kind: str, id: str) -> list[bytes]:
        index = self._blocks.pop((kind, id), None)
        return [] if index is None else [_frame({"type": "content_block_stop", "index": index})]

    def _begin(self) -> list[bytes]:
        if not self._open():
            return []
        about, is_own = self._about, bool(of_provider(self._usage.native, "anthropic"))
        message: Json = {
            "id": about.id or about.run,
            "type": "message",
            "role": "assistant",
            "model": about.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": anthropic_usage(self._usage if is_own else msgspec.structs.replace(self._usage, output_tokens=0)),
        }
        return [_frame({"type": "message_start", "message": message})]

    def _finish(self, part: parts.Finish) -> list[bytes]:
        self._has_finished = True
        opening = [*self._begin(), *self._tell_waiting()]
        closing = [block for kind, id in list(self._blocks) for block in self._close_block(kind, id)]
        reason = _REASONS.get(part.reason) or part.native or "end_turn"
        if part.dialect == "anthropic" or part.native in ANTHROPIC_REASONS:
            reason = part.native
        own = object_of(part.metadata, "anthropic", "own")
        delta = {**own, "stop_reason": reason, "stop_sequence": part.sequence or None}
        last = {"type": "message_delta", "delta": delta, "usage": anthropic_usage(self._usage, LAST_USAGE)}
        return [*opening, *closing, _frame(last | self._left_out.fields()), _frame({"type": "message_stop"})]

    def _is_left_out(self, part: parts.Part) -> bool:
        """See `SseDialect._is_left_out`: results have a block of Anthropic's own, or none."""
        if isinstance(part, parts.ToolOutput | parts.ToolError):
            return not _result_kind(part.metadata)
        if isinstance(part, parts.Source):
            return False
        return super()._is_left_out(part)

    def _end(self, ending: Ending) -> list[bytes]:
        if ending.is_success:
            return [] if self._has_finished or self._has_failed else self._finish(parts.Finish())
        return self._fail(ending.told_code, ending.told)

    def _fail(self, code: str, message: str, native: Json | None = None) -> list[bytes]:
        if self._has_failed:
            return []
        self._has_failed = True
        waiting = self._tell_waiting()
        if native and native.get("type") == "error":
            has_begun = bool(self._about.model)  # as the provider had
            return [*waiting, *(self._begin() if has_begun else []), _frame(native | self._left_out.fields())]
        kind = _ERROR_TYPES.get(code, code if code.endswith("_error") else "api_error")
        event: Json = {"type": "error", "error": {"type": kind, "message": message, "code": code}}
        return [*waiting, _frame(event | self._left_out.fields())]


def _result_kind(metadata: Json | None) -> str:
    """The type of the block of a result; empty: it has none."""
    kind = object_of(metadata, "anthropic", "own").get("type") or (metadata or {}).get("kind")  # the latter in 0.1
    return kind if isinstance(kind, str) and kind.endswith("_tool_result") else ""


def _frame(event: Json) -> bytes:
    return frame(event, event["type"])
