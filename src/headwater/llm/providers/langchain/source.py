"""LangChain and LangGraph: chunks and messages of models, what `astream` gives in each mode, and `astream_events`.

Rule 1: only an `ai` message is the assistant's. A tool's message is the output of its call; others are the request.
Rule 2: what several modes say is said once: a message is known by its id, as a whole or in chunks.
Rule 3: the first of the `values` of a graph is what it was asked, with the conversation so far.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from headwater.llm.parts import Data, Json, ToolError, ToolOutput
from headwater.llm.providers.builder import Builder
from headwater.llm.providers.langchain.message import Message
from headwater.llm.providers.source import Voice, field, plain, text_of

_MODES: Final = {"messages", "updates", "values", "custom", "debug", "tasks", "checkpoints"}
_ASSISTANT: Final = {"ai", "AIMessageChunk"}
_TOOL: Final = {"tool", "ToolMessageChunk"}


#: Under this name a graph gives what it waits for.
_WAITING: Final = "__interrupt__"


class LangChainVoice(Voice):
    """See `Voice`. Left out: the inner state of graphs and chains."""

    dialect: ClassVar[str] = "langchain"
    named_by: ClassVar[tuple[str, ...]] = ("event",)

    def __init__(self, builder: Builder, *, lenient: bool = False) -> None:
        super().__init__(builder, lenient=lenient)
        self._messages: dict[str, Message] = {}
        self._current: Message | None = None
        self._given: set[str] = set()  # calls whose tool has answered
        self._seen: set[str] = set()  # messages that were asked, or told whole
        self._has_values = False

    @staticmethod
    def knows(item: Any, spoken: str) -> bool:
        """See `Voice.knows`."""
        if isinstance(item, tuple):
            return _in_tuple(item) is not None
        if isinstance(item, Mapping):
            if isinstance(item.get("event"), str) and item["event"].startswith("on_") and "run_id" in item:
                return True
            if _WAITING in item:
                return True
            return any(map(_is_message, _within(item))) or (spoken == "langchain" and _is_state(item))
        return _is_message(item)

    @classmethod
    def may_add(cls, item: Json) -> bool:
        """See `Voice.may_add`: nodes and tasks of a graph give whatever they like, by their names."""
        return bool(item) and all(isinstance(name, str) for name in item)

    def hear(self, event: Any) -> None:
        """See `Voice.hear`."""
        if isinstance(event, tuple):
            found = _in_tuple(event)
            if found is not None:
                self._hear_mode(*found)
        elif not isinstance(event, Mapping):
            self._take(event)
        elif "event" in event and "run_id" in event:
            self._hear_event(event["event"], event.get("data") or {}, text_of(event.get("name")))
        else:
            is_values = "messages" in event and isinstance(event["messages"], list)
            self._hear_mode("values" if is_values else "updates", event)

    def finish(self) -> None:
        """See `Voice.finish`."""
        if self._current is not None:
            self._current.end()

    def _hear_mode(self, mode: str, what: Any) -> None:
        match mode:
            case "messages":
                self._take(what[0] if isinstance(what, tuple) else what)
            case "updates":
                self._interrupt(what)
                for message in _within(what):
                    self._take(message)
            case "values":
                self._interrupt(what)
                self._take_state([message for message in _within(what) if _is_message(message)])
            case "custom":
                self._builder.put(Data("custom", plain(what)))

    def _interrupt(self, state: Any) -> None:
        """A graph that waits for somebody; several modes tell it."""
        found = state.get(_WAITING) if isinstance(state, Mapping) else None
        for number, interrupt in enumerate(found if isinstance(found, list | tuple) else ()):
            id = text_of(field(interrupt, "id")) or f"interrupt-{number}"
            self._builder.put(Data("interrupt", plain(field(interrupt, "value")), id))

    def _take_state(self, messages: list[Any]) -> None:
        if not self._has_values:
            self._has_values = True
            self._seen |= {id for message in messages if (id := _id_of(message)) not in self._messages}
            return
        for message in messages:
            self._take(message)

    def _hear_event(self, kind: str, data: Any, name: str) -> None:
        match kind:
            case "on_chat_model_stream" | "on_chat_model_end" | "on_tool_end":
                self._take(data.get("chunk") or data.get("output"))
            case "on_llm_stream":
                self._builder.say(text_of(field(data.get("chunk"), "text")))
            case "on_tool_error":
                message = str(data.get("error") or "the tool failed")
                if id := text_of(data.get("tool_call_id")):
                    self._give(id, ToolError(id, message))
            case "on_custom_event":
                self._builder.put(Data(name or "custom", plain(data)))

    def _take(self, message: Any) -> None:
        kind = field(message, "type")
        if not _is_message(message) or (_id_of(message) in self._seen and kind not in _TOOL):
            return
        if kind in _TOOL:
            id, output = text_of(field(message, "tool_call_id")), plain(field(message, "content"))
            has_failed = field(message, "status") == "error"
            self._give(id, ToolError(id, str(output)) if has_failed else ToolOutput(id, output))
        elif kind in _ASSISTANT:
            self._say(message, is_chunk=kind != "ai")

    def _give(self, id: str, outcome: ToolOutput | ToolError) -> None:
        if id in self._given or id in self._seen:
            return
        self._given.add(id)
        if self._current is not None:
            self._current.end()
        if isinstance(outcome, ToolOutput):
            self._builder.put_output(outcome)
        else:
            self._builder.ready_tool(id)
            self._builder.put_error(outcome)

    def _say(self, message: Any, *, is_chunk: bool) -> None:
        id = _id_of(message)
        known = self._messages.get(id)
        if known is not None and not is_chunk:  # it was told in chunks
            return
        if known is None:
            if self._current is not None and self._current.is_over:
                self._builder.new_response()
            known = self._messages[id] = Message(self._builder, f"t-{len(self._messages)}")
        self._current = known
        known.grow(message, is_chunk=is_chunk)
        self._builder.start("", known.model)


def _in_tuple(item: tuple[Any, ...]) -> tuple[str, Any] | None:
    """The mode and what it gives; None: it is no tuple of a graph."""
    if item and isinstance(item[0], tuple) and all(isinstance(name, str) for name in item[0]):
        item = item[1:]  # which subgraph it is of
    match item:
        case (str() as mode, what) if mode in _MODES:
            return mode, what
        case (message, dict()) if _is_message(message):
            return "messages", message
        case (dict() as state,) if any(map(_is_message, _within(state))):
            return "updates", state
    return None


def _is_message(thing: Any) -> bool:
    if isinstance(thing, Mapping | str | list | tuple | type):
        return False
    return isinstance(field(thing, "type"), str) and all(
        hasattr(thing, name) for name in ("content", "additional_kwargs", "response_metadata")
    )


def _is_state(item: Mapping[Any, Any]) -> bool:
    """What a node gives that has no messages, beside others that have."""
    return bool(item) and all(value is None or isinstance(value, dict | tuple) for value in item.values())


def _within(state: Any, depth: int = 3) -> Iterator[Any]:
    """The messages in what a graph gives, in order."""
    if _is_message(state):
        yield state
    elif depth and isinstance(state, Mapping):
        for value in state.values():
            yield from _within(value, depth - 1)
    elif depth and isinstance(state, list | tuple):
        for value in state:
            yield from _within(value, depth - 1)


def _id_of(message: Any) -> str:
    found: Json | Any = field(message, "id")
    return found if isinstance(found, str) and found else f"message {id(message)}"
