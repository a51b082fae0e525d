"""`gemini`: the responses of Gemini's `streamGenerateContent?alt=sse`; `gemini-array`: those without `alt=sse`.

Told: text, thinking with its signature, calls of functions, code that the model ran with its result, files, cited
pages, usage, and whatever a source of this dialect had beside it. Not told, for want of a place: data, steps,
approvals, other calls that a provider ran and their results, documents without a URL.
Events have no ids, for the SDK takes every line but `data` for a response of its own.
An end that is no success is `{"error": ...}`, which the SDK raises; nothing follows it.
Without `alt=sse` a stream is one JSON array, and its responses are the elements; who parses it as it comes has each at
once, and who waits has one document.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import msgspec

from headwater.llm import parts
from headwater.llm.parts import Json
from headwater.llm.providers.dialect import Ending, SseDialect, frame, of_provider, without_empty
from headwater.llm.providers.figures import merged

_REASONS: Final = {
    parts.FinishReason.STOP: "STOP",
    parts.FinishReason.LENGTH: "MAX_TOKENS",
    parts.FinishReason.TOOL_CALLS: "STOP",
    parts.FinishReason.CONTENT_FILTER: "SAFETY",
}
_CODES: Final = {"stopped": (499, "CANCELLED"), "timeout": (504, "DEADLINE_EXCEEDED"), "detached": (503, "UNAVAILABLE")}
_CODE: Final = "code_execution"
#: Whose native objects are told as they came.
_OWN: Final = "gemini"


class Gemini(SseDialect):
    """A run as responses of Gemini."""

    name: ClassVar[str] = _OWN
    relays: ClassVar[str] = _OWN
    lacks: ClassVar[frozenset[str]] = frozenset(
        {"sealed thinking", "hosted calls", "results", "approvals", "documents", "files", "data", "foreign"}
    )

    has_ids: ClassVar[bool] = False
    clients: ClassVar[str] = "`google-genai`"
    differs: ClassVar[Mapping[str, str]] = {
        "calls": "Inputs are objects: a text is the field `input` of one.",
        "end": "There is one word for an answer that is done and one that waits for a call's result.",
        "refusals": "The text of a refusal is told as text.",
    }

    def __init__(self, fallback: parts.Start | None = None, *, ids: bool = True) -> None:
        super().__init__(fallback, ids=ids)
        self._usage = parts.Usage()
        self._calls: dict[str, tuple[str, bool]] = {}  # id of an open call -> the tool's name, the provider runs it
        self._chunks: list[Json] = []  # pages that wait for the end
        self._is_grounded = False

    def state(self) -> object:
        """See `Dialect.state`."""
        return super().state(), self._usage, tuple(self._calls.items()), len(self._chunks), self._is_grounded

    def keepalive(self) -> bytes:
        """A blank line: the SDK takes a comment for a response."""
        return b"\n"

    def _say(self, part: parts.Part) -> list[bytes]:
        if self._has_finished or self._has_failed:
            return []
        match part:
            case parts.Text(_, delta):
                return self._part({"text": delta})
            case parts.TextStart() if _seal(part.metadata):
                return self._part({"text": "", **_seal(part.metadata)})
            case parts.Reasoning(_, delta):
                return self._part({"text": delta, "thought": True})
            case parts.ReasoningEnd():
                return (
                    self._part({"text": "", "thought": True, "thoughtSignature": part.signature})
                    if part.signature
                    else []
                )
            case parts.ToolStart(id, name):
                self._calls[id] = name, part.provider_executed
            case parts.ToolReady() | parts.ToolOutput() | parts.ToolError():
                return self._call(part)
            case parts.File(url, kind):
                return self._part(without_empty({**_file(url, kind), **_seal(part.metadata)}))
            case parts.Source():
                return self._cite(part)
            case parts.Foreign(dialect, dict(event)) if dialect == _OWN:
                self._is_grounded = self._is_grounded or "groundingMetadata" in str(event.get("candidates"))
                return self._told(event)
            case parts.Usage():
                self._usage = merged(self._usage, part)
            case parts.Finish():
                return self._finish(part)
            case parts.Error(code, message):
                return self._fail(code, message or code, of_provider(part.native, _OWN))
            case parts.Abort(reason):
                return self._fail("stopped", reason or "the run was stopped")
            case _:
                pass
        return []

    def _call(self, part: parts.ToolReady | parts.ToolOutput | parts.ToolError) -> list[bytes]:
        name, is_own = self._calls.pop(part.id, ("", False))
        match part:
            case parts.ToolReady():
                if part.provider_executed and part.name == _CODE and isinstance(part.input, dict):
                    self._calls[part.id] = _CODE, True
                    return self._part({"executableCode": part.input, **_seal(part.metadata)})
                if part.provider_executed:
                    return []
                value = part.input if isinstance(part.input, dict) else {"input": part.input}
                call = {"id": part.id, "name": part.name, "args": value}
                return self._part({"functionCall": call, **_seal(part.metadata)})
            case parts.ToolError() if part.input is not None and not is_own:
                call = {"id": part.id, "name": part.name or name, "args": {"input": part.input}}
                return self._part({"functionCall": call})
            case parts.ToolOutput() if name == _CODE and is_own:
                output = part.output if isinstance(part.output, dict) else {"output": str(part.output)}
                return self._part({"codeExecutionResult": {"outcome": "OUTCOME_OK", **output}})
        return []

    def _cite(self, part: parts.Source) -> list[bytes]:
        if part.url and not of_provider(part.metadata, _OWN):
            self._chunks.append({"web": without_empty({"uri": part.url, "title": part.title})})
        elif part.url and not self._is_grounded:
            self._chunks.append(of_provider(part.metadata, _OWN).get("citation") or {})
        return []

    def _part(self, part: Json) -> list[bytes]:
        return self._told({"candidates": [{"content": {"role": "model", "parts": [part]}, "index": 0}]})

    def _told(self, event: Json) -> list[bytes]:
        self._open()
        about = self._about
        named = without_empty({"modelVersion": about.model, "responseId": about.id or about.run})
        return [self._framed({**event, **named})]

    def _framed(self, response: Json) -> bytes:
        return frame(response)

    def _finish(self, part: parts.Finish) -> list[bytes]:
        self._has_finished = True
        reason = part.native if part.dialect == _OWN else _REASONS.get(part.reason, "OTHER")
        candidate: Json = {"content": {"role": "model", "parts": [{"text": ""}]}, "finishReason": reason, "index": 0}
        candidate |= self._pages()
        return self._told({"candidates": [candidate], **self._tokens(), **self._left_out.fields()})

    def _pages(self) -> Json:
        """The pages of the answer, for its last candidate."""
        if not self._chunks or self._is_grounded:
            return {}
        return {"groundingMetadata": {"groundingChunks": [chunk for chunk in self._chunks if chunk]}}

    def _is_left_out(self, part: parts.Part) -> bool:
        """See `SseDialect._is_left_out`: of what a provider runs, code has a place."""
        match part:
            case parts.ToolReady(_, name):
                return name != _CODE
            case parts.ToolOutput(id):
                return self._calls.get(id) != (_CODE, True)
            case parts.Foreign(dialect):
                return dialect != _OWN
            case parts.File():
                return False
        return super()._is_left_out(part)

    def _tokens(self) -> Json:
        usage = self._usage
        if usage == parts.Usage():
            return {}
        own = of_provider(usage.native, _OWN)
        read, written = usage.input_tokens or 0, usage.output_tokens or 0
        counts = {"promptTokenCount": read, "candidatesTokenCount": written, "totalTokenCount": read + written}
        return {"usageMetadata": own or counts}

    def _end(self, ending: Ending) -> list[bytes]:
        if ending.is_success:
            return [] if self._has_finished or self._has_failed else self._finish(parts.Finish())
        return self._fail(ending.told_code, ending.told)

    def _fail(self, code: str, message: str, native: Json | None = None) -> list[bytes]:
        if self._has_failed:
            return []
        self._has_failed = True
        status, word = _CODES.get(code, (500, "INTERNAL"))
        details: list[Any] = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": code}]
        fields = {**self._tokens(), **self._left_out.fields()}
        if pages := self._pages():
            fields["candidates"] = [{"content": {"role": "model", "parts": [{"text": ""}]}, "index": 0, **pages}]
        tokens = self._told(fields) if fields else []
        return [
            *tokens,
            self._framed({"error": native or {"code": status, "message": message, "status": word, "details": details}}),
        ]


class GeminiArray(Gemini):
    """The responses as the elements of one JSON array; the last one has its bracket."""

    name: ClassVar[str] = "gemini-array"
    media_type: ClassVar[bytes] = b"application/json"
    relays: ClassVar[str] = "gemini-array"
    clients: ClassVar[str] = "clients of Gemini that do not ask for events"

    def __init__(self, fallback: parts.Start | None = None, *, ids: bool = True) -> None:
        super().__init__(fallback, ids=ids)
        self._has_element = False

    @property
    def must_cut(self) -> bool:
        """See `Dialect.must_cut`: behind the bracket there is no place for an error."""
        return self._has_finished and self._has_failed

    def state(self) -> object:
        """See `Dialect.state`."""
        return super().state(), self._has_element

    def relay(self, data: bytes, offset: str = "") -> bytes:
        """See `Dialect.relay`."""
        told = super().relay(data, offset)
        self._has_element = self._has_element or b"{" in told
        return told

    def _framed(self, response: Json) -> bytes:
        before, self._has_element = b",\n" if self._has_element else b"[", True
        return before + msgspec.json.encode(response)

    def _finish(self, part: parts.Finish) -> list[bytes]:
        return [*super()._finish(part), b"]"]

    def _fail(self, code: str, message: str, native: Json | None = None) -> list[bytes]:
        if self._has_failed:
            return []
        if self._has_finished:
            self._has_failed = True
            return []
        return [*super()._fail(code, message, native), b"]"]


def _file(url: str, kind: str) -> Json:
    data = url.partition(";base64,")[2]
    if url.startswith("data:") and data:
        return {"inlineData": {"mimeType": kind, "data": data}}
    return {"fileData": {"mimeType": kind, "fileUri": url}}


def _seal(metadata: Json | None) -> Json:
    seal = of_provider(metadata, "google").get("thoughtSignature")
    return {"thoughtSignature": seal} if seal else {}
