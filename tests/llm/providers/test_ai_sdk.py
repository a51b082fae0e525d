"""The steps of a UI message stream: `sendAutomaticallyWhen` looks at the last one only."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from tests.llm.readers import events
from tests.llm.sample_runs import START, told, told_late
from tests.llm.strategies import runs
from tests.llm.turns import KINDS, answers

from headwater.llm.parts import (
    Abort,
    Data,
    Finish,
    Part,
    Source,
    StepFinish,
    StepStart,
    Text,
    TextStart,
    ToolOutput,
    ToolReady,
)
from headwater.llm.providers.dialect import End, Ending
from headwater.llm.providers.recogniser import Recogniser
from headwater.llm.providers.registry import DIALECTS, dialect

NAMES = [name for name in DIALECTS if name.startswith("ai-sdk")]
#: What a message holds in its steps.
CONTENT = {"text-start", "reasoning-start", "tool-input-start", "source-url", "source-document", "file", "custom"}
CALL = [ToolReady("c", "city", {})]


def chunks(body: bytes) -> list[Any]:
    return [json.loads(data) for _, data, _ in events(body) if data != "[DONE]"]


def outline(body: bytes) -> str:
    """The kinds of chunks, without deltas: they may be joined."""
    return " ".join(chunk["type"] for chunk in chunks(body) if not chunk["type"].endswith("-delta"))


def recognised(items: list[Any]) -> list[Part]:
    recogniser = Recogniser(START)
    return [START, *itertools.chain.from_iterable(map(recogniser.feed, items)), *recogniser.finish()]


@settings(deadline=None, max_examples=60)
@given(run=runs())
@pytest.mark.parametrize("name", NAMES)
def test_content_stands_in_steps(name: str, run: list[Part]) -> None:
    """Steps begin and end in turn, nothing that is new stands between them, and a finished run has one at least. Who
    comes late is told the same steps."""
    for body in (told(name, run), told_late(name, run)):
        is_in_step, steps = False, 0
        for kind in (chunk["type"] for chunk in chunks(body)):
            if kind == "start-step":
                assert not is_in_step
                is_in_step, steps = True, steps + 1
            elif kind == "finish-step":
                assert is_in_step
                is_in_step = False
            assert is_in_step or kind not in CONTENT
            assert kind != "finish" or not is_in_step
        assert steps or chunks(body)[-1]["type"] == "error"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_a_step_for_each_call_of_the_model(name: str, kind: str) -> None:
    """Of every source, those too that tell no steps; from the start, late, and behind every record."""
    first = recognised(list(answers(kind, is_first=True)))
    second = recognised(list(answers(kind, is_first=False)))
    steps = 2 if kind.endswith("-server") else 1
    for run, expected in ((first, steps), (second, 1)):
        body = told(name, run)
        assert outline(body).split().count("start-step") == outline(body).split().count("finish-step") == expected
        assert outline(told_late(name, run)) == outline(body)
        for cut in range(1, len(run)):
            made = dialect(name, ids=False)
            beginning = made.encode(run[:cut])
            assert chunks(beginning + made.encode(run[cut:]) + made.end(Ending(End.FINISHED))) == chunks(body)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([], "start-step finish-step finish"),
        ([Finish()], "start-step finish-step finish"),
        ([Data("d", 1)], "data-d start-step finish-step finish"),
        ([Abort()], "abort start-step finish-step finish"),
        ([TextStart("t"), StepStart()], "start-step text-start text-end finish-step start-step finish-step finish"),
        ([StepStart(), StepStart()], "start-step finish-step start-step finish-step finish"),
        ([*CALL, StepFinish()], "start-step tool-input-available finish-step finish"),
        (
            [*CALL, StepFinish(), ToolOutput("c", 1)],
            "start-step tool-input-available finish-step tool-output-available finish",
        ),
        (
            [*CALL, StepFinish(), ToolOutput("c", 1), StepStart(), Text("t", "a")],
            "start-step tool-input-available finish-step tool-output-available"
            " start-step text-start text-end finish-step finish",
        ),
    ],
)
def test_steps(name: str, parts: list[Part], expected: str) -> None:
    """An empty step comes with metadata: a client takes a step over into its message with what comes behind it."""
    body = told(name, [START, *parts])
    assert outline(body) == f"start {expected}"
    is_empty = "start-step finish-step finish" in expected
    assert ("messageMetadata" in chunks(body)[-1]) is is_empty


def test_a_tool_that_is_done_while_the_model_talks_begins_no_step() -> None:
    """A second call, or the text of a response that has not ended: only what comes behind all outputs, or behind the
    response's end, is said to them."""
    one, other = ({"type": "tool-ready", "id": id, "name": "f", "input": {}} for id in "ab")
    outputs = [{"type": "tool-output", "id": id, "output": 1} for id in "ab"]
    parallel = recognised([one, outputs[0], other, "text", outputs[1], {"type": "text-end", "id": "t0"}])
    assert StepStart() not in parallel
    answered = recognised([one, outputs[0], other, outputs[1], "text"])
    assert [type(part) for part in answered[-5:]] == [StepStart, TextStart, Text, type(answered[-2]), Finish]
    provider = {**one, "provider_executed": True}
    assert StepStart() not in recognised([provider, outputs[0], "text"])
    told_by_source = recognised([{"type": "step-start"}, one, outputs[0], "text"])
    assert told_by_source.count(StepStart()) == 1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("metadata", "told_as"),
    [
        ({"anthropic": {"citation": {"cited_text": "q"}}}, {"anthropic": {"citation": {"cited_text": "q"}}}),
        ({"type": "char_location", "cited_text": "q"}, {"headwater": {"type": "char_location", "cited_text": "q"}}),
        ({"headwater": {"told": "openai"}}, None),
        ({"openai": {"a": 1}, "b": 2}, {"openai": {"a": 1}}),
    ],
)
def test_metadata_is_by_provider(name: str, metadata: dict[str, Any], told_as: Any) -> None:
    """Any other form is fatal to a client; logs of 0.1 have citations as they came."""
    cited = told(name, [START, Source("s", "https://a", metadata=metadata)])
    (source,) = [chunk for chunk in chunks(cited) if "url" in chunk]
    assert source.get("providerMetadata") == told_as
