"""OpenAI Responses: the events of a streamed response.

Rule: an item that the vocabulary has no part for, or not all of it, is kept as `Foreign` parts with its events, and
told again in this dialect; so are the fields of the response itself. The parts beside them are for other dialects.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from headwater.llm.parts import OURS, FinishReason, Foreign, Json, Source, ToolStart
from headwater.llm.providers.builder import Builder
from headwater.llm.providers.responses.hosted import Hosted, is_hosted, is_painted
from headwater.llm.providers.source import Voice, code_of, dict_of, dicts_of, number_of, numbers_of, text_of

#: Items that are a call of a tool of the application.
_CALLS: Final = {"function_call": "arguments", "custom_tool_call": "input"}
_INCOMPLETE: Final = {"max_output_tokens": FinishReason.LENGTH, "content_filter": FinishReason.CONTENT_FILTER}
#: Fields of a response that change while it comes, or are of the run.
_OF_THE_RUN: Final = {"id", "object", "created_at", "status", "model", "output", "usage", "error", "incomplete_details"}
_OF_A_CALL: Final = {"id", "type", "status", "call_id", "name", "arguments", "input"}
_OF_A_MESSAGE: Final = {"id", "type", "status", "role", "content"}
#: Parts of messages that are texts.
_TEXTS: Final = ("output_text", "refusal")


class ResponsesVoice(Voice):
    """See `Voice`. Left out: what repeats deltas, log probabilities, and padding."""

    dialect: ClassVar[str] = "openai-responses"
    wires: ClassVar[Mapping[str, str]] = {"openai-responses": "sse"}
    has_terminal = True
    ends_stream: ClassVar[bool] = True

    def __init__(self, builder: Builder, *, lenient: bool = False) -> None:
        super().__init__(builder, lenient=lenient)
        self._response = ""
        self._about: Json = {}
        self._begin_response()

    def _begin_response(self) -> None:
        self._hosted = Hosted(self._builder)
        self._calls: dict[str, str] = {}
        self._kinds: dict[str, str] = {}  # id of an item -> its type
        self._items: dict[str, Json] = {}  # id of a message -> its own fields
        self._has_called = False
        self._spoken: set[str] = set()
        self._annotated: set[str] = set()
        self._summaries: dict[str, str] = {}  # id of a reasoning item -> its open part

    @staticmethod
    def knows(item: Any, spoken: str) -> bool:
        """See `Voice.knows`."""
        kind = text_of(item.get("type")) if isinstance(item, dict) else ""
        if kind == "error":
            return "sequence_number" in item or (spoken == "openai-responses" and "errorText" not in item)
        return kind.startswith("response.")

    def hear(self, event: Json) -> None:
        """See `Voice.hear`."""
        kind = text_of(event.get("type")).removeprefix("response.")
        handler = getattr(self, "_on_" + kind.replace(".", "_"), None)
        if handler is not None:
            handler(event)
        elif not event.keys() & {"item_id", "item", "response"}:  # of a later version
            self._keep(event, content=True)
        elif self._kinds.get(text_of(event.get("item_id")), "message") not in ("message", "reasoning", *_CALLS):
            self._keep(event)

    def _on_created(self, event: Json) -> None:
        response = dict_of(event.get("response"))
        id = text_of(response.get("id"))
        if self.ended and id and id != self._response:
            self.ended = False
            self._begin_response()
            self._builder.new_response()
        self._response = id
        created = response.get("created_at")
        self._builder.start(id, text_of(response.get("model")), int(created) if isinstance(created, int | float) else 0)
        self._tell(response)

    _on_in_progress = _on_created
    _on_queued = _on_created

    def _tell(self, response: Json) -> None:
        """What else the response says of itself; again: what has changed."""
        news = {
            key: value
            for key, value in response.items()
            if key not in _OF_THE_RUN and self._about.get(key, self) != value
        }
        if news:
            self._about |= news
            self._keep({"type": "response", "response": news})

    def _on_output_item_added(self, event: Json) -> None:
        item = dict_of(event.get("item"))
        kind, id = text_of(item.get("type")), self._item_id(event, item)
        self._kinds[id] = kind
        if kind in _CALLS:
            self._open_call(kind, id, item)
        elif kind == "reasoning":
            if isinstance(item.get("content"), list):  # of models that show their thinking, and not a summary
                self._open_thinking(id, id, summary=False)
        elif kind == "message":
            self._items[id] = {key: value for key, value in item.items() if key not in _OF_A_MESSAGE}
        elif kind:
            self._keep(event)
            self._hosted.begin(item, id)

    def _open_call(self, kind: str, id: str, item: Json) -> None:
        call = text_of(item.get("call_id")) or id
        self._calls[id] = call
        self._has_called = True
        self._builder.close_texts()
        own: Json = {"openai": {"itemId": id}}
        if rest := {key: value for key, value in item.items() if key not in _OF_A_CALL and value is not None}:
            own["openai-responses"] = {"item": rest}
        is_text = kind == "custom_tool_call"
        self._builder.open_tool(ToolStart(call, text_of(item.get("name")), text_input=is_text, metadata=own))

    def _on_output_item_done(self, event: Json) -> None:
        item = dict_of(event.get("item"))
        kind, id = text_of(item.get("type")), self._item_id(event, item)
        if kind in _CALLS:
            if id not in self._calls:
                self._on_output_item_added(event)
            call = self._calls[id]
            if id not in self._spoken and (text := text_of(item.get(_CALLS[kind]))):
                self._builder.grow_tool(call, text)
            self._builder.ready_tool(call)
        elif kind == "reasoning":
            self._close_thinking(id, item)
        elif kind == "message":
            self._close_message(event, id, item)
        elif kind:
            if not is_painted(item):
                self._keep(event, content=not is_hosted(item))
            self._hosted.end(item, id)

    # Thinking

    def _open_thinking(self, id: str, part: str, *, summary: bool) -> None:
        if self._summaries.get(id) == part:
            return
        if id in self._summaries:
            self._builder.close_reasoning(self._summaries[id])
        self._summaries[id] = part
        self._builder.open_reasoning(part, summary=summary, metadata={"openai": {"itemId": id}})

    def _close_thinking(self, id: str, item: Json) -> None:
        content = dicts_of(item.get("content"))
        texts = [text_of(part.get("text")) for part in dicts_of(item.get("summary")) or content]
        for index, text in enumerate(texts):
            part = f"{id}:{index}" if not content else id
            if part not in self._spoken and text:
                self._open_thinking(id, part, summary=not content)
                self._builder.grow_reasoning(part, text)
        if id not in self._summaries:
            self._open_thinking(id, id, summary=True)
        encrypted = text_of(item.get("encrypted_content")) or None
        self._builder.close_reasoning(self._summaries[id], encrypted=encrypted, metadata={"openai": {"itemId": id}})

    def _on_reasoning_summary_part_added(self, event: Json) -> None:
        id = self._item_id(event, {})
        self._open_thinking(id, f"{id}:{event.get('summary_index') or 0}", summary=True)

    def _on_reasoning_summary_text_delta(self, event: Json) -> None:
        self._on_reasoning_summary_part_added(event)
        self._grow_thinking(event)

    def _on_reasoning_text_delta(self, event: Json) -> None:
        id = self._item_id(event, {})
        self._open_thinking(id, id, summary=False)
        self._grow_thinking(event)

    def _grow_thinking(self, event: Json) -> None:
        part = self._summaries[self._item_id(event, {})]
        self._spoken.add(part)
        self._builder.grow_reasoning(part, text_of(event.get("delta")))

    # Messages

    def _open_text(self, event: Json, id: str, *, refusal: bool) -> None:
        item = self._item_id(event, {})
        own: Json = {"openai": {"itemId": item}}
        if rest := self._items.get(item):
            own[self.dialect] = {"item": rest}
        self._builder.open_text(id, refusal=refusal, metadata=own)

    def _close_message(self, event: Json, id: str, item: Json) -> None:
        """A provider that sends no deltas has the text here."""
        self._items.setdefault(id, {key: value for key, value in item.items() if key not in _OF_A_MESSAGE})
        for index, part in enumerate(dicts_of(item.get("content"))):
            key = f"{id}/{index}"
            if part.get("type") in _TEXTS:
                self._say_whole({**event, "item_id": id}, key, part)
            self._builder.close_text(key)

    def _say_whole(self, event: Json, key: str, part: Json) -> None:
        """What was not said in deltas."""
        is_refusal = part.get("type") == "refusal"
        text = text_of(part.get("refusal" if is_refusal else "text"))
        if key not in self._spoken and text:
            self._spoken.add(key)
            self._open_text(event, key, refusal=is_refusal)
            self._builder.grow_text(key, text)
        for index, note in enumerate(dicts_of(part.get("annotations"))):
            self._annotate(note, f"{key}/{index}")

    def _on_content_part_added(self, event: Json) -> None:
        part = dict_of(event.get("part"))
        if part.get("type") in _TEXTS:
            self._open_text(event, self._content_id(event), refusal=part.get("type") == "refusal")

    def _on_content_part_done(self, event: Json) -> None:
        part, id = dict_of(event.get("part")), self._content_id(event)
        if part.get("type") in _TEXTS:
            self._say_whole(event, id, part)
        self._builder.close_text(id)

    def _on_output_text_delta(self, event: Json) -> None:
        id = self._content_id(event)
        if id not in self._spoken:
            self._spoken.add(id)
            self._open_text(event, id, refusal=False)
        self._builder.grow_text(id, text_of(event.get("delta")))

    def _on_refusal_delta(self, event: Json) -> None:
        self._open_text(event, self._content_id(event), refusal=True)
        self._on_output_text_delta(event)

    def _on_output_text_annotation_added(self, event: Json) -> None:
        index = event.get("annotation_index") or 0
        self._annotate(dict_of(event.get("annotation")), f"{self._content_id(event)}/{index}")

    def _annotate(self, note: Json, key: str) -> None:
        """A source, once: it comes again with the finished part."""
        if key in self._annotated or not note:
            return
        self._annotated.add(key)
        url, file = text_of(note.get("url")), text_of(note.get("filename")) or text_of(note.get("file_id"))
        media_type = "" if url else "application/octet-stream"
        place = number_of(note.get("start_index")), number_of(note.get("end_index"))
        own = {"openai-responses": {"annotation": note}}
        title = text_of(note.get("title")) or file
        id = self._builder.new_id("s")
        self._builder.put(Source(id, url, title, media_type, "" if url else file, own, start=place[0], end=place[1]))

    # Calls

    def _on_function_call_arguments_delta(self, event: Json) -> None:
        id = self._item_id(event, {})
        self._spoken.add(id)
        self._builder.grow_tool(self._calls.get(id, id), text_of(event.get("delta")))

    _on_custom_tool_call_input_delta = _on_function_call_arguments_delta

    # Ends

    def _on_completed(self, event: Json) -> None:
        self._end(event, FinishReason.STOP, "completed")

    def _on_incomplete(self, event: Json) -> None:
        reason = text_of(dict_of(dict_of(event.get("response")).get("incomplete_details")).get("reason"))
        self._end(event, _INCOMPLETE.get(reason, FinishReason.OTHER), reason, complete=False)

    def _end(self, event: Json, reason: FinishReason, native: str, *, complete: bool = True) -> None:
        response = dict_of(event.get("response"))
        self._use(response)
        self._tell(response)
        for index, item in enumerate(dicts_of(response.get("output"))):
            if self._item_id({"output_index": index}, item) not in self._kinds:  # it is told here alone
                whole = {"output_index": index, "item": item}
                self._on_output_item_added({"type": "response.output_item.added", **whole})
                self._on_output_item_done({"type": "response.output_item.done", **whole})
        if complete and self._has_called:
            reason = FinishReason.TOOL_CALLS
        self._builder.close_all(complete=complete)
        self._builder.finish_with(reason, native, dialect=self.dialect, metadata=self._hints(response))
        self.ended = True

    def _hints(self, response: Json) -> Json | None:
        """Some leave the output out of the last event."""
        return {OURS: {"no_output": True}} if self._kinds and response.get("output") == [] else None

    def _on_failed(self, event: Json) -> None:
        response = dict_of(event.get("response"))
        self._use(response)
        self._tell(response)
        self._fail(dict_of(response.get("error")), self._hints(response))

    def _on_error(self, event: Json) -> None:
        self._fail(dict_of(event.get("error")) or event)

    def _fail(self, error: Json, hints: Json | None = None) -> None:
        self.ended = True
        own = {key: value for key, value in error.items() if key != "sequence_number"}
        self._builder.fail(code_of(error), text_of(error.get("message")), {self.dialect: own, **(hints or {})})

    def _use(self, response: Json) -> None:
        if usage := dict_of(response.get("usage")):
            details = numbers_of(usage, "input_tokens", "output_tokens", "total_tokens")
            read, written = number_of(usage.get("input_tokens")), number_of(usage.get("output_tokens"))
            self._builder.use(read, written, details, {self.dialect: usage})

    def _keep(self, event: Json, *, content: bool = False) -> None:
        kept = {key: value for key, value in event.items() if key not in ("sequence_number", "obfuscation")}
        self._builder.put(Foreign(self.dialect, kept, content))

    def _item_id(self, event: Json, item: Json) -> str:
        """The id of the item, which every event of it has; a source without ids has its place."""
        return text_of(event.get("item_id")) or text_of(item.get("id")) or f"item_{event.get('output_index', 0)}"

    def _content_id(self, event: Json) -> str:
        return f"{self._item_id(event, {})}/{event.get('content_index') or 0}"


__all__ = ["ResponsesVoice"]
