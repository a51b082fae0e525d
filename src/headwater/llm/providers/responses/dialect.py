"""`openai-responses`: the events of OpenAI's Responses.

Told: text and refusals (a message item each), thinking (a reasoning item), calls of tools that the client is to run,
cited pages, usage; the last event carries the whole response. Not told, for want of a place: files, data, results of
tools, steps. A failure is `response.failed`, a stop `response.incomplete`, and a connection that ends while the run
goes on an `error` event.

`sequence_number` grows by one with each event, and with a delta by its characters. So it is the same wherever deltas
are joined, and where a reader joins; it has gaps.
"""

from __future__ import annotations

import re
from typing import ClassVar, Final

from headwater.llm import parts
from headwater.llm.parts import Json
from headwater.llm.providers.builder import merge_usage
from headwater.llm.providers.dialect import End, Ending, SseDialect, frame
from headwater.llm.providers.responses.items import CallItem, Item, MessageItem, ReasoningItem
from headwater.llm.providers.usage import responses_usage

_NUMBER: Final = re.compile(rb'"sequence_number": ?(\d{1,15})(?=\D)')


class Responses(SseDialect):
    """See the module."""

    name: ClassVar[str] = "openai-responses"
    relays: ClassVar[str] = "openai-responses"

    def __init__(self, fallback: parts.Start | None = None, *, ids: bool = True) -> None:
        super().__init__(fallback, ids=ids)
        self._sequence = 0
        self._tail = b""
        self._usage = parts.Usage()
        self._items: list[Item] = []
        self._open_items: dict[tuple[str, str], Item] = {}  # kind and id of an open part -> its item

    def state(self) -> object:
        """See `Dialect.state`. The number of the last event grows with every character: it stands for the items."""
        return super().state(), self._sequence, len(self._items), tuple(self._open_items), self._usage

    def relay(self, data: bytes, offset: str = "") -> bytes:
        """See `Dialect.relay`; an event of ours after it has the next number."""
        numbers = _NUMBER.findall(self._tail + data)
        self._tail = (self._tail + data)[-48:]  # a number may be cut
        self._sequence = max([self._sequence, *(int(number) + 1 for number in numbers[-1:])])
        return super().relay(data, offset)

    def _say(self, part: parts.Part) -> list[bytes]:
        if self._has_finished or self._has_failed:
            return []
        match part:
            case parts.Text() | parts.TextStart() | parts.TextEnd():
                return self._say_text(part)
            case parts.Reasoning() | parts.ReasoningStart() | parts.ReasoningEnd():
                return self._say_reasoning(part)
            case parts.ToolStart() | parts.ToolInput() | parts.ToolReady() | parts.ToolError():
                return self._say_tool(part)
            case parts.Source():
                return self._cite(part)
            case parts.Usage():
                self._usage = merge_usage(self._usage, part)
                return []
            case parts.Finish(reason, native):
                return self._finish(reason, native)
            case parts.Error(code, message):
                return self._fail(code, message or code)
            case parts.Abort():
                return self._stop()
            case _:
                return []

    def _say_text(self, part: parts.Text | parts.TextStart | parts.TextEnd) -> list[bytes]:
        key = "text", part.id
        match part:
            case parts.TextStart():
                return self._add(key, MessageItem(part.refusal))
            case parts.Text(_, delta):
                opening = self._add(key, MessageItem(False))
                return [*opening, *self._grow(key, delta)]
            case parts.TextEnd():
                return self._close(key)

    def _say_reasoning(self, part: parts.Reasoning | parts.ReasoningStart | parts.ReasoningEnd) -> list[bytes]:
        key = "reasoning", part.id
        match part:
            case parts.ReasoningStart():
                return self._add(key, ReasoningItem(part.summary))
            case parts.Reasoning(_, delta):
                opening = self._add(key, ReasoningItem(True))
                return [*opening, *self._grow(key, delta)]
            case parts.ReasoningEnd():
                item = self._open_items.get(key)
                if isinstance(item, ReasoningItem):
                    item.encrypted = part.encrypted
                return self._close(key)

    def _say_tool(self, part: parts.ToolStart | parts.ToolInput | parts.ToolReady | parts.ToolError) -> list[bytes]:
        key = "tool", part.id
        match part:
            case parts.ToolStart():
                return [] if part.provider_executed else self._add(key, CallItem(part.id, part.name))
            case parts.ToolInput(_, delta):
                return self._grow(key, delta) if key in self._open_items else []
            case parts.ToolReady():
                if key not in self._open_items and part.provider_executed:
                    return []
                opening = self._add(key, CallItem(part.id, part.name))
                item = self._open_items[key]
                whole = item.missing(part.input) if isinstance(item, CallItem) else ""
                return [*opening, *(self._grow(key, whole) if whole else []), *self._close(key)]
            case parts.ToolError():
                return self._close(key)

    def _cite(self, part: parts.Source) -> list[bytes]:
        """A citation belongs to the text that is open."""
        key = next((key for key in reversed(self._open_items) if key[0] == "text"), None)
        item = None if key is None else self._open_items[key]
        if not isinstance(item, MessageItem) or not part.url:
            return []
        return self._events(item.cite(part.url, part.title))

    def _add(self, key: tuple[str, str], item: Item) -> list[bytes]:
        """Open an item; again: nothing."""
        if key in self._open_items:
            return []
        opening = self._begin()
        item.place(self._about.id or self._about.run, len(self._items))
        self._items.append(item)
        self._open_items[key] = item
        return [*opening, *self._events(item.opening())]

    def _grow(self, key: tuple[str, str], delta: str) -> list[bytes]:
        self._sequence += len(delta) - 1
        return self._events([self._open_items[key].grow(delta)])

    def _close(self, key: tuple[str, str]) -> list[bytes]:
        item = self._open_items.pop(key, None)
        return [] if item is None else self._events(item.closing("completed"))

    def _begin(self) -> list[bytes]:
        if not self._open():
            return []
        response = self._response("in_progress")
        return self._events([{"type": f"response.{kind}", "response": response} for kind in ("created", "in_progress")])

    def _finish(self, reason: parts.FinishReason, native: str) -> list[bytes]:
        self._has_finished = True
        opening = self._begin()
        words = {parts.FinishReason.LENGTH: "max_output_tokens", parts.FinishReason.CONTENT_FILTER: "content_filter"}
        if reason in words:
            return [*opening, *self._last("incomplete", incomplete_details={"reason": words[reason]})]
        return [*opening, *self._last("completed")]

    def _stop(self) -> list[bytes]:
        if self._is_relaying:
            return self._error("stopped", Ending(End.STOPPED).told)
        self._has_failed = True
        return [*self._begin(), *self._last("incomplete", incomplete_details={"reason": "stopped"})]

    def _fail(self, code: str, message: str) -> list[bytes]:
        if self._is_relaying:
            return self._error(code, message)
        self._has_failed = True
        return [*self._begin(), *self._last("failed", error={"code": code, "message": message})]

    def _error(self, code: str, message: str) -> list[bytes]:
        """The connection ends; the response itself may go on, or is the provider's own."""
        self._has_failed = True
        error = {"code": code, "message": message, "type": "server_error", "param": None}
        return self._events([{**error, "type": "error", "error": error}])  # `error` makes the Python SDK raise

    def _last(self, status: str, **fields: Json) -> list[bytes]:
        """Close what is open, then the event with the whole response."""
        item_status = "completed" if status == "completed" else "incomplete"
        closing = [event for item in self._open_items.values() for event in item.closing(item_status)]
        self._open_items.clear()
        blocks = self._events(closing)
        event = {"type": f"response.{status}", "response": {**self._response(status), **fields}}
        return [*blocks, *self._events([event])]

    def _response(self, status: str) -> Json:
        """The response object as it stands; the fields that the SDKs' types require are there."""
        about = self._about
        return {
            "id": about.id or about.run,
            "object": "response",
            "created_at": about.created,
            "status": status,
            "error": None,
            "incomplete_details": None,
            "instructions": None,
            "metadata": {},
            "model": about.model,
            "output": [item.body() for item in self._items],
            "parallel_tool_calls": True,
            "temperature": None,
            "tool_choice": "auto",
            "tools": [],
            "top_p": None,
            "usage": None if status == "in_progress" else responses_usage(self._usage),
        }

    def _events(self, events: list[Json]) -> list[bytes]:
        blocks = []
        for event in events:
            blocks.append(frame({**event, "sequence_number": self._sequence}, event["type"]))
            self._sequence += 1
        return blocks

    def _end(self, ending: Ending) -> list[bytes]:
        if ending.is_success:
            return [] if self._has_finished or self._has_failed else self._finish(parts.FinishReason.STOP, "")
        if self._has_failed:
            return []
        if ending.end is End.DETACHED:
            return self._error(ending.told_code, ending.told)
        return self._stop() if ending.end is End.STOPPED else self._fail(ending.told_code, ending.told)
