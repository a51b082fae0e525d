"""Chat completions, of OpenAI and of those who speak in its form."""

from __future__ import annotations

import json
from typing import Any

from tests.llm.judge.wire import (
    CALLED,
    DONE,
    ROLE,
    STOP,
    Case,
    Json,
    call,
    chat,
    choice,
    chunk,
    data,
    head,
    text,
    used,
)

HELLO = [text("Hello"), text(" world")]
MEGABYTES = "A" * 3_000_000


def case(name: str, about: str, pieces: Any, **more: Any) -> Case:
    return Case(name=name, api="chat", about=about, pieces=tuple(pieces), **more)


def of_choice(index: int, delta: Json, finish: str | None = None) -> Json:
    return {**head(), "choices": [choice(delta, finish, index)]}


TWO_CHOICES = [
    of_choice(0, {"content": "A1"}),
    of_choice(1, {"content": "B1"}),
    of_choice(0, {}, "stop"),
]
ENCRYPTED = {"type": "reasoning.encrypted", "data": "SECRET", "id": "rs_1", "format": "openai-responses-v1", "index": 0}
PROVIDERS_ERROR = {"message": "Provider returned error", "code": 502, "metadata": {"provider_name": "X"}}
COST = {
    "cost": 0.0012,
    "cost_details": {"upstream_inference_cost": 0.001},
    "prompt_tokens_details": {"cached_tokens": 1, "audio_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 1, "audio_tokens": 2, "accepted_prediction_tokens": 3},
}
SEARCHED = {"citations": ["https://a", "https://b"], "search_results": [{"title": "A", "url": "https://a"}]}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
COMMENT = b": OPENROUTER PROCESSING\n\n"

CASES = [
    case("plain", "text", chat(*HELLO, STOP, used())),
    # The form of the stream
    case(
        "openrouter-comments",
        "comments",
        [COMMENT, COMMENT, *chat(text("Hello"), end=b""), COMMENT, data(text(" world")), data(STOP), DONE],
        threads="openai-go#227, docker-agent#2349, mnfst#2053",
    ),
    case("retry-line", "events without data", [b"retry: 3000\n\n", *chat(*HELLO, STOP)]),
    case("own-ids", "ids of the provider", [b"id: %d\n%b" % pair for pair in enumerate(chat(*HELLO, STOP), 1)]),
    case("nospace", "form of the stream", [piece.replace(b"data: ", b"data:") for piece in chat(*HELLO, STOP)]),
    case("bom", "form of the stream", [b"\xef\xbb\xbf", *chat(*HELLO, STOP)]),
    case(
        "whitespace-chunks",
        "events without data",
        [*chat(text("Hello"), end=b""), b"\n", data(text(" world")), data(STOP), DONE],
    ),
    case("no-type", "content type", chat(*HELLO, STOP), media_type=None),
    case("big-event", "large events", chat(text(MEGABYTES), STOP)),
    # The end
    case("no-finish-done", "end", chat(*HELLO), unfinished=True),
    case("no-done-finish", "end", chat(*HELLO, STOP, end=b"")),
    case("done-only-no-blank", "end", chat(*HELLO, end=b"data: [DONE]"), unfinished=True),
    case("usage-other-id-nodone", "end", chat(*HELLO, STOP, {**used(), "id": "chatcmpl-OTHER"}, end=b"")),
    case(
        "new-id-each",
        "end",
        [data({**made, "id": f"x{number}"}) for number, made in enumerate([ROLE, *HELLO, STOP, used()])] + [DONE],
    ),
    case(
        "finish-every",
        "end",
        [*(data(chunk({"content": piece}, "null")) for piece in ("Hel", "lo ", "world")), data(STOP), DONE],
    ),
    case("choices-null", "end", chat(*HELLO, STOP, {"id": "x", "choices": None, "usage": used()["usage"]})),
    # Errors
    case(
        "vllm-object-error",
        "errors",
        chat(
            text("Hel"),
            {"object": "error", "message": "engine died", "type": "InternalServerError", "param": None, "code": 500},
        ),
        tells="engine died",
    ),
    case("error-mid", "errors", chat(text("Hel"), {"error": PROVIDERS_ERROR}, end=b"")),
    case(
        "openrouter-error-choice",
        "errors",
        chat(
            text("Hel"),
            chunk({"content": ""}, "error", error={"code": "server_error", "message": "Provider disconnected"}),
        ),
    ),
    case(
        "detail-error", "errors", chat(text("Hel"), {"detail": "Internal Server Error"}), tells="Internal Server Error"
    ),
    case(
        "message-error",
        "errors",
        chat(text("Hel"), {"message": "quota exceeded", "code": "quota"}),
        tells="quota exceeded",
    ),
    case(
        "400-json",
        "errors",
        [json.dumps({"error": {"message": "bad", "type": "invalid_request_error", "code": "x"}}).encode()],
        status=400,
        media_type="application/json",
    ),
    # Calls
    case(
        "par-tools",
        "calls",
        chat(
            *(call(0, "c1", "a"), call(0, arguments='{"x":1}'), call(1, "c2", "b"), call(1, arguments='{"y":2}')),
            CALLED,
        ),
    ),
    case(
        "par-interleaved",
        "calls",
        chat(
            *(call(0, "c1", "a"), call(1, "c2", "b"), call(0, arguments='{"x"'), call(1, arguments='{"y"')),
            *(call(0, arguments=":1}"), call(1, arguments=":2}"), CALLED),
        ),
    ),
    case("args-object", "calls", chat(call(0, "c1", "a", {"x": 1}), CALLED)),
    case(
        "tools-dict",
        "calls",
        chat(chunk({"tool_calls": call(0, "c1", "a", '{"x":1}')["choices"][0]["delta"]["tool_calls"][0]}), CALLED),
    ),
    case("name-split", "calls", chat(call(0, "c1", "get_"), call(0, None, "weather", '{"x":1}'), CALLED)),
    case("no-index", "calls", chat(call(None, "c1", "a", '{"x":1}'), call(None, "c2", "b", '{"y":2}'), CALLED)),
    case("dup-id", "calls", chat(call(0, "call_0", "a", '{"x":1}'), call(1, "call_0", "b", '{"y":2}'), CALLED)),
    case("empty-id", "calls", chat(call(0, "", "a", '{"x":1}'), CALLED)),
    # Refusals and thinking
    case("refusal", "refusals", chat(chunk({"refusal": "I can"}), chunk({"refusal": "not"}), STOP)),
    case("content-then-refusal", "refusals", chat(text("Sure: "), chunk({"refusal": "no."}), STOP)),
    case(
        "reasoning-or",
        "thinking",
        chat(chunk({"content": "", "reasoning": "think", "reasoning_details": [ENCRYPTED]}), text("Hi"), STOP),
    ),
    case(
        "mistral-think",
        "thinking",
        chat(
            chunk({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "think"}]}]}),
            chunk({"content": [{"type": "text", "text": "Hi"}]}),
            STOP,
        ),
    ),
    # Files, citations, tokens
    case("or-images", "images", chat(chunk({"content": "Here", "images": [IMAGE]}), STOP)),
    case(
        "audio",
        "audio",
        chat(
            chunk({"audio": {"id": "a1", "transcript": "Hi"}}),
            chunk({"audio": {"id": "a1", "data": "AAAA"}}),
            chunk({"audio": {"id": "a1", "expires_at": 9}}),
            STOP,
        ),
    ),
    case(
        "pplx-citations",
        "citations",
        chat(text("Hi[1]"), STOP, role={**ROLE, **SEARCHED}),
    ),
    case("cost-float", "tokens", chat(text("Hi"), STOP, used(**COST))),
    case(
        "service-tier",
        "about the answer",
        chat(text("Hi"), STOP, role={**ROLE, "service_tier": "flex", "system_fingerprint": "fp"}),
    ),
    # Several choices
    case("n2", "several choices", [*map(data, [*TWO_CHOICES, of_choice(1, {"content": "B2"}, "stop")]), DONE]),
    case("n2-cut", "several choices", map(data, [*TWO_CHOICES, of_choice(1, {"content": "half of B"})]), cut=True),
]
