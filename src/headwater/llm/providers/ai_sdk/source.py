"""The chunks of an AI SDK UI message stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from headwater.llm.parts import (
    Data,
    File,
    FinishReason,
    Foreign,
    Json,
    Metadata,
    Source,
    ToolError,
    ToolOutput,
    ToolReady,
    ToolStart,
    part_from,
)
from headwater.llm.providers.builder import Builder
from headwater.llm.providers.source import Voice, dict_of, said, text_of

#: Chunks that no other family has, besides `data-*`.
CHUNKS = {
    "text-delta",
    "reasoning-delta",
    "tool-input-start",
    "tool-input-delta",
    "tool-input-available",
    "tool-input-error",
    "tool-approval-request",
    "tool-approval-response",
    "tool-output-available",
    "tool-output-error",
    "tool-output-denied",
    "source-url",
    "source-document",
    "reasoning-file",
    "custom",
    "steering-message",
    "start-step",
    "finish-step",
    "reset-step",
    "message-metadata",
}
#: Chunks whose names are also parts of ours.
SHARED = {"start", "text-start", "text-end", "reasoning-start", "reasoning-end", "file", "error", "abort", "finish"}

_METADATA = ("messageMetadata", "providerMetadata")


class AiSdkVoice(Voice):
    """See `Voice`. Kept as `Foreign`, for readers of the same dialect: approvals, custom, steering, step resets.

    A stream may end without a `finish` (the SDK itself takes that for an end), so none is missed.
    """

    dialect: ClassVar[str] = "ai-sdk"
    wires: ClassVar[Mapping[str, str]] = {"ai-sdk": "sse"}

    def __init__(self, builder: Builder, *, lenient: bool = False) -> None:
        super().__init__(builder, lenient=lenient)
        self._delta_metadata: dict[str, Json] = {}

    @staticmethod
    def knows(item: Any, spoken: str) -> bool:
        """See `Voice.knows`."""
        kind = text_of(item.get("type")) if isinstance(item, dict) else ""
        if kind == "error":
            return "errorText" in item
        if kind in CHUNKS or (kind.startswith("data-") and "data" in item):
            return True
        return kind in SHARED and (spoken == "ai-sdk" or not _is_ours(item))

    def hear(self, event: Json) -> None:
        """See `Voice.hear`."""
        kind = text_of(event.get("type"))
        for name in _METADATA:
            if said(found := event.get(name)) and not isinstance(found, dict):  # no client can take it
                self._builder.put(Foreign(self.dialect, {"type": "metadata", name: found}, content=True))
        if kind.startswith("data-"):
            id, is_transient = text_of(event.get("id")), event.get("transient") is True
            self._builder.put(Data(kind.removeprefix("data-"), event.get("data"), id, is_transient))
        elif kind.startswith(("text-", "reasoning-")) and kind != "reasoning-file":
            self._take_text(kind, event)
        elif kind.startswith("tool-"):
            self._take_tool(kind, event)
        else:
            self._take_other(kind, event)

    def _take_text(self, kind: str, event: Json) -> None:
        builder, id, metadata = self._builder, text_of(event.get("id")), dict_of(event.get("providerMetadata")) or None
        match kind:
            case "text-start":
                builder.open_text(id, metadata=metadata)
            case "text-delta":
                builder.grow_text(id, text_of(event.get("delta")))
            case "text-end":
                builder.close_text(id, metadata)
            case "reasoning-start":
                builder.open_reasoning(id, metadata=metadata)
            case "reasoning-delta":
                builder.grow_reasoning(id, text_of(event.get("delta")))
                if metadata:  # Anthropic's signature comes with an empty delta
                    self._delta_metadata[id] = {**self._delta_metadata.get(id, {}), **metadata}
            case "reasoning-end":
                metadata = {**self._delta_metadata.pop(id, {}), **(metadata or {})} or None
                signature = text_of(dict_of((metadata or {}).get("anthropic")).get("signature")) or None
                builder.close_reasoning(id, signature=signature, metadata=metadata)

    def _take_tool(self, kind: str, event: Json) -> None:
        builder, id, name = self._builder, text_of(event.get("toolCallId")), text_of(event.get("toolName"))
        metadata = dict_of(event.get("providerMetadata")) or None
        match kind:
            case "tool-input-start":
                tool = ToolStart(id, name, **self._flags(event), text_input=event.get("inputEncoding") == "text")
                builder.open_tool(tool)
            case "tool-input-delta":
                builder.grow_tool(id, text_of(event.get("inputTextDelta")))
            case "tool-input-available":
                builder.put_ready(ToolReady(id, name, event.get("input"), **self._flags(event)))
            case "tool-input-error":
                builder.put_error(ToolError(id, text_of(event.get("errorText")), name, event.get("input")))
            case "tool-output-available":
                builder.put_output(ToolOutput(id, event.get("output"), event.get("preliminary") is True, metadata))
            case "tool-output-error":
                builder.ready_tool(id)
                builder.put_error(ToolError(id, text_of(event.get("errorText"))))
            case "tool-output-denied":
                builder.put_error(ToolError(id, denied=True))
            case _:
                builder.put(Foreign(self.dialect, event, content=True))

    def _flags(self, event: Json) -> Json:
        return {
            "provider_executed": event.get("providerExecuted") is True,
            "dynamic": event.get("dynamic") is True,
            "title": text_of(event.get("title")),
            "metadata": dict_of(event.get("providerMetadata")) or None,
        }

    def _take_other(self, kind: str, event: Json) -> None:
        builder = self._builder
        metadata, provider = (
            dict_of(event.get("messageMetadata")) or None,
            dict_of(event.get("providerMetadata")) or None,
        )
        match kind:
            case "start":
                self.ended = False
                builder.start(text_of(event.get("messageId")), metadata=metadata)
            case "message-metadata":
                builder.put(Metadata(metadata or {}))
            case "source-url" | "source-document":
                id, url, title = (text_of(event.get(key)) for key in ("sourceId", "url", "title"))
                media_type, filename = text_of(event.get("mediaType")), text_of(event.get("filename"))
                builder.put(Source(id, url, title, media_type, filename, provider))
            case "file" | "reasoning-file":
                url, media_type = text_of(event.get("url")), text_of(event.get("mediaType"))
                builder.put(File(url, media_type, kind != "file", provider))
            case "start-step":
                builder.begin_step()
            case "finish-step":
                builder.end_step()
            case "error":
                self.ended = True
                builder.fail("upstream-error", text_of(event.get("errorText")))
            case "abort":
                self.ended = True
                builder.abort(text_of(event.get("reason")))
            case "finish":
                self.ended = True
                if metadata:
                    builder.put(Metadata(metadata))
                reason = text_of(event.get("finishReason"))
                builder.finish_with(FinishReason(reason) if reason else FinishReason.STOP, reason)
            case _:
                builder.put(Foreign(self.dialect, event, content=True))


def _is_ours(event: Json) -> bool:
    """A dict with a name that both the AI SDK and we have is ours, unless it has a field that only theirs has."""
    theirs = {"messageId", "messageMetadata", "providerMetadata", "finishReason", "mediaType"}
    return len(event) > 1 and not theirs & event.keys() and part_from(event) is not None
