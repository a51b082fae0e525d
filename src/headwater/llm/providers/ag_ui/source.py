"""AG-UI: the events of an agent, as objects of its Python package and of Pydantic AI, or as dicts."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from headwater.llm.parts import FinishReason, Foreign, Json, ToolOutput, ToolStart
from headwater.llm.providers.builder import Builder
from headwater.llm.providers.source import Voice, dict_of, dicts_of, number_of, plain, text_of

_EVENTS: Final = {
    *("TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_END", "TEXT_MESSAGE_CHUNK"),
    *("TOOL_CALL_START", "TOOL_CALL_ARGS", "TOOL_CALL_END", "TOOL_CALL_CHUNK", "TOOL_CALL_RESULT"),
    *("STATE_SNAPSHOT", "STATE_DELTA", "MESSAGES_SNAPSHOT", "ACTIVITY_SNAPSHOT", "ACTIVITY_DELTA", "RAW", "CUSTOM"),
    *("RUN_STARTED", "RUN_FINISHED", "RUN_ERROR", "STEP_STARTED", "STEP_FINISHED"),
    *("REASONING_START", "REASONING_MESSAGE_START", "REASONING_MESSAGE_CONTENT", "REASONING_MESSAGE_END"),
    *("REASONING_MESSAGE_CHUNK", "REASONING_END", "REASONING_ENCRYPTED_VALUE"),
    *("THINKING_START", "THINKING_END", "THINKING_TEXT_MESSAGE_START", "THINKING_TEXT_MESSAGE_CONTENT"),
    *("THINKING_TEXT_MESSAGE_END", "SUBAGENT_STARTED", "SUBAGENT_FINISHED", "SUBAGENT_ERROR"),
}


class AgUiVoice(Voice):
    """See `Voice`. Kept as `Foreign`: states, activities, snapshots, and what is the application's own."""

    dialect: ClassVar[str] = "ag-ui"
    has_terminal = True

    def __init__(self, builder: Builder, *, lenient: bool = False) -> None:
        super().__init__(builder, lenient=lenient)
        self._others: set[str] = set()  # messages that are not the assistant's
        self._thinking = "thinking"
        self._message = ""
        self._call = ""
        self._seal = ""

    @staticmethod
    def knows(item: Any, spoken: str) -> bool:
        """See `Voice.knows`."""
        return isinstance(item, dict) and isinstance(item.get("type"), str) and item["type"] in _EVENTS

    def hear(self, event: Json) -> None:
        """See `Voice.hear`."""
        kind = text_of(event.get("type"))
        if kind.startswith("TEXT_MESSAGE_"):
            self._take_text(kind, event)
        elif kind.startswith(("REASONING_", "THINKING_")):
            self._take_thinking(kind, event)
        elif kind.startswith("TOOL_CALL_"):
            self._take_call(kind, event)
        else:
            self._take_run(kind, event)

    def _take_text(self, kind: str, event: Json) -> None:
        builder, id = self._builder, text_of(event.get("messageId")) or self._message
        self._message = id
        if text_of(event.get("role")) not in ("", "assistant"):
            self._others.add(id)
        if id in self._others:
            builder.put(Foreign(self.dialect, plain(event), content=True))
        elif kind == "TEXT_MESSAGE_START":
            builder.open_text(id)
        elif kind == "TEXT_MESSAGE_END":
            builder.close_text(id)
        elif delta := text_of(event.get("delta")):
            builder.grow_text(id, delta)

    def _take_thinking(self, kind: str, event: Json) -> None:
        builder = self._builder
        id = self._thinking = text_of(event.get("messageId")) or self._thinking
        match kind:
            case "REASONING_ENCRYPTED_VALUE" if event.get("subtype") != "tool-call":
                self._seal = text_of(event.get("encryptedValue"))
            case "REASONING_ENCRYPTED_VALUE":
                builder.put(Foreign(self.dialect, plain(event), content=True))
            case "REASONING_END" | "THINKING_END":
                builder.close_reasoning(id, encrypted=self._seal or None)
                self._seal = ""
            case "REASONING_MESSAGE_START" | "REASONING_START" | "THINKING_START":
                builder.open_reasoning(id)
            case _ if delta := text_of(event.get("delta")):
                builder.grow_reasoning(id, delta)

    def _take_call(self, kind: str, event: Json) -> None:
        builder, id = self._builder, text_of(event.get("toolCallId")) or self._call
        self._call = id
        match kind:
            case "TOOL_CALL_START":
                builder.open_tool(ToolStart(id, text_of(event.get("toolCallName"))))
            case "TOOL_CALL_END":
                builder.ready_tool(id)
            case "TOOL_CALL_RESULT":
                builder.put_output(ToolOutput(id, plain(event.get("content"))))
            case _:
                if name := text_of(event.get("toolCallName")):
                    builder.open_tool(ToolStart(id, name))
                if delta := text_of(event.get("delta")):
                    builder.grow_tool(id, delta)

    def _take_run(self, kind: str, event: Json) -> None:
        builder = self._builder
        match kind:
            case "RUN_STARTED":
                self.ended = False
                builder.start()
            case "STEP_STARTED":
                builder.begin_step()
            case "STEP_FINISHED":
                builder.end_step()
            case "RUN_ERROR":
                self.ended = True
                self._use(event)
                builder.fail(text_of(event.get("code")) or "upstream-error", text_of(event.get("message")))
            case "RUN_FINISHED":
                self.ended = True
                self._use(event)
                self._finish(event)
            case _:
                builder.put(Foreign(self.dialect, plain(event), content=True))

    def _finish(self, event: Json) -> None:
        outcome, result = dict_of(event.get("outcome")), event.get("result")
        if outcome.get("type") == "cancelled":
            self._builder.abort("the agent was cancelled")
            return
        if outcome.get("type") == "interrupt":
            self._put_custom("interrupt", outcome)
        word = text_of(dict_of(result).get("finishReason"))
        if result is not None and not word:
            self._put_custom("result", result)
        self._builder.finish_with(FinishReason(word) if word else FinishReason.STOP, word)

    def _put_custom(self, name: str, value: Any) -> None:
        event = {"type": "CUSTOM", "name": name, "value": plain(value)}
        self._builder.put(Foreign(self.dialect, event, content=True))

    def _use(self, event: Json) -> None:
        for usage in dicts_of(event.get("usage")):
            self._builder.use(number_of(usage.get("inputTokens")), number_of(usage.get("outputTokens")))
