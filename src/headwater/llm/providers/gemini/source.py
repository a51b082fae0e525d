"""Google's Gemini: the responses of `streamGenerateContent`, as bytes, and as `google-genai` gives them.

Rule: the SDK's names are those of the API in snake case, so that each field is looked up by both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from headwater.llm.parts import File, FinishReason, Foreign, Json, Source, ToolOutput, ToolReady
from headwater.llm.providers.builder import Builder
from headwater.llm.providers.reasons import reason_of
from headwater.llm.providers.source import (
    Voice,
    code_of,
    dict_of,
    dicts_of,
    error_in,
    number_of,
    numbers_of,
    plain,
    said,
    text_of,
)

_UPPER: Final = re.compile(r"(?<!^)(?=[A-Z])")
_OF_A_RESPONSE: Final = {"candidates", "usageMetadata", "modelVersion", "responseId"}
_OF_A_CANDIDATE: Final = {"content", "finishReason", "index", "citationMetadata", "groundingMetadata"}
#: What code that the model runs is called by.
_CODE: Final = "code_execution"


class GeminiVoice(Voice):
    """See `Voice`. Kept as `Foreign`: further candidates, ratings, and parts that are not known."""

    dialect: ClassVar[str] = "gemini"
    named_by: ClassVar[tuple[str, ...]] = ("responseId", "response_id", "modelVersion", "model_version")
    wires: ClassVar[Mapping[str, str]] = {"gemini": "sse", "gemini-array": "array"}
    has_terminal = True

    def __init__(self, builder: Builder, *, lenient: bool = False) -> None:
        super().__init__(builder, lenient=lenient)
        self._code = ""
        self._cited: list[Any] = []
        self._told: Json = {}
        self._has_called = False

    @staticmethod
    def knows(item: Any, spoken: str) -> bool:
        """See `Voice.knows`."""
        if not isinstance(item, dict) or "choices" in item or "type" in item:
            return False
        if isinstance(item.get("candidates"), list):
            return True
        return any(isinstance(item.get(name), dict) for name in _spelled("usageMetadata") + _spelled("promptFeedback"))

    def hear(self, event: Json) -> None:
        """See `Voice.hear`."""
        error = error_in(event)
        if error is not None:
            self.ended = True
            code = text_of(error.get("status")) or code_of(error)
            self._builder.fail(code, text_of(error.get("message")), {self.dialect: plain(error)})
            return
        candidates = dicts_of(event.get("candidates"))
        goes_on = any(candidate.get("index") in (0, None) for candidate in candidates)
        if goes_on and self.ended and self._has_called:  # the SDK has run the tools, and asked again
            self.ended = self._has_called = False
            self._builder.new_response()
        self._builder.start("", text_of(_get(event, "modelVersion")))
        self._keep(event, _OF_A_RESPONSE)
        for candidate in candidates:
            if candidate.get("index") in (0, None):
                self._take(candidate)
            else:
                self._builder.put(Foreign(self.dialect, {"candidates": [plain(candidate)]}, content=True))
        if usage := dict_of(_get(event, "usageMetadata")):
            self._use(usage)
        if blocked := text_of(dict_of(_get(event, "promptFeedback")).get("blockReason")):
            self._finish(blocked, FinishReason.CONTENT_FILTER)

    def _take(self, candidate: Json) -> None:
        for part in dicts_of(dict_of(candidate.get("content")).get("parts")):
            self._say(part)
        for note in dicts_of(dict_of(_get(candidate, "citationMetadata")).get("citations")):
            self._cite(note, note, text_of(note.get("uri")), text_of(note.get("title")))
        self._ground(dict_of(_get(candidate, "groundingMetadata")))
        self._keep(candidate, _OF_A_CANDIDATE)
        reason = _get(candidate, "finishReason")
        if reason:
            word = text_of(getattr(reason, "value", reason))
            self._finish(word, reason_of(word, has_called=self._has_called))

    def _say(self, part: Json) -> None:
        builder, text = self._builder, text_of(part.get("text"))
        seal = text_of(plain(_get(part, "thoughtSignature")))
        metadata = {"google": {"thoughtSignature": seal}} if seal else None
        if part.get("thought") is True:
            builder.think(text)
            if seal:
                builder.close_reasonings(seal, metadata)
            return
        if call := dict_of(_get(part, "functionCall")):
            builder.close_all()
            self._has_called = True
            id = text_of(call.get("id")) or builder.new_id("call_")
            builder.put_ready(
                ToolReady(id, text_of(call.get("name")), plain(call.get("args") or {}), metadata=metadata)
            )
        elif result := dict_of(_get(part, "functionResponse")):
            id = text_of(result.get("id"))
            builder.put_output(ToolOutput(id, plain(result.get("response"))))
        elif data := dict_of(_get(part, "inlineData")) or dict_of(_get(part, "fileData")):
            self._show(data, metadata)
        elif code := dict_of(_get(part, "executableCode")):
            self._code = text_of(code.get("id")) or builder.new_id("code_")
            language = text_of(getattr(code.get("language"), "value", code.get("language")))
            value = {"language": language, "code": text_of(code.get("code"))}
            builder.put_ready(ToolReady(self._code, _CODE, value, provider_executed=True, metadata=metadata))
        elif result := dict_of(_get(part, "codeExecutionResult")):
            builder.put_output(ToolOutput(text_of(result.get("id")) or self._code, plain(result), metadata=metadata))
        elif text:
            builder.say(text, metadata=metadata)
        elif seal:
            builder.close_texts()
            builder.open_text(id := builder.new_id("t"), metadata=metadata)
            builder.close_text(id)
        elif part and "text" not in part:
            content = {"role": "model", "parts": [plain(part)]}
            builder.put(Foreign(self.dialect, {"candidates": [{"content": content}]}, content=True))

    def _show(self, data: Json, metadata: Json | None) -> None:
        kind = text_of(_get(data, "mimeType")) or "application/octet-stream"
        held = text_of(plain(data.get("data")))
        url = text_of(_get(data, "fileUri")) or f"data:{kind};base64,{held}"
        self._builder.put(File(url, kind, metadata=metadata))

    def _ground(self, grounding: Json) -> None:
        """Pages that the answer rests on, each once. Places of what rests on them are bytes, and kept as they are."""
        for chunk in dicts_of(_get(grounding, "groundingChunks")):
            page = dict_of(chunk.get("web")) or dict_of(_get(chunk, "retrievedContext")) or dict_of(chunk.get("maps"))
            self._cite(chunk, {}, text_of(page.get("uri")), text_of(page.get("title")))
        self._keep({"groundingMetadata": grounding}, frozenset())

    def _cite(self, note: Json, place: Json, url: str, title: str) -> None:
        own = plain(note)
        if own in self._cited:
            return
        self._cited.append(own)
        start, end = number_of(_get(place, "startIndex")), number_of(_get(place, "endIndex"))
        id, kind = self._builder.new_id("s"), "" if url else "text/plain"
        self._builder.put(
            Source(id, url, title, kind, metadata={self.dialect: {"citation": own}}, start=start, end=end)
        )

    def _keep(self, holder: Json, known: set[str] | frozenset[str]) -> None:
        """What stands beside the content, when it changes."""
        for name, value in holder.items():
            name = _camel(name)
            if name in known or not said(value) or name.startswith(("sdk", "automatic", "parsed", "create")):
                continue
            own = plain(value)
            if self._told.get(name) != own:
                self._told[name] = own
                is_beside = known is _OF_A_RESPONSE
                self._builder.put(Foreign(self.dialect, {name: own} if is_beside else {"candidates": [{name: own}]}))

    def _finish(self, word: str, reason: FinishReason) -> None:
        self.ended = True
        self._builder.close_all()
        self._builder.finish_with(reason, word, dialect=self.dialect)

    def _use(self, usage: Json) -> None:
        own = {_camel(name): plain(value) for name, value in usage.items() if value is not None}
        written = number_of(own.get("candidatesTokenCount"))
        thought = number_of(own.get("thoughtsTokenCount"))
        if written is not None or thought is not None:
            written = (written or 0) + (thought or 0)
        details = numbers_of(own, "promptTokenCount", "candidatesTokenCount", "totalTokenCount")
        self._builder.use(number_of(own.get("promptTokenCount")), written, details, {self.dialect: own})


def _spelled(name: str) -> tuple[str, str]:
    return name, _UPPER.sub("_", name).lower()


def _get(holder: Json, name: str) -> Any:
    """A field by the API's name or the SDK's."""
    camel, snake = _spelled(name)
    return holder.get(camel, holder.get(snake))


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.title() for word in others)
