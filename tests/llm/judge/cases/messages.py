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
