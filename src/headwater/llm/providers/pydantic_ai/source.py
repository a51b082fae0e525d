"""Pydantic AI: the events of an agent's run, as objects or as their dicts."""

from __future__ import annotations

from typing import Any, ClassVar, Final

import msgspec

from headwater.llm import parts
from headwater.llm.parts import Json
from headwater.llm.providers.builder import Builder
from headwater.llm.providers.source import Voice, dict_of, field, number_of, plain, text_of

_CALLS = {"tool-call", "builtin-tool-call"}


#: What adds nothing to the answer.
_PROGRESS: Final = {
    *("final_result", "enqueued_messages"),
    *("tool_availability_delta", "capability_load_delta", "model_settings_delta"),
}


class PydanticAiVoice(Voice):
    """See `Voice`; it also hears objects.

    Kept as `Foreign`: custom and capability events, compactions. Left out: `final_result` and what only tells about
    the agent's inner state. The stream of a model alone has no last event, so none is missed.
    """

    dialect: ClassVar[str] = "pydantic-ai"
    named_by: ClassVar[tuple[str, ...]] = ("event_kind",)

    def __init__(self, builder: Builder, *, lenient: bool = False) -> None:
        super().__init__(builder, lenient=lenient)
        self._open: dict[int, tuple[str, str]] = {}  # index -> kind, id of the part
        self._signatures: dict[str, str] = {}
        self._ready: set[str] = set()
        self._has_said = False
        self._after_tools = False

    @staticmethod
    def knows(item: Any, spoken: str) -> bool:
        """See `Voice.knows`."""
        return isinstance(field(item, "event_kind"), str)

    def hear(self, event: Json | Any) -> None:
        """See `Voice.hear`."""
        match field(event, "event_kind"):
            case "part_start":
                self._begin(number_of(field(event, "index")) or 0, field(event, "part"))
            case "part_delta":
                self._grow(number_of(field(event, "index")) or 0, field(event, "delta"))
            case "part_end":
                self._close(number_of(field(event, "index")) or 0)
            case "function_tool_call" | "output_tool_call":
                self._call(field(event, "part"))
            case "function_tool_result" | "output_tool_result":
                self._return(field(event, "part") or field(event, "result"))
            case "agent_run_result":
                self._end(field(event, "result"))
            case str(kind) if kind not in _PROGRESS and not kind.startswith("realtime_"):  # also of a later version
                self.keep(dict_of(plain(event)) or {"event_kind": kind})

    def _begin(self, index: int, part: Any) -> None:
        builder, kind = self._builder, text_of(field(part, "part_kind"))
        for other in list(self._open):
            self._close(other)
        if self._after_tools:
            self._after_tools = False
            builder.begin_step()
        content, id = field(part, "content"), ""
        if kind == "text":
            id = builder.new_id("t")
            self._has_said = True
            builder.open_text(id)
            builder.grow_text(id, text_of(content))
        elif kind == "thinking":
            id = builder.new_id("r")
            builder.open_reasoning(id)
            builder.grow_reasoning(id, text_of(content))
            self._signatures[id] = text_of(field(part, "signature"))
        elif kind in _CALLS:
            id = self._open_call(part, kind)
        elif kind == "builtin-tool-return":
            self._return(part)
        elif kind == "file":
            media_type = text_of(field(content, "media_type"))
            builder.put(parts.File(text_of(field(content, "data_uri")) or text_of(field(content, "url")), media_type))
        elif kind == "speech":
            self._has_said = True
            builder.say(text_of(field(part, "transcript")))
        else:
            builder.put(parts.Foreign(self.dialect, plain(part), content=True))
        self._open[index] = kind, id

    def _open_call(self, part: Any, kind: str) -> str:
        id = text_of(field(part, "tool_call_id")) or self._builder.new_id("call_")
        name = text_of(field(part, "tool_name"))
        self._builder.open_tool(parts.ToolStart(id, name, provider_executed=kind == "builtin-tool-call"))
        self._args(id, field(part, "args"))
        return id

    def _args(self, id: str, args: Any) -> None:
        """Arguments, as text or as the object itself."""
        if args:
            self._builder.grow_tool(id, args if isinstance(args, str) else msgspec.json.encode(plain(args)).decode())

    def _grow(self, index: int, delta: Any) -> None:
        kind, id = self._open.get(index, ("", ""))
        text = text_of(field(delta, "content_delta"))
        if kind == "text":
            self._builder.grow_text(id, text)
        elif kind == "thinking":
            self._builder.grow_reasoning(id, text)
            self._signatures[id] = text_of(field(delta, "signature_delta")) or self._signatures.get(id, "")
        elif kind in _CALLS:
            self._args(id, field(delta, "args_delta"))
        elif not kind:
            self._builder.say(text)

    def _close(self, index: int) -> None:
        kind, id = self._open.pop(index, ("", ""))
        if kind == "text":
            self._builder.close_text(id)
        elif kind == "thinking":
            self._builder.close_reasoning(id, signature=self._signatures.pop(id, "") or None)
        elif kind in _CALLS:
            self._builder.ready_tool(id)
            self._ready.add(id)

    def _call(self, part: Any) -> None:
        """The agent runs a tool; the model's call was seen before, unless its events are not in this source."""
        for index in list(self._open):
            self._close(index)
        if text_of(field(part, "tool_call_id")) not in self._ready:
            self._ready.add(self._open_call(part, "tool-call"))
            self._builder.ready_tool(text_of(field(part, "tool_call_id")))

    def _return(self, part: Any) -> None:
        id, content = text_of(field(part, "tool_call_id")), field(part, "content")
        outcome, is_retry = field(part, "outcome"), field(part, "part_kind") == "retry-prompt"
        self._after_tools = field(part, "part_kind") != "builtin-tool-return"
        if is_retry or field(part, "retry") is not None or outcome in ("failed", "denied"):
            message = content if isinstance(content, str) else msgspec.json.encode(plain(content)).decode()
            self._builder.put_error(parts.ToolError(id, message, denied=outcome == "denied"))
        else:
            self._builder.put_output(parts.ToolOutput(id, plain(content)))

    def _end(self, result: Any) -> None:
        """The agent's run is over; an output that is no text, or was never streamed, is told here."""
        self.ended = True
        self._builder.close_all()
        output, usage = field(result, "output"), field(result, "usage")
        if isinstance(output, str):
            if not self._has_said:
                self._builder.say(output)
                self._builder.close_all()
        elif output is not None:
            self._builder.put(parts.Data("output", plain(output)))
        if callable(usage) and field(usage, "input_tokens") is None:  # a method, before version 2
            usage = usage()
        tokens = (number_of(field(usage, "input_tokens")), number_of(field(usage, "output_tokens")))
        if tokens != (None, None):
            self._builder.use(*tokens)
