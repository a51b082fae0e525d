"""OpenAI's Agents SDK: `Runner.run_streamed(...).stream_events()`.

Rule: the model's own events are those of Responses; the agent's items beside them repeat them, but for what tools gave.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

from headwater.llm.parts import Foreign, ToolApproval, ToolOutput, ToolReady
from headwater.llm.providers.builder import Builder
from headwater.llm.providers.responses.source import ResponsesVoice
from headwater.llm.providers.source import Voice, field, fields_of, plain, text_of, value_of

_EVENTS: Final = {"raw_response_event", "run_item_stream_event", "agent_updated_stream_event"}
_OUTPUTS: Final = {"tool_call_output_item", "handoff_output_item"}
_CALLS: Final = {"tool_call_item", "handoff_call_item"}


class AgentsVoice(Voice):
    """See `Voice`. Left out: which agent answers."""

    dialect: ClassVar[str] = "openai-agents"

    def __init__(self, builder: Builder, *, lenient: bool = False) -> None:
        super().__init__(builder, lenient=lenient)
        self._model: Final = ResponsesVoice(builder, lenient=lenient)
        self._calls: set[str] = set()

    @staticmethod
    def knows(item: Any, spoken: str) -> bool:
        """See `Voice.knows`."""
        kind = field(item, "type")
        return isinstance(kind, str) and kind in _EVENTS

    def hear(self, event: Any) -> None:
        """See `Voice.hear`."""
        if field(event, "type") == "raw_response_event":
            self._hear_model(fields_of(field(event, "data")) or {})
        elif field(event, "type") == "run_item_stream_event":
            self._take(field(event, "item"))

    def _hear_model(self, event: dict[str, Any]) -> None:
        self.has_terminal = True
        item = event.get("item")
        if isinstance(item, dict) and isinstance(item.get("call_id"), str):
            self._calls.add(item["call_id"])
        if self._model.knows(event, "openai-responses"):
            self._model.hear(event)
        self.ended = self._model.ended

    def _take(self, item: Any) -> None:
        kind, raw = text_of(field(item, "type")), field(item, "raw_item")
        call = text_of(field(raw, "call_id")) or text_of(field(raw, "id"))
        if kind in _OUTPUTS:
            output = field(item, "output")
            self._builder.put_output(ToolOutput(call, plain(field(raw, "output") if output is None else output)))
        elif kind in _CALLS:
            self._call(call, raw)
        elif kind == "tool_approval_item":
            self._call(call, raw)
            self._builder.put(ToolApproval(call, call))
        elif kind == "message_output_item" and not self.has_terminal:  # the model was not streamed
            for part in field(raw, "content") or ():
                refusal = text_of(field(part, "refusal"))
                self._builder.say(refusal or text_of(field(part, "text")), refusal=bool(refusal))
        elif kind not in ("message_output_item", "reasoning_item") and not self.has_terminal:
            self._builder.put(Foreign(self.dialect, plain(fields_of(raw) or {"type": kind}), content=True))

    def _call(self, id: str, raw: Any) -> None:
        if id in self._calls or not id:
            return
        self._calls.add(id)
        text = text_of(field(raw, "arguments"))
        self._builder.put_ready(ToolReady(id, text_of(field(raw, "name")), value_of(text)))
