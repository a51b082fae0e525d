"""Amazon Bedrock: the events of `converse_stream(...)["stream"]`, dicts with one key each."""

from __future__ import annotations

from base64 import b64encode
from typing import Any, ClassVar, Final

from headwater.llm.parts import File, FinishReason, Foreign, Json, Source, ToolOutput, ToolStart
from headwater.llm.providers.builder import Builder
from headwater.llm.providers.reasons import reason_of
from headwater.llm.providers.source import Voice, dict_of, dicts_of, number_of, numbers_of, plain, text_of

_EVENTS: Final = {
    *("messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"),
}


class BedrockVoice(Voice):
    """See `Voice`. Kept as `Foreign`: blocks and deltas that are not known, traces and figures of a guardrail."""

    dialect: ClassVar[str] = "bedrock"
    has_terminal = True

    def __init__(self, builder: Builder, *, lenient: bool = False) -> None:
        super().__init__(builder, lenient=lenient)
        self._blocks: dict[int, tuple[str, str]] = {}  # index -> kind, id of the part
        self._signatures: dict[str, str] = {}

    @staticmethod
    def knows(item: Any, spoken: str) -> bool:
        """See `Voice.knows`."""
        if not isinstance(item, dict) or len(item) != 1:
            return False
        ((kind, value),) = item.items()
        if not isinstance(kind, str) or not isinstance(value, dict):
            return False
        is_error = kind.endswith("Exception") and "message" in value
        return is_error or (kind in _EVENTS and (kind != "metadata" or "usage" in value or spoken == "bedrock"))

    @classmethod
    def may_add(cls, item: Json) -> bool:
        """See `Voice.may_add`: the name is the one key."""
        return super().may_add(item) or (len(item) == 1 and all(isinstance(name, str) for name in item))

    def hear(self, event: Json) -> None:
        """See `Voice.hear`."""
        ((kind, value),) = event.items()
        index = number_of(value.get("contentBlockIndex")) or 0
        match kind:
            case "messageStart":
                if self.ended:
                    self.ended = False
                    self._builder.new_response()
                self._builder.start()
            case "contentBlockStart":
                self._open(index, dict_of(value.get("start")))
            case "contentBlockDelta":
                self._grow(index, dict_of(value.get("delta")))
            case "contentBlockStop":
                self._close(index)
            case "messageStop":
                self._end(value)
            case "metadata":
                self._use(value)
            case _:
                self.ended = True
                self._builder.fail(kind, text_of(value.get("message")), {self.dialect: plain(event)})

    def _open(self, index: int, start: Json) -> None:
        tool, result, image = (dict_of(start.get(name)) for name in ("toolUse", "toolResult", "image"))
        if tool:
            id = text_of(tool.get("toolUseId")) or self._builder.new_id("call_")
            is_own = tool.get("type") == "server_tool_use"
            self._builder.open_tool(ToolStart(id, text_of(tool.get("name")), provider_executed=is_own))
            self._blocks[index] = "tool", id
        elif result:
            self._blocks[index] = "result", text_of(result.get("toolUseId"))
        elif image:
            self._blocks[index] = "image", text_of(image.get("format"))
        elif start:
            self._builder.put(Foreign(self.dialect, {"contentBlockStart": plain(start)}, content=True))

    def _grow(self, index: int, delta: Json) -> None:
        builder = self._builder
        for name, value in delta.items():
            match name:
                case "text":
                    builder.grow_text(self._id_of(index, "text"), text_of(value))
                case "reasoningContent":
                    self._think(self._id_of(index, "thinking"), dict_of(value))
                case "toolUse":
                    builder.grow_tool(self._id_of(index, "tool"), text_of(dict_of(value).get("input")))
                case "toolResult":
                    builder.put_output(ToolOutput(self._id_of(index, "result"), plain(value)))
                case "citation":
                    self._cite(dict_of(value))
                case "image":
                    self._show(index, dict_of(value))
                case _:
                    builder.put(Foreign(self.dialect, {"contentBlockDelta": {name: plain(value)}}, content=True))

    def _id_of(self, index: int, kind: str) -> str:
        """The id of the part of a block; texts have no start."""
        if self._blocks.get(index, ("", ""))[0] != kind:
            self._blocks[index] = kind, self._builder.new_id(kind[0])
        return self._blocks[index][1]

    def _think(self, id: str, value: Json) -> None:
        redacted = value.get("redactedContent")
        if redacted is not None:
            self._builder.open_reasoning(id, redacted=text_of(plain(redacted)))
        self._builder.grow_reasoning(id, text_of(value.get("text")))
        if signature := text_of(value.get("signature")):
            self._signatures[id] = self._signatures.get(id, "") + signature

    def _cite(self, citation: Json) -> None:
        location = dict_of(citation.get("location"))
        url = text_of(dict_of(location.get("web")).get("url"))
        metadata = {self.dialect: {"citation": plain(citation)}}
        id = self._builder.new_id("s")
        self._builder.put(Source(id, url, text_of(citation.get("title")), "" if url else "text/plain", "", metadata))

    def _show(self, index: int, image: Json) -> None:
        data = dict_of(image.get("source")).get("bytes")
        kind = f"image/{self._blocks.get(index, ('', 'png'))[1] or 'png'}"
        text = b64encode(data).decode() if isinstance(data, bytes) else text_of(data)
        self._builder.put(File(f"data:{kind};base64,{text}", kind))

    def _close(self, index: int) -> None:
        kind, id = self._blocks.pop(index, ("", ""))
        if kind == "text":
            self._builder.close_text(id)
        elif kind == "thinking":
            self._builder.close_reasoning(id, signature=self._signatures.pop(id, "") or None)
        elif kind == "tool":
            self._builder.ready_tool(id)

    def _end(self, value: Json) -> None:
        self.ended = True
        self._builder.close_all()
        word = text_of(value.get("stopReason"))
        reason = FinishReason.ERROR if word.startswith("malformed") else reason_of(word)
        more = dicts_of([value.get("additionalModelResponseFields")])
        sequence = text_of(more[0].get("stop_sequence")) if more else ""
        self._builder.finish_with(reason, word, dialect=self.dialect, sequence=sequence)

    def _use(self, value: Json) -> None:
        usage = dict_of(value.get("usage"))
        details = numbers_of(usage, "inputTokens", "outputTokens", "totalTokens")
        read, written = number_of(usage.get("inputTokens")), number_of(usage.get("outputTokens"))
        self._builder.use(read, written, details, {self.dialect: usage})
        if rest := {key: field for key, field in value.items() if key not in ("usage", "metrics")}:
            self._builder.put(Foreign(self.dialect, {"metadata": plain(rest)}))
