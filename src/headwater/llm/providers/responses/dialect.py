"""`openai-responses`: the events of OpenAI's Responses.

Told: text and refusals (a message item each), thinking (a reasoning item), calls of tools that the client is to run,
cited pages, images, usage, and the items that a source of this dialect had beside them; the last event carries the
whole response. Calls that the provider of another dialect ran are told as those of an MCP server. Not told, for want of
a place: other files, images of which there is a URL only, data, results of the client's tools, steps. A failure is
`response.failed`, a stop `response.incomplete`, and a connection that ends while the run goes on an `error` event.

`sequence_number` grows by one with each event, and with a delta by its characters. So it is the same wherever deltas
are joined, and where a reader joins; it has gaps.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from headwater.llm import parts
from headwater.llm.parts import Json
from headwater.llm.providers.dialect import End, Ending, SseDialect, frame, is_told, object_of, of_provider
from headwater.llm.providers.figures import merged
from headwater.llm.providers.responses.items import (
    CallItem,
    Content,
    HostedItem,
    Item,
    MessageItem,
    OwnItem,
    ReasoningItem,
)
from headwater.llm.providers.usage import responses_usage

#: Why a response is incomplete.
_REASONS: Final = {
    parts.FinishReason.LENGTH: "max_output_tokens",
    parts.FinishReason.CONTENT_FILTER: "content_filter",
}
_NUMBER: Final = re.compile(rb'"sequence_number": ?(\d{1,15})(?=\D)')


class Responses(SseDialect):
    """A run as events of OpenAI's Responses."""

    name: ClassVar[str] = "openai-responses"
    relays: ClassVar[str] = "openai-responses"
    lacks: ClassVar[frozenset[str]] = frozenset(
        {"sealed thinking", "results", "approvals", "images", "files", "data", "foreign"}
    )
    clients: ClassVar[str] = "SDKs for Responses"
    differs: ClassVar[Mapping[str, str]] = {
        "end": "There is no word for an answer that ended by itself behind a call: it waits for the call's result.",
    }

    def __init__(self, fallback: parts.Start | None = None, *, ids: bool = True) -> None:
        super().__init__(fallback, ids=ids)
        self._sequence = 0
        self._tail = b""
        self._usage = parts.Usage()
        self._hosted: dict[str, HostedItem] = {}  # id of a call without its result
        self._tells_no_output = False  # the provider's last event has none, whatever it has told
        self._beside: Json = {}  # fields of the provider's response
        self._items: list[Item] = []
        self._waiting: list[parts.Source] = []  # citations that came before their text
        self._open_parts: dict[tuple[str, str], tuple[Item, int]] = {}  # kind and id of an open part -> its place

    def state(self) -> object:
        """See `Dialect.state`. The number of the last event grows with every character: it stands for the items."""
        waiting = sum(not item.is_done for item in self._items), len(self._waiting), tuple(self._hosted)
        return super().state(), self._sequence, len(self._items), waiting, tuple(self._open_parts), self._usage

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
            case parts.ToolStart() | parts.ToolInput() | parts.ToolReady() | parts.ToolOutput() | parts.ToolError():
                return self._say_tool(part)
            case parts.Source():
                return self._cite(part)
            case parts.File():
                return self._show(part)
            case parts.Foreign("openai-responses", dict(event)):
                return self._tell_again(event)
            case parts.Usage():
                self._usage = merged(self._usage, part)
                return []
            case parts.Finish():
                return self._finish(part)
            case parts.Error(code, message):
                self._tells_no_output = tells_no_output(part.native)
                return self._fail(code, message or code, of_provider(part.native, self.name))
            case parts.Abort():
                return self._stop()
            case _:
                return []

    def _say_text(self, part: parts.Text | parts.TextStart | parts.TextEnd) -> list[bytes]:
        key = "text", part.id
        match part:
            case parts.TextStart():
                content = Content("refusal" if part.refusal else "text")
                return self._open_part(key, content, MessageItem(item_id(part.metadata), item_fields(part.metadata)))
            case parts.Text(_, delta):
                opening = self._open_part(key, Content("text"), MessageItem())
                return [*opening, *self._grow(key, delta)]
            case parts.TextEnd():
                return self._close(key)

    def _say_reasoning(self, part: parts.Reasoning | parts.ReasoningStart | parts.ReasoningEnd) -> list[bytes]:
        key = "reasoning", part.id
        match part:
            case parts.ReasoningStart():
                item = ReasoningItem(item_id(part.metadata), is_summary=part.summary)
                return self._open_part(key, Content(), item)
            case parts.Reasoning(_, delta):
                opening = self._open_part(key, Content(), ReasoningItem(is_summary=True))
                place, number = self._open_parts[key]
                if isinstance(place, ReasoningItem) and not place.parts[number].pieces:
                    opening += self._events(place.begin(number))
                return [*opening, *self._grow(key, delta)]
            case parts.ReasoningEnd():
                opened = self._open_parts.get(key)
                if opened is not None and isinstance(opened[0], ReasoningItem) and part.encrypted:
                    opened[0].encrypted = part.encrypted
                return self._close(key)

    def _say_tool(
        self, part: parts.ToolStart | parts.ToolInput | parts.ToolReady | parts.ToolOutput | parts.ToolError
    ) -> list[bytes]:
        key = "tool", part.id
        if part.id in self._hosted or (isinstance(part, parts.ToolStart | parts.ToolReady) and part.provider_executed):
            return self._say_hosted(part)
        match part:
            case parts.ToolStart():
                return self._open_call(part)
            case parts.ToolInput(_, delta):
                return self._grow(key, delta) if key in self._open_parts else []
            case parts.ToolReady():
                opening = self._open_call(parts.ToolStart(part.id, part.name, metadata=part.metadata))
                item, _ = self._open_parts[key]
                whole = item.missing(part.input) if isinstance(item, CallItem) else ""
                return [*opening, *(self._grow(key, whole) if whole else []), *self._close(key)]
            case parts.ToolError() if part.input is not None and key not in self._open_parts:
                return self._say_tool(parts.ToolReady(part.id, part.name, part.input))  # what the model wrote
            case parts.ToolError():
                return self._close(key)
        return []

    def _say_hosted(
        self, part: parts.ToolStart | parts.ToolInput | parts.ToolReady | parts.ToolOutput | parts.ToolError
    ) -> list[bytes]:
        """A call that the provider of another dialect ran, as OpenAI tells those of MCP servers."""
        item = self._hosted.get(part.id)
        match part:
            case parts.ToolReady() if item is None and not is_told(part.metadata, self.name):
                label = str(object_of(part.metadata, "anthropic", "own").get("server_name") or "")
                item = self._hosted[part.id] = HostedItem(part.id, part.name, part.input, label)
                return self._add(item)
            case parts.ToolOutput() if item is not None and not part.preliminary:
                del self._hosted[part.id]
                return self._events(item.settle(part.output, None))
            case parts.ToolError() if item is not None:
                del self._hosted[part.id]
                return self._events(item.settle(None, part.message or "the call was refused"))
        return []

    def _open_call(self, part: parts.ToolStart) -> list[bytes]:
        key = "tool", part.id
        if key in self._open_parts:
            return []
        own, fields = item_id(part.metadata), item_fields(part.metadata)
        item = CallItem(part.id, part.name, own, fields, is_text=part.text_input)
        self._open_parts[key] = item, 0
        return self._add(item)

    def _cite(self, part: parts.Source) -> list[bytes]:
        """A citation belongs to the text that is open, or to the next one."""
        key = next((key for key in reversed(self._open_parts) if key[0] == "text"), None)
        item, number = self._open_parts[key] if key is not None else (None, 0)
        note = object_of(part.metadata, self.name, "annotation")
        if of_provider(part.metadata, parts.OURS).get("is_file"):
            return []
        if not isinstance(item, MessageItem):
            self._waiting.append(part)
            return []
        place = {"start_index": part.start or 0, "end_index": part.end or 0}
        page = {"type": "url_citation", "url": part.url, "title": part.title, **place}
        document = {"type": "file_citation", "file_id": "", "filename": part.filename or part.title, "index": 0}
        return self._events(item.cite(number, note or (page if part.url else document)))

    def _show(self, part: parts.File) -> list[bytes]:
        """An image; there is no place for other files."""
        whole = object_of(part.metadata, self.name, "item") or {"type": "image_generation_call"}
        data = part.url.partition(";base64,")[2]
        if not part.media_type.startswith("image/") or not data:
            return []
        item = next(
            (item for item in self._items if not item.is_done and item.own and item.own == whole.get("id")), None
        )
        opening = []
        if not isinstance(item, OwnItem):
            item = OwnItem({**whole, "status": "in_progress"})
            opening = self._add(item)
        painted = {**whole, "id": item.id, "status": "completed", "result": data}
        return [*opening, *self._events([item.tell_again({"type": "response.output_item.done", "item": painted})])]

    def _is_left_out(self, part: parts.Part) -> bool:
        """See `SseDialect._is_left_out`: an image has a place with its data, a result in the item of its call."""
        match part:
            case parts.File(url):
                if ";base64," in url and part.media_type.startswith("image/"):
                    return False
            case parts.ToolOutput(id) | parts.ToolError(id):
                return id not in self._hosted and not is_told(part.metadata, self.name)
        return super()._is_left_out(part)

    def _tell_again(self, event: Json) -> list[bytes]:
        """What only this dialect has: an item with its events, or fields of the response."""
        kind, response = event.get("type"), event.get("response")
        if isinstance(response, dict):
            self._beside = {**self._beside, **response}
            return []
        if kind == "response.output_item.added":
            return self._add(OwnItem(object_in(event, "item")))
        if isinstance(kind, str) and not event.keys() & {"item", "item_id"}:  # of a later version
            return [*self._begin(), *self._events([event])]
        own = event.get("item_id") or object_in(event, "item").get("id")
        found = [item for item in self._items if isinstance(item, OwnItem) and item.own == own]
        return self._events([found[-1].tell_again(event)]) if found else []

    def _open_part(self, key: tuple[str, str], part: Content, item: Item) -> list[bytes]:
        """Open a part: of the item before it, if it is of the same one, or of another; again: nothing."""
        if key in self._open_parts:
            return []
        last = self._items[-1] if self._items else None
        opening: list[bytes] = []
        if last is not None and item.own and last.own == item.own and type(last) is type(item) and not last.is_done:
            item = last
        else:
            opening = self._add(item)
        self._open_parts[key] = item, len(item.parts)
        opening += self._events(item.add(part))
        if key[0] == "text" and self._waiting:
            waiting, self._waiting = self._waiting, []
            opening += [event for source in waiting for event in self._cite(source)]
        return opening

    def _add(self, item: Item) -> list[bytes]:
        """Another item; those that waited for further parts are done."""
        opening = self._begin()
        for other in self._items:
            if not other.is_open and not isinstance(other, OwnItem | HostedItem):
                opening += self._events(other.finish("completed"))
        item.place(self._about.id or self._about.run, len(self._items))
        self._items.append(item)
        return [*opening, *self._events(item.opening())]

    def _grow(self, key: tuple[str, str], delta: str) -> list[bytes]:
        self._sequence += len(delta) - 1
        item, number = self._open_parts[key]
        return self._events([item.grow(number, delta)])

    def _close(self, key: tuple[str, str]) -> list[bytes]:
        if key not in self._open_parts:
            return []
        item, number = self._open_parts.pop(key)
        closing = item.close(number)
        if not item.own or isinstance(item, CallItem):
            closing += item.finish("completed")
        return self._events(closing)

    def _begin(self) -> list[bytes]:
        if not self._open():
            return []
        response = self._response("in_progress")
        return self._events([{"type": f"response.{kind}", "response": response} for kind in ("created", "in_progress")])

    def _finish(self, part: parts.Finish) -> list[bytes]:
        """The word for an answer that is not whole is the provider's, if it spoke this dialect or we have none."""
        self._has_finished = True
        opening = self._begin()
        self._tells_no_output = tells_no_output(part.metadata)
        reason = _REASONS.get(part.reason, part.native if part.reason is parts.FinishReason.OTHER else "")
        if part.dialect == self.name and reason:
            reason = part.native
        if reason:
            return [*opening, *self._last("incomplete", incomplete_details={"reason": reason})]
        return [*opening, *self._last("completed")]

    def _stop(self) -> list[bytes]:
        if self._is_relaying:
            return self._error("stopped", Ending(End.STOPPED).told)
        self._has_failed = True
        return [*self._begin(), *self._last("incomplete", incomplete_details={"reason": "stopped"})]

    def _fail(self, code: str, message: str, native: Json | None = None) -> list[bytes]:
        if self._is_relaying:
            return self._error(code, message)
        self._has_failed = True
        if native and native.get("type") == "error":
            return [*self._begin(), *self._events([native | self._left_out.fields()])]
        if native:  # the provider leaves open what it has begun
            self._open_parts.clear()
            output = [] if self._tells_no_output else [item.body() for item in self._items]
            failed = {**self._response("failed"), "error": native, "output": output}
            event = {"type": "response.failed", "response": failed}
            return [*self._begin(), *self._events([event | self._left_out.fields()])]
        return [*self._begin(), *self._last("failed", error={"code": code, "message": message})]

    def _error(self, code: str, message: str) -> list[bytes]:
        """The connection ends; the response itself may go on, or is the provider's own."""
        self._has_failed = True
        error = {"code": code, "message": message, "type": "server_error", "param": None}
        return self._events([{**error, "type": "error", "error": error}])  # `error` makes the Python SDK raise

    def _last(self, status: str, **fields: Any) -> list[bytes]:
        """Close what is open, then the event with the whole response."""
        blocks = self._say_text(parts.TextStart("")) if self._waiting else []  # citations to which no text came
        self._open_parts.clear()
        for item in self._items:
            if not isinstance(item, OwnItem):
                is_whole = status == "completed" or not item.is_open
                blocks += self._events(item.finish("completed" if is_whole else "incomplete"))
        if self._tells_no_output:
            fields["output"] = []
        event = {"type": f"response.{status}", "response": {**self._response(status), **fields}}
        return [*blocks, *self._events([event | self._left_out.fields()])]

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
            **self._beside,
        }

    def _events(self, events: list[Json]) -> list[bytes]:
        blocks = []
        for event in events:
            blocks.append(frame({**event, "sequence_number": self._sequence}, event["type"]))
            self._sequence += 1
        return blocks

    def _end(self, ending: Ending) -> list[bytes]:
        if ending.is_success:
            return [] if self._has_finished or self._has_failed else self._finish(parts.Finish())
        if self._has_failed:
            return []
        if ending.end is End.DETACHED:
            return self._error(ending.told_code, ending.told)
        return self._stop() if ending.end is End.STOPPED else self._fail(ending.told_code, ending.told)


def object_in(event: Json, name: str) -> Json:
    """An object field of an event."""
    found = event.get(name)
    return found if isinstance(found, dict) else {}


def tells_no_output(metadata: Json | None) -> bool:
    """The provider's last event has no output, whatever it has told."""
    return bool(of_provider(metadata, parts.OURS).get("no_output"))


def item_id(metadata: Json | None) -> str:
    """The id that the provider gave an item, of a part of it."""
    found = of_provider(metadata, "openai").get("itemId")
    return found if isinstance(found, str) else ""


def item_fields(metadata: Json | None) -> Json:
    """Further fields of the item, of a part of it."""
    return object_of(metadata, Responses.name, "item")
