"""Anthropic messages: the raw events of a stream, and the helper's events among them."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any, ClassVar, Final

import msgspec

from headwater.llm.parts import OURS, FinishReason, Foreign, Json, Source, ToolError, ToolOutput, ToolStart
from headwater.llm.providers.builder import Builder
from headwater.llm.providers.reasons import ANTHROPIC_REASONS
from headwater.llm.providers.source import Voice, dict_of, dicts_of, number_of, numbers_of, text_of
from headwater.llm.providers.usage import LAST_USAGE

#: The raw events.
EVENTS = {
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
    "ping",
    "error",
}
#: The events that the SDK's `messages.stream()` adds: each repeats a raw one, with the text so far.
HELPERS = {"text", "thinking", "input_json", "citation", "signature", "compaction"}


#: Fields of blocks that parts are made of; the others are the provider's metadata.
_OF_A_TEXT: Final = {"type", "text"}
_OF_A_CALL: Final = {"id", "name", "input"}
_OF_A_RESULT: Final = {"tool_use_id"}
_OF_AN_END: Final = {"stop_reason", "stop_sequence"}


class AnthropicVoice(Voice):
    """See `Voice`. Kept as `Foreign`: blocks of types that are not known, with their deltas and their end."""

    dialect: ClassVar[str] = "anthropic"
    wires: ClassVar[Mapping[str, str]] = {"anthropic": "sse"}
    has_terminal = True
    ends_stream: ClassVar[bool] = True

    def __init__(self, builder: Builder, *, lenient: bool = False) -> None:
        super().__init__(builder, lenient=lenient)
        self._blocks: dict[int, tuple[str, str]] = {}  # index -> kind, id of the part
        self._signatures: dict[str, str] = {}
        self._inputs: dict[str, Any] = {}  # id of an open call -> the input that its block began with

    @staticmethod
    def knows(item: Any, spoken: str) -> bool:
        """See `Voice.knows`."""
        kind = text_of(item.get("type")) if isinstance(item, dict) else ""
        if kind == "error":
            return isinstance(item.get("error"), dict) and "errorText" not in item
        return kind in EVENTS or (kind in HELPERS and spoken == "anthropic" and "delta" not in item)

    def hear(self, event: Json) -> None:
        """See `Voice.hear`."""
        match event.get("type"):
            case "message_start":
                self._begin(dict_of(event.get("message")))
            case "content_block_start":
                self._open(event, dict_of(event.get("content_block")))
            case "content_block_delta":
                self._grow(event, dict_of(event.get("delta")))
            case "content_block_stop":
                self._close(number_of(event.get("index")) or 0)
            case "message_delta":
                self._use(event, LAST_USAGE)
                self._finish(dict_of(event.get("delta")))
            case "message_stop":
                self.ended = True
                self._builder.close_all()
            case "error":
                error = dict_of(event.get("error"))
                self.ended = True
                code = text_of(error.get("type")) or "upstream-error"
                self._builder.fail(code, text_of(error.get("message")), {"anthropic": event})
            case _:
                pass  # ping, the helper's events, and what is not known

    def _begin(self, message: Json) -> None:
        if self.ended:
            self.ended = False
            self._blocks = {}
            self._builder.new_response()
        self._builder.start(text_of(message.get("id")), text_of(message.get("model")))
        self._use(message)

    def _finish(self, delta: Json) -> None:
        reason = text_of(delta.get("stop_reason"))
        if not reason:
            return
        word = ANTHROPIC_REASONS.get(reason, FinishReason.OTHER)
        more = {"sequence": text_of(delta.get("stop_sequence")), "metadata": _own(delta, _OF_AN_END)}
        self._builder.finish_with(word, reason, dialect=self.dialect, **more)

    def _open(self, event: Json, block: Json) -> None:
        builder, kind, index = self._builder, text_of(block.get("type")), number_of(event.get("index")) or 0
        id = text_of(block.get("id"))
        if kind == "text":
            id = builder.new_id("t")
            builder.open_text(id, metadata=_own(block, _OF_A_TEXT))
            builder.grow_text(id, text_of(block.get("text")))
        elif kind in ("thinking", "redacted_thinking"):
            id = builder.new_id("r")
            builder.open_reasoning(id, redacted=text_of(block.get("data")) if kind == "redacted_thinking" else None)
            builder.grow_reasoning(id, text_of(block.get("thinking")))
            self._signatures[id] = text_of(block.get("signature"))
        elif kind.endswith("tool_use"):
            id = id or builder.new_id("call_")
            is_own = kind != "tool_use"
            metadata = _own(block, _OF_A_CALL | (set() if is_own else {"type"}))
            start = ToolStart(id, text_of(block.get("name")), provider_executed=is_own, metadata=metadata)
            builder.open_tool(start)
            self._inputs[id] = block.get("input")
        elif kind.endswith("_tool_result"):
            self._take_result(block)
        else:
            builder.put(Foreign(self.dialect, event, content=kind != "container_upload"))
            if kind == "container_upload":
                self._name_file(block)
            kind = ""
        self._blocks[index] = kind, id

    def _name_file(self, block: Json) -> None:
        """A file that can be had from the provider alone, for other dialects."""
        id, metadata = text_of(block.get("file_id")), {"anthropic": block, OURS: {"told": "anthropic", "is_file": True}}
        self._builder.put(Source(id, "", id, "application/octet-stream", id, metadata))

    def _take_result(self, block: Json) -> None:
        """What a tool gave that the provider ran, or its error."""
        id, content, metadata = text_of(block.get("tool_use_id")), block.get("content"), _own(block, _OF_A_RESULT)
        code = text_of(dict_of(content).get("error_code"))
        if block.get("is_error") is True:
            code = "\n".join(text_of(piece.get("text")) for piece in dicts_of(content)) or text_of(content) or "failed"
        if code:
            self._builder.put_error(ToolError(id, code, metadata=metadata))
        else:
            if metadata is not None:
                metadata["anthropic"]["own"].pop("content", None)
            self._builder.put_output(ToolOutput(id, content, metadata=metadata))

    def _grow(self, event: Json, delta: Json) -> None:
        builder = self._builder
        kind, id = self._blocks.get(number_of(event.get("index")) or 0, ("text", ""))
        match delta.get("type"):
            case _ if not kind:
                builder.put(Foreign(self.dialect, event))
            case "text_delta":
                builder.grow_text(id or "t", text_of(delta.get("text")))
            case "input_json_delta":
                if piece := text_of(delta.get("partial_json")):
                    self._inputs.pop(id, None)
                    builder.grow_tool(id, piece)
            case "thinking_delta":
                builder.grow_reasoning(id or "r", text_of(delta.get("thinking")))
            case "signature_delta":
                self._signatures[id] = self._signatures.get(id, "") + text_of(delta.get("signature"))
            case "citations_delta":
                self._cite(dict_of(delta.get("citation")))
            case _:
                builder.put(Foreign(self.dialect, event))

    def _close(self, index: int) -> None:
        kind, id = self._blocks.pop(index, ("unknown", ""))
        if not kind:
            self._builder.put(Foreign(self.dialect, {"type": "content_block_stop", "index": index}))
        elif kind == "text":
            self._builder.close_text(id)
        elif kind.endswith("thinking"):
            self._builder.close_reasoning(id, signature=self._signatures.pop(id, "") or None)
        elif kind.endswith("tool_use"):
            if value := self._inputs.pop(id, None):  # all of it came with the block's beginning
                self._builder.grow_tool(id, msgspec.json.encode(value).decode())
            self._builder.ready_tool(id)

    def _cite(self, citation: Json) -> None:
        source = text_of(citation.get("source"))  # of a result that the application gave; a URL, if it likes
        url = text_of(citation.get("url")) or (source if source.startswith(("https://", "http://")) else "")
        title = text_of(citation.get("title")) or text_of(citation.get("document_title")) or source
        media_type = "" if url else "text/plain"
        metadata = {"anthropic": {"citation": citation}}
        self._builder.put(Source(self._builder.new_id("s"), url, title, media_type, metadata=metadata))

    def _use(self, holder: Json, native: str = "anthropic") -> None:
        usage = dict_of(holder.get("usage"))
        if usage:
            details = numbers_of(usage, "input_tokens", "output_tokens")
            read, written = number_of(usage.get("input_tokens")), number_of(usage.get("output_tokens"))
            self._builder.use(read, written, details, {native: usage})


def _own(block: Json, known: AbstractSet[str]) -> Json | None:
    """The fields that only this dialect has a word for, as metadata; empty ones too, but not what is null."""
    found = {key: value for key, value in block.items() if key not in known and value is not None}
    return {"anthropic": {"own": found}} if found else None
