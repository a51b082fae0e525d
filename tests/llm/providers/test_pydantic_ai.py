"""Events of a real Pydantic AI agent become parts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pydantic
import pytest
from pydantic_ai import Agent, ModelRetry
from pydantic_ai.messages import (
    AgentStreamEvent,
    BinaryContent,
    FilePart,
    ModelMessage,
    PartDeltaEvent,
    PartStartEvent,
    ThinkingPart,
    ThinkingPartDelta,
    ToolCallPart,
)
from pydantic_ai.models.function import AgentInfo, DeltaThinkingPart, DeltaToolCall, FunctionModel
from tests.llm.sample_runs import TEXT

from headwater.llm.answer import Answer, ReasoningPiece
from headwater.llm.parts import Data, File, Finish, Part, StepStart, ToolError, ToolOutput, ToolReady
from headwater.llm.providers.recogniser import Recogniser


async def model(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Any]:
    """Thinks, calls a tool, and answers when it has the result."""
    if len(messages) == 1:
        yield {0: DeltaThinkingPart(content="Let me ")}
        yield {0: DeltaThinkingPart(content="think.", signature="c2ln")}
        yield {1: DeltaToolCall(name="weather", json_args='{"city": ', tool_call_id="call-1")}
        yield {1: DeltaToolCall(json_args='"Köln"}')}
        return
    for piece in ("Héllo, ", "wörld", "! \u2028", " 😀"):
        yield piece


def agent_with(tool: Any) -> Agent[None, str]:
    agent = Agent(FunctionModel(stream_function=model))
    agent.tool_plain(name="weather", retries=2)(tool)
    return agent


async def events_of(agent: Agent[None, Any]) -> list[Any]:
    async with agent.run_stream_events("hi") as stream:
        return [event async for event in stream]


def recognised(events: list[Any]) -> list[Part]:
    recogniser = Recogniser()
    parts = [part for event in events for part in recogniser.feed(event)]
    return [*parts, *recogniser.finish()]


def weather(city: str) -> dict[str, str]:
    return {"sky": "grey"}


def test_an_agents_run() -> None:
    """Thinking with its signature, the call, its result, and the answer in a second step."""
    parts = recognised(asyncio.run(events_of(agent_with(weather))))
    answer = Answer(parts)
    assert answer.text == TEXT
    thinking = next(piece for piece in answer.pieces if isinstance(piece, ReasoningPiece))
    assert (thinking.text, thinking.end and thinking.end.signature) == ("Let me think.", "c2ln")
    assert ToolReady("call-1", "weather", {"city": "Köln"}) in parts
    assert ToolOutput("call-1", {"sky": "grey"}) in parts
    assert [type(part) for part in parts].count(StepStart) == 1
    assert [type(part) for part in parts].count(ToolReady) == 1
    assert answer.usage.output_tokens
    assert answer.finish == Finish()


def test_the_same_as_dicts() -> None:
    """Events that were dumped to JSON are recognised too."""
    adapter: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(AgentStreamEvent)
    events = asyncio.run(events_of(agent_with(weather)))
    dumped = [adapter.dump_python(event, mode="json") for event in events if event.event_kind != "agent_run_result"]
    answer = Answer(recognised(dumped))
    assert answer.text == TEXT
    assert answer.tools[0].outcome == ToolOutput("call-1", {"sky": "grey"})


def test_a_tool_that_wants_another_try() -> None:
    """A retry is an error of the call, with the message the model gets."""

    def picky(city: str) -> str:
        raise ModelRetry("which Köln?")

    parts = recognised(asyncio.run(events_of(agent_with(picky))))
    (error,) = (part for part in parts if isinstance(part, ToolError))
    assert error.id == "call-1"
    assert "which Köln?" in error.message


def test_an_output_that_is_no_text() -> None:
    """A structured output is data; its call is a call."""

    class City(pydantic.BaseModel):
        name: str

    async def structured(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Any]:
        yield {0: DeltaToolCall(name=info.output_tools[0].name, json_args='{"name": "Köln"}', tool_call_id="o")}

    parts = recognised(asyncio.run(events_of(Agent(FunctionModel(stream_function=structured), output_type=City))))
    assert Data("output", {"name": "Köln"}) in parts
    assert [tool.ready and tool.ready.input for tool in Answer(parts).tools] == [{"name": "Köln"}]


def test_parts_that_come_whole() -> None:
    """A file, a call whose arguments are an object, and a thinking that has no end event."""
    image = BinaryContent(b"\x89PNG", media_type="image/png")
    parts = recognised(
        [
            PartStartEvent(index=0, part=ThinkingPart("a")),
            PartDeltaEvent(index=0, delta=ThinkingPartDelta(content_delta="b")),
            PartStartEvent(index=1, part=FilePart(image)),
            PartStartEvent(index=2, part=ToolCallPart("f", {"a": 1}, "c")),
        ]
    )
    assert Answer(parts).tools[0].ready == ToolReady("c", "f", {"a": 1})
    (file,) = (part for part in parts if isinstance(part, File))
    assert file.url.startswith("data:image/png;base64,")
    assert parts[-1] == Finish()


@pytest.mark.parametrize("output", ["said", ""])
def test_an_output_that_was_not_streamed_is_told_at_the_end(output: str) -> None:
    result = {"event_kind": "agent_run_result", "result": {"output": output}}
    assert Answer(recognised([result])).text == output
