"""Providers' event streams become parts: recorded streams, cut anywhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.llm.sample_runs import TEXT

from headwater.llm.answer import Answer, ReasoningPiece, coalesce
from headwater.llm.parts import Error, Finish, FinishReason, Part, Source, Start, ToolOutput, Usage
from headwater.llm.providers.recogniser import Recogniser
from headwater.llm.providers.wire import FORMS, WireRecogniser
from headwater.protocol.sse import Parser

VECTORS = {path.stem: path.read_bytes() for path in (Path(__file__).parents[1] / "vectors").glob("*.sse")}
GOOD = ["openai", "openai-reasoning", "openai-responses", "anthropic", "ai-sdk"]
BAD = ["openai-error", "openai-responses-failed", "anthropic-error"]


def dialect_of(name: str) -> str:
    return max((dialect for dialect in FORMS if name.startswith(dialect)), key=len)


def recognised(dialect: str, *pieces: bytes) -> list[Part]:
    recogniser = WireRecogniser(dialect)
    parts = [part for piece in pieces for part in recogniser.feed(piece)]
    return coalesce([*parts, *recogniser.finish()])


def events_of(body: bytes) -> list[dict[str, Any]]:
    return [json.loads(event.data) for event in Parser().feed(body) if event.data != b"[DONE]"]


def test_every_stream_is_used() -> None:
    assert sorted(VECTORS) == sorted([*GOOD, *BAD])


@pytest.mark.parametrize("name", GOOD)
def test_a_recorded_answer(name: str) -> None:
    """Text, thinking, calls and tokens of each provider are the same parts."""
    answer = Answer(recognised(dialect_of(name), VECTORS[name]))
    assert answer.text == TEXT
    assert answer.error is None
    thinking = "".join(piece.text for piece in answer.pieces if isinstance(piece, ReasoningPiece))
    assert thinking == ("" if name == "openai" else "Let me think.")
    if name == "openai-reasoning":
        assert answer.finish == Finish(FinishReason.STOP, "stop", "openai")
    else:
        assert answer.finish is not None
        assert answer.finish.reason is FinishReason.TOOL_CALLS
        first = next(tool for tool in answer.tools if tool.ready and not tool.ready.provider_executed)
        assert (first.id, first.name, first.ready and first.ready.input) == ("call-1", "weather", {"city": "Köln"})
    if name != "ai-sdk":
        assert (answer.usage.input_tokens, answer.usage.output_tokens) == (11, 7)
        assert answer.start.id
        assert answer.start.model


def test_what_each_provider_adds() -> None:
    """Signatures, redacted and encrypted thinking, sources, cached tokens, time and results survive."""
    anthropic = Answer(recognised("anthropic", VECTORS["anthropic"]))
    sealed, redacted = (piece for piece in anthropic.pieces if isinstance(piece, ReasoningPiece))
    assert sealed.end is not None
    assert sealed.end.signature == "EqQBCgIYAhIM"
    assert redacted.start.redacted == "EmwKAhgB"
    assert anthropic.usage.details == {"cache_read_input_tokens": 4}
    responses = Answer(recognised("openai-responses", VECTORS["openai-responses"]))
    thinking = next(piece for piece in responses.pieces if isinstance(piece, ReasoningPiece))
    assert thinking.start.summary
    assert thinking.end is not None
    assert thinking.end.encrypted == "gAAAAB"
    assert responses.usage.details == {
        "input_tokens_details.cached_tokens": 4,
        "output_tokens_details.reasoning_tokens": 2,
    }
    for answer in (anthropic, responses):
        sources = [part for part in answer.compact() if isinstance(part, Source)]
        assert [(source.url, source.title) for source in sources] == [("https://example.com/a", "A page")]
    chat = recognised("openai", VECTORS["openai"])
    assert chat[0] == Start(id="chatcmpl-BwQx7", model="gpt-4.1-mini-2025-04-14", created=1753000000)
    assert [tool.name for tool in Answer(chat).tools] == ["weather", "time"]
    ai = Answer(recognised("ai-sdk", VECTORS["ai-sdk"]))
    assert ai.tools[0].outcome == ToolOutput("call-1", {"sky": "grey"})
    assert ai.start.metadata == {"model": "x"}


@pytest.mark.parametrize("name", [*GOOD, *BAD])
def test_where_the_bytes_are_cut_does_not_matter(name: str) -> None:
    """One byte at a time, and two pieces cut at several hundred places, give the same parts."""
    body, dialect = VECTORS[name], dialect_of(name)
    whole = recognised(dialect, body)
    for cut in range(0, len(body), 1 + len(body) // 400):
        assert recognised(dialect, body[:cut], body[cut:]) == whole
    assert recognised(dialect, *(body[i : i + 1] for i in range(len(body)))) == whole


@pytest.mark.parametrize("name", ["openai", "openai-responses", "anthropic"])
def test_a_stream_that_breaks_off_is_truncated(name: str) -> None:
    """Cut after any event before the last one that counts, the answer ends with an error and not with a finish."""
    body, dialect = VECTORS[name], dialect_of(name)
    ends = [cut + 2 for cut in range(len(body)) if body[cut : cut + 2] == b"\n\n"]
    last = next(end for end in ends if state_after(dialect, body[:end]).is_complete)
    for end in ends:
        parts = recognised(dialect, body[:end])
        if end < last:
            assert isinstance(parts[-1], Error)
            assert parts[-1].code == "truncated"
            assert not any(isinstance(part, Finish) for part in parts)
        else:
            assert isinstance(parts[-1], Finish)


def state_after(dialect: str, body: bytes) -> WireRecogniser:
    recogniser = WireRecogniser(dialect)
    recogniser.feed(body)
    return recogniser


def test_a_ui_message_stream_may_end_without_a_finish() -> None:
    """The AI SDK takes that for an end, and so do we."""
    body = b'data: {"type":"text-start","id":"0"}\n\ndata: {"type":"text-delta","id":"0","delta":"a"}\n\n'
    assert recognised("ai-sdk", body)[-1] == Finish()


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("openai-error", Error("rate_limit_exceeded", "The server had an error while processing your request.")),
        ("openai-responses-failed", Error("server_error", "The model failed to generate a response.")),
        ("anthropic-error", Error("overloaded_error", "Overloaded")),
    ],
)
def test_an_error_in_the_stream_is_the_end(name: str, error: Error) -> None:
    """The provider's own code and message are told, behind what it had said."""
    recogniser = WireRecogniser(dialect_of(name))
    parts = recogniser.feed(VECTORS[name])
    failed = recogniser.failed
    assert failed is not None
    assert parts[-1] == failed
    assert (failed.code, failed.message) == (error.code, error.message)
    assert recogniser.finish() == []
    assert recogniser.feed(VECTORS[name]) == []


@pytest.mark.parametrize("dialect", FORMS)
@pytest.mark.parametrize("data", [b"data: {broken\n\n", b"data: [1]\n\n", b"data: " + b"[" * 5000 + b"\n\n"])
def test_an_event_that_cannot_be_read_is_an_error(dialect: str, data: bytes) -> None:
    """As it is in the provider's SDK."""
    recogniser = WireRecogniser(dialect)
    recogniser.feed(data)
    assert recogniser.failed is not None
    assert recogniser.failed.code == "unreadable-event"


def test_an_event_without_end_is_an_error() -> None:
    """A line that is longer than the parser holds ends the answer."""
    recogniser = WireRecogniser("openai")
    for _ in range(17):
        recogniser.feed(b"x" * 2**20)
    assert recogniser.failed is not None
    assert recogniser.failed.code == "too-large"


@pytest.mark.parametrize("name", GOOD)
def test_events_as_objects_are_the_same_as_bytes(name: str) -> None:
    """A source that yields the provider's events as dicts gives the parts that its bytes give."""
    recogniser = Recogniser()
    parts = [part for event in events_of(VECTORS[name]) for part in recogniser.feed(event)]
    assert coalesce([*parts, *recogniser.finish()]) == recognised(dialect_of(name), VECTORS[name])


def test_choices_that_a_run_has_no_place_for_are_left_out() -> None:
    """A proxied answer of several choices is shown with its first one."""
    body = b'data: {"choices":[{"index":0,"delta":{"content":"a"}},{"index":1,"delta":{"content":"b"}}]}\n\n'
    assert Answer(recognised("openai", body)).text == "a"


def test_usage_without_figures_is_nothing() -> None:
    assert Answer(recognised("openai", b'data: {"choices":[],"usage":null}\n\n')).usage == Usage()
