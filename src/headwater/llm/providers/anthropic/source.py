"""Anthropic messages: the raw events of a stream, and the helper's events among them."""

from __future__ import annotations

from typing import ClassVar

from headwater.llm.parts import FinishReason, Foreign, Json, Source, ToolOutput, ToolStart
from headwater.llm.providers.builder import Builder
from headwater.llm.providers.source import ANTHROPIC_REASONS, dict_of, number_of, numbers_of, text_of

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


class AnthropicVoice:
    """See `Voice`. Kept as `Foreign`: blocks of types that are not known, whole deltas included."""

    dialect: ClassVar[str] = "anthropic"
    has_terminal: ClassVar[bool] = True

    def __init__(self, builder: Builder, *, lenient: bool = False) -> None:
        self.ended = False
        self._builder = builder
        self._blocks: dict[int, tuple[str, str]] = {}  # index -> kind, id of the part
        self._signatures: dict[str, str] = {}

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
                self._use(event)
                if reason := text_of(dict_of(event.get("delta")).get("stop_reason")):
                    self._builder.finish_with(ANTHROPIC_REASONS.get(reason, FinishReason.OTHER), reason)
            case "message_stop":
                self.ended = True
                self._builder.close_all()
            case "error":
                error = dict_of(event.get("error"))
                self.ended = True
                self._builder.fail(text_of(error.get("type")) or "upstream-error", text_of(error.get("message")))
            case _:
                pass  # ping, the helper's events, and what is not known

    def _begin(self, message: Json) -> None:
        if self.ended:
            self.ended = False
            self._blocks = {}
            self._builder.new_response()
        self._builder.start(text_of(message.get("id")), text_of(message.get("model")))
        self._use(message)

    def _open(self, event: Json, block: Json) -> None:
        builder, kind, index = self._builder, text_of(block.get("type")), number_of(event.get("index")) or 0
        id = text_of(block.get("id"))
        if kind == "text":
            id = builder.new_id("t")
            builder.open_text(id)
            builder.grow_text(id, text_of(block.get("text")))
        elif kind in ("thinking", "redacted_thinking"):
            id = builder.new_id("r")
            builder.open_reasoning(id, redacted=text_of(block.get("data")) if kind == "redacted_thinking" else None)
            builder.grow_reasoning(id, text_of(block.get("thinking")))
            self._signatures[id] = text_of(block.get("signature"))
        elif kind in ("tool_use", "server_tool_use", "mcp_tool_use"):
            builder.open_tool(ToolStart(id, text_of(block.get("name")), provider_executed=kind != "tool_use"))
        elif kind.endswith("_tool_result"):
            output = ToolOutput(text_of(block.get("tool_use_id")), block.get("content"), metadata={"kind": kind})
            builder.put_output(output)
        else:
            builder.put(Foreign(self.dialect, event))
        self._blocks[index] = kind, id

    def _grow(self, event: Json, delta: Json) -> None:
        builder = self._builder
        _, id = self._blocks.get(number_of(event.get("index")) or 0, ("", ""))
        match delta.get("type"):
            case "text_delta":
                builder.grow_text(id or "t", text_of(delta.get("text")))
            case "input_json_delta":
                builder.grow_tool(id, text_of(delta.get("partial_json")))
            case "thinking_delta":
                builder.grow_reasoning(id or "r", text_of(delta.get("thinking")))
            case "signature_delta":
                self._signatures[id] = self._signatures.get(id, "") + text_of(delta.get("signature"))
            case "citations_delta":
                self._cite(dict_of(delta.get("citation")))
            case _:
                builder.put(Foreign(self.dialect, event))

    def _close(self, index: int) -> None:
        kind, id = self._blocks.pop(index, ("", ""))
        if kind == "text":
            self._builder.close_text(id)
        elif kind.endswith("thinking"):
            self._builder.close_reasoning(id, signature=self._signatures.pop(id, "") or None)
        elif kind.endswith("tool_use"):
            self._builder.ready_tool(id)

    def _cite(self, citation: Json) -> None:
        url = text_of(citation.get("url"))
        title = text_of(citation.get("title")) or text_of(citation.get("document_title"))
        media_type = "" if url else "text/plain"
        self._builder.put(Source(self._builder.new_id("s"), url, title, media_type, metadata=citation))

    def _use(self, holder: Json) -> None:
        usage = dict_of(holder.get("usage"))
        if usage:
            details = numbers_of(usage, "input_tokens", "output_tokens")
            self._builder.use(number_of(usage.get("input_tokens")), number_of(usage.get("output_tokens")), details)
