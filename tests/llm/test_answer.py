"""The fold of a run, and its shortest parts."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.llm.sample_runs import FULL, TEXT
from tests.llm.strategies import anything

from headwater.llm.answer import Answer, TextPiece, coalesce, coalesce_at, merged
from headwater.llm.parts import (
    Abort,
    Data,
    Error,
    Finish,
    FinishReason,
    Metadata,
    Part,
    Raw,
    Reasoning,
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


def test_what_a_run_has_said() -> None:
    answer = Answer(FULL)
    assert answer.text == TEXT
    assert (answer.start.id, answer.start.run, answer.start.model) == ("msg-1", "run-1", "test-model")
    (tool,) = answer.tools
    assert (tool.name, tool.is_open, tool.ready) == ("weather", False, ToolReady("call-1", "weather", {"city": "Köln"}))
    assert answer.usage == Usage(11, 7)
    assert answer.finish == Finish(FinishReason.TOOL_CALLS)
    assert (answer.error, answer.abort) == (None, None)


def test_a_compacted_run_has_one_delta_a_part() -> None:
    """What is open is opened again and stays open."""
    parts: list[Part] = [
        Start(id="m"),
        TextStart("t"),
        Text("t", "a"),
        ToolStart("c", "f"),
        Text("t", "b"),
        ToolInput("c", "{"),
    ]
    assert Answer(parts).compact() == [
        Start(id="m"),
        TextStart("t"),
        Text("t", "ab"),
        ToolStart("c", "f"),
        ToolInput("c", "{"),
    ]


@given(anything)
def test_a_compacted_run_is_the_same_run(parts: list[Part]) -> None:
    """Whatever the parts are, in whatever order; and compacting again changes nothing."""
    answer = Answer(parts)
    compact = answer.compact()
    again = Answer(compact)
    assert again == answer
    assert again.compact() == compact
    assert again.text == answer.text
    assert len(compact) <= len(parts) + len(answer.pieces)


@given(anything, st.data())
def test_a_run_goes_on_from_its_compacted_beginning(parts: list[Part], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(parts)))
    assert Answer([*Answer(parts[:cut]).compact(), *parts[cut:]]) == Answer(parts)


@given(anything)
def test_coalesced_parts_are_the_same_run(parts: list[Part]) -> None:
    coalesced = coalesce(parts)
    assert Answer(coalesced) == Answer(parts)
    for one, other in pairwise(coalesced):
        if isinstance(one, Text | Reasoning | ToolInput) and type(one) is type(other):
            assert one.id != other.id


def test_a_group_has_the_offset_of_its_last_part() -> None:
    """A client that has the group has all of it."""
    parts: list[Part] = [TextStart("t"), Text("t", "a"), Text("t", "b"), Text("u", ""), TextEnd("t")]
    assert coalesce_at(parts, ["1", "2", "", "4", "5"]) == (
        [TextStart("t"), Text("t", "ab"), TextEnd("t")],
        ["1", "", "5"],
    )


def test_an_id_may_be_used_again() -> None:
    """The AI SDK counts anew in each step."""
    parts: list[Part] = [TextStart("0"), Text("0", "a"), TextEnd("0"), TextStart("0"), Text("0", "b"), TextEnd("0")]
    assert [piece.text for piece in Answer(parts).pieces if isinstance(piece, TextPiece)] == ["a", "b"]


def test_data_is_replaced_and_transient_data_is_not_kept() -> None:
    parts: list[Part] = [
        Data("w", 1, "x"),
        Data("w", 2, "x"),
        Data("w", 3),
        Data("w", 4),
        Data("w", 5, "x", transient=True),
    ]
    assert Answer(parts).compact() == [Data("w", 2, "x"), Data("w", 3), Data("w", 4)]


def test_the_first_end_counts() -> None:
    answer = Answer([Error("a"), Error("b"), Abort("c"), Abort("d"), Finish(), Finish(FinishReason.LENGTH)])
    assert (answer.error, answer.abort, answer.finish) == (Error("a"), Abort("c"), Finish())


def test_metadata_is_merged() -> None:
    answer = Answer([Start(id="m", metadata={"a": {"x": 1}}), Metadata({"a": {"y": 2}}), Start(model="z")])
    assert answer.start == Start(id="m", model="z", metadata={"a": {"x": 1, "y": 2}})
    assert merged({"a": 1}, {"a": {"b": 2}}) == {"a": {"b": 2}}


def test_results_find_their_calls() -> None:
    parts: list[Part] = [
        ToolReady("c", "f", 1),
        ToolOutput("c", 1, preliminary=True),
        ToolOutput("c", 2),
        ToolOutput("d", 3),
    ]
    assert [tool.outcome for tool in Answer(parts).tools] == [ToolOutput("c", 2), ToolOutput("d", 3)]


def test_the_last_outcome_of_a_call_counts() -> None:
    """The shortest parts have all of them in their order, but for outputs that are replaced."""
    said: list[Part] = [ToolReady("c", "f", 1), Text("t", "a"), ToolError("c", "no"), ToolOutput("c", 2)]
    answer = Answer([*said[:1], ToolOutput("c", 1, preliminary=True), ToolOutput("c", 0, preliminary=True), *said[1:]])
    (tool,) = answer.tools
    assert (tool.name, tool.outcome) == ("f", ToolOutput("c", 2))
    assert answer.compact() == [said[0], ToolOutput("c", 0, preliminary=True), TextStart("t"), *said[1:]]


def test_the_id_of_a_call_may_be_used_again() -> None:
    """After an output, and after an error."""
    parts: list[Part] = [ToolError("c", "no", "f"), ToolReady("c", "g"), ToolOutput("c", 1), ToolStart("c", "h")]
    assert [(tool.name, tool.is_open) for tool in Answer(parts).tools] == [("f", False), ("g", False), ("h", True)]
    assert Answer(parts).compact() == parts


def test_a_proxied_run_is_read() -> None:
    """Raw bytes of a provider are folded like any other source; a cut is known when the log has ended."""
    body = b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n'
    answer = Answer([Start(id="msg-1"), Raw.of("openai", body[:20]), Raw.of("openai", body[20:])])
    assert (answer.text, answer.start.id, answer.error) == ("Hi", "msg-1", None)
    answer.end()
    assert answer.error is not None
    assert answer.error.code == "truncated"
    unread = Raw.of("martian", b"x")
    assert Answer([unread]).compact() == [unread]


def test_answers_are_compared_by_what_they_say() -> None:
    assert Answer([Text("a", "x")]) != Answer([Text("a", "y")])
    assert Answer() != 5
    with pytest.raises(TypeError):
        hash(Answer())


def test_a_long_run_is_folded_in_linear_time() -> None:
    """Ten times the deltas are no more work a delta: nothing is joined before it is asked for."""
    parts: list[Part] = [Text("t", "x")] * 100_000
    assert len(coalesce(parts)) == 1
    assert len(Answer(parts).text) == 100_000
    assert msgspec.structs.asdict(coalesce(parts)[0])["delta"] == "x" * 100_000
