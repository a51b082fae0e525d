"""LlamaIndex: responses of `stream_chat` and `stream_complete`, and the events of an agent's workflow.

Rule: each response holds the text so far, and what it grew by; only the latter is said. Calls are whole in the last.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from headwater.llm.parts import Data, Foreign, ToolError, ToolOutput, ToolReady
from headwater.llm.providers.builder import Builder
from headwater.llm.providers.source import Voice, field, plain, text_of, value_of


class LlamaIndexVoice(Voice):
    """See `Voice`. Left out: the inner steps of workflows."""

    dialect: ClassVar[str] = "llama-index"

    def __init__(self, builder: Builder, *, lenient: bool = False) -> None:
        super().__init__(builder, lenient=lenient)
        self._calls: dict[str, ToolReady] = {}  # of the response that comes
        self._told: set[str] = set()

    @staticmethod
    def knows(item: Any, spoken: str) -> bool:
        """See `Voice.knows`."""
        if isinstance(item, Mapping | str | tuple | list | type):
            return False
        is_response = hasattr(item, "delta") and hasattr(item, "raw") and hasattr(item, "additional_kwargs")
        return is_response or hasattr(item, "current_agent_name") or _is_call(item) or _is_step(item, spoken)

    def hear(self, event: Any) -> None:
        """See `Voice.hear`."""
        builder = self._builder
        if _is_call(event):
            self._tell_calls()
            self._call(event)
        elif hasattr(event, "delta"):
            extra = field(event, "additional_kwargs") or {}
            builder.think(text_of(field(event, "thinking_delta")) or text_of(field(extra, "thinking_delta")))
            builder.say(text_of(field(event, "delta")))
            self._hold(field(event, "message"), field(event, "tool_calls"))
        elif field(event, "structured_response") is not None or hasattr(event, "output"):
            output = field(event, "structured_response") or field(event, "output")
            builder.put(Data("output", plain(output)))
        elif not _is_theirs(type(event)):
            builder.put(Foreign(self.dialect, {"event": type(event).__name__, "data": plain(event)}, content=True))

    def finish(self) -> None:
        """See `Voice.finish`."""
        self._tell_calls()

    def _hold(self, message: Any, calls: Any) -> None:
        blocks = [block for block in field(message, "blocks") or () if field(block, "block_type") == "tool_call"]
        for call in [*blocks, *(calls or ())]:
            id = text_of(field(call, "tool_call_id")) or text_of(field(call, "tool_id"))
            if id and id not in self._told:
                kwargs = field(call, "tool_kwargs")
                value = value_of(kwargs) if isinstance(kwargs, str) else plain(kwargs)
                self._calls[id] = ToolReady(id, text_of(field(call, "tool_name")), value)

    def _tell_calls(self) -> None:
        for call in self._calls.values():
            self._builder.close_all()
            self._builder.put_ready(call)
            self._told.add(call.id)
        self._calls.clear()

    def _call(self, event: Any) -> None:
        id, output = text_of(field(event, "tool_id")), field(event, "tool_output")
        if id not in self._told:
            self._told.add(id)
            self._builder.close_all()
            self._builder.put_ready(
                ToolReady(id, text_of(field(event, "tool_name")), plain(field(event, "tool_kwargs")))
            )
        if output is None:
            return
        content = field(output, "raw_output")
        if field(output, "is_error"):
            self._builder.put_error(ToolError(id, text_of(field(output, "content")) or str(content)))
        else:
            text = text_of(field(output, "content"))
            self._builder.put_output(ToolOutput(id, text if content is None else plain(content)))


def _is_call(item: Any) -> bool:
    return all(hasattr(item, name) for name in ("tool_name", "tool_kwargs", "tool_id"))


def _is_step(item: Any, spoken: str) -> bool:
    """Another event of a workflow, its own or of the application."""
    return hasattr(item, "model_dump") and any(map(_is_theirs, type(item).__mro__))


def _is_theirs(kind: type) -> bool:
    return kind.__module__.startswith(("llama_index.", "workflows."))
