"""Cohere: the events of `/v2/chat`, as its SDK gives them (`chat_stream`), as dicts, or as Server-Sent Events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from headwater.llm.parts import FinishReason, Foreign, Json, Source, ToolStart
from headwater.llm.providers.builder import Builder
from headwater.llm.providers.source import Voice, dict_of, dicts_of, number_of, numbers_of, plain, text_of

_EVENTS: Final = {
    *("message-start", "message-end", "content-start", "content-delta", "content-end", "tool-plan-delta"),
    *("tool-call-start", "tool-call-delta", "tool-call-end", "citation-start", "citation-end", "debug"),
}
_REASONS: Final = {
    "COMPLETE": FinishReason.STOP,
    "STOP_SEQUENCE": FinishReason.STOP,
    "MAX_TOKENS": FinishReason.LENGTH,
    "TOOL_CALL": FinishReason.TOOL_CALLS,
    "ERROR_TOXIC": FinishReason.CONTENT_FILTER,
}
_ERRORS: Final = {"ERROR", "ERROR_LIMIT", "TIMEOUT"}


class CohereVoice(Voice):
    """See `Voice`. A plan for tools is thinking. Left out: what only the debugger sees."""

    dialect: ClassVar[str] = "cohere"
    wires: ClassVar[Mapping[str, str]] = {"cohere": "sse"}
    has_terminal = True
    ends_stream: ClassVar[bool] = True

    def __init__(self, builder: Builder, *, lenient: bool = False) -> None:
        super().__init__(builder, lenient=lenient)
        self._calls: dict[int, str] = {}  # index -> id of an open call

    @staticmethod
    def knows(item: Any, spoken: str) -> bool:
        """See `Voice.knows`."""
        return isinstance(item, dict) and isinstance(item.get("type"), str) and item["type"] in _EVENTS

    def hear(self, event: Json) -> None:
        """See `Voice.hear`."""
        delta, index = dict_of(event.get("delta")), number_of(event.get("index")) or 0
        message = dict_of(delta.get("message"))
        match event.get("type"):
            case "message-start":
                if self.ended:
                    self.ended = False
                    self._builder.new_response()
                self._builder.start(text_of(event.get("id")))
            case "content-start" | "content-delta":
                self._say(dict_of(message.get("content")))
            case "content-end":
                self._builder.close_texts()
                self._builder.close_reasonings()
            case "tool-plan-delta":
                self._builder.think(text_of(message.get("tool_plan")))
            case "tool-call-start" | "tool-call-delta":
                self._call(index, dict_of(message.get("tool_calls")))
            case "tool-call-end":
                self._builder.ready_tool(self._calls.pop(index, ""))
            case "citation-start":
                self._cite(dict_of(message.get("citations")))
            case "message-end":
                self._end(delta)

    def _say(self, content: Json) -> None:
        self._builder.think(text_of(content.get("thinking")))
        self._builder.say(text_of(content.get("text")))
        if content.get("type") not in (None, "text", "thinking"):
            self._builder.put(Foreign(self.dialect, plain(content), content=True))

    def _call(self, index: int, call: Json) -> None:
        function = dict_of(call.get("function"))
        if index not in self._calls:
            self._builder.close_all()
            id = self._calls[index] = text_of(call.get("id")) or self._builder.new_id("call_")
            self._builder.open_tool(ToolStart(id, text_of(function.get("name"))))
        if piece := text_of(function.get("arguments")):
            self._builder.grow_tool(self._calls[index], piece)

    def _cite(self, citation: Json) -> None:
        """A place of the text with its sources: a part for each of these."""
        start, end = number_of(citation.get("start")), number_of(citation.get("end"))
        for source in dicts_of(citation.get("sources")):
            document = dict_of(source.get("document"))
            url, title = text_of(document.get("url")), text_of(document.get("title")) or text_of(source.get("id"))
            metadata = {self.dialect: {"citation": plain(citation), "source": plain(source)}}
            id, kind = self._builder.new_id("s"), "" if url else "text/plain"
            self._builder.put(Source(id, url, title, kind, "", metadata, start, end))

    def _end(self, delta: Json) -> None:
        self.ended = True
        usage = dict_of(delta.get("usage"))
        tokens = dict_of(usage.get("tokens")) or dict_of(usage.get("billed_units"))
        native = {self.dialect: plain(usage)} if usage else None
        read, written = _count(tokens.get("input_tokens")), _count(tokens.get("output_tokens"))
        self._builder.use(read, written, numbers_of(usage), native)
        word = text_of(delta.get("finish_reason"))
        if word in _ERRORS:
            self._builder.fail(word, text_of(delta.get("error")) or "the model failed", {self.dialect: plain(delta)})
            return
        self._builder.close_all()
        self._builder.finish_with(_REASONS.get(word, FinishReason.OTHER), word, dialect=self.dialect)


def _count(value: Any) -> int | None:
    """Tokens, which come as `5.0`."""
    return int(value) if isinstance(value, float) else number_of(value)
