"""The normal reading of an answer: what it says, whatever the dialect; one extractor for each client."""

from __future__ import annotations

from typing import Any

import msgspec
from tests.llm.judge.folds import value_of

from headwater.llm.answer import Answer, ReasoningPiece, TextPiece
from headwater.llm.parts import File, Finish, Part, Source, ToolApproval, ToolError, ToolOutput, ToolReady, Usage

Json = dict[str, Any]


class Reading(msgspec.Struct, kw_only=True):
    """What an answer says.

    Attributes:
        text: all texts.
        thinking: all thinking; its parts are paragraphs.
        calls: id, name and arguments of each call; the id is empty where the provider gave none, or one twice.
        results: the call's id, and whether it failed, of what the provider ran.
        approvals: id and name of calls that wait for somebody to allow them.
        citations: URL or title of what is cited.
        files: data or id of files that the model made or the provider names.
        refusals: a refusal's text.
        end: why the model stopped, in the words of `FinishReason`; None: nothing said it.
        tokens: read and written.
        errors: the message of an error.
    """

    text: str = ""
    thinking: str = ""
    calls: list[tuple[str, str, Any]] = []
    results: list[tuple[str, bool]] = []
    approvals: list[tuple[str, str]] = []
    citations: list[str] = []
    files: list[str] = []
    refusals: str = ""
    end: str | None = None
    tokens: tuple[int | None, int | None] | None = None
    errors: str | None = None

    def __post_init__(self) -> None:
        """Ids that say nothing are not compared."""
        ids = [id for id, _, _ in self.calls]
        self.calls = [("" if ids.count(id) > 1 else id, name, value) for id, name, value in self.calls]

    def think(self, text: str) -> None:
        """One more part of the thinking."""
        self.thinking += ("\n\n" if self.thinking and text else "") + text


_CHAT_ENDS = {
    "length": "length",
    "tool_calls": "tool-calls",
    "function_call": "tool-calls",
    "content_filter": "content-filter",
    "stop": "stop",
}
_MESSAGE_ENDS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool-calls",
    "refusal": "content-filter",
}
_INCOMPLETE = {"max_output_tokens": "length", "content_filter": "content-filter"}


def error_of(error: Json | None) -> str | None:
    """The provider's own words in an SDK's exception, where it has them."""
    if error is None:
        return None
    body = error.get("body")
    if isinstance(body, str) and body and error["name"] == "APIError":
        return body
    inner = body.get("error", body) if isinstance(body, dict) else {}
    message = inner.get("message") if isinstance(inner, dict) else None
    return str(message or error["message"])


def of_chat(folded: Json, error: Json | None) -> Reading:
    """Of a completion that was put together; its first choice."""
    choice: Json = next(iter(folded.get("choices") or []), {"delta": {}})
    delta: Json = choice["delta"]
    usage: Json = folded.get("usage") or {}
    content = delta.get("content") or ""
    blocks: list[Json] = content if isinstance(content, list) else [{"type": "text", "text": content}]
    thoughts = [piece["text"] for block in blocks for piece in block.get("thinking", ())]
    calls = [_call_of(call) for call in delta.get("tool_calls") or ()]
    if legacy := delta.get("function_call"):
        calls.append(("", legacy["name"], value_of(legacy["arguments"])))
    cited = [note["url_citation"]["url"] for note in delta.get("annotations") or ()]
    audio = delta.get("audio") or {}
    files = [_data_of(image["image_url"]["url"]) for image in delta.get("images") or ()]
    tokens = usage.get("prompt_tokens"), usage.get("completion_tokens")
    reason = choice.get("finish_reason")
    told = error_of(error)
    return Reading(
        text="".join(block.get("text") or "" for block in blocks),
        thinking=delta.get("reasoning_content") or delta.get("reasoning") or "".join(thoughts),
        calls=calls,
        citations=cited + list(folded.get("citations") or ()),
        files=[*files, *([audio["data"]] if "data" in audio else [])],
        refusals=delta.get("refusal") or "",
        end=None if told or reason is None else _CHAT_ENDS.get(reason, "other"),
        tokens=tokens if usage else None,
        errors=told,
    )


def _call_of(call: Json) -> tuple[str, str, Any]:
    """A call of a function, or of a tool whose input is a text."""
    custom, function = call.get("custom"), call.get("function") or {}
    if custom:
        return call.get("id") or "", custom["name"], custom["input"]
    return call.get("id") or "", function.get("name") or "", value_of(function["arguments"])


def of_responses(folded: Json, error: Json | None) -> Reading:
    """Of a response."""
    found = Reading()
    for item in folded.get("output") or ():
        _read_item(found, item)
    usage, status = folded.get("usage"), folded.get("status")
    failure = folded.get("error") or {}
    reason = (folded.get("incomplete_details") or {}).get("reason", "")
    if status == "completed":
        has_called = any(item["type"] in ("function_call", "custom_tool_call") for item in folded["output"])
        found.end = "tool-calls" if has_called else "stop"
    elif status == "incomplete":
        found.end = _INCOMPLETE.get(reason, "other")
    found.tokens = (usage["input_tokens"], usage["output_tokens"]) if usage else None
    found.errors = error_of(error) or failure.get("message")
    return found


def _read_item(found: Reading, item: Json) -> None:
    kind, id = item["type"], item.get("id") or ""
    match kind:
        case "message":
            for part in item["content"]:
                found.text += part.get("text") or ""
                found.refusals += part.get("refusal") or ""
                notes = part.get("annotations") or ()
                found.citations += [note.get("url") or note.get("filename") or "" for note in notes]
        case "reasoning":
            parts = item.get("content") or item.get("summary") or ()
            for part in parts:
                found.think(part["text"])
        case "function_call":
            found.calls.append((item["call_id"], item["name"], value_of(item["arguments"])))
        case "custom_tool_call":
            found.calls.append((item["call_id"], item["name"], item["input"]))
        case "file_search_call":
            found.calls.append((id, "file_search", {"queries": item["queries"]}))
            found.results.append((id, item["status"] == "failed"))
        case "code_interpreter_call":
            found.calls.append((id, "code_interpreter", {"code": item["code"], "containerId": item["container_id"]}))
            found.results.append((id, False))
        case "mcp_call":
            found.calls.append((id, item["name"], value_of(item["arguments"])))
            if item.get("output") is not None or item.get("error") is not None:
                found.results.append((id, item.get("error") is not None))
        case "web_search_call":
            found.calls.append((id, "web_search", {"action": item["action"]}))
            found.results.append((id, item.get("status") == "failed"))
        case "mcp_approval_request":
            found.approvals.append((id, item["name"]))
        case "image_generation_call":
            found.files.append(item.get("result") or "")


def of_messages(folded: Json, error: Json | None) -> Reading:
    """Of a message."""
    found = Reading()
    for block in folded.get("content") or ():
        kind: str = block["type"]
        if kind == "text":
            found.text += block["text"]
            names = ("url", "source", "document_title")
            notes = block.get("citations") or ()
            found.citations += [next((note[name] for name in names if note.get(name)), "") for note in notes]
        elif kind == "thinking":
            found.think(block["thinking"])
        elif kind.endswith("tool_use"):
            found.calls.append((block["id"], block["name"], block["input"]))
        elif kind.endswith("_tool_result"):
            content = block["content"]
            is_error = bool(block.get("is_error")) or (isinstance(content, dict) and "error_code" in content)
            found.results.append((block["tool_use_id"], is_error))
        elif kind == "container_upload":
            found.files.append(block["file_id"])
    reason, usage = folded.get("stop_reason"), folded.get("usage")
    found.end = None if reason is None else _MESSAGE_ENDS.get(reason, "other")
    found.tokens = (usage["input_tokens"], usage["output_tokens"]) if usage else None
    found.errors = error_of(error)
    return found


def of_gemini(events: list[Json]) -> Reading:
    """Of the responses of Gemini, by its documentation."""
    found = Reading()
    for event in events:
        for candidate in event.get("candidates") or ():
            if candidate.get("index", 0) == 0:
                _read_candidate(found, candidate)
        if usage := event.get("usageMetadata"):
            found.tokens = usage.get("promptTokenCount"), usage.get("candidatesTokenCount")
        if error := event.get("error"):
            found.errors = error["message"]
    if found.end == "stop" and any(name != "code_execution" for _, name, _ in found.calls):
        found.end = "tool-calls"  # it has one word for both
    return found


def _read_candidate(found: Reading, candidate: Json) -> None:
    for part in (candidate.get("content") or {}).get("parts") or ():
        if part.get("thought"):
            found.thinking += part["text"]
        else:
            found.text += part.get("text") or ""
        if call := part.get("functionCall"):
            found.calls.append((call.get("id") or "", call["name"], call["args"]))
        if code := part.get("executableCode"):
            found.calls.append(("", "code_execution", code))
        if data := part.get("inlineData") or part.get("fileData"):
            found.files.append(data.get("data") or data["fileUri"])
    chunks = (candidate.get("groundingMetadata") or {}).get("groundingChunks") or ()
    found.citations += [(chunk.get("web") or {}).get("uri") or "" for chunk in chunks]
    if reason := candidate.get("finishReason"):
        found.end = {"STOP": "stop", "MAX_TOKENS": "length", "SAFETY": "content-filter"}.get(reason, "other")


def of_ollama(lines: list[Json]) -> Reading:
    """Of the lines of Ollama, by its documentation."""
    found = Reading()
    for line in lines:
        if "error" in line:
            found.errors = line["error"]
            break
        message = line["message"]
        found.text += message.get("content") or ""
        found.thinking += message.get("thinking") or ""
        for call in message.get("tool_calls") or ():
            function = call["function"]
            found.calls.append((call.get("id") or "", function["name"], function["arguments"]))
        found.files += message.get("images") or ()
        if line["done"]:
            found.end = line["done_reason"]
            if "prompt_eval_count" in line or "eval_count" in line:
                found.tokens = line.get("prompt_eval_count"), line.get("eval_count")
    if found.end == "stop" and found.calls:
        found.end = "tool-calls"  # it has one word for both
    return found


def of_plain(events: list[Json]) -> Reading:
    """Of events as in every tutorial."""
    found = Reading()
    for event in events:
        found.text += event.get("content") or ""
        found.errors = event.get("error", found.errors)
    return found


def of_parts(parts: list[Part]) -> Reading:
    """Of a log, or of what a source heard."""
    answer, found = Answer(parts), Reading()
    for piece in answer.pieces:
        if isinstance(piece, ReasoningPiece):
            found.think(piece.text)
        elif isinstance(piece, TextPiece):
            name = "refusals" if piece.start.refusal else "text"
            setattr(found, name, getattr(found, name) + piece.text)
    hosted: set[str] = set()
    for part in parts:
        match part:
            case ToolReady():
                found.calls.append((part.id, part.name, part.input))
                hosted |= {part.id} if part.provider_executed else set()
            case ToolError() if part.input is not None:
                found.calls.append((part.id, part.name, part.input))
            case ToolOutput() | ToolError() if part.id in hosted and not getattr(part, "preliminary", False):
                found.results.append((part.id, isinstance(part, ToolError)))
            case ToolApproval(id, call):
                found.approvals.append((id, next((name for other, name, _ in found.calls if other == call), "")))
            case Source():
                name = part.url or part.filename or part.title
                (found.files if _is_upload(part.metadata) else found.citations).append(name)
            case File(url):
                found.files.append(_data_of(url))
            case Finish(reason):
                found.end = reason.value
    usage = answer.usage
    found.tokens = None if usage == Usage() else (usage.input_tokens, usage.output_tokens)
    found.errors = None if answer.error is None else answer.error.message
    found.end = None if answer.error else found.end
    found.calls = [
        call for call in found.calls if call[0] not in {part.call for part in parts if isinstance(part, ToolApproval)}
    ]
    return found


def of_chat_page(seen: Json) -> Reading:
    """Of the message that `useChat` shows."""
    found = Reading()
    for part in seen["parts"]:
        kind: str = part["type"]
        if kind == "text":
            name = "refusals" if _ours(part).get("refusal") else "text"
            setattr(found, name, getattr(found, name) + part["text"])
        elif kind == "reasoning":
            found.think(part["text"])
        elif kind.startswith("tool-") or kind == "dynamic-tool":
            _read_tool(found, part)
        elif kind == "source-url":
            found.citations.append(part["url"])
        elif kind == "source-document":
            name = part.get("filename") or part["title"]
            (found.files if _is_upload(part.get("providerMetadata")) else found.citations).append(name)
        elif kind == "file":
            found.files.append(_data_of(part["url"]))
    usage = (seen.get("metadata") or {}).get("usage")
    reason = seen.get("finishReason")
    found.end = None if seen.get("error") else reason
    found.tokens = (usage.get("inputTokens"), usage.get("outputTokens")) if usage else None
    found.errors = seen.get("error")
    return found


def _is_upload(metadata: Json | None) -> bool:
    """Of a file that the provider keeps."""
    found: Json = (metadata or {}).get("anthropic") or {}
    return found.get("type") == "container_upload"


def _ours(part: Json) -> Json:
    found: Json = (part.get("providerMetadata") or {}).get("headwater") or {}
    return found


def _read_tool(found: Reading, part: Json) -> None:
    id, name = part["toolCallId"], part.get("toolName") or part["type"].removeprefix("tool-")
    if part["state"] == "approval-requested":
        found.approvals.append((part["approval"]["id"], name))
        return
    found.calls.append((id, name, part.get("input", part.get("rawInput"))))
    if part.get("providerExecuted") and part["state"] in ("output-available", "output-error"):
        found.results.append((id, part["state"] == "output-error"))


def _data_of(url: str) -> str:
    """The data of a data URL, or the URL."""
    return url.partition(";base64,")[2] or url


def of_agent(seen: Json) -> Reading:
    """Of the messages that an agent of AG-UI keeps, and the events beside them."""
    found = Reading()
    marked = {event["value"]["messageId"] for event in seen["custom"] if event["name"] == "refusal"}
    marks = [event["value"] for event in seen["custom"] if event["name"] == "tool-error"]
    failed = {mark["toolCallId"]: mark["unusable"] for mark in marks}  # an unusable input is no result
    for message in seen["messages"]:
        if message["role"] == "assistant":
            name = "refusals" if message["id"] in marked else "text"
            setattr(found, name, getattr(found, name) + (message.get("content") or ""))
            for call in message.get("toolCalls") or ():
                function = call["function"]
                found.calls.append((call["id"], function["name"], value_of(function["arguments"])))
        elif message["role"] == "reasoning":
            found.think(message["content"])
        elif message["role"] == "tool" and not failed.get(message["toolCallId"]):
            found.results.append((message["toolCallId"], message["toolCallId"] in failed))
    for event in seen["custom"]:
        value = event["value"]
        if event["name"] == "source":
            name = value.get("url") or value.get("filename") or value.get("title") or ""
            (found.files if _is_upload(value.get("metadata")) else found.citations).append(name)
        elif event["name"] == "file":
            found.files.append(_data_of(value["url"]))
        elif event["name"] == "tool-approval":
            names = {id: name for id, name, _ in found.calls}
            found.approvals.append((value["call"], names.get(value["call"], "")))
    found.calls = [call for call in found.calls if call[0] not in dict(found.approvals)]
    usage = next(iter(seen.get("usage") or []), None)
    error = seen.get("error")
    reason = (seen.get("result") or {}).get("finishReason", "stop")
    found.end = None if error else reason
    found.tokens = (usage.get("inputTokens"), usage.get("outputTokens")) if usage else None
    found.errors = error and error["message"]
    return found
