"""Anthropic's messages."""

from __future__ import annotations

from typing import Any

from tests.llm.judge.wire import (
    MESSAGE_START,
    MESSAGE_STOP,
    PING,
    Case,
    Json,
    block,
    call_block,
    message_delta,
    messages,
    named,
    text_block,
)

OF_A_DOCUMENT = {
    "type": "char_location",
    "cited_text": "The grass",
    "document_index": 0,
    "document_title": "Doc",
    "start_char_index": 0,
    "end_char_index": 9,
    "file_id": None,
}
OF_A_PAGE = {
    "type": "web_search_result_location",
    "cited_text": "q",
    "url": "https://a",
    "title": "A",
    "encrypted_index": "EI",
}
HI = text_block(0, "Hi")
PINGED: list[Json] = [PING, MESSAGE_START, PING, HI[0], PING, *HI[1:], message_delta(), MESSAGE_STOP]
SEARCH = call_block(0, "server_tool_use", "st1", "web_search", '{"query":"x"}')
FOUND = {"type": "web_search_result", "url": "https://a", "title": "A", "encrypted_content": "EC", "page_age": "1d"}


def case(name: str, about: str, pieces: Any, **more: Any) -> Case:
    return Case(name=name, api="messages", about=about, pieces=tuple(pieces), **more)


def searched(content: Any) -> list[Any]:
    return block(1, {"type": "web_search_tool_result", "tool_use_id": "st1", "content": content})


CASES = [
    case("a-plain", "text", messages(*text_block(0, "Hello"))),
    case(
        "a-text-init",
        "text",
        messages(*block(0, {"type": "text", "text": "Hel"}, {"type": "text_delta", "text": "lo"})),
    ),
    case(
        "a-ping",
        "events without data",
        map(named, PINGED),
    ),
    case(
        "a-tool-empty-delta",
        "calls",
        messages(*call_block(0, "tool_use", "tu1", "a", ""), last=message_delta("tool_use")),
    ),
    case(
        "a-tool-deltas",
        "calls",
        messages(*call_block(0, "tool_use", "tu1", "a", "", '{"x"', ": 1}"), last=message_delta("tool_use")),
    ),
    case(
        "a-thinking",
        "thinking",
        messages(
            *block(
                0,
                {"type": "thinking", "thinking": "", "signature": ""},
                {"type": "thinking_delta", "thinking": "hmm"},
                {"type": "signature_delta", "signature": "SIG"},
            ),
            *block(1, {"type": "redacted_thinking", "data": "RED"}),
            *text_block(2, "Hi"),
        ),
    ),
    case(
        "a-citations",
        "citations",
        messages(
            *block(
                0,
                {"type": "text", "text": "", "citations": []},
                {"type": "citations_delta", "citation": OF_A_DOCUMENT},
                {"type": "citations_delta", "citation": OF_A_PAGE},
                {"type": "text_delta", "text": "grass is green"},
            )
        ),
    ),
    case("a-websearch", "searches", messages(*SEARCH, *searched([FOUND]), *text_block(2, "Found"))),
    case(
        "a-websearch-error",
        "searches",
        messages(
            *SEARCH,
            *searched({"type": "web_search_tool_result_error", "error_code": "max_uses_exceeded"}),
            *text_block(2, "x"),
        ),
    ),
    case(
        "a-mcp",
        "calls of MCP",
        messages(
            *call_block(0, "mcp_tool_use", "mt1", "echo", '{"q":1}', server_name="srv"),
            *block(
                1,
                {
                    "type": "mcp_tool_result",
                    "tool_use_id": "mt1",
                    "is_error": True,
                    "content": [{"type": "text", "text": "boom"}],
                },
            ),
            *text_block(2, "x"),
        ),
    ),
    case("a-stopseq", "end", messages(*text_block(0, "Hi"), last=message_delta("stop_sequence", "END"))),
    case("a-refusal", "refusals", messages(*text_block(0, "Hi"), last=message_delta("refusal"))),
    case(
        "a-usage",
        "tokens",
        messages(
            *text_block(0, "Hi"),
            last=message_delta(
                input_tokens=10,
                cache_creation_input_tokens=5,
                cache_read_input_tokens=7,
                server_tool_use={"web_search_requests": 2},
            ),
        ),
    ),
    case(
        "a-container",
        "uploads",
        messages(
            *block(0, {"type": "container_upload", "file_id": "file_1"}),
            *text_block(1, "Hi"),
            last=message_delta(more={"container": {"id": "cont_1", "expires_at": "2026-01-01T00:00:00Z"}}),
        ),
    ),
    case("a-nostop-cut", "end", map(named, [MESSAGE_START, *text_block(0, "Hel")[:-1]]), truncated=True),
]

# Further cases of the same kinds.

ENDED = {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}}
OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "req_1"}
OF_A_SEARCH = {
    "type": "search_result_location",
    "cited_text": "q",
    "source": "https://b",
    "title": "B",
    "search_result_index": 0,
    "start_block_index": 0,
    "end_block_index": 1,
}
OF_PAGES = {
    "type": "page_location",
    "cited_text": "q",
    "document_index": 1,
    "document_title": "Book",
    "start_page_number": 1,
    "end_page_number": 2,
    "file_id": None,
}
FETCHED = {
    "type": "web_fetch_result",
    "url": "https://a",
    "retrieved_at": "2026-01-01T00:00:00Z",
    "content": {"type": "document", "title": "A", "source": {"type": "text", "media_type": "text/plain", "data": "x"}},
}
RAN = {"type": "bash_code_execution_result", "stdout": "1\n", "stderr": "", "return_code": 0, "content": []}
TEXT = {"type": "text", "text": ""}


def grown(index: int, **delta: Any) -> Json:
    return {"type": "content_block_delta", "index": index, "delta": delta}


def begun(index: int, block: Json) -> Json:
    return {"type": "content_block_start", "index": index, "content_block": block}


def ended(index: int) -> Json:
    return {"type": "content_block_stop", "index": index}


def called(*pieces: str, **more: Any) -> list[Json]:
    return call_block(0, "tool_use", "tu1", "a", *pieces, **more)


def result(index: int, kind: str, id: str, content: Any, **more: Any) -> list[Json]:
    return block(index, {"type": kind, "tool_use_id": id, "content": content, **more})


CASES += [
    # The form of the stream
    case("a-crlf", "form of the stream", [piece.replace(b"\n", b"\r\n") for piece in messages(*HI)]),
    case("a-own-ids", "ids of the provider", [b"id: x\n" + piece for piece in messages(*HI)]),
    case("a-comments", "comments", [b": x\n\n" + piece for piece in messages(*HI)]),
    case("a-unicode", "text", messages(*text_block(0, "Grüße \u2028 😀"))),
    case("a-two-texts", "text", messages(*text_block(0, "A"), *text_block(1, "B"))),
    case("a-empty", "text", messages()),
    case("a-empty-block", "text", messages(*block(0, TEXT))),
    # The end
    case("a-max-tokens", "end", messages(*HI, last=message_delta("max_tokens"))),
    case("a-pause", "end", messages(*SEARCH, last=message_delta("pause_turn"))),
    case("a-window", "end", messages(*HI, last=message_delta("model_context_window_exceeded"))),
    case("a-later-reason", "end", messages(*HI, last=message_delta("bored"))),
    case("a-stop-details", "end", messages(*HI, last=message_delta("refusal", more={"stop_details": {"type": "x"}}))),
    # Errors
    case("a-error-mid", "errors", map(named, [MESSAGE_START, *HI[:2], OVERLOADED])),
    case("a-error-first", "errors", map(named, [OVERLOADED])),
    case(
        "a-error-later-type",
        "errors",
        map(named, [MESSAGE_START, {"type": "error", "error": {"type": "x_error", "message": "m"}}]),
    ),
    # Calls
    case(
        "a-two-calls",
        "calls",
        messages(*called('{"x":1}'), *call_block(1, "tool_use", "tu2", "b", '{"y":2}'), last=message_delta("tool_use")),
    ),
    case(
        "a-calls-mixed",
        "calls",
        messages(
            begun(0, {"type": "tool_use", "id": "tu1", "name": "a", "input": {}}),
            begun(1, {"type": "tool_use", "id": "tu2", "name": "b", "input": {}}),
            grown(0, type="input_json_delta", partial_json='{"x"'),
            grown(1, type="input_json_delta", partial_json='{"y"'),
            grown(0, type="input_json_delta", partial_json=":1}"),
            grown(1, type="input_json_delta", partial_json=":2}"),
            ended(0),
            ended(1),
            last=message_delta("tool_use"),
        ),
    ),
    case(
        "a-input-at-once",
        "calls",
        messages(
            *block(0, {"type": "tool_use", "id": "tu1", "name": "a", "input": {"x": 1}}), last=message_delta("tool_use")
        ),
    ),
    case("a-caller", "calls", messages(*called('{"x":1}', caller={"type": "direct"}), last=message_delta("tool_use"))),
    case(
        "a-text-then-call",
        "calls",
        messages(*HI, *call_block(1, "tool_use", "tu1", "a", '{"x":1}'), last=message_delta("tool_use")),
    ),
    # Thinking
    case(
        "a-thinking-omitted",
        "thinking",
        messages(
            *block(
                0,
                {"type": "thinking", "thinking": "", "signature": ""},
                {"type": "signature_delta", "signature": "SIG"},
            ),
            *text_block(1, "Hi"),
        ),
    ),
    case(
        "a-thinking-twice",
        "thinking",
        messages(
            *block(
                0, {"type": "thinking", "thinking": "", "signature": ""}, {"type": "thinking_delta", "thinking": "a"}
            ),
            *text_block(1, "A"),
            *block(
                2, {"type": "thinking", "thinking": "", "signature": ""}, {"type": "thinking_delta", "thinking": "b"}
            ),
            *text_block(3, "B"),
        ),
    ),
    # Citations
    case(
        "a-cited-search",
        "citations",
        messages(
            *block(
                0,
                {**TEXT, "citations": []},
                {"type": "citations_delta", "citation": OF_A_SEARCH},
                {"type": "text_delta", "text": "x"},
            )
        ),
    ),
    case(
        "a-cited-pages",
        "citations",
        messages(
            *block(
                0,
                {**TEXT, "citations": []},
                {"type": "text_delta", "text": "x"},
                {"type": "citations_delta", "citation": OF_PAGES},
            )
        ),
    ),
    # What Anthropic runs
    case(
        "a-fetch",
        "searches",
        messages(
            *call_block(0, "server_tool_use", "st1", "web_fetch", '{"url":"https://a"}'),
            *result(1, "web_fetch_tool_result", "st1", FETCHED),
            *text_block(2, "x"),
        ),
    ),
    case(
        "a-bash",
        "code",
        messages(
            *call_block(0, "server_tool_use", "st1", "bash_code_execution", '{"command":"ls"}'),
            *result(1, "bash_code_execution_tool_result", "st1", RAN),
            *text_block(2, "x"),
        ),
    ),
    case(
        "a-mcp-success",
        "calls of MCP",
        messages(
            *call_block(0, "mcp_tool_use", "mt1", "echo", '{"q":1}', server_name="srv"),
            *result(1, "mcp_tool_result", "mt1", [{"type": "text", "text": "ok"}], is_error=False),
            *text_block(2, "x"),
        ),
    ),
    case(
        "a-two-searches",
        "searches",
        messages(
            *SEARCH,
            *searched([FOUND]),
            *call_block(2, "server_tool_use", "st2", "web_search", '{"query":"y"}'),
            *result(3, "web_search_tool_result", "st2", []),
            *text_block(4, "x"),
        ),
    ),
    # Later versions
    case("a-later-block", "later versions", messages(*HI, *block(1, {"type": "hologram", "a": 1}))),
    case("a-later-event", "later versions", messages(*HI, {"type": "message_paused"})),
    # Tokens
    case("a-usage-last", "tokens", messages(*HI, last=message_delta(cache_creation={"ephemeral_1h_input_tokens": 5}))),
]
