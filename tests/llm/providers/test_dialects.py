"""Every dialect: from every source, at every end, whole, late, and resumed."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.llm.providers.test_wire import GOOD, VECTORS, dialect_of, recognised
from tests.llm.readers import events, outline, read
from tests.llm.sample_runs import BAD, ENDINGS, FULL, SAID, SAYING, START, TEXT, told, told_late
from tests.llm.strategies import anything, runs

from headwater.errors import UnknownDialect
from headwater.llm.answer import Answer, ReasoningPiece, coalesce
from headwater.llm.parts import (
    File,
    Finish,
    FinishReason,
    Foreign,
    Part,
    Source,
    Start,
    Text,
    TextEnd,
    TextStart,
    ToolError,
    ToolInput,
    ToolOutput,
    ToolReady,
    ToolStart,
    Usage,
)
from headwater.llm.providers.dialect import End, Ending
from headwater.llm.providers.left_out import KINDS
from headwater.llm.providers.registry import DIALECTS, dialect
from headwater.llm.providers.wire import FORMS, WireRecogniser
from headwater.model import Failure

NAMES = list(DIALECTS)
#: Dialects that tell thinking and calls.
WHOLE = [name for name in NAMES if not DIALECTS[name].lacks & {"thinking", "calls"}]
#: Dialects with a word for every end.
TELLING = [name for name in NAMES if DIALECTS[name].tells_ends]
#: Dialects that tell who comes late the shortest parts.
SHORTENED = [name for name in NAMES if not DIALECTS[name].keeps_records]
FINISHED = Ending(End.FINISHED)


def test_a_dialect_nobody_knows_is_refused() -> None:
    """The error lists those there are."""
    with pytest.raises(UnknownDialect, match="martian") as refusal:
        dialect("martian" * 100)
    assert all(name in refusal.value.message for name in NAMES)
    assert len(refusal.value.message) < 300


def test_the_headers_of_each_dialect() -> None:
    forms = {"sse": b"text/event-stream", "lines": b"application/x-ndjson", "array": b"application/json"}
    for name, made in DIALECTS.items():
        media_type = b"text/plain; charset=utf-8" if name == "text" else forms[FORMS.get(name, "sse")]
        assert made.media_type == media_type, name
        assert made.clients, name
        assert made.lacks <= KINDS.keys(), name
    stream = ((b"x-vercel-ai-ui-message-stream", b"v1"),)
    assert {name: DIALECTS[name].headers for name in ("ai-sdk", "ai-sdk-7")} == {"ai-sdk": stream, "ai-sdk-7": stream}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("source", GOOD)
def test_every_dialect_from_every_source(name: str, source: str) -> None:
    """The text, and where the dialect has words for them the thinking, the calls and the tokens, arrive."""
    parts = recognised(dialect_of(source), VECTORS[source])
    seen = read(name, told(name, parts))
    assert (seen.text, seen.error) == (TEXT, None)
    if name in WHOLE:
        answer = Answer(parts)
        assert seen.reasoning == "".join(p.text for p in answer.pieces if isinstance(p, ReasoningPiece))
        # What OpenAI runs is told in items of its own, which the reader does not take for calls.
        is_left_out = "hosted calls" in DIALECTS[name].lacks or name == source == "openai-responses"
        tools = [tool for tool in answer.tools if not (is_left_out and tool.ready and tool.ready.provider_executed)]
        assert seen.tools == [(tool.name, tool.ready and tool.ready.input) for tool in tools]
        assert seen.tokens == (None if answer.usage == Usage() else (11, 7)) or source == "ai-sdk"
    assert seen.done == (name in TELLING)


@pytest.mark.parametrize("name", ["openai", "openai-responses", "anthropic", "ai-sdk"])
@pytest.mark.parametrize("source", GOOD)
def test_what_a_dialect_tells_can_be_recognised_again(name: str, source: str) -> None:
    """Headwater behind Headwater: the answer is the same, with what a provider seals."""
    parts = recognised(dialect_of(source), VECTORS[source])
    recogniser = WireRecogniser(name)
    again = Answer([*recogniser.feed(told(name, parts)), *recogniser.finish()])
    answer = Answer(parts)
    assert (again.text, again.error) == (answer.text, None)
    assert again.finish is not None
    assert answer.finish is not None
    assert again.finish.reason == answer.finish.reason
    if name == "anthropic":
        seals = [
            [
                (piece.start.redacted, piece.end and piece.end.signature)
                for piece in each.pieces
                if isinstance(piece, ReasoningPiece)
            ]
            for each in (answer, again)
        ]
        assert seals[0] == seals[1]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ending", ENDINGS)
def test_every_end_in_every_dialect(name: str, ending: str) -> None:
    """All text arrives; only a run that finished looks like one."""
    parts, failure = ENDINGS[ending]
    for body in (told(name, parts, failure), told_late(name, parts, failure)):
        seen = read(name, body)
        assert seen.text == TEXT
        if name not in TELLING:
            continue
        is_success = ending not in BAD
        has_no_word = name.startswith("ai-sdk") or name in ("ag-ui", "openai-responses")
        if ending.startswith("stopped") and has_no_word:
            assert seen.error is None
            assert seen.finish == {"ai-sdk": "other", "ai-sdk-7": "interrupted", "ag-ui": "cancelled"}.get(
                name, "incomplete"
            )
        else:
            assert (seen.error is None) == is_success
        if seen.error is not None and failure is not None and failure.message:
            assert seen.error == failure.message
        assert seen.done == (name != "anthropic" or is_success)


@pytest.mark.parametrize("name", NAMES)
def test_a_connection_that_ends_while_the_run_goes_on_is_no_success(name: str) -> None:
    """A drain of the server, or a read that failed."""
    for ending in (Ending(End.DETACHED), Ending(End.FAILED, "store-unavailable", "no")):
        made = dialect(name)
        body = made.encode(SAYING) + made.end(ending)
        seen = read(name, body)
        assert seen.text == TEXT
        assert made.must_cut == (name not in TELLING)
        if name in TELLING:
            assert seen.error == ending.told
            assert seen.finish in (None, "failed")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("end", [end for end in End if end is not End.FAILED])
def test_what_comes_after_the_finish_takes_nothing_from_the_answer(name: str, end: End) -> None:
    """A stop that comes too late, a process that dies before the closure, a drain: the answer was whole."""
    made = dialect(name)
    body = made.encode([*SAID, Finish()]) + made.end(Ending(end))
    late = dialect(name)
    assert not made.must_cut
    if not made.keeps_records:
        assert body == late.encode([*SAID, Finish()]) + late.end(FINISHED)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_follows_an_end(name: str) -> None:
    made = dialect(name)
    made.encode(SAYING)
    made.end(FINISHED)
    assert made.end(Ending(End.FAILED)) == b""
    assert made.encode([Text("t0", "more")]) == b""
    assert made.relay(b"data: {}\n\n") == b""


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("end", End)
def test_a_run_that_said_nothing(name: str, end: End) -> None:
    """Even then the end is told, with the fallback's id where the log has none."""
    made = dialect(name, Start(id="msg-1", run="run-1"))
    seen = read(name, made.end(Ending(end)))
    assert seen.text == ""
    if name in ("plain", "openai", "ai-sdk", "raw", "openai-responses") and end is End.FAILED:
        assert seen.error == "the run failed"


@pytest.mark.parametrize("name", NAMES)
def test_keepalives_change_nothing(name: str) -> None:
    """Between any two parts: what the client sees stays the same."""
    made = dialect(name)
    body = b"".join(made.encode([part], ["7"]) + made.keepalive() for part in FULL) + made.end(FINISHED)
    pinged = body.replace(b'event: ping\ndata: {"type":"ping"}\n\n', b"")
    seen = read(name, pinged)
    plain = read(name, told(name, FULL, ids=False))
    seen.last_id = ""
    assert seen == plain


def split(run: list[Part], at: int) -> tuple[list[Part], list[Part]]:
    return run[:at], run[at:]


CALL = ToolReady("c", "f", {})
APPROVAL = Foreign("ai-sdk", {"type": "tool-approval-request", "approvalId": "p", "toolCallId": "c"})
#: What clients act on in the order in which it comes.
ORDERS: dict[str, list[Part]] = {
    "an output after the error of a call that nobody opened": [ToolError("c", "no"), ToolOutput("c", 1)],
    "an output after an error": [CALL, ToolError("c", "no"), ToolOutput("c", 1)],
    "an error after an output": [CALL, ToolOutput("c", 1), ToolError("c", "no")],
    "an input after an error": [CALL, ToolError("c", "no"), CALL],
    "an input after the error of a call that nobody opened": [ToolError("c", "no"), CALL, ToolOutput("c", 1)],
    "two outputs": [CALL, ToolOutput("c", 1), TextStart("t"), Text("t", "a"), ToolOutput("c", 2)],
    "an output after a text": [CALL, ToolOutput("c", 1, preliminary=True), TextStart("t"), ToolOutput("c", 2)],
    "an output for a call that nobody opened": [ToolOutput("c", 1, preliminary=True), File("a", "b"), ToolOutput("c")],
    "an output after its approval": [CALL, APPROVAL, ToolOutput("c", 1)],
    "a result of the provider's while a text is open": [
        ToolReady("c", "web_search", {}, provider_executed=True),
        TextStart("t"),
        ToolOutput("c", [], metadata={"kind": "web_search_tool_result"}),
    ],
    "a citation in a text": [TextStart("t"), Text("t", "a"), Source("s", "https://example.com/a"), TextEnd("t")],
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", SHORTENED)
def test_who_comes_late_is_told_in_the_same_order(name: str, order: str) -> None:
    """Wherever the reader joins."""
    run = [START, *ORDERS[order], Finish()]
    for at in range(len(run) + 1):
        joins_late(name, *split(run, at))


@settings(deadline=None, max_examples=40)
@given(run=runs().flatmap(lambda run: st.integers(0, len(run)).map(lambda at: split(run, at))))
@example(run=([START, ToolError("a"), ToolOutput("a")], [Finish()]))
@pytest.mark.parametrize("name", SHORTENED)
def test_who_comes_late_sees_the_same(name: str, run: tuple[list[Part], list[Part]]) -> None:
    """Whatever the run is, and wherever the reader joins."""
    joins_late(name, *run)


def joins_late(name: str, before: list[Part], after: list[Part]) -> None:
    """The compacted beginning, then the live tail: the same final message, and the same bytes from then on."""
    early, late = dialect(name), dialect(name)
    whole = early.encode(before)
    beginning = late.encode(Answer(before).compact())
    assert late.state() == early.state()
    tail = early.encode(after)
    assert late.encode(after) == tail
    end = early.end(FINISHED)
    assert late.end(FINISHED) == end
    assert read(name, beginning + tail + end) == read(name, whole + tail + end)
    if name != "text":
        assert outline(name, beginning) == outline(name, whole)


@pytest.mark.parametrize("name", WHOLE)
def test_the_id_of_a_call_that_failed_may_be_used_again(name: str) -> None:
    """What comes then is another call."""
    failed: list[Part] = [START, ToolStart("c", "f"), ToolInput("c", '"'), ToolError("c", "no JSON", "f", '"')]
    seen = read(name, told(name, [*failed, ToolReady("c", "g", {"a": 1}), Finish()]))
    assert seen.tools[-1] == ("g", {"a": 1})


def test_a_preliminary_result_is_no_block_of_anthropic() -> None:
    """A block cannot be replaced."""
    kind = {"kind": "web_search_tool_result"}
    call = ToolReady("c", "web_search", {}, provider_executed=True)
    first, last = (ToolOutput("c", [n], preliminary=n == 1, metadata=kind) for n in (1, 2))
    body = told("anthropic", [START, call, first, last])
    assert body.count(b'"type":"web_search_tool_result"') == 1
    assert b'"content":[2]' in body


@settings(deadline=None, max_examples=40)
@given(run=runs())
@pytest.mark.parametrize("name", NAMES)
def test_joined_deltas_are_the_same_message(name: str, run: list[Part]) -> None:
    """However the parts are grouped, the state is the same, and so are the message and its ids."""
    one, joined = dialect(name), dialect(name)
    parts = [part for part in run if not (isinstance(part, Text) and not part.delta)]
    single = b"".join(one.encode([part]) for part in parts)
    grouped = joined.encode(coalesce(parts))
    assert one.state() == joined.state()
    assert read(name, grouped + joined.end(FINISHED)) == read(name, single + one.end(FINISHED))


@settings(deadline=None, max_examples=40)
@given(parts=anything, end=st.sampled_from(End))
@pytest.mark.parametrize("name", NAMES)
def test_no_parts_can_break_a_dialect(name: str, parts: list[Part], end: End) -> None:
    """Whatever a log has, the bytes are well formed, and an error is told once."""
    made = dialect(name)
    body = made.encode(parts) + made.end(Ending(end))
    if name == "text":
        body.decode()
        return
    told_errors = [data for _, data, _ in events(body) if _is_error(name, data)]
    assert len(told_errors) <= 1 or name == "raw"  # which tells the log as it is


def _is_error(name: str, data: str) -> bool:
    return data.startswith(('{"error"', '{"type":"error"', '{"type":"RUN_ERROR"', '{"type":"response.failed"'))


def test_ids_come_from_the_log_alone() -> None:
    """Two encoders give the same bytes."""
    for name, (parts, failure) in itertools.product(NAMES, ENDINGS.values()):
        assert told(name, parts, failure) == told(name, parts, failure)


def test_a_model_that_is_known_late_is_told() -> None:
    """The log's first start may not know the model; it is told when the answer begins."""
    parts: list[Part] = [Start(id="msg-1", run="r"), Start(model="m", created=5), TextStart("t"), Text("t", "a")]
    for name in ("openai", "openai-responses", "anthropic"):
        assert b'"model":"m"' in dialect(name).encode(parts)
    fallback = Start(id="f", model="g")
    assert b'"model":"g"' in dialect("openai", fallback).encode([Text("t", "a")])


def test_the_widest_run() -> None:
    """Sources, files, data, steps, results and refusals: told where there are words, left out elsewhere."""
    from headwater.llm.parts import Data, Metadata, StepFinish, StepStart

    parts: list[Part] = [
        START,
        StepStart(),
        TextStart("t0", refusal=True),
        Text("t0", TEXT),
        Source("s0", "https://example.com/a", "A page"),
        Source("s1", title="A paper", media_type="application/pdf", filename="a.pdf"),
        ToolReady("c", "f", {"a": 1}),
        ToolOutput("c", {"b": 2}),
        ToolReady("d", "g", None, provider_executed=True),
        ToolError("d", "no"),
        ToolReady("e", "h", None),
        ToolError("e", denied=True),
        ToolError("x", "never opened"),
        ToolOutput("y", "never opened"),
        File("data:image/png;base64,AA==", "image/png"),
        File("data:image/png;base64,AA==", "image/png", reasoning=True),
        Data("weather", {"sky": "grey"}, "w"),
        Data("typing", True, transient=True),
        Metadata({"a": 1}),
        Foreign("ai-sdk", {"type": "tool-approval-request", "approvalId": "p", "toolCallId": "c"}),
        Foreign("ai-sdk", {"type": "custom", "kind": "a.b"}),
        StepFinish(),
        StepStart(),
        Finish(),
    ]
    for name in NAMES:
        assert read(name, told(name, parts)).text == TEXT
    assert b'"refusal":"H' in told("openai", parts)
    assert b"url_citation" in told("openai", parts)
    assert b"response.refusal.delta" in told("openai-responses", parts)
    assert b"response.output_text.annotation.added" in told("openai-responses", parts)
    assert b"web_search_result_location" in told("anthropic", parts)
    six, seven = told("ai-sdk", parts), told("ai-sdk-7", parts)
    for chunk in ("source-url", "source-document", "file", "data-weather", "start-step", "tool-output-denied"):
        assert b'"type":"%b"' % chunk.encode() in six
    for chunk in ("reasoning-file", "custom"):
        assert b'"type":"%b"' % chunk.encode() not in six
        assert b'"type":"%b"' % chunk.encode() in seven
    agent = told("ag-ui", parts)
    for chunk in ("STEP_STARTED", "STEP_FINISHED", "TOOL_CALL_RESULT", "CUSTOM"):
        assert b'"type":"%b"' % chunk.encode() in agent


@pytest.mark.parametrize("name", ["openai", "openai-responses", "anthropic", "ai-sdk"])
def test_raw_bytes_pass_as_they_are(name: str) -> None:
    """And an end of ours behind them is one error, in the dialect, without opening a second message."""
    made = dialect(name)
    body = VECTORS[name][: VECTORS[name].index(b"\n\n", 600) + 2]
    assert made.relay(body) == body
    end = made.end(Ending(End.LOST))
    assert b"message_start" not in end
    assert b"response.created" not in end
    assert b'"start"' not in end
    assert b"lost" in end
    errors = [data for _, data, _ in events(end) if "lost" in data]
    assert len(errors) == 1
    if name == "openai-responses":
        last = max(int(data.split('"sequence_number":')[1].split(",")[0]) for _, data, _ in events(body))
        assert f'"sequence_number":{last + 1}' in errors[0]


def test_every_reason_has_a_word() -> None:
    """In each dialect, and back again where the dialect has the word."""
    for name, reason in itertools.product(("openai", "anthropic", "ai-sdk", "ai-sdk-7"), FinishReason):
        body = told(name, [*SAID, Finish(reason)])
        assert read(name, body).finish
    native = told("anthropic", [*SAID, Finish(FinishReason.STOP, "stop_sequence")])
    assert read("anthropic", native).finish == "stop_sequence"
    assert b'"reason":"content_filter"' in told("openai-responses", [*SAID, Finish(FinishReason.CONTENT_FILTER)])
    assert b'"finishReason":"length"' in told("ag-ui", [*SAID, Finish(FinishReason.LENGTH)])


def test_codes_of_failures() -> None:
    assert Ending.of(None).is_success
    assert Ending.of(Failure("stopped")).end is End.STOPPED
    assert Ending.of(Failure("lost")).end is End.LOST
    assert Ending.of(Failure("timeout")).end is End.TIMED_OUT
    assert Ending.of(Failure("anything", "m")) == Ending(End.FAILED, "anything", "m")


def test_a_citation_of_a_log_of_0_1_is_told_as_it_came() -> None:
    """It stood in the metadata without its provider's name."""
    cited = {"type": "char_location", "cited_text": "q", "document_index": 0, "document_title": "D"}
    parts: list[Part] = [START, TextStart("t"), Source("s", "", "D", "text/plain", metadata=cited), Text("t", "a")]
    found = [json.loads(data) for _, data, _ in events(told("anthropic", parts))]
    assert [event["delta"]["citation"] for event in found if "citation" in event.get("delta", {})] == [cited]


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_array_has_the_responses_of_the_stream(ending: str) -> None:
    """And is whole at every end, for who was there and for who comes late."""
    parts, failure = ENDINGS[ending]
    for tell in (told, told_late):
        found = [json.loads(data) for _, data, _ in events(tell("gemini", parts, failure))]
        assert json.loads(tell("gemini-array", parts, failure)) == found
