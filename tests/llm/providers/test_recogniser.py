"""Items of any source become parts, by their shape."""

from __future__ import annotations

import contextlib
import json
import types
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.chat import ChatCompletionChunk
from tests.llm import sdks
from tests.llm.providers.test_wire import VECTORS, events_of
from tests.llm.sample_runs import FULL, TEXT
from tests.llm.strategies import values

from headwater.errors import UnknownItem
from headwater.llm.answer import Answer, TextPiece, coalesce
from headwater.llm.parts import (
    Abort,
    Data,
    Error,
    Finish,
    FinishReason,
    Foreign,
    Metadata,
    Part,
    Reasoning,
    ReasoningEnd,
    ReasoningStart,
    Start,
    StepStart,
    Text,
    TextEnd,
    TextStart,
    ToolError,
    ToolInput,
    ToolOutput,
    ToolReady,
    ToolStart,
    Usage,
    decode_part,
    encode_part,
)
from headwater.llm.providers.ai_sdk.source import CHUNKS, SHARED
from headwater.llm.providers.anthropic.source import EVENTS, HELPERS
from headwater.llm.providers.recogniser import Recogniser


def recognised(*items: Any, start: Start | None = None) -> list[Part]:
    recogniser = Recogniser(start)
    parts = [part for item in items for part in recogniser.feed(item)]
    return [*parts, *recogniser.finish()]


def chunk(delta: dict[str, Any], finish: str | None = None, **fields: Any) -> dict[str, Any]:
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {"id": "c1", "object": "chat.completion.chunk", "created": 5, "model": "m", "choices": choices, **fields}


def test_strings_are_text() -> None:
    assert recognised("Hel", "", "lo") == [
        TextStart("t0"),
        Text("t0", "Hel"),
        Text("t0", "lo"),
        TextEnd("t0"),
        Finish(),
    ]


def test_a_source_that_says_nothing_finishes() -> None:
    assert recognised() == [Finish()]


def test_bytes_are_utf8_cut_anywhere() -> None:
    """Every cut gives the same text; what can never become a character is U+FFFD."""
    data = TEXT.encode()
    for cut in range(len(data)):
        assert Answer(recognised(data[:cut], bytearray(data[cut:]))).text == TEXT
    assert Answer(recognised(*(data[i : i + 1] for i in range(len(data))))).text == TEXT
    assert Answer(recognised(b"a\xffb", b"\xe2\x82")).text == "a\ufffdb\ufffd"


def test_half_a_surrogate_pair_waits_for_the_other() -> None:
    """Providers cut an escaped emoji in two; a half that stays alone is U+FFFD, in text and thinking."""
    assert Answer(recognised("a\ud83d", "\ude00b")).text == "a😀b"
    assert Answer(recognised("a\ud83d")).text == "a\ufffd"
    assert Answer(recognised("\ude00b")).text == "\ufffdb"
    parts = recognised(chunk({"reasoning_content": "x\ud83d"}), chunk({}, "stop"))
    assert Reasoning("r0", "\ufffd") in parts


def test_dicts_with_content_are_text() -> None:
    assert Answer(recognised({"content": "a"}, {"role": "assistant", "content": "b"})).text == "ab"


def test_a_dict_with_an_error_is_an_error() -> None:
    assert recognised("a", {"error": "no"})[-1] == Error("upstream-error", "no")
    assert recognised({"error": {"code": "c", "message": "m"}})[-1] == Error("c", "m")


def sdk_events(name: str) -> list[Any]:
    """What the stock SDK yields for a recorded stream."""
    match name:
        case "anthropic":
            messages = sdks.anthropic(VECTORS[name]).messages
            return list(messages.create(model="m", max_tokens=5, messages=[], stream=True))
        case "anthropic-helper":
            with sdks.anthropic(VECTORS["anthropic"]).messages.stream(model="m", max_tokens=5, messages=[]) as stream:
                return list(stream)
        case "openai-responses":
            return list(sdks.openai(VECTORS[name]).responses.create(model="m", input="", stream=True))
        case _:
            completions = sdks.openai(VECTORS[name]).chat.completions
            return list(completions.create(model="m", messages=[], stream=True))


@pytest.mark.parametrize("name", ["openai", "openai-reasoning", "openai-responses", "anthropic", "anthropic-helper"])
def test_the_sdks_own_objects(name: str) -> None:
    """What the stock SDKs yield gives the parts that the provider's bytes give."""
    ours = Answer(recognised(*sdk_events(name)))
    theirs = Answer(recognised(*events_of(VECTORS[name.removesuffix("-helper")])))
    assert ours.text == TEXT == theirs.text
    assert ours.compact() == theirs.compact()


def test_the_helper_events_of_anthropic_repeat_nothing() -> None:
    """`messages.stream()` yields raw events and events with snapshots; the latter add nothing."""
    raw = events_of(VECTORS["anthropic"])
    helpers = [
        {"type": "text", "text": "Héllo, ", "snapshot": "Héllo, "},
        {"type": "thinking", "thinking": "Let", "snapshot": "Let"},
        {"type": "input_json", "partial_json": "{", "snapshot": {}},
    ]
    mixed = [item for event in raw for item in (event, *helpers)]
    assert coalesce(recognised(*mixed)) == coalesce(recognised(*raw))


def test_parts_pass_as_objects_and_as_dicts() -> None:
    """Our own vocabulary is a source like any other; what it leaves open is closed."""
    assert coalesce(recognised(*FULL)) == coalesce(FULL)
    dicts = [json.loads(encode_part(part)) for part in FULL]
    assert Answer(recognised(*dicts)) == Answer(FULL)
    opened = recognised(ReasoningStart("r"), Reasoning("r", "a"), TextStart("t"), ToolStart("c", "f"))
    assert opened[-4:] == [ReasoningEnd("r"), TextEnd("t"), ToolReady("c", "f", {}), Finish()]
    rest = [Metadata({"a": 1}), Data("d", 1), StepStart(), Foreign("x", 1)]
    assert recognised(*rest)[:-1] == rest
    assert recognised(Text("t", "a"), Error("e", "m"))[-1] == Error("e", "m")
    assert recognised(Usage(1, 2), Finish(FinishReason.LENGTH))[-1] == Finish(FinishReason.LENGTH)


def test_an_aborted_source_is_interrupted() -> None:
    """A call whose input is not complete is not called ready."""
    parts = recognised("a", ToolStart("c", "f"), ToolInput("c", "{"), Abort("enough"))
    assert parts[-2:] == [Abort("enough"), Finish(FinishReason.INTERRUPTED)]
    assert not any(isinstance(part, ToolReady | ToolError) for part in parts)
    assert recognised({"type": "abort", "reason": "r"})[-2:] == [Abort("r"), Finish(FinishReason.INTERRUPTED)]


def test_the_start_of_the_log_stays() -> None:
    """With a start in the log already, the source's own fills only what it left empty."""
    start = Start(id="msg-1", run="r")
    assert recognised(chunk({"content": "a"}), chunk({}, "stop"), start=start)[0] == Start(model="m", created=5)
    whole = Start(id="msg-1", model="x", created=1)
    assert recognised(chunk({"content": "a"}), chunk({}, "stop"), start=whole)[0] == TextStart("t0")
    ui = recognised({"type": "start", "messageId": "theirs", "messageMetadata": {"a": 1}}, start=start)
    assert ui == [Metadata({"a": 1}), Finish()]


def test_a_truncated_chat_completion() -> None:
    """Without a finish reason the answer is not complete; a call's input so far is not called ready."""
    call = {"index": 0, "id": "k", "function": {"name": "f", "arguments": '{"a'}}
    recogniser = Recogniser()
    recogniser.feed(chunk({"content": "a"}))
    recogniser.feed(chunk({"tool_calls": [call]}))
    assert not recogniser.is_complete
    (error,) = recogniser.finish()
    assert error == recogniser.failed
    assert isinstance(error, Error)
    assert error.code == "truncated"
    assert recogniser.finish() == []


def test_calls_without_an_index_are_told_apart_by_their_ids() -> None:
    """Some providers send whole calls, one a chunk, without an index."""
    calls = [[{"id": id, "function": {"name": "f", "arguments": "{}"}}] for id in ("a", "b")]
    parts = recognised(*(chunk({"tool_calls": call}) for call in calls), chunk({}, "tool_calls"))
    assert [tool.id for tool in Answer(parts).tools] == ["a", "b"]


def test_input_that_is_not_json_is_an_error_of_the_call() -> None:
    call = {"index": 0, "id": "k", "function": {"name": "f", "arguments": '{"a'}}
    parts = recognised(chunk({"tool_calls": [call]}), chunk({}, "tool_calls"))
    assert ToolError("k", "the model's input for the tool is not JSON", "f", '{"a') in parts
    custom = {"index": 0, "id": "k", "type": "custom", "custom": {"name": "f", "input": "print(1)"}}
    parts = recognised(chunk({"tool_calls": [custom]}), chunk({}, "tool_calls"))
    assert ToolReady("k", "f", "print(1)") in parts


def test_what_a_tool_gave_completes_its_input() -> None:
    """Whatever order a source has: who comes late must not see a call that is open after its result."""
    opened, ready = ToolStart("a", "look"), ToolReady("a", "look", {"x": 1})
    output, early = ToolOutput("a", "found"), ToolOutput("a", "looking", preliminary=True)
    source = [opened, ToolInput("a", '{"x": 1}'), early, output, early]
    assert recognised(*source) == [*source[:2], ready, early, output, Finish()]
    again = [opened, ToolInput("a", "{}"), early]
    assert recognised(*source, *again)[-5:] == [opened, again[1], ToolReady("a", "look", {}), early, Finish()]


def test_a_call_that_failed_is_not_completed() -> None:
    """Its input may be whatever it was when it failed."""
    source = [ToolStart("a", "look"), ToolInput("a", '{"x":'), ToolError("a", "gone")]
    assert recognised(*source) == [*source, Finish()]


def test_other_ways_of_chat_completions() -> None:
    """Refusals, the old function call, content in blocks, audio, citations, a whole completion."""
    assert recognised(chunk({"refusal": "no"}, "content_filter"))[1] == TextStart("t0", refusal=True)
    old = {"object": "text_completion", "choices": [{"index": 0, "text": "a", "finish_reason": "stop"}]}
    assert Answer(recognised(old)).text == "a"
    legacy = recognised(chunk({"function_call": {"name": "f", "arguments": "{}"}}, "function_call"))
    assert [tool.name for tool in Answer(legacy).tools] == ["f"]
    assert Answer(recognised(chunk({"content": [{"type": "text", "text": "a"}]}, "stop"))).text == "a"
    audio = {"choices": [{"index": 0, "delta": {"audio": {"data": "eA=="}}}]}
    heard = recognised(chunk({"audio": {"data": "eA=="}}, "stop"))
    assert Foreign("openai", audio) in heard
    assert "data:audio/pcm;base64,eA==" in str(heard)
    note = {"type": "url_citation", "url_citation": {"url": "https://example.com", "title": "T"}}
    cited = Answer(recognised(chunk({"annotations": [note]}, "stop"))).compact()
    assert "Source(id='s0', url='https://example.com'" in str(cited)
    choices = [{"index": 0, "message": {"role": "assistant", "content": "a"}, "finish_reason": "stop"}]
    assert Answer(recognised({"object": "chat.completion", "choices": choices})).text == "a"


def test_several_responses_in_one_run_are_steps() -> None:
    """An agent's loop: the tokens are added, the last finish reason counts, the id stays the first."""
    usage = {"prompt_tokens": 3, "completion_tokens": 4}
    first = [chunk({"content": "a"}), chunk({}, "tool_calls", usage=usage)]
    second = [chunk({"content": "b"}, id="c2"), chunk({}, "stop", id="c2", usage=usage)]
    parts = recognised(*first, *second)
    assert StepStart() in parts
    answer = Answer(parts)
    total = {"prompt_tokens": 6, "completion_tokens": 8}
    assert (answer.text, answer.usage) == ("ab", Usage(6, 8, native={"openai": total}))
    assert answer.finish == Finish(FinishReason.STOP, "stop", "openai")
    assert answer.start.id == "c1"
    twice = Answer(recognised(*events_of(VECTORS["anthropic"]), *events_of(VECTORS["anthropic"])))
    assert twice.text == TEXT + TEXT
    assert (twice.usage.input_tokens, twice.usage.output_tokens) == (22, 14)
    both = Answer(recognised(*events_of(VECTORS["openai-responses"]), *_renamed("openai-responses")))
    assert len([piece for piece in both.pieces if isinstance(piece, TextPiece)]) == 2


def _renamed(name: str) -> list[dict[str, Any]]:
    body = VECTORS[name].replace(b"resp_68af", b"resp_2").replace(b'"msg_1"', b'"msg_2"')
    return events_of(body)


def test_a_response_without_deltas_is_read_from_its_items() -> None:
    """Some servers send only finished items."""
    events = [event for event in events_of(VECTORS["openai-responses"]) if "delta" not in event["type"]]
    events = [event for event in events if "part" not in event["type"]]
    answer = Answer(recognised(*events))
    assert answer.text == TEXT
    found, called = (tool.ready for tool in answer.tools)
    assert found is not None
    assert (found.name, found.provider_executed) == ("web_search", True)
    assert called is not None
    assert called.input == {"city": "Köln"}
    assert "Let me think." in str(answer.compact())


def test_an_incomplete_response() -> None:
    events = events_of(VECTORS["openai-responses"])
    response = {**events[-1]["response"], "incomplete_details": {"reason": "max_output_tokens"}}
    parts = recognised(*events[:-1], {"type": "response.incomplete", "response": response})
    assert parts[-1] == Finish(FinishReason.LENGTH, "max_output_tokens", "openai-responses")


def test_errors_as_events() -> None:
    """Each family's own error event, whatever came before."""
    responses = {"type": "error", "code": "c", "message": "m", "param": None, "sequence_number": 3}
    anthropic = {"type": "error", "error": {"type": "overloaded_error", "message": "m"}}
    own = {"type": "error", "code": "c", "message": "m", "param": None}
    assert recognised(responses)[-1] == Error("c", "m", {"openai-responses": own})
    assert recognised(anthropic)[-1] == Error("overloaded_error", "m", {"anthropic": anthropic})
    assert recognised({"type": "error", "errorText": "m"})[-1] == Error("upstream-error", "m")
    assert recognised(Error("c", "m"))[-1] == recognised({"type": "error", "code": "c", "message": "m"})[-1]


def test_what_a_later_version_of_a_family_sends_is_no_error() -> None:
    """New events, blocks and deltas are kept or left out; the answer goes on."""
    events = events_of(VECTORS["anthropic"])
    new = {"type": "content_block_start", "index": 9, "content_block": {"type": "hologram"}}
    delta = {"type": "content_block_delta", "index": 9, "delta": {"type": "hologram_delta"}}
    later = {"type": "message_paused"}
    end = {"type": "content_block_stop", "index": 9}
    parts = recognised(*events[:-2], new, delta, end, later, *events[-2:])
    assert [part.event for part in parts if isinstance(part, Foreign)] == [new, delta, end, later]
    assert Answer(parts).text == TEXT
    events = events_of(VECTORS["openai-responses"])
    assert Answer(recognised({"type": "response.hologram.delta", "delta": 1}, *events)).text == TEXT
    ui = [{"type": "text-delta", "id": "0", "delta": "a"}, {"type": "custom", "kind": "a.b"}]
    assert Foreign("ai-sdk", ui[1], content=True) in recognised(*ui)


@pytest.mark.parametrize(
    ("item", "named"),
    [
        (None, "NoneType"),
        (3, "int"),
        (["a"], "list"),
        (object(), "object"),
        (ChatCompletionChunk, "ModelMetaclass"),
        (types.SimpleNamespace(content="a"), "types.SimpleNamespace"),
        ({}, "(none)"),
        ({"a": 1, "b": "secret"}, "a, b"),
        ({"type": "hologram"}, "'hologram'"),
        ({"content": 5}, "content"),
    ],
)
def test_nonsense_is_refused_by_its_type(item: Any, named: str) -> None:
    """The error names what came, without its content, and what came before stays good."""
    recogniser = Recogniser()
    recogniser.feed("a")
    with pytest.raises(UnknownItem) as refusal:
        recogniser.feed(item)
    assert named in refusal.value.message
    assert "secret" not in refusal.value.message
    assert recogniser.finish() == [TextEnd("t0"), Finish()]


def test_a_second_choice_is_kept() -> None:
    """A run has one answer: only readers of the same dialect are told the others."""
    choices = [{"index": 1, "delta": {"content": "b"}}]
    parts = Recogniser().feed({"object": "chat.completion.chunk", "choices": choices})
    assert parts[1:] == [Foreign("openai", {"choices": choices}, content=True)]


@pytest.mark.parametrize(
    "event",
    [
        {"choices": [None, {"index": 0, "delta": None}, {"index": 0, "delta": {"tool_calls": [None, {}]}}]},
        {"choices": [{"index": 0, "delta": {"content": 5, "tool_calls": "x"}, "finish_reason": 5}], "usage": []},
        {"type": "response.created"},
        {"type": "response.created", "response": {"created_at": "x", "id": 5}},
        {"type": "response.output_text.delta", "delta": None},
        {"type": "response.output_item.done", "item": {"type": "function_call"}},
        {"type": "response.completed", "response": None},
        {"type": "message_start"},
        {"type": "content_block_delta", "index": "x", "delta": {"type": "text_delta"}},
        {"type": "content_block_delta", "index": 3, "delta": {"type": "input_json_delta", "partial_json": "{"}},
        {"type": "content_block_stop"},
        {"type": "message_delta", "delta": 5, "usage": {"input_tokens": "x"}},
        {"type": "tool-output-available"},
        {"type": "reasoning-delta", "id": None, "delta": None, "providerMetadata": 5},
        {"type": "start", "messageId": 5, "messageMetadata": "x"},
        {"event_kind": "part_start"},
        {"event_kind": "part_delta", "index": "x", "delta": None},
        {"event_kind": "function_tool_result"},
        {"event_kind": "agent_run_result", "result": None},
    ],
    ids=str,
)
def test_broken_events_never_crash(event: dict[str, Any]) -> None:
    """Fields that are missing or of another type are as if they were empty."""
    recogniser = Recogniser()
    recogniser.feed(event)
    recogniser.finish()


_KINDS = st.sampled_from(
    [
        *CHUNKS,
        *SHARED,
        *EVENTS,
        *HELPERS,
        *(f"response.{kind}" for kind in ("created", "completed", "incomplete", "failed", "error", "refusal.delta")),
        *("response.output_item.added", "response.output_item.done", "response.content_part.done"),
        *("response.function_call_arguments.delta", "response.reasoning_summary_part.added"),
        *("data-x", "text", "tool-ready", "raw", "hologram"),
    ]
)
_FIELDS = st.sampled_from(
    [
        *("id", "delta", "item", "part", "response", "message", "content_block", "index", "error", "choices", "usage"),
        *("toolCallId", "input", "content", "text", "event_kind", "item_id", "output", "messageMetadata", "name"),
    ]
)
_NESTED = st.recursive(
    values | st.sampled_from(["text", "function_call", "reasoning", "message", "thinking", "tool_use", "text_delta"]),
    lambda inner: st.dictionaries(_FIELDS | st.just("type"), inner, max_size=4) | st.lists(inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(
    st.lists(
        st.builds(lambda kind, rest: {**rest, "type": kind}, _KINDS, st.dictionaries(_FIELDS, _NESTED, max_size=5))
        | st.dictionaries(_FIELDS, _NESTED, max_size=4)
        | st.text(max_size=3),
        max_size=6,
    )
)
def test_whatever_comes_is_recognised_or_refused(items: list[Any]) -> None:
    """Nothing but `UnknownItem` is raised, the parts can be stored, and the end is told once."""
    recogniser = Recogniser()
    parts: list[Part] = []
    for item in items:
        with contextlib.suppress(UnknownItem):
            parts += recogniser.feed(item)
    parts += recogniser.finish()
    assert [decode_part(encode_part(part)) for part in parts] == parts
    assert sum(isinstance(part, Finish | Error) for part in parts) == 1
    assert Answer(parts).compact() == Answer(Answer(parts).compact()).compact()
