"""`ag-ui`: the events of the Agent-User Interaction Protocol 1.0.

A message of the run has the log's message id; a second text gets the id with a number. Data of the application,
sources, files and approvals are `CUSTOM` events; so is the mark of a text that is a refusal, and of a result that is an
error. A failure is `RUN_ERROR`; a stop is `RUN_FINISHED` with the outcome `cancelled`.
Clients refuse a `RUN_FINISHED` while anything is open, so all is closed before it.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from headwater.llm import parts
from headwater.llm.parts import Json
from headwater.llm.providers.dialect import End, Ending, SseDialect, frame, without_empty
from headwater.llm.providers.figures import merged
from headwater.llm.providers.usage import camel_usage


class AgUi(SseDialect):
    """A run as events of AG-UI."""

    name: ClassVar[str] = "ag-ui"
    lacks: ClassVar[frozenset[str]] = frozenset({"sealed thinking", "foreign"})
    clients: ClassVar[str] = "AG-UI agents"

    def __init__(self, fallback: parts.Start | None = None, *, ids: bool = True) -> None:
        super().__init__(fallback, ids=ids)
        self._usage = parts.Usage()
        self._texts: dict[str, str] = {}  # id of an open text -> its message's
        self._text_count = 0
        self._reasonings: dict[str, str] = {}
        self._reasoning_count = 0
        self._calls: dict[str, bool] = {}  # id of an open call -> its input has grown
        self._step = 0
        self._is_in_step = False

    def state(self) -> object:
        """See `Dialect.state`."""
        counts = self._text_count, self._reasoning_count, self._step, self._is_in_step
        return super().state(), self._texts.copy(), self._reasonings.copy(), self._calls.copy(), counts, self._usage

    def _say(self, part: parts.Part) -> list[bytes]:
        if self._has_finished or self._has_failed:
            return []
        if type(part) is parts.Text and part.id in self._texts:  # the usual case
            return [frame({"type": "TEXT_MESSAGE_CONTENT", "messageId": self._texts[part.id], "delta": part.delta})]
        match part:
            case parts.Start():
                return self._begin()
            case parts.Usage():
                self._usage = merged(self._usage, part)
                return []
            case _:
                return [*self._begin(), *map(frame, self._events(part))]

    def _events(self, part: parts.Part) -> list[Json]:
        match part:
            case parts.Text() | parts.TextStart() | parts.TextEnd():
                return self._say_text(part)
            case parts.Reasoning() | parts.ReasoningStart() | parts.ReasoningEnd():
                return self._say_reasoning(part)
            case parts.ToolStart() | parts.ToolInput() | parts.ToolReady() | parts.ToolOutput() | parts.ToolError():
                return self._say_tool(part)
            case parts.Finish(reason):
                return self._finish({"type": "success"}, reason)
            case parts.Error(code, message):
                return self._fail(code, message or code)
            case parts.Abort():
                return self._finish({"type": "cancelled"})
            case parts.StepStart() | parts.StepFinish():
                return self._say_step(is_start=isinstance(part, parts.StepStart))
            case _:
                return _custom(part)

    def _begin(self) -> list[bytes]:
        return [frame({"type": "RUN_STARTED", **self._run()})] if self._open() else []

    def _run(self) -> Json:
        about = self._about
        run = about.run or about.id
        return {"threadId": about.thread or run, "runId": run}

    def _message(self) -> str:
        return self._about.id or self._about.run

    def _say_text(self, part: parts.Text | parts.TextStart | parts.TextEnd) -> list[Json]:
        id = part.id
        if isinstance(part, parts.TextEnd):
            message = self._texts.pop(id, None)
            return [{"type": "TEXT_MESSAGE_END", "messageId": message}] if message else []
        events: list[Json] = []
        if id not in self._texts:
            self._texts[id] = self._message() + (f"-{self._text_count}" if self._text_count else "")
            self._text_count += 1
            events.append({"type": "TEXT_MESSAGE_START", "messageId": self._texts[id], "role": "assistant"})
            if isinstance(part, parts.TextStart) and part.refusal:
                events.append({"type": "CUSTOM", "name": "refusal", "value": {"messageId": self._texts[id]}})
        if isinstance(part, parts.Text):
            events.append({"type": "TEXT_MESSAGE_CONTENT", "messageId": self._texts[id], "delta": part.delta})
        return events

    def _say_reasoning(self, part: parts.Reasoning | parts.ReasoningStart | parts.ReasoningEnd) -> list[Json]:
        id = part.id
        if isinstance(part, parts.ReasoningEnd):
            message = self._reasonings.pop(id, None)
            if message is None:
                return []
            return [*_sealed(part, message), *_ended_reasoning(message)]
        events: list[Json] = []
        if id not in self._reasonings:
            message = self._reasonings[id] = f"{self._message()}-r{self._reasoning_count}"
            self._reasoning_count += 1
            events.append({"type": "REASONING_START", "messageId": message})
            events.append({"type": "REASONING_MESSAGE_START", "messageId": message, "role": "reasoning"})
        if isinstance(part, parts.Reasoning):
            delta = {"messageId": self._reasonings[id], "delta": part.delta}
            events.append({"type": "REASONING_MESSAGE_CONTENT", **delta})
        return events

    def _say_tool(
        self, part: parts.ToolStart | parts.ToolInput | parts.ToolReady | parts.ToolOutput | parts.ToolError
    ) -> list[Json]:
        id = part.id
        match part:
            case parts.ToolStart(_, name):
                return self._open_call(id, name)
            case parts.ToolInput(_, delta):
                opening = self._open_call(id, "unknown")
                self._calls[id] = True
                return [*opening, {"type": "TOOL_CALL_ARGS", "toolCallId": id, "delta": delta}]
            case parts.ToolReady(_, name):
                opening = self._open_call(id, name)
                has_input = self._calls.pop(id)
                args = {"type": "TOOL_CALL_ARGS", "toolCallId": id, "delta": msgspec.json.encode(part.input).decode()}
                return [*opening, *([] if has_input else [args]), {"type": "TOOL_CALL_END", "toolCallId": id}]
            case parts.ToolOutput(_, output, is_preliminary):
                text = output if isinstance(output, str) else msgspec.json.encode(output).decode()
                return [] if is_preliminary else [*self._close_call(id), _result(id, text)]
            case parts.ToolError():
                message = part.message or "the call was refused"
                failed = {
                    "toolCallId": id,
                    "message": message,
                    "denied": part.denied,
                    "unusable": part.input is not None,
                }
                marked = {"type": "CUSTOM", "name": "tool-error", "value": failed}
                return [*self._unusable_call(part), *self._close_call(id), _result(id, message), marked]

    def _open_call(self, id: str, name: str) -> list[Json]:
        if id in self._calls:
            return []
        self._calls[id] = False
        call = {"toolCallId": id, "toolCallName": name, "parentMessageId": self._message()}
        return [{"type": "TOOL_CALL_START", **call}]

    def _unusable_call(self, part: parts.ToolError) -> list[Json]:
        """What the model wrote, if it is not told yet."""
        if part.input is None or part.id in self._calls:
            return []
        text = part.input if isinstance(part.input, str) else msgspec.json.encode(part.input).decode()
        args = {"type": "TOOL_CALL_ARGS", "toolCallId": part.id, "delta": text}
        return [*self._open_call(part.id, part.name or "unknown"), args]

    def _close_call(self, id: str) -> list[Json]:
        return [] if self._calls.pop(id, None) is None else [{"type": "TOOL_CALL_END", "toolCallId": id}]

    def _say_step(self, *, is_start: bool) -> list[Json]:
        """A step that begins ends the one before."""
        events: list[Json] = []
        if self._is_in_step:
            events.append({"type": "STEP_FINISHED", "stepName": f"step-{self._step}"})
        if is_start:
            self._step += 1
            events.append({"type": "STEP_STARTED", "stepName": f"step-{self._step}"})
        self._is_in_step = is_start
        return events

    def _close(self) -> list[Json]:
        """Close all that is open."""
        events = [event for message in self._reasonings.values() for event in _ended_reasoning(message)]
        events += [{"type": "TEXT_MESSAGE_END", "messageId": message} for message in self._texts.values()]
        events += [{"type": "TOOL_CALL_END", "toolCallId": id} for id in self._calls]
        for open_parts in (self._reasonings, self._texts, self._calls):
            open_parts.clear()
        return [*events, *self._say_step(is_start=False)]

    def _tokens(self) -> Json:
        usage = camel_usage(self._usage)
        return {"usage": [without_empty({"model": self._about.model, **usage})]} if usage else {}

    def _finish(self, outcome: Json, reason: parts.FinishReason = parts.FinishReason.STOP) -> list[Json]:
        """The protocol has no finish reason: one that is not `stop` is in the result."""
        self._has_finished = True
        events = self._close()
        events += self._told_left_out()
        result = {} if reason is parts.FinishReason.STOP else {"result": {"finishReason": reason.value}}
        return [*events, {"type": "RUN_FINISHED", **self._run(), **result, "outcome": outcome, **self._tokens()}]

    def _fail(self, code: str, message: str) -> list[Json]:
        self._has_failed = True
        failed = {"type": "RUN_ERROR", "message": message, "code": code, **self._tokens()}
        return [*self._close(), *self._told_left_out(), failed]

    def _told_left_out(self) -> list[Json]:
        fields = self._left_out.fields()
        return [{"type": "CUSTOM", "name": parts.OURS, "value": fields[parts.OURS]}] if fields else []

    def _end(self, ending: Ending) -> list[bytes]:
        if self._has_failed or self._has_finished:
            return []
        opening = self._begin()
        if ending.is_success:
            return [*opening, *map(frame, self._finish({"type": "success"}))]
        if ending.end is End.STOPPED:
            return [*opening, *map(frame, self._finish({"type": "cancelled"}))]
        return [*opening, *map(frame, self._fail(ending.told_code, ending.told))]


def _sealed(part: parts.ReasoningEnd, message: str) -> list[Json]:
    """The provider's seal or encrypted thinking, which the client gives back in the next turn."""
    value = part.encrypted or part.signature
    if not value:
        return []
    sealed = {"subtype": "message", "entityId": message, "encryptedValue": value}
    return [{"type": "REASONING_ENCRYPTED_VALUE", **sealed}]


def _ended_reasoning(message: str) -> list[Json]:
    return [{"type": kind, "messageId": message} for kind in ("REASONING_MESSAGE_END", "REASONING_END")]


def _result(id: str, text: str) -> Json:
    result = {"messageId": f"{id}-result", "toolCallId": id, "content": text, "role": "tool"}
    return {"type": "TOOL_CALL_RESULT", **result}


def _custom(part: parts.Part) -> list[Json]:
    match part:
        case parts.Data(name, data):
            return [{"type": "CUSTOM", "name": name, "value": data}]
        case parts.Metadata(values):
            return [{"type": "CUSTOM", "name": "metadata", "value": values}]
        case parts.Source() | parts.File() | parts.ToolApproval():
            value = msgspec.to_builtins(part)
            return [{"type": "CUSTOM", "name": value.pop("type"), "value": value}]
        case parts.Foreign("ag-ui", dict(event)):
            return [event]
        case _:
            return []


__all__ = ["AgUi"]
