"""One message of a LangChain model, whole or in chunks, as parts."""

from __future__ import annotations

from typing import Any, Final

from headwater.llm.parts import File, Foreign, Json, Source, ToolError, ToolReady
from headwater.llm.providers.builder import Builder
from headwater.llm.providers.openai.calls import Calls
from headwater.llm.providers.reasons import reason_of
from headwater.llm.providers.source import (
    dict_of,
    dicts_of,
    field,
    number_of,
    numbers_of,
    plain,
    text_of,
)

#: Where the providers' words for the end are.
_ENDS: Final = ("finish_reason", "stop_reason", "done_reason", "stopReason")
#: Blocks that repeat calls.
_OF_CALLS: Final = {"tool_use", "input_json_delta", "tool_call", "tool_call_chunk", "function_call", "non_standard"}


class Message:
    """A message.

    Args:
        builder: of the run's parts.
        text: the id of its text.

    Attributes:
        model: the model's name, once it is known.
        is_over: the model has said why it stopped, or the message came whole.
    """

    def __init__(self, builder: Builder, text: str) -> None:
        self.model = ""
        self.is_over = False
        self._builder: Final = builder
        self._calls: Final = Calls(builder)
        self._text: Final = text
        self._read = self._written = 0
        self._signature = ""

    def grow(self, message: Any, *, is_chunk: bool) -> None:
        """Take a chunk of it, or all of it."""
        extra = dict_of(field(message, "additional_kwargs"))
        self._think(text_of(extra.get("reasoning_content")))
        content = field(message, "content")
        for block in [content] if isinstance(content, str) else content or ():
            self._take(block)
        if refusal := text_of(extra.get("refusal")):
            self._builder.say(refusal, refusal=True)
        if is_chunk:
            pieces = [dict_of(piece) for piece in field(message, "tool_call_chunks") or ()]
            self._calls.take([_piece(piece) for piece in pieces])
        else:
            self._call(message)
        self._use(dict_of(field(message, "usage_metadata")))
        self._end_with(dict_of(field(message, "response_metadata")))
        if not is_chunk or field(message, "chunk_position") == "last":
            self.end()

    def end(self) -> None:
        """It is whole; again: nothing."""
        self.is_over = True
        self._calls.end()
        self._builder.close_all()

    def _take(self, block: Any) -> None:
        if isinstance(block, str):
            self._say(block)
            return
        block = dict_of(block)
        match block.get("type"):
            case "text" | "text_delta":
                self._say(text_of(block.get("text")))
                for note in [*dicts_of(block.get("annotations")), *dicts_of(block.get("citations"))]:
                    self._cite(note)
            case "thinking" | "reasoning" | "reasoning_content":
                summary = "".join(text_of(part.get("text")) for part in dicts_of(block.get("summary")))
                self._think(text_of(block.get("thinking")) or text_of(block.get("reasoning")) or summary)
                self._seal(text_of(block.get("signature")) or text_of(dict_of(block.get("extras")).get("signature")))
            case "image" | "image_url" | "file" | "audio":
                self._show(block)
            case kind if kind not in _OF_CALLS and block:
                self._builder.put(Foreign("langchain", plain(block), content=True))

    def _say(self, text: str) -> None:
        if text:
            self._calls.open_all()
            self._builder.close_reasonings()
            self._builder.grow_text(self._text, text)

    def _think(self, text: str) -> None:
        if text:
            self._calls.open_all()
            self._builder.think(text)

    def _seal(self, signature: str) -> None:
        if signature:
            self._builder.seal_reasoning(signature)

    def _cite(self, note: Json) -> None:
        url, title = text_of(note.get("url")), text_of(note.get("title")) or text_of(note.get("document_title"))
        place = number_of(note.get("start_index")), number_of(note.get("end_index"))
        metadata = {"langchain": {"citation": plain(note)}}
        id = self._builder.new_id("s")
        self._builder.put(
            Source(id, url, title, "" if url else "text/plain", metadata=metadata, start=place[0], end=place[1])
        )

    def _show(self, block: Json) -> None:
        image = block.get("image_url")
        url = text_of(image) or text_of(dict_of(image).get("url")) or text_of(block.get("url"))
        data = text_of(block.get("base64")) or text_of(block.get("data"))
        kind = text_of(block.get("mime_type")) or ("image/*" if "image" in text_of(block.get("type")) else "*/*")
        if url or data:
            self._builder.put(File(url or f"data:{kind};base64,{data}", kind))
        else:
            self._builder.put(Foreign("langchain", plain(block), content=True))

    def _call(self, message: Any) -> None:
        for call in dicts_of(field(message, "tool_calls")):
            id = text_of(call.get("id")) or self._builder.new_id("call_")
            self._builder.put_ready(ToolReady(id, text_of(call.get("name")), plain(call.get("args"))))
        for call in dicts_of(field(message, "invalid_tool_calls")):
            id = text_of(call.get("id")) or self._builder.new_id("call_")
            why = text_of(call.get("error")) or "the model's input for the tool is not JSON"
            self._builder.put_error(ToolError(id, why, text_of(call.get("name")), call.get("args")))

    def _use(self, usage: Json) -> None:
        if usage:
            self._read += number_of(usage.get("input_tokens")) or 0
            self._written += number_of(usage.get("output_tokens")) or 0
            details = numbers_of(usage, "input_tokens", "output_tokens", "total_tokens")
            self._builder.use(self._read, self._written, details)

    def _end_with(self, metadata: Json) -> None:
        self.model = text_of(metadata.get("model_name")) or text_of(metadata.get("model")) or self.model
        word = next((text_of(metadata.get(name)) for name in _ENDS if metadata.get(name)), "")
        if word:
            self._builder.finish_with(reason_of(word), word)


def _piece(piece: Json) -> Json:
    """As chat completions have it."""
    index = piece.get("index")
    known = {"index": index} if isinstance(index, int) else {}
    return {**known, "id": piece.get("id"), "function": {"name": piece.get("name"), "arguments": piece.get("args")}}
