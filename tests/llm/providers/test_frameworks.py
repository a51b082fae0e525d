"""Objects of frameworks become parts by their shape: the fewest fields that each has."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Literal

import pydantic
import pytest
from tests.llm.providers.test_recogniser import chunk, recognised

from headwater.errors import UnknownItem
from headwater.llm.answer import Answer
from headwater.llm.parts import (
    Abort,
    Data,
    Error,
    File,
    FinishReason,
    Foreign,
    Part,
    ReasoningEnd,
    Source,
    StepStart,
    ToolApproval,
    ToolError,
    ToolOutput,
    ToolReady,
)


def said(parts: list[Part]) -> tuple[str, list[Any], Any]:
    answer = Answer(parts)
    calls: list[Any] = [(tool.name, tool.ready and tool.ready.input) for tool in answer.tools]
    return answer.text, calls, answer.finish and answer.finish.reason


def of(kind: type[Any], parts: list[Part]) -> list[Any]:
    return [part for part in parts if isinstance(part, kind)]


@dataclass
class Message:
    """Of LangChain."""

    type: str
    content: Any = ""
    id: str | None = "m1"
    tool_call_id: str = ""
    status: str = "success"
    tool_calls: list[Any] = field(default_factory=list)
    tool_call_chunks: list[Any] = field(default_factory=list)
    additional_kwargs: dict[str, Any] = field(default_factory=dict)
    response_metadata: dict[str, Any] = field(default_factory=dict)
    usage_metadata: dict[str, Any] | None = None


def ai(content: Any = "", id: str = "m1", **more: Any) -> Message:
    return Message("AIMessageChunk", content, id, **more)


CALLED = [
    ai("Let me look"),
    ai(tool_call_chunks=[{"index": 0, "id": "c1", "name": "weather", "args": ""}]),
    ai(tool_call_chunks=[{"index": 0, "id": None, "name": None, "args": '{"city":"Oslo"}'}]),
    ai(response_metadata={"finish_reason": "tool_calls"}, usage_metadata={"input_tokens": 3, "output_tokens": 4}),
]
ANSWERED = [ai("It is ", "m2"), ai("sunny", "m2", usage_metadata={"input_tokens": 5, "output_tokens": 2})]
TOOL = Message("tool", "sun", "t1", tool_call_id="c1")
HUMAN = Message("human", "what?", "h1")
WHOLE = Message("ai", "Let me look", "m1", tool_calls=[{"id": "c1", "name": "weather", "args": {"city": "Oslo"}}])
LAST = Message("ai", "It is sunny", "m2", response_metadata={"stop_reason": "end_turn"})
STATE = [HUMAN, Message("ai", "earlier", "m0"), Message("human", "and?", "h2")]


def event(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"event": kind, "run_id": "r", "name": "x", "data": data}


@pytest.mark.parametrize(
    "items",
    [
        [*CALLED, TOOL, *ANSWERED],
        [WHOLE, TOOL, LAST],
        [(message, {"langgraph_node": "n"}) for message in (*CALLED, TOOL, *ANSWERED)],
        [
            {"agent": {"messages": [WHOLE]}},
            {"tools": {"messages": [TOOL]}},
            {"idle": None},
            {"agent": {"messages": [LAST]}},
        ],
        [
            {"messages": STATE},
            {"messages": [*STATE, WHOLE]},
            {"messages": [*STATE, WHOLE, TOOL]},
            {"messages": [*STATE, WHOLE, TOOL, LAST]},
        ],
        [
            *[("messages", (message, {})) for message in CALLED],
            ("updates", {"agent": {"messages": [WHOLE]}}),
            ("messages", (TOOL, {})),
            ("updates", {"tools": {"messages": [TOOL]}}),
            *[((), "messages", (message, {})) for message in ANSWERED],
            ("values", {"messages": [*STATE, WHOLE, TOOL, LAST]}),
            (("sub:1",), "updates", {"agent": {"messages": [LAST]}}),
        ],
        [
            event("on_chain_start", {"input": {"messages": [HUMAN]}}),
            *[event("on_chat_model_stream", {"chunk": message}) for message in CALLED],
            event("on_chat_model_end", {"output": WHOLE}),
            event("on_tool_end", {"output": TOOL}),
            event("on_chain_stream", {"chunk": {"tools": {"messages": [TOOL]}}}),
            *[event("on_chat_model_stream", {"chunk": message}) for message in ANSWERED],
            event("on_chain_end", {"output": {"messages": [HUMAN, WHOLE, TOOL, LAST]}}),
        ],
    ],
    ids=["chunks", "whole", "messages", "updates", "values", "several modes", "events"],
)
def test_langchain_in_every_mode(items: list[Any]) -> None:
    """One answer with a call, its result and a second step; nobody else's text, and nothing twice."""
    parts = recognised(*items)
    text, calls, _ = said(parts)
    assert (text, calls) == ("Let me lookIt is sunny", [("weather", {"city": "Oslo"})])
    assert of(ToolOutput, parts) == [ToolOutput("c1", "sun")]
    assert len(of(StepStart, parts)) == 1
    assert [part for part in parts if isinstance(part, ToolError | Error)] == []


def test_a_graph_that_waits_and_what_its_nodes_give() -> None:
    """An interrupt is data of the application, once whatever the modes; other values are kept, and end no run."""
    interrupt = SimpleNamespace(value={"ask": "Remove it?"}, id="i1")
    waiting = {"__interrupt__": (interrupt,)}
    items: list[list[Any]] = [
        [waiting],
        [*CALLED, waiting],
        [*CALLED, ("updates", waiting), ("values", {"messages": STATE, **waiting})],
    ]
    for run in items:
        assert {(part.name, part.id, str(part.data)) for part in of(Data, recognised(*run))} == {
            ("interrupt", "i1", "{'ask': 'Remove it?'}")
        }
    parts = recognised(*CALLED, {"count": 3}, {"task": "done"}, *ANSWERED)
    assert said(parts)[0] == "Let me lookIt is sunny"
    assert [part.event for part in of(Foreign, parts)] == [{"count": 3}, {"task": "done"}]
    with pytest.raises(UnknownItem):
        recognised({"count": 3})


def test_what_else_langchain_messages_hold() -> None:
    blocks = [
        {"type": "thinking", "thinking": "hmm", "signature": "SIG"},
        {"type": "text", "text": "Hi", "annotations": [{"url": "https://a", "title": "A", "start_index": 0}]},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "tool_use", "id": "c1"},
        {"type": "new-thing", "x": 1},
    ]
    tool = Message("tool", "boom", "t1", tool_call_id="c1", status="error")
    bad = {"id": "c2", "name": "w", "args": "{", "error": None}
    last = Message("ai", blocks, "m1", response_metadata={"finish_reason": "length", "model_name": "m"})
    last.invalid_tool_calls = [bad]  # type: ignore[attr-defined]
    parts = recognised(last, tool, ("custom", {"progress": 1}))
    assert said(parts)[::2] == ("Hi", FinishReason.LENGTH)
    assert [part.signature for part in of(ReasoningEnd, parts)] == ["SIG"]
    assert [(part.url, part.title) for part in of(Source, parts)] == [("https://a", "A")]
    assert [part.url for part in of(File, parts)] == ["data:image/png;base64,AAAA"]
    assert [part.event for part in of(Foreign, parts)] == [{"type": "new-thing", "x": 1}]
    assert {part.id for part in of(ToolError, parts)} == {"c1", "c2"}
    assert of(Data, parts) == [Data("custom", {"progress": 1})]


def test_openais_agents() -> None:
    """The model's events, and what the tools gave; the items that repeat the events add nothing."""

    def raw(**data: Any) -> SimpleNamespace:
        return SimpleNamespace(type="raw_response_event", data=data)

    def item(kind: str, raw_item: Any, **more: Any) -> SimpleNamespace:
        return SimpleNamespace(type="run_item_stream_event", item=SimpleNamespace(type=kind, raw_item=raw_item, **more))

    call = {"id": "fc", "type": "function_call", "call_id": "c1", "name": "w", "arguments": '{"x":1}'}
    message = {"id": "msg", "type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]}
    usage = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    parts = recognised(
        SimpleNamespace(type="agent_updated_stream_event", new_agent=object()),
        raw(type="response.created", response={"id": "r1", "model": "m"}),
        raw(type="response.output_item.done", output_index=0, item=call),
        raw(type="response.completed", response={"id": "r1", "output": [call], "usage": usage}),
        item("tool_call_item", call),
        item("tool_call_output_item", {"call_id": "c1", "output": "text"}, output={"deg": 3}),
        raw(type="response.created", response={"id": "r2", "model": "m"}),
        raw(type="response.output_item.done", output_index=0, item=message),
        raw(type="response.completed", response={"id": "r2", "output": [message], "usage": usage}),
        item("message_output_item", message),
    )
    assert said(parts) == ("Hi", [("w", {"x": 1})], FinishReason.STOP)
    assert of(ToolOutput, parts) == [ToolOutput("c1", {"deg": 3})]
    assert Answer(parts).usage.output_tokens == 4
    cut = recognised(raw(type="response.created", response={"id": "r1"}))
    assert of(Error, cut)[0].code == "truncated"
    alone = recognised(item("message_output_item", message), item("tool_approval_item", call))
    assert said(alone)[:2] == ("Hi", [("w", {"x": 1})])


@pytest.mark.parametrize("is_snake", [False, True])
def test_gemini(is_snake: bool) -> None:
    """As the API spells it, and as its SDK does."""

    def spelled(value: Any) -> Any:
        if isinstance(value, list):
            return [spelled(item) for item in value]
        if not isinstance(value, dict) or not is_snake:
            return value
        names = {name: "".join("_" + c.lower() if c.isupper() else c for c in name) for name in value}
        return {names[name]: item if name == "args" else spelled(item) for name, item in value.items()}

    def response(*parts: Any, **more: Any) -> Any:
        return spelled({"candidates": [{"content": {"role": "model", "parts": list(parts)}, "index": 0, **more}]})

    seal = b"SIG" if is_snake else "U0lH"
    parts = recognised(
        response({"text": "hmm", "thought": True, "thoughtSignature": seal}),
        response({"text": "Hi"}, {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}),
        response({"executableCode": {"code": "1+1", "language": "PYTHON"}}),
        response({"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "2"}}, safetyRatings=[{"x": 1}]),
        response({"functionCall": {"name": "w", "args": {"someCity": 1}}, "thoughtSignature": seal}),
        response(
            finishReason="STOP",
            groundingMetadata={"groundingChunks": [{"web": {"uri": "https://a", "title": "A"}}]},
        )
        | spelled({"usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 4, "thoughtsTokenCount": 2}}),
        {"candidates": [{"content": {"parts": [{"text": "other"}]}, "index": 1}]},
    )
    text, calls, reason = said(parts)
    assert (text, reason) == ("Hi", FinishReason.TOOL_CALLS)
    assert calls == [("code_execution", {"language": "PYTHON", "code": "1+1"}), ("w", {"someCity": 1})]
    sealed = {"google": {"thoughtSignature": "U0lH"}}
    assert of(ReasoningEnd, parts)[0].metadata == sealed
    assert of(ToolReady, parts)[-1].metadata == sealed
    assert [part.url for part in of(File, parts)] == ["data:image/png;base64,AAAA"]
    assert [part.url for part in of(Source, parts)] == ["https://a"]
    usage = Answer(parts).usage
    assert (usage.input_tokens, usage.output_tokens) == (3, 6)
    assert {"candidates": [{"safetyRatings": [{"x": 1}]}]} in [part.event for part in of(Foreign, parts)]


def test_gemini_that_says_no() -> None:
    blocked = recognised({"promptFeedback": {"blockReason": "SAFETY"}, "modelVersion": "g"})
    assert said(blocked)[2] is FinishReason.CONTENT_FILTER
    cut = recognised({"candidates": [{"content": {"parts": [{"text": "Hel"}]}}]})
    assert of(Error, cut)[0].code == "truncated"


def test_ollama() -> None:
    about = {"model": "l", "created_at": "t", "done": False}
    parts = recognised(
        {**about, "message": {"role": "assistant", "content": "", "thinking": "hmm"}},
        {**about, "message": {"role": "assistant", "content": "Hi", "images": ["AAAA"]}, "logprobs": [1]},
        {**about, "message": {"tool_calls": [{"function": {"name": "w", "arguments": {"x": 1}}}]}},
        {
            **about,
            "message": {"content": ""},
            "done": True,
            "done_reason": "length",
            "prompt_eval_count": 3,
            "eval_count": 4,
        },
    )
    assert said(parts) == ("Hi", [("w", {"x": 1})], FinishReason.LENGTH)
    assert [part.event for part in of(Foreign, parts)] == [{"logprobs": [1]}]
    generated = recognised({**about, "response": "Hi"}, {**about, "response": "", "done": True})
    assert said(generated)[::2] == ("Hi", FinishReason.STOP)
    assert of(Error, recognised({**about, "response": "Hi"}, {"error": "no"}))[0].message == "no"


def test_bedrock() -> None:
    def delta(index: int, **value: Any) -> dict[str, Any]:
        return {"contentBlockDelta": {"delta": value, "contentBlockIndex": index}}

    citation = {"title": "A", "location": {"web": {"url": "https://a"}}}
    items = [
        {"messageStart": {"role": "assistant"}},
        delta(0, reasoningContent={"text": "hmm"}),
        delta(0, reasoningContent={"signature": "SIG"}),
        {"contentBlockStop": {"contentBlockIndex": 0}},
        delta(1, text="Hi"),
        delta(1, citation=citation),
        {"contentBlockStop": {"contentBlockIndex": 1}},
        {"contentBlockStart": {"start": {"toolUse": {"toolUseId": "c1", "name": "w"}}, "contentBlockIndex": 2}},
        delta(2, toolUse={"input": '{"x":'}),
        delta(2, toolUse={"input": "1}"}),
        {"contentBlockStop": {"contentBlockIndex": 2}},
        {"messageStop": {"stopReason": "tool_use"}},
        {
            "metadata": {
                "usage": {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7},
                "metrics": {},
                "trace": {"t": 1},
            }
        },
    ]
    parts = recognised(*items)
    assert said(parts) == ("Hi", [("w", {"x": 1})], FinishReason.TOOL_CALLS)
    assert of(ReasoningEnd, parts)[0].signature == "SIG"
    assert [part.url for part in of(Source, parts)] == ["https://a"]
    assert Answer(parts).usage.output_tokens == 4
    assert [part.event for part in of(Foreign, parts)] == [{"metadata": {"trace": {"t": 1}}}]
    failed = recognised(items[0], {"throttlingException": {"message": "slow"}})
    assert (of(Error, failed)[0].code, of(Error, failed)[0].message) == ("throttlingException", "slow")
    assert of(Error, recognised(*items[:4]))[0].code == "truncated"


def test_mistral() -> None:
    parts = recognised({"data": chunk({"content": "Hi"})}, {"data": chunk({}, "stop")})
    assert said(parts) == ("Hi", [], FinishReason.STOP)
    assert of(Error, recognised({"data": chunk({"content": "Hi"})}))[0].code == "truncated"


CONVERSATION: list[dict[str, Any]] = [
    {"type": "conversation.response.started", "conversation_id": "conv_1"},
    {"type": "message.output.delta", "id": "m", "content": "Hel", "model": "mistral-medium"},
    {"type": "message.output.delta", "id": "m", "content": {"type": "text", "text": "lo"}},
    {"type": "message.output.delta", "content": {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}},
    {"type": "message.output.delta", "content": {"type": "tool_reference", "title": "A", "url": "https://a.example"}},
    {"type": "message.output.delta", "content": {"type": "tool_file", "file_id": "f1"}},
    {"type": "tool.execution.started", "id": "t1", "name": "web_search", "arguments": '{"q":'},
    {"type": "tool.execution.delta", "id": "t1", "name": "web_search", "arguments": "1}"},
    {"type": "tool.execution.done", "id": "t1", "name": "web_search", "info": {"n": 2}},
    {"type": "agent.handoff.done", "id": "h1"},
    {"type": "function.call.delta", "name": "city", "tool_call_id": "c1", "arguments": '{"a":'},
    {
        "type": "function.call.delta",
        "name": "city",
        "tool_call_id": "c1",
        "arguments": "1}",
        "confirmation_status": "pending",
    },
    {"type": "conversation.response.done", "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}},
]


def test_conversations_of_mistral() -> None:
    """As the SDK gives them, beside their names, and as the API does."""
    for events in (CONVERSATION, [{"event": event["type"], "data": event} for event in CONVERSATION]):
        parts = recognised(*events)
        calls = [("web_search", {"q": 1}), ("city", {"a": 1})]
        assert said(parts) == ("Hello", calls, FinishReason.TOOL_CALLS)
        assert [part.provider_executed for part in of(ToolReady, parts)] == [True, False]
        assert [part.output for part in of(ToolOutput, parts)] == [{"n": 2}]
        assert [(part.url, part.title) for part in of(Source, parts)] == [("https://a.example", "A")]
        assert [(part.id, part.call) for part in of(ToolApproval, parts)] == [("approval-c1", "c1")]
        assert len([part for part in of(Foreign, parts) if part.content]) == 1
        answer = Answer(parts)
        assert (answer.usage.input_tokens, answer.usage.output_tokens) == (3, 4)
    assert said(recognised(*CONVERSATION, *CONVERSATION[:2], CONVERSATION[-1]))[0] == "HelloHel"
    assert recognised(*CONVERSATION[:2])[-1].code == "truncated"  # type: ignore[union-attr]
    (error,) = of(Error, recognised({"type": "conversation.response.error", "message": "busy", "code": 429}))
    assert (error.code, error.message) == ("429", "busy")
    wrong = [{"type": event["type"], "data": None, "content": 5, "usage": []} for event in CONVERSATION]
    assert Answer(recognised(*wrong)).text == ""


def test_cohere() -> None:
    def event(kind: str, index: int = 0, **message: Any) -> dict[str, Any]:
        return {"type": kind, "index": index, "delta": {"message": message}}

    source = {"type": "document", "id": "d1", "document": {"url": "https://a", "title": "A"}}
    call = {"id": "c1", "type": "function", "function": {"name": "w", "arguments": ""}}
    parts = recognised(
        {"type": "message-start", "id": "m", "delta": {"message": {"role": "assistant"}}},
        event("tool-plan-delta", tool_plan="I look"),
        event("tool-call-start", tool_calls=call),
        event("tool-call-delta", tool_calls={"function": {"arguments": '{"x":1}'}}),
        event("tool-call-end"),
        event("content-start", content={"type": "text", "text": ""}),
        event("content-delta", content={"text": "Hi"}),
        event("citation-start", citations={"start": 0, "end": 2, "text": "Hi", "sources": [source]}),
        event("citation-end"),
        event("content-end"),
        {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": {"tokens": {"output_tokens": 4.0}}}},
    )
    assert said(parts) == ("Hi", [("w", {"x": 1})], FinishReason.STOP)
    assert [(part.url, part.start, part.end) for part in of(Source, parts)] == [("https://a", 0, 2)]
    assert Answer(parts).usage.output_tokens == 4
    assert of(Error, recognised({"type": "message-start"}))[0].code == "truncated"
    failed = recognised({"type": "message-end", "delta": {"finish_reason": "ERROR", "error": "no"}})
    assert (of(Error, failed)[0].code, of(Error, failed)[0].message) == ("ERROR", "no")


def test_xai() -> None:
    """Pairs of the response so far and the chunk; the response says at the end why it stopped."""

    def pair(content: str = "", thought: str = "", calls: Any = (), reason: str = "REASON_INVALID") -> Any:
        usage = SimpleNamespace(prompt_tokens=3, completion_tokens=4, reasoning_tokens=1)
        response = SimpleNamespace(process_chunk=None, finish_reason=reason, usage=usage)
        more = {"proto": SimpleNamespace(id="r", model="grok"), "citations": ["https://a"]}
        return response, SimpleNamespace(content=content, reasoning_content=thought, tool_calls=calls, **more)

    def call(id: str, kind: int, status: int = 0) -> SimpleNamespace:
        function = SimpleNamespace(name="w", arguments='{"x":1}')
        return SimpleNamespace(id=id, type=kind, function=function, status=status, error_message="")

    parts = recognised(
        pair(thought="hmm"),
        pair(calls=[call("c1", 3)]),
        pair(calls=[call("c1", 3)]),
        pair("Hi", calls=[call("c2", 1)]),
        pair(reason="REASON_TOOL_CALLS"),
    )
    assert said(parts) == ("Hi", [("w", {"x": 1}), ("w", {"x": 1})], FinishReason.TOOL_CALLS)
    assert [part.id for part in of(ToolOutput, parts)] == ["c1"]
    assert [part.url for part in of(Source, parts)] == ["https://a"]
    assert Answer(parts).usage.output_tokens == 4
    assert of(Error, recognised(pair("Hi")))[0].code == "truncated"


def test_llama_index() -> None:
    def response(delta: str, *blocks: Any, **extra: Any) -> SimpleNamespace:
        return SimpleNamespace(delta=delta, raw=None, additional_kwargs=extra, message=SimpleNamespace(blocks=blocks))

    def block(kwargs: Any) -> SimpleNamespace:
        return SimpleNamespace(block_type="tool_call", tool_call_id="c1", tool_name="w", tool_kwargs=kwargs)

    parts = recognised(
        response("", thinking_delta="hmm"), response("Hi"), response("", block('{"x"')), response("", block('{"x":1}'))
    )
    assert said(parts)[:2] == ("Hi", [("w", {"x": 1})])
    about = {"tool_name": "w", "tool_kwargs": {"x": 1}, "tool_id": "c1"}
    stream = SimpleNamespace(delta="Hi", current_agent_name="a", tool_calls=[], thinking_delta=None)
    output = SimpleNamespace(raw_output={"deg": 3}, content="3", is_error=False)
    parts = recognised(stream, SimpleNamespace(**about), SimpleNamespace(**about, tool_output=output), stream)
    assert said(parts)[:2] == ("HiHi", [("w", {"x": 1})])
    assert of(ToolOutput, parts) == [ToolOutput("c1", {"deg": 3})]


class Camel(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(alias_generator=lambda name: name.replace("_i", "I"), populate_by_name=True)
    type: Literal["TEXT_MESSAGE_CONTENT"] = "TEXT_MESSAGE_CONTENT"
    message_id: str
    delta: str


def test_ag_ui() -> None:
    """Also as models whose type is a default, and whose names are spelled otherwise."""
    parts = recognised(
        {"type": "RUN_STARTED", "threadId": "t", "runId": "r"},
        {"type": "TEXT_MESSAGE_START", "messageId": "u", "role": "user"},
        {"type": "TEXT_MESSAGE_CONTENT", "messageId": "u", "delta": "the question"},
        {"type": "REASONING_START", "messageId": "r"},
        {"type": "REASONING_MESSAGE_CONTENT", "messageId": "r", "delta": "hmm"},
        {"type": "REASONING_ENCRYPTED_VALUE", "entityId": "r", "encryptedValue": "ENC"},
        {"type": "REASONING_END", "messageId": "r"},
        {"type": "TEXT_MESSAGE_START", "messageId": "m", "role": "assistant"},
        Camel(message_id="m", delta="Hi"),
        {"type": "TEXT_MESSAGE_END", "messageId": "m"},
        {"type": "TOOL_CALL_START", "toolCallId": "c1", "toolCallName": "w"},
        {"type": "TOOL_CALL_ARGS", "toolCallId": "c1", "delta": '{"x":1}'},
        {"type": "TOOL_CALL_END", "toolCallId": "c1"},
        {"type": "TOOL_CALL_RESULT", "toolCallId": "c1", "messageId": "x", "content": "3"},
        {"type": "TEXT_MESSAGE_CHUNK", "messageId": "m2", "role": "assistant", "delta": "!"},
        {"type": "STATE_SNAPSHOT", "snapshot": {"a": 1}},
        {"type": "RUN_FINISHED", "threadId": "t", "runId": "r", "usage": [{"inputTokens": 1, "outputTokens": 2}]},
    )
    assert said(parts) == ("Hi!", [("w", {"x": 1})], FinishReason.STOP)
    assert of(ReasoningEnd, parts)[0].encrypted == "ENC"
    assert of(ToolOutput, parts) == [ToolOutput("c1", "3")]
    assert {"type": "STATE_SNAPSHOT", "snapshot": {"a": 1}} in [part.event for part in of(Foreign, parts)]
    failed = recognised({"type": "RUN_STARTED"}, {"type": "RUN_ERROR", "message": "no", "code": "c"})
    assert of(Error, failed) == [Error("c", "no")]
    assert of(Abort, recognised({"type": "RUN_FINISHED", "outcome": {"type": "cancelled"}}))
    assert of(Error, recognised({"type": "RUN_STARTED"}))[0].code == "truncated"


def test_the_helper_of_chat_completions() -> None:
    """`chat.completions.stream()` repeats each chunk in events of its own."""
    events: list[dict[str, Any]] = [
        {"type": "chunk", "chunk": chunk({"content": "Hi"}), "snapshot": {}},
        {"type": "content.delta", "delta": "Hi", "snapshot": "Hi"},
        {"type": "chunk", "chunk": chunk({}, "stop"), "snapshot": {}},
        {"type": "content.done", "content": "Hi"},
    ]
    assert said(recognised(*events)) == ("Hi", [], FinishReason.STOP)
    assert said(recognised(*(SimpleNamespace(**event) for event in events))) == ("Hi", [], FinishReason.STOP)


def test_a_large_input_and_many_calls() -> None:
    """10 MB of arguments in pieces, and a thousand calls at once: whole, in order, each with its own input."""
    large = '{"x":"' + "a" * 10_000_000 + '"}'
    call = {"index": 0, "id": "c", "function": {"name": "w", "arguments": ""}}
    texts = [large[at : at + 1_000_000] for at in range(0, len(large), 1_000_000)]
    pieces = [{"index": 0, "function": {"arguments": text}} for text in texts]
    parts = recognised(*(chunk({"tool_calls": [piece]}) for piece in (call, *pieces)), chunk({}, "tool_calls"))
    assert Answer(parts).tools[0].ready == ToolReady("c", "w", {"x": "a" * 10_000_000})
    opened = [{"index": n, "id": f"c{n}", "function": {"name": "w", "arguments": "{"}} for n in range(1000)]
    closed = [{"index": n, "function": {"arguments": f'"n":{n}}}'}} for n in range(1000)]
    parts = recognised(chunk({"tool_calls": opened}), chunk({"tool_calls": closed}), chunk({}, "tool_calls"))
    assert said(parts)[1] == [("w", {"n": n}) for n in range(1000)]


def test_objects_of_two_frameworks_and_nonsense() -> None:
    """Each is read by its own family; what is nobody's is an error, and what came before stays good."""
    parts = recognised(ai("A"), {"model": "l", "created_at": "t", "message": {"content": "B"}, "done": True})
    assert Answer(parts).text == "AB"
    for nonsense in (
        object(),
        ("messages",),
        (1, 2),
        {"messages": [1]},
        {"event": "on_x"},
        {"candidates": 5},
        SimpleNamespace(type=5),
    ):
        with pytest.raises(UnknownItem):
            recognised("A", nonsense)


@pytest.mark.parametrize(
    "broken",
    [
        ai(None),
        ai([None, 5, {"type": None}]),
        ai(tool_call_chunks=[None, {"args": 5}]),
        Message("ai", "x", None, tool_calls=[None, {"args": object()}]),
        ("messages", (ai("x"), None)),
        {"candidates": [None, {"content": None}, {"content": {"parts": [None, {}]}}]},
        {"model": "l", "message": {"tool_calls": [None, {"function": None}], "images": None}, "done": False},
        {"contentBlockDelta": {"delta": None}},
        {"contentBlockStart": {"start": {"toolUse": {}}}},
        SimpleNamespace(type="raw_response_event", data=None),
        SimpleNamespace(type="run_item_stream_event", item=None),
        SimpleNamespace(delta=None, raw=None, additional_kwargs=None, message=None),
        {"type": "TOOL_CALL_ARGS"},
        {"type": "TEXT_MESSAGE_CHUNK"},
        {"type": "RUN_FINISHED", "usage": [None], "outcome": 5, "result": 5},
        {"data": {"choices": None}},
    ],
)
def test_fields_that_are_missing_or_wrong_are_no_error(broken: Any) -> None:
    recognised("A", broken)
