"""`ai-sdk` and `ai-sdk-7`: the AI SDK's UI message stream, v1.

A client of version 6 fails on chunks and finish reasons that came with 7, so they are told only to who asks for
`ai-sdk-7`. Deltas without an opening, and outputs of calls it does not know, are fatal to a client: they are opened.

Rule: content stands in a step, and a run has one at least, as in the SDK's own server. `sendAutomaticallyWhen` looks at
the last step of a message only: without a step of its own, an answer to a tool's output looks like that output, and the
client asks again without end.
"""

from __future__ import annotations

from typing import ClassVar, Final

from headwater.llm import parts
from headwater.llm.parts import Json
from headwater.llm.providers.ai_sdk.ui_message import chunks_of
from headwater.llm.providers.dialect import DONE, End, Ending, SseDialect, frame, without_empty
from headwater.llm.providers.figures import merged
from headwater.llm.providers.usage import camel_usage

#: Chunks without a part of ours that each version knows.
_FOREIGN: Final = {
    6: {"tool-approval-request"},
    7: {"tool-approval-request", "tool-approval-response", "custom", "steering-message", "reset-step"},
}
#: The version that has a place for files that belong to the thinking.
_WITH_FILES_OF_THOUGHTS: Final = 7


class AiSdk(SseDialect):
    """A run as chunks of the AI SDK 6."""

    name: ClassVar[str] = "ai-sdk"
    headers: ClassVar[tuple[tuple[bytes, bytes], ...]] = ((b"x-vercel-ai-ui-message-stream", b"v1"),)
    relays: ClassVar[str] = "ai-sdk"
    lacks: ClassVar[frozenset[str]] = frozenset({"foreign", "images", "files"})
    clients: ClassVar[str] = "`useChat` of the AI SDK 6 and 7"
    version: ClassVar[int] = 6

    def __init__(self, fallback: parts.Start | None = None, *, ids: bool = True) -> None:
        super().__init__(fallback, ids=ids)
        self._texts: set[str] = set()
        self._reasonings: set[str] = set()
        self._inputs: dict[str, str] = {}  # id of a call whose input grows -> the tool's name
        self._calls: dict[str, bool] = {}  # id of a call the client knows -> the provider runs it
        self._usage = parts.Usage()
        self._is_in_step = False
        self._is_step_empty = True

    def state(self) -> object:
        """See `Dialect.state`."""
        open_parts = frozenset(self._texts), frozenset(self._reasonings), tuple(self._inputs.items())
        step = self._is_in_step, self._is_step_empty
        return super().state(), open_parts, self._calls.copy(), self._usage, step

    def _say(self, part: parts.Part) -> list[bytes]:
        if self._has_failed:
            return []
        if type(part) is parts.Text and part.id in self._texts:  # the usual case
            return [frame({"type": "text-delta", "id": part.id, "delta": part.delta})]
        is_content = self._opens_content(part)
        match part:
            case parts.Start():
                return self._start(part.metadata)
            case parts.Usage():
                self._usage = merged(self._usage, part)
                return []
            case parts.Text() | parts.TextStart() | parts.TextEnd():
                chunks = self._say_text(part)
            case parts.Reasoning() | parts.ReasoningStart() | parts.ReasoningEnd():
                chunks = self._say_reasoning(part)
            case parts.ToolStart() | parts.ToolInput() | parts.ToolReady() | parts.ToolOutput() | parts.ToolError():
                chunks = self._say_tool(part)
            case parts.Error(code, message):
                return [*self._start(None), *map(frame, self._fail(message or code))]
            case parts.Abort(reason):
                chunks = self._abort(reason)
            case parts.Finish(reason):
                chunks = self._finish(reason)
            case _:
                chunks = self._say_other(part)
        if chunks and is_content:
            chunks = [*self._step(), *chunks]
            self._is_step_empty = False
        return [*self._start(None), *map(frame, chunks)] if chunks else []

    def _is_left_out(self, part: parts.Part) -> bool:
        """See `SseDialect._is_left_out`: of the SDK's own chunks, those that came with a later version."""
        if isinstance(part, parts.Foreign) and part.dialect == self.relays and isinstance(part.event, dict):
            return not _is_known(part.event, self.version)
        if isinstance(part, parts.File | parts.Source):
            return isinstance(part, parts.File) and part.reasoning and self.version < _WITH_FILES_OF_THOUGHTS
        return super()._is_left_out(part)

    def _opens_content(self, part: parts.Part) -> bool:
        """Whether a part begins a piece of the answer; what only belongs to an earlier piece begins no step."""
        match part:
            case parts.Text(id) | parts.TextStart(id):
                return id not in self._texts
            case parts.Reasoning(id) | parts.ReasoningStart(id):
                return id not in self._reasonings
            case parts.ToolStart(id) | parts.ToolInput(id) | parts.ToolReady(id):
                return id not in self._inputs
            case parts.ToolOutput(id) | parts.ToolError(id):
                return id not in self._calls
        return isinstance(part, parts.Source | parts.File | parts.Foreign)

    def _step(self) -> list[Json]:
        """The beginning of a step, unless there is one. What a relayed provider has begun, it ends."""
        if self._is_in_step or self._is_relaying:
            return []
        self._is_in_step = self._is_step_empty = True
        return [_chunk("start-step")]

    def _end_step(self) -> list[Json]:
        """The end of a step, if there is one. Clients of version 6 forget the open texts here."""
        if not self._is_in_step:
            return []
        self._is_in_step = False
        return [*self._close(), _chunk("finish-step")]

    def _start(self, metadata: Json | None) -> list[bytes]:
        """The opening chunk, once; a later start may bring metadata."""
        if not self._open():
            return [frame({"type": "message-metadata", "messageMetadata": metadata})] if metadata else []
        about = self._about
        chunk = {"type": "start", "messageId": about.id or about.run, "messageMetadata": about.metadata}
        earlier = about.earlier or []
        self._calls |= {id: False for part in earlier if isinstance(id := part.get("toolCallId"), str)}
        told = [] if self.has_earlier else chunks_of(earlier, self.version)
        return [frame(without_empty(chunk)), *map(frame, told)]

    def _say_text(self, part: parts.Text | parts.TextStart | parts.TextEnd) -> list[Json]:
        id = part.id
        match part:
            case parts.TextEnd() if id in self._texts:
                self._texts.discard(id)
                return [_chunk("text-end", id=id, providerMetadata=own(part.metadata))]
            case parts.TextEnd():
                return []
            case parts.Text(_, delta):  # of one that is not open
                self._texts.add(id)
                return [_chunk("text-start", id=id), {"type": "text-delta", "id": id, "delta": delta}]
            case parts.TextStart():
                if id in self._texts:
                    return []
                self._texts.add(id)
                refusal = {parts.OURS: {"refusal": True}} if part.refusal else {}
                return [_chunk("text-start", id=id, providerMetadata={**(own(part.metadata) or {}), **refusal})]

    def _say_reasoning(self, part: parts.Reasoning | parts.ReasoningStart | parts.ReasoningEnd) -> list[Json]:
        id = part.id
        match part:
            case parts.ReasoningEnd() if id in self._reasonings:
                self._reasonings.discard(id)
                metadata = dict(own(part.metadata) or {})
                # As the SDK's own providers name them, to be given back in the next turn.
                if part.signature and not metadata.keys() & {"anthropic", "google"}:
                    metadata["anthropic"] = {"signature": part.signature}
                if part.encrypted and "openai" not in metadata:
                    metadata["openai"] = {"itemId": id, "reasoningEncryptedContent": part.encrypted}
                return [_chunk("reasoning-end", id=id, providerMetadata=metadata or None)]
            case parts.ReasoningEnd():
                return []
            case parts.Reasoning(_, delta) if id in self._reasonings:
                return [{"type": "reasoning-delta", "id": id, "delta": delta}]
            case parts.Reasoning(_, delta):
                self._reasonings.add(id)
                return [_chunk("reasoning-start", id=id), {"type": "reasoning-delta", "id": id, "delta": delta}]
            case parts.ReasoningStart():
                if id in self._reasonings:
                    return []
                self._reasonings.add(id)
                redacted = {"anthropic": {"redactedData": part.redacted}} if part.redacted else None
                return [_chunk("reasoning-start", id=id, providerMetadata=own(part.metadata) or redacted)]

    def _say_tool(
        self, part: parts.ToolStart | parts.ToolInput | parts.ToolReady | parts.ToolOutput | parts.ToolError
    ) -> list[Json]:
        id = part.id
        match part:
            case parts.ToolStart():
                if id in self._inputs:
                    return []
                self._inputs[id] = part.name
                self._calls[id] = part.provider_executed
                encoding = "text" if part.text_input and self.version >= 7 else None
                return [_chunk("tool-input-start", **_of_tool(part), inputEncoding=encoding)]
            case parts.ToolInput(_, delta):
                opening = [] if id in self._inputs else self._say_tool(parts.ToolStart(id, "unknown"))
                return [*opening, {"type": "tool-input-delta", "toolCallId": id, "inputTextDelta": delta}]
            case parts.ToolReady():
                self._inputs.pop(id, None)
                self._calls[id] = part.provider_executed
                return [{**_chunk("tool-input-available", **_of_tool(part)), "input": part.input}]
            case parts.ToolOutput():
                opening = [] if id in self._calls else self._say_tool(parts.ToolReady(id, "unknown"))
                self._inputs.pop(id, None)
                flags = {"providerExecuted": self._calls[id], "preliminary": part.preliminary}
                return [*opening, {**_chunk("tool-output-available", toolCallId=id, **flags), "output": part.output}]
            case parts.ToolError():
                return self._say_tool_error(part)

    def _say_tool_error(self, part: parts.ToolError) -> list[Json]:
        id = part.id
        if id in self._inputs or id not in self._calls:
            name = self._inputs.pop(id, "") or part.name or "unknown"
            provider_executed = self._calls.setdefault(id, False)
            chunk = _chunk("tool-input-error", toolCallId=id, toolName=name, providerExecuted=provider_executed)
            return [{**chunk, "input": part.input, "errorText": part.message}]
        if part.denied:
            return [_chunk("tool-output-denied", toolCallId=id)]
        chunk = _chunk("tool-output-error", toolCallId=id, providerExecuted=self._calls[id])
        return [{**chunk, "errorText": part.message}]

    def _say_other(self, part: parts.Part) -> list[Json]:
        match part:
            case parts.Metadata(values):
                return [{"type": "message-metadata", "messageMetadata": values}]
            case parts.Source(id, url, title) if url:
                more = without_empty({"title": title, "providerMetadata": own(part.metadata)})
                return [_chunk("source-url", sourceId=id, url=url, **more)]
            case parts.Source(id, _, title):
                document = {"sourceId": id, "mediaType": part.media_type or "text/plain", "title": title or id}
                more = without_empty({"filename": part.filename, "providerMetadata": own(part.metadata)})
                return [_chunk("source-document", **document, **more)]
            case parts.File(url, media_type):
                if part.reasoning and self.version < _WITH_FILES_OF_THOUGHTS:
                    return []
                kind = "reasoning-file" if part.reasoning else "file"
                return [_chunk(kind, url=url, mediaType=media_type, providerMetadata=own(part.metadata))]
            case parts.Data(name, data):
                flags = without_empty({"id": part.id, "transient": part.transient})
                return [{**_chunk(f"data-{name}", **flags), "data": data}]
            case parts.ToolApproval(id, call):
                return [_chunk("tool-approval-request", approvalId=id, toolCallId=call)] if call in self._calls else []
            case parts.StepStart():
                return [*self._end_step(), *self._step()]
            case parts.StepFinish():
                return self._end_step()
            case parts.Foreign("ai-sdk", dict(event)) if _is_known(event, self.version):
                about = event.get("toolCallId")
                return [event] if about is None or (isinstance(about, str) and about in self._calls) else []
            case _:
                return []

    def _close(self) -> list[Json]:
        """Close the texts and the thinking that are open."""
        chunks = [_chunk("reasoning-end", id=id) for id in sorted(self._reasonings)]
        chunks += [_chunk("text-end", id=id) for id in sorted(self._texts)]
        self._reasonings.clear()
        self._texts.clear()
        return chunks

    def _give_up(self, message: str) -> list[Json]:
        """Close everything; a call whose input is not complete has failed."""
        calls = [self._say_tool_error(parts.ToolError(id, message, name)) for id, name in list(self._inputs.items())]
        return [*self._close(), *(chunk for chunks in calls for chunk in chunks)]

    def _fail(self, message: str) -> list[Json]:
        self._has_failed = True
        metadata = self._metadata()
        told: list[Json] = [{"type": "message-metadata", "messageMetadata": metadata}] if metadata else []
        return [*told, {"type": "error", "errorText": message}]

    def _metadata(self) -> Json:
        """Tokens, and what was left out."""
        usage = camel_usage(self._usage)
        return {**({"usage": usage} if usage else {}), **self._left_out.fields()}

    def _abort(self, reason: str) -> list[Json]:
        """Clients of the browser ignore `abort`; the finish reason is what they see."""
        chunks = [*self._give_up(reason or "stopped"), _chunk("abort", reason=reason)]
        return [*chunks, *self._finish(parts.FinishReason.INTERRUPTED)]

    def _finish(self, reason: parts.FinishReason) -> list[Json]:
        if self._has_finished:
            return []
        self._has_finished = True
        word = reason.value
        if self.version < 7 and reason is parts.FinishReason.INTERRUPTED:
            word = parts.FinishReason.OTHER.value
        metadata: Json | None = self._metadata() or None
        chunks = self._give_up("incomplete")
        if self._is_step_empty:
            # A client takes a step over into its message with what comes next; metadata is what always may come.
            chunks += self._step()
            metadata = metadata or {}
        chunks += self._end_step()
        finish = _chunk("finish", finishReason=word)
        return [*chunks, finish if metadata is None else {**finish, "messageMetadata": metadata}]

    def _end(self, ending: Ending) -> list[bytes]:
        if self._has_failed:
            return [DONE]
        if ending.is_success:
            chunks = self._finish(parts.FinishReason.STOP)
        elif ending.end is End.STOPPED:
            chunks = self._abort(ending.told)
        else:
            chunks = self._fail(ending.told)
        opening = self._start(None)
        return [*opening, *map(frame, chunks), DONE]


class AiSdk7(AiSdk):
    """The chunks of version 7 too."""

    name: ClassVar[str] = "ai-sdk-7"
    lacks: ClassVar[frozenset[str]] = frozenset({"foreign"})
    clients: ClassVar[str] = "the same, with what only version 7 knows"
    version: ClassVar[int] = 7


#: Fields that a chunk must have, whatever they hold.
_REQUIRED: Final = {"id", "toolCallId", "toolName", "sourceId", "url", "mediaType", "title"}


def _is_known(event: Json, version: int) -> bool:
    """A chunk without a part of ours that a version knows."""
    kind = event.get("type")
    return isinstance(kind, str) and kind in _FOREIGN[version]


def _chunk(kind: str, **fields: object) -> Json:
    """A chunk without its empty fields, but for those a client insists on."""
    return {"type": kind, **{key: value for key, value in fields.items() if value or key in _REQUIRED}}


def own(metadata: Json | None) -> Json | None:
    """A part's metadata as clients take it, `{provider: {...}}`; any other is fatal to them.

    Hints of ours are not told. What has no provider's name, in logs of 0.1, is told as ours.
    """
    if not metadata:
        return None
    found = {name: value for name, value in metadata.items() if isinstance(value, dict) and name != parts.OURS}
    return found or ({parts.OURS: metadata} if parts.OURS not in metadata else None)


def _of_tool(part: parts.ToolStart | parts.ToolReady) -> Json:
    return {
        "toolCallId": part.id,
        "toolName": part.name,
        "providerExecuted": part.provider_executed,
        "dynamic": part.dynamic,
        **({"title": part.title} if part.title else {}),
        "providerMetadata": own(part.metadata),
    }
