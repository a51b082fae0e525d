"""OpenAI's Responses."""

from __future__ import annotations

from typing import Any

from tests.llm.judge.wire import Case, Json, event, item_events, message_item, numbered, response, responses

LARGE = 2_500_000
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
