"""OpenAI Responses: the events of a streamed response."""

from __future__ import annotations

from typing import ClassVar

from headwater.llm.parts import FinishReason, Foreign, Json, Source, ToolStart
from headwater.llm.providers.builder import Builder
from headwater.llm.providers.source import dict_of, dicts_of, number_of, numbers_of, text_of

#: Items that are a call of a tool of the application.
_CALLS = {"function_call": "arguments", "custom_tool_call": "input"}
_INCOMPLETE = {"max_output_tokens": FinishReason.LENGTH, "content_filter": FinishReason.CONTENT_FILTER}


class ResponsesVoice:
    """See `Voice`.

    Kept as `Foreign`: items of tools that OpenAI runs itself, when they are done, and images. Left out: their
    progress, and logprobs.
    """

    dialect: ClassVar[str] = "openai-responses"
    has_terminal: ClassVar[bool] = True

    def __init__(self, builder: Builder, *, lenient: bool = False) -> None:
        self.ended = False
        self._builder = builder
        self._response = ""
        self._calls: dict[str, str] = {}
        self._has_called = False
        self._spoken: set[str] = set()
        self._annotated: set[str] = set()

    def hear(self, event: Json) -> None:
        """See `Voice.hear`."""
        kind = text_of(event.get("type")).removeprefix("response.")
        handler = getattr(self, "_on_" + kind.replace(".", "_"), None)
        if handler is not None:
            handler(event)

    def _on_created(self, event: Json) -> None:
        response = dict_of(event.get("response"))
        id = text_of(response.get("id"))
        if self.ended and id and id != self._response:
            self.ended = self._has_called = False
            self._builder.new_response()
        self._response = id
        created = response.get("created_at")
        self._builder.start(id, text_of(response.get("model")), int(created) if isinstance(created, int | float) else 0)

    _on_in_progress = _on_created
    _on_queued = _on_created

    def _on_output_item_added(self, event: Json) -> None:
        item = dict_of(event.get("item"))
        kind, id = text_of(item.get("type")), self._item_id(event, item)
        if kind in _CALLS:
            call = text_of(item.get("call_id")) or id
            self._calls[id] = call
            self._has_called = True
            self._builder.close_texts()
            self._builder.open_tool(ToolStart(call, text_of(item.get("name")), text_input=kind == "custom_tool_call"))
        elif kind == "reasoning":
            # Models that show their thinking itself, and not a summary, have a `content` from the start.
            self._builder.open_reasoning(id, summary=not isinstance(item.get("content"), list))

    def _on_output_item_done(self, event: Json) -> None:
        item = dict_of(event.get("item"))
        kind, id = text_of(item.get("type")), self._item_id(event, item)
        if kind in _CALLS:
            self._on_output_item_added(event)
            call = self._calls[id]
            if id not in self._spoken and (text := text_of(item.get(_CALLS[kind]))):
                self._builder.grow_tool(call, text)
            self._builder.ready_tool(call)
        elif kind == "reasoning":
            self._close_reasoning(id, item)
        elif kind == "message":
            self._close_message(id, item)
        elif kind:
            self._builder.put(Foreign(self.dialect, event))

    def _close_reasoning(self, id: str, item: Json) -> None:
        if id not in self._spoken:
            texts = [
                text_of(part.get("text")) for part in dicts_of(item.get("summary")) or dicts_of(item.get("content"))
            ]
            if text := "\n\n".join(texts):
                self._builder.grow_reasoning(id, text)
        self._builder.close_reasoning(id, encrypted=text_of(item.get("encrypted_content")) or None)

    def _close_message(self, id: str, item: Json) -> None:
        """A provider that sends no deltas has the text here."""
        for index, part in enumerate(dicts_of(item.get("content"))):
            key = f"{id}/{index}"
            if key not in self._spoken:
                is_refusal = part.get("type") == "refusal"
                if text := text_of(part.get("refusal" if is_refusal else "text")):
                    self._spoken.add(key)
                    self._builder.open_text(key, refusal=is_refusal)
                    self._builder.grow_text(key, text)
            for note in dicts_of(part.get("annotations")):
                self._annotate(note)
            self._builder.close_text(key)

    def _on_content_part_added(self, event: Json) -> None:
        part = dict_of(event.get("part"))
        if part.get("type") in ("output_text", "refusal"):
            self._builder.open_text(self._content_id(event), refusal=part.get("type") == "refusal")

    def _on_content_part_done(self, event: Json) -> None:
        part, id = dict_of(event.get("part")), self._content_id(event)
        if id not in self._spoken and (text := text_of(part.get("text")) or text_of(part.get("refusal"))):
            if part.get("type") not in ("output_text", "refusal"):
                return
            self._spoken.add(id)
            self._builder.open_text(id, refusal=part.get("type") == "refusal")
            self._builder.grow_text(id, text)
        self._builder.close_text(id)

    def _on_output_text_delta(self, event: Json) -> None:
        id = self._content_id(event)
        self._spoken.add(id)
        self._builder.grow_text(id, text_of(event.get("delta")))

    def _on_refusal_delta(self, event: Json) -> None:
        self._builder.open_text(self._content_id(event), refusal=True)
        self._on_output_text_delta(event)

    def _on_output_text_annotation_added(self, event: Json) -> None:
        self._annotate(dict_of(event.get("annotation")))

    def _annotate(self, note: Json) -> None:
        """A source, once: it comes again with the finished part."""
        url, file = text_of(note.get("url")), text_of(note.get("filename"))
        if (url or file) and (url or file) not in self._annotated:
            self._annotated.add(url or file)
            id = self._builder.new_id("s")
            media_type = "" if url else "application/octet-stream"
            self._builder.put(Source(id, url, text_of(note.get("title")) or file, media_type, file, note))

    def _on_reasoning_summary_part_added(self, event: Json) -> None:
        id = text_of(event.get("item_id"))
        self._builder.open_reasoning(id, summary=True)
        if event.get("summary_index"):
            self._builder.grow_reasoning(id, "\n\n")

    def _on_reasoning_summary_text_delta(self, event: Json) -> None:
        id = text_of(event.get("item_id"))
        self._spoken.add(id)
        self._builder.grow_reasoning(id, text_of(event.get("delta")))

    def _on_reasoning_text_delta(self, event: Json) -> None:
        self._builder.open_reasoning(text_of(event.get("item_id")))
        self._on_reasoning_summary_text_delta(event)

    def _on_function_call_arguments_delta(self, event: Json) -> None:
        id = self._item_id(event, {})
        self._spoken.add(id)
        self._builder.grow_tool(self._calls.get(id, id), text_of(event.get("delta")))

    _on_custom_tool_call_input_delta = _on_function_call_arguments_delta

    def _on_completed(self, event: Json) -> None:
        self._use(event)
        self._builder.close_all()
        if self._has_called:
            self._builder.finish_with(FinishReason.TOOL_CALLS, "completed")
        else:
            self._builder.finish_with(FinishReason.STOP, "completed")
        self.ended = True

    def _on_incomplete(self, event: Json) -> None:
        self._use(event)
        reason = text_of(dict_of(dict_of(event.get("response")).get("incomplete_details")).get("reason"))
        self._builder.close_all(complete=False)
        self._builder.finish_with(_INCOMPLETE.get(reason, FinishReason.OTHER), reason)
        self.ended = True

    def _on_failed(self, event: Json) -> None:
        self._use(event)
        self._fail(dict_of(dict_of(event.get("response")).get("error")))

    def _on_error(self, event: Json) -> None:
        self._fail(dict_of(event.get("error")) or event)

    def _fail(self, error: Json) -> None:
        self.ended = True
        code = error.get("code") or error.get("type") or "upstream-error"
        self._builder.fail(str(code), text_of(error.get("message")))

    def _use(self, event: Json) -> None:
        usage = dict_of(dict_of(event.get("response")).get("usage"))
        if usage:
            details = numbers_of(usage, "input_tokens", "output_tokens", "total_tokens")
            self._builder.use(number_of(usage.get("input_tokens")), number_of(usage.get("output_tokens")), details)

    def _item_id(self, event: Json, item: Json) -> str:
        """The id of the item, which every event of it has; a source without ids has its place."""
        return text_of(event.get("item_id")) or text_of(item.get("id")) or f"item_{event.get('output_index', 0)}"

    def _content_id(self, event: Json) -> str:
        return f"{self._item_id(event, {})}/{event.get('content_index') or 0}"
