"""OpenAI's Responses."""

from __future__ import annotations

import json
from typing import Any

from tests.llm.judge.wire import Case, Json, event, item_events, message_item, numbered, response, responses

LARGE = 1_200_000
CITED = {"type": "url_citation", "url": "https://a", "title": "A", "start_index": 1, "end_index": 4}
CITED_FILE = {
    "type": "container_file_citation",
    "container_id": "cntr_1",
    "file_id": "cfile_1",
    "filename": "plot.png",
    "start_index": 0,
    "end_index": 3,
}
THOUGHT: Json = {"id": "rs_1", "type": "reasoning", "summary": []}
SEALED = {**THOUGHT, "encrypted_content": "ENC"}
SUMMED_UP = {**SEALED, "summary": [{"type": "summary_text", "text": text} for text in ("one", "two")]}
CALL: Json = {
    "id": "fc_1",
    "type": "function_call",
    "status": "in_progress",
    "call_id": "call_1",
    "name": "a",
    "arguments": "",
}
CALLED = {**CALL, "status": "completed", "arguments": '{"x":1}'}
IMAGE: Json = {"id": "ig_1", "type": "image_generation_call", "status": "in_progress"}
PAINTED = {**IMAGE, "status": "completed", "result": "A" * LARGE, "output_format": "png"}
CODE: Json = {
    "id": "ci_1",
    "type": "code_interpreter_call",
    "status": "in_progress",
    "code": "",
    "container_id": "cntr_1",
    "outputs": None,
}
RUN = {**CODE, "status": "completed", "code": "print(1)", "outputs": [{"type": "logs", "logs": "1"}]}
ASKED = {"id": "mcpr_1", "type": "mcp_approval_request", "name": "echo", "server_label": "s", "arguments": '{"q":1}'}
REFUSING: Json = {"id": "msg_1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
REFUSED = {**REFUSING, "status": "completed", "content": [{"type": "refusal", "refusal": "No."}]}


def case(name: str, about: str, pieces: Any, **more: Any) -> Case:
    return Case(name=name, api="responses", about=about, pieces=tuple(pieces), **more)


def summary(index: int, text: str) -> list[Json]:
    """The events of one part of a summary."""
    place = {"item_id": "rs_1", "output_index": 0, "summary_index": index}
    part = {"type": "summary_text", "text": ""}
    return [
        event("reasoning_summary_part.added", **place, part=part),
        event("reasoning_summary_text.delta", **place, delta=text),
        event("reasoning_summary_text.done", **place, text=text),
        event("reasoning_summary_part.done", **place, part={**part, "text": text}),
    ]


HELLO, SAID = message_item("Hello")
HELLO_THEN, SAID_THEN = message_item("Hello", 1)
SEE_PLOT, SEEN_PLOT = message_item("See plot", 1, [CITED_FILE])
TWICE, _ = message_item("AAAA BBBB", 0, [CITED, {**CITED, "start_index": 5, "end_index": 9}])
OF_THE_CALL = {"item_id": "fc_1", "output_index": 1}
CALLING = item_events(
    1,
    CALL,
    CALLED,
    event("function_call_arguments.delta", **OF_THE_CALL, delta='{"x":1}'),
    event("function_call_arguments.done", **OF_THE_CALL, name="a", arguments='{"x":1}'),
)
OF_THE_CODE = {"item_id": "ci_1", "output_index": 0}
OF_THE_IMAGE = {"item_id": "ig_1", "output_index": 0, "partial_image_index": 0}
OF_THE_REFUSAL = {"item_id": "msg_1", "output_index": 0, "content_index": 0}

CASES = [
    case("r-plain", "text", responses(*HELLO, output=[SAID])),
    case(
        "r-reasoning",
        "thinking",
        responses(
            *item_events(0, THOUGHT, SUMMED_UP, *summary(0, "one"), *summary(1, "two")),
            *HELLO_THEN,
            output=[SUMMED_UP, SAID_THEN],
        ),
    ),
    case(
        "r-reasoning-empty-fc",
        "calls",
        responses(*item_events(0, SEALED, SEALED), *CALLING, output=[SEALED, CALLED]),
    ),
    case(
        "r-image-big",
        "images",
        responses(
            *item_events(
                0,
                IMAGE,
                PAINTED,
                event("image_generation_call.partial_image", **OF_THE_IMAGE, partial_image_b64="B" * LARGE),
            ),
            output=[PAINTED],
        ),
    ),
    case(
        "r-code",
        "code",
        responses(
            *item_events(
                0,
                CODE,
                RUN,
                event("code_interpreter_call_code.delta", **OF_THE_CODE, delta="print(1)"),
                event("code_interpreter_call_code.done", **OF_THE_CODE, code="print(1)"),
            ),
            *SEE_PLOT,
            output=[RUN, SEEN_PLOT],
        ),
    ),
    case("r-mcp-approval", "approvals", responses(*item_events(0, ASKED, ASKED), output=[ASKED])),
    case(
        "r-failed",
        "errors",
        responses(*HELLO[:3], status="failed", error={"code": "server_error", "message": "boom"}),
    ),
    case(
        "r-error",
        "errors",
        numbered(
            [
                event("created", response=response()),
                {"type": "error", "code": "rate_limit_exceeded", "message": "slow", "param": None},
            ]
        ),
    ),
    case(
        "r-refusal",
        "refusals",
        responses(
            *item_events(
                0,
                REFUSING,
                REFUSED,
                event("content_part.added", **OF_THE_REFUSAL, part={"type": "refusal", "refusal": ""}),
                event("refusal.delta", **OF_THE_REFUSAL, delta="No."),
                event("refusal.done", **OF_THE_REFUSAL, refusal="No."),
            ),
            output=[REFUSED],
        ),
    ),
    case("r-same-url-twice", "citations", responses(*TWICE)),
]

# Further cases of the same kinds.

TWO_PARTS: Json = {
    **REFUSING,
    "status": "completed",
    "content": [{"type": "output_text", "text": text, "annotations": [], "logprobs": []} for text in ("AAA", "BBB")],
}
SEARCHING: Json = {
    "id": "ws_1",
    "type": "web_search_call",
    "status": "in_progress",
    "action": {"type": "search", "query": "x"},
}
SEARCHED = {**SEARCHING, "status": "completed"}
LOOKING: Json = {"id": "fs_1", "type": "file_search_call", "status": "in_progress", "queries": ["x"], "results": None}
LOOKED = {
    **LOOKING,
    "status": "completed",
    "results": [{"file_id": "f1", "filename": "a.txt", "text": "t", "score": 0.5}],
}
CALLING_MCP: Json = {
    "id": "mcp_1",
    "type": "mcp_call",
    "status": "in_progress",
    "name": "echo",
    "server_label": "s",
    "arguments": "",
}
CALLED_MCP = {**CALLING_MCP, "status": "completed", "arguments": '{"q":1}', "output": "ok"}
FAILED_MCP = {**CALLED_MCP, "status": "failed", "output": None, "error": "boom"}
LISTED: Json = {"id": "mcpl_1", "type": "mcp_list_tools", "server_label": "s", "tools": []}
CUSTOM: Json = {
    "id": "ct_1",
    "type": "custom_tool_call",
    "status": "in_progress",
    "call_id": "call_1",
    "name": "a",
    "input": "",
}
CUSTOM_DONE = {**CUSTOM, "status": "completed", "input": "free text"}
SHELL: Json = {
    "id": "ls_1",
    "type": "local_shell_call",
    "status": "completed",
    "call_id": "call_1",
    "action": {"type": "exec", "command": ["ls"], "env": {}},
}
HOLOGRAM: Json = {"id": "h_1", "type": "hologram_call", "status": "completed", "a": 1}
OPEN_THOUGHT = {**THOUGHT, "content": []}
OPENLY = {**THOUGHT, "content": [{"type": "reasoning_text", "text": "think"}]}
SMALL = {**IMAGE, "status": "completed", "result": "iVBORw0KGgo=", "output_format": "png"}
CITED_IN_FILE = {"type": "file_citation", "file_id": "f1", "filename": "a.txt", "index": 3}
CALL_2 = {**CALL, "id": "fc_2", "call_id": "call_2", "name": "b"}
CALLED_2 = {**CALL_2, "status": "completed", "arguments": '{"y":2}'}
COMMENTED = [{**made, "item": {**made["item"], "phase": "commentary"}} if "item" in made else made for made in HELLO]
AGAIN = json.loads(json.dumps(HELLO_THEN).replace("msg_1", "msg_2"))
SAID_AGAIN = {**SAID, "id": "msg_2"}
LIMIT = {"reason": "max_output_tokens"}


def of_part(index: int, text: str) -> list[Json]:
    """The events of one part of a message."""
    place = {"item_id": "msg_1", "output_index": 0, "content_index": index}
    part: Json = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    return [
        event("content_part.added", **place, part=part),
        event("output_text.delta", **place, delta=text, logprobs=[]),
        event("output_text.done", **place, text=text, logprobs=[]),
        event("content_part.done", **place, part={**part, "text": text}),
    ]


def arguments(id: str, index: int, delta: str) -> Json:
    return event("function_call_arguments.delta", item_id=id, output_index=index, delta=delta)


def with_item(begun: Json, done: Json, *between: Json) -> tuple[bytes, ...]:
    """An item, and a text behind it."""
    return responses(*item_events(0, begun, done, *between), *HELLO_THEN, output=[done, SAID_THEN])


CITING, CITED_ITEM = message_item("See a.txt", 0, [CITED_IN_FILE])

CASES += [
    # The form of the stream
    case("r-crlf", "form of the stream", [piece.replace(b"\n", b"\r\n") for piece in responses(*HELLO, output=[SAID])]),
    case("r-own-ids", "ids of the provider", [b"id: 1\n" + piece for piece in responses(*HELLO, output=[SAID])]),
    case("r-comments", "comments", [b": x\n\n" + piece for piece in responses(*HELLO, output=[SAID])]),
    # Messages
    case(
        "r-two-parts",
        "text",
        responses(*item_events(0, REFUSING, TWO_PARTS, *of_part(0, "AAA"), *of_part(1, "BBB")), output=[TWO_PARTS]),
    ),
    case("r-phase", "text", responses(*COMMENTED, output=[{**SAID, "phase": "commentary"}])),
    case(
        "r-two-messages",
        "text",
        responses(*HELLO, *AGAIN, output=[SAID, SAID_AGAIN]),
    ),
    case("r-only-completed", "text", responses(output=[SAID])),
    case("r-nothing", "text", responses()),
    # Ends
    case("r-limit", "end", responses(*HELLO, output=[SAID], status="incomplete", incomplete_details=LIMIT)),
    case(
        "r-filtered",
        "end",
        responses(*HELLO, output=[SAID], status="incomplete", incomplete_details={"reason": "content_filter"}),
    ),
    # Errors
    case("r-failed-first", "errors", responses(status="failed", error={"code": "server_error", "message": "boom"})),
    case(
        "r-error-object",
        "errors",
        numbered(
            [
                event("created", response=response()),
                {"type": "error", "error": {"type": "server_error", "code": "c", "message": "boom", "param": None}},
            ]
        ),
    ),
    # Thinking
    case(
        "r-thinking-openly",
        "thinking",
        with_item(
            OPEN_THOUGHT,
            OPENLY,
            event("reasoning_text.delta", item_id="rs_1", output_index=0, content_index=0, delta="think"),
            event("reasoning_text.done", item_id="rs_1", output_index=0, content_index=0, text="think"),
        ),
    ),
    case("r-sealed", "thinking", with_item(THOUGHT, SEALED)),
    # Calls
    case("r-call", "calls", responses(*[{**made, "output_index": 0} for made in CALLING], output=[CALLED])),
    case(
        "r-calls-mixed",
        "calls",
        responses(
            event("output_item.added", output_index=0, item=CALL),
            event("output_item.added", output_index=1, item=CALL_2),
            arguments("fc_1", 0, '{"x"'),
            arguments("fc_2", 1, '{"y"'),
            arguments("fc_1", 0, ":1}"),
            arguments("fc_2", 1, ":2}"),
            event("output_item.done", output_index=0, item=CALLED),
            event("output_item.done", output_index=1, item=CALLED_2),
            output=[CALLED, CALLED_2],
        ),
    ),
    case(
        "r-custom",
        "calls",
        responses(
            *item_events(
                0,
                CUSTOM,
                CUSTOM_DONE,
                event("custom_tool_call_input.delta", item_id="ct_1", output_index=0, delta="free text"),
                event("custom_tool_call_input.done", item_id="ct_1", output_index=0, input="free text"),
            ),
            output=[CUSTOM_DONE],
        ),
    ),
    case(
        "r-call-namespace",
        "calls",
        responses(
            *item_events(0, {**CALL, "namespace": "n"}, {**CALLED, "namespace": "n"}),
            output=[{**CALLED, "namespace": "n"}],
        ),
    ),
    # What OpenAI runs
    case(
        "r-search",
        "searches",
        with_item(SEARCHING, SEARCHED, event("web_search_call.searching", item_id="ws_1", output_index=0)),
    ),
    case("r-file-search", "searches", with_item(LOOKING, LOOKED)),
    case(
        "r-mcp",
        "calls of MCP",
        with_item(
            CALLING_MCP,
            CALLED_MCP,
            event("mcp_call_arguments.done", item_id="mcp_1", output_index=0, arguments='{"q":1}'),
        ),
    ),
    case("r-mcp-failed", "calls of MCP", with_item(CALLING_MCP, FAILED_MCP)),
    case("r-mcp-tools", "calls of MCP", with_item(LISTED, LISTED)),
    case("r-shell", "calls", responses(*item_events(0, SHELL, SHELL), output=[SHELL])),
    case("r-image", "images", with_item(IMAGE, SMALL)),
    case(
        "r-later-item",
        "later versions",
        with_item(HOLOGRAM, HOLOGRAM, event("hologram_call.beam", item_id="h_1", output_index=0)),
    ),
    case("r-later-event", "later versions", responses(event("hologram", a=1), *HELLO, output=[SAID])),
    # Citations, and what stands beside
    case("r-cited-file", "citations", responses(*CITING, output=[CITED_ITEM])),
    case("r-about", "about the answer", responses(*HELLO, output=[SAID], service_tier="flex", metadata={"a": "b"})),
]
