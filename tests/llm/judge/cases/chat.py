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
MEGABYTES = "A" * 1_200_000


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

# Further cases of the same kinds.


def in_pieces(*deltas: Json, finish: Json = CALLED) -> tuple[bytes, ...]:
    """A call whose pieces are given whole."""
    return chat(*(chunk({"tool_calls": [delta]}) for delta in deltas), finish)


def said(**fields: Any) -> tuple[bytes, ...]:
    """A short answer, with one more delta in it."""
    return chat(text("Hi"), chunk(fields), STOP)


FUNCTION = {"name": "a", "arguments": '{"x":1}'}
OTHER = {"name": "b", "arguments": '{"y":2}'}
CITED = {"type": "url_citation", "url_citation": {"url": "https://a", "title": "A", "start_index": 1, "end_index": 4}}
CITED_LATER = {**CITED, "url_citation": {**CITED["url_citation"], "start_index": 6, "end_index": 9}}  # type: ignore[dict-item]
PROBABLE = {"content": [{"token": "Hi", "logprob": -0.1, "bytes": [72, 105], "top_logprobs": []}], "refusal": None}
FILTERED = {"hate": {"filtered": False, "severity": "safe"}}
THOUGHT = {"google": {"thought_signature": "SIG"}}
CRLF = [piece.replace(b"\n", b"\r\n") for piece in chat(*HELLO, STOP)]
UNICODE = "Grüße \u2028 😀 \u00a0 \ufeff 中"
HALVES = ["a\ud83d", "\ude00b"]
TWO_LINES = data(STOP).replace(b', "object"', b',\ndata: "object"')


def refused(status: int, kind: str, message: str) -> Any:
    error = {"message": message, "type": kind, "param": None, "code": kind}
    return {"pieces": [json.dumps({"error": error}).encode()], "status": status, "media_type": "application/json"}


CASES += [
    # The form of the stream
    case("crlf", "form of the stream", CRLF),
    case("cr", "form of the stream", [piece.replace(b"\n", b"\r") for piece in chat(*HELLO, STOP)]),
    case("cut-in-characters", "form of the stream", [bytes([byte]) for byte in b"".join(chat(text("Grüße 😀"), STOP))]),
    case("unicode", "form of the stream", chat(text(UNICODE), STOP)),
    case("two-data-lines", "form of the stream", [*chat(*HELLO, end=b""), TWO_LINES, DONE]),
    case("named-events", "form of the stream", [b"event: message\n" + piece for piece in chat(*HELLO, STOP)]),
    case("comment-in-event", "comments", [b": x\n" + piece for piece in chat(*HELLO, STOP)]),
    case("gzip", "content coding", chat(*HELLO, STOP), coding="gzip"),
    case("charset", "content type", chat(*HELLO, STOP), media_type="text/event-stream; charset=utf-8"),
    case("octets", "content type", chat(*HELLO, STOP), media_type="application/octet-stream"),
    case("surrogates-cut", "text", [*(data(json.dumps(text(half))) for half in HALVES), data(STOP), DONE]),
    # The text
    case("content-null", "text", chat(chunk({"content": None}), *HELLO, chunk({"content": None}), STOP)),
    case("role-each", "text", chat(*(chunk({"role": "assistant", "content": piece}) for piece in ("A", "B")), STOP)),
    case("no-delta", "text", chat(text("A"), {**head(), "choices": [{"index": 0, "finish_reason": None}]}, STOP)),
    case("choices-empty-first", "text", [data({**head(), "choices": []}), *chat(*HELLO, STOP)]),
    case("obfuscation", "text", chat({**text("Hi"), "obfuscation": "xyz"}, STOP)),
    case("text-calls-text", "text", chat(text("A"), call(0, "c1", "a", "{}"), text("B"), CALLED)),
    # The end
    case("length", "end", chat(text("Hel"), chunk({}, "length"))),
    case("filtered", "end", chat(text("Hel"), chunk({}, "content_filter"))),
    case("eos", "end", chat(text("Hello"), chunk({}, "eos"))),
    case("finish-with-text", "end", chat(text("Hel"), chunk({"content": "lo"}, "stop"))),
    case("finish-twice", "end", chat(text("Hello"), STOP, STOP)),
    case("text-behind-finish", "end", chat(text("Hel"), STOP, text("lo"))),
    case("usage-in-finish", "end", chat(text("Hello"), {**STOP, "usage": used()["usage"]})),
    case("events-behind-done", "end", [*chat(*HELLO, STOP), data(text("more"))]),
    # Errors
    case("error-text", "errors", chat(text("Hel"), {"error": "out of memory"})),
    case("error-first", "errors", [data({"error": PROVIDERS_ERROR}), DONE]),
    case("error-named", "errors", [*chat(text("Hel"), end=b""), b"event: error\n" + data({"error": PROVIDERS_ERROR})]),
    case("not-json", "errors", [*chat(text("Hel"), end=b""), data("upstream failed"), DONE]),
    case("429-json", "errors", **refused(429, "rate_limit_exceeded", "slow down")),
    case("500-json", "errors", **refused(500, "server_error", "oops")),
    case("503-html", "errors", [b"<html>busy</html>"], status=503, media_type="text/html"),
    # Calls
    case(
        "index-0-new-ids",
        "calls",
        in_pieces(
            {"index": 0, "id": "c1", "type": "function", "function": FUNCTION},
            {"index": 0, "id": "c2", "type": "function", "function": OTHER},
        ),
    ),
    case(
        "two-in-one-delta",
        "calls",
        chat(
            chunk(
                {
                    "tool_calls": [
                        {"index": 0, "id": "c1", "type": "function", "function": FUNCTION},
                        {"index": 1, "id": "c2", "type": "function", "function": OTHER},
                    ]
                }
            ),
            CALLED,
        ),
    ),
    case(
        "id-each-piece",
        "calls",
        in_pieces(
            {"index": 0, "id": "c1", "type": "function", "function": {"name": "a", "arguments": '{"x"'}},
            {"index": 0, "id": "c1", "function": {"arguments": ":1}"}},
        ),
    ),
    case("index-from-1", "calls", in_pieces({"index": 1, "id": "c1", "type": "function", "function": FUNCTION})),
    case("no-arguments", "calls", chat(call(0, "c1", "a"), CALLED)),
    case("arguments-empty-object", "calls", chat(call(0, "c1", "a", "{}"), CALLED)),
    case("arguments-not-json", "calls", chat(call(0, "c1", "a", "{x"), CALLED)),
    case("arguments-of-text", "calls", chat(call(0, "c1", "a", '"x"'), CALLED)),
    case(
        "thought-signature",
        "calls",
        in_pieces(
            {"index": 0, "id": "c1", "type": "function", "function": FUNCTION, "extra_content": THOUGHT},
        ),
    ),
    case("text-then-call", "calls", chat(text("Let me see."), call(0, "c1", "a", '{"x":1}'), CALLED)),
    case("call-finish-stop", "calls", chat(call(0, "c1", "a", '{"x":1}'), STOP)),
    case("call-cut", "calls", chat(call(0, "c1", "a", '{"x"'), chunk({}, "length"))),
    case(
        "legacy-call",
        "calls",
        chat(
            chunk({"function_call": {"name": "a", "arguments": ""}}),
            chunk({"function_call": {"arguments": '{"x":1}'}}),
            chunk({}, "function_call"),
        ),
    ),
    # Thinking
    case("deepseek", "thinking", chat(chunk({"reasoning_content": "think"}), text("Hi"), STOP)),
    case("both-words", "thinking", chat(chunk({"reasoning_content": "t", "reasoning": "t"}), text("Hi"), STOP)),
    case(
        "thinking-twice",
        "thinking",
        chat(*(made for n in "12" for made in (chunk({"reasoning_content": f"t{n}"}), text(f"a{n}"))), STOP),
    ),
    case("thinking-then-call", "thinking", chat(chunk({"reasoning": "t"}), call(0, "c1", "a", "{}"), CALLED)),
    case("only-details", "thinking", said(reasoning_details=[ENCRYPTED])),
    # Refusals
    case("refused-filter", "refusals", chat(chunk({"refusal": "No."}), chunk({}, "content_filter"))),
    # Files
    case("two-images", "images", chat(chunk({"images": [IMAGE]}), chunk({"images": [IMAGE]}), STOP)),
    case("image-url", "images", said(images=[{**IMAGE, "image_url": {"url": "https://a/b.png"}}])),
    case("audio-transcript", "audio", said(audio={"id": "a1", "transcript": "Hi"})),
    # Citations
    case("annotations", "citations", said(annotations=[CITED])),
    case("annotations-twice", "citations", said(annotations=[CITED, CITED_LATER])),
    # Tokens
    case("usage-each", "tokens", chat(*({**text(piece), "usage": used()["usage"]} for piece in "AB"), STOP, used())),
    case("usage-null", "tokens", chat({**text("Hi"), "usage": None}, STOP, used())),
    case("usage-with-details", "tokens", chat(text("Hi"), STOP, used(prompt_tokens_details={"cached_tokens": 1}))),
    # What stands beside
    case(
        "azure",
        "about the answer",
        [
            data({**head(), "choices": [], "prompt_filter_results": [{"prompt_index": 0}]}),
            *chat({**text("Hi"), "choices": [{**choice({"content": "Hi"}), "content_filter_results": FILTERED}]}, STOP),
        ],
    ),
    case(
        "groq", "about the answer", chat(text("Hi"), {**STOP, "x_groq": {"id": "req_1", "usage": {"total_time": 0.1}}})
    ),
    case(
        "vllm-stop-reason",
        "about the answer",
        chat(text("Hi"), {**STOP, "choices": [{**choice({}, "stop"), "stop_reason": "END"}]}),
    ),
    case(
        "logprobs",
        "about the answer",
        chat({**text("Hi"), "choices": [{**choice({"content": "Hi"}), "logprobs": PROBABLE}]}, STOP),
    ),
    case(
        "fields-each",
        "about the answer",
        [data({**made, "provider": "X", "system_fingerprint": "fp"}) for made in (ROLE, *HELLO, STOP, used())] + [DONE],
    ),
    case("unknown-delta", "about the answer", said(hologram={"a": 1})),
    case(
        "three-choices",
        "several choices",
        [
            *(data(of_choice(n, {"role": "assistant", "content": f"{n}"})) for n in (0, 1, 2)),
            *(data(of_choice(n, {}, "stop")) for n in (2, 1, 0)),
            DONE,
        ],
    ),
]
