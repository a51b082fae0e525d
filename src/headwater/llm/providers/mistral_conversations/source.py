"""Mistral's conversations and agents: the events of `beta.conversations.start_stream`, or those of the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from headwater.llm.parts import Foreign, Json, Source, ToolApproval, ToolOutput, ToolStart
from headwater.llm.providers.builder import Builder
from headwater.llm.providers.reasons import reason_of
from headwater.llm.providers.source import Voice, dict_of, dicts_of, number_of, numbers_of, plain, text_of

_EVENTS: Final = {
    *("conversation.response.started", "conversation.response.done", "conversation.response.error"),
    *("message.output.delta", "function.call.delta", "agent.handoff.started", "agent.handoff.done"),
    *("tool.execution.started", "tool.execution.delta", "tool.execution.done"),
}


class ConversationVoice(Voice):
    """See `Voice`. Kept as `Foreign`: hand-overs between agents, and pieces of content that are not known."""

    dialect: ClassVar[str] = "mistral-conversations"
    named_by: ClassVar[tuple[str, ...]] = ("event",)
    wires: ClassVar[Mapping[str, str]] = {"mistral-conversations": "sse"}
    has_terminal = True
    ends_stream: ClassVar[bool] = True

    def __init__(self, builder: Builder, *, lenient: bool = False) -> None:
        super().__init__(builder, lenient=lenient)
        self._has_called = False

    @staticmethod
    def knows(item: Any, spoken: str) -> bool:
        """See `Voice.knows`."""
        return isinstance(item, dict) and text_of(_event(item).get("type")) in _EVENTS

    def hear(self, event: Any) -> None:
        """See `Voice.hear`."""
        event = _event(event)
        match event.get("type"):
            case "conversation.response.started":
                if self.ended:
                    self.ended = self._has_called = False
                    self._builder.new_response()
                self._builder.start(text_of(event.get("conversation_id")))
            case "message.output.delta":
                self._builder.start("", text_of(event.get("model")))
                self._say(event.get("content"))
            case "function.call.delta":
                self._call(event)
            case "tool.execution.started" | "tool.execution.delta" | "tool.execution.done":
                self._run(event)
            case "conversation.response.done":
                self._end(dict_of(event.get("usage")))
            case "conversation.response.error":
                self.ended = True
                code = str(number_of(event.get("code")) or "upstream-error")
                self._builder.fail(code, text_of(event.get("message")), {self.dialect: plain(event)})
            case _:
                self._builder.put(Foreign(self.dialect, plain(event)))

    def _say(self, content: Any) -> None:
        if isinstance(content, str):
            self._builder.say(content)
            return
        chunk = dict_of(content)
        url = text_of(chunk.get("url"))
        match chunk.get("type"):
            case "text":
                self._builder.say(text_of(chunk.get("text")))
            case "thinking":
                for piece in dicts_of(chunk.get("thinking")):
                    self._builder.think(text_of(piece.get("text")))
            case "tool_reference" if url:
                metadata = {self.dialect: {"reference": plain(chunk)}}
                id = self._builder.new_id("s")
                self._builder.put(Source(id, url, text_of(chunk.get("title")), metadata=metadata))
            case _ if chunk:
                self._builder.put(Foreign(self.dialect, {"content": plain(chunk)}, content=True))

    def _call(self, event: Json) -> None:
        id = text_of(event.get("tool_call_id"))
        if not self._builder.has_tool(id):
            self._builder.close_all()
            self._builder.open_tool(ToolStart(id, text_of(event.get("name"))))
        self._has_called = True
        self._builder.grow_tool(id, text_of(event.get("arguments")))
        if event.get("confirmation_status") == "pending":
            self._builder.ready_tool(id)
            self._builder.put(ToolApproval(f"approval-{id}", id))

    def _run(self, event: Json) -> None:
        id = text_of(event.get("id"))
        if event.get("type") == "tool.execution.started":
            self._builder.close_all()
            self._builder.open_tool(ToolStart(id, text_of(event.get("name")), provider_executed=True))
        if piece := text_of(event.get("arguments")):
            self._builder.grow_tool(id, piece)
        if event.get("type") == "tool.execution.done":
            self._builder.put_output(ToolOutput(id, plain(event.get("info") or {})))

    def _end(self, usage: Json) -> None:
        self.ended = True
        details = numbers_of(usage, "prompt_tokens", "completion_tokens", "total_tokens")
        read, written = number_of(usage.get("prompt_tokens")), number_of(usage.get("completion_tokens"))
        self._builder.use(read, written, details, {self.dialect: plain(usage)} if usage else None)
        self._builder.close_all()
        self._builder.finish_with(reason_of("stop", has_called=self._has_called), "done", dialect=self.dialect)


def _event(item: Json) -> Json:
    """The event itself, which the SDK has beside its name."""
    return dict_of(item.get("data")) or item
