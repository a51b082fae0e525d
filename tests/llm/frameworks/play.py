"""Real frameworks give their objects to the recogniser; what it makes of them is printed. python -m … play NAME

Each model answers the same: a text, a call of `weather`, its result where the framework runs tools, and a last text.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from headwater.llm.answer import Answer
from headwater.llm.parts import StepStart, ToolError, ToolOutput
from headwater.llm.providers.recogniser import Recogniser

Json = dict[str, Any]
ARGUMENTS = '{"city":"Oslo"}'
LOOK, SUNNY = "Let me look", ["It is ", "sunny"]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        is_mistral = "mistral" in self.headers["User-Agent"]
        has_result = '"tool' in json.dumps(asked) and ("sun in Oslo" in json.dumps(asked))
        media_type, pieces = answer_at(self.path, has_result=has_result, is_whole=is_mistral)
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in pieces:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *args: object) -> None:
        pass


def answer_at(path: str, *, has_result: bool, is_whole: bool) -> tuple[str, list[bytes]]:
    """What a provider says at a path; some give calls whole."""
    if "streamGenerateContent" in path:
        return "text/event-stream", [_event(value) for value in gemini()]
    if path.startswith("/api/chat"):
        return "application/x-ndjson", [json.dumps(value).encode() + b"\n" for value in ollama_lines()]
    if path.startswith("/v1/conversations"):
        return "text/event-stream", [_event(value, value["type"]) for value in conversation()]
    if path.endswith("/responses"):
        return "text/event-stream", [_event(value, value["type"]) for value in responses(has_result=has_result)]
    chunks = [_event(value) for value in (answered() if has_result else called(is_whole=is_whole))]
    return "text/event-stream", [*chunks, b"data: [DONE]\n\n"]


def _event(value: Json, name: str = "") -> bytes:
    return (f"event: {name}\n" if name else "").encode() + b"data: " + json.dumps(value).encode() + b"\n\n"


def _chunk(delta: Json, finish: str | None = None, **more: Any) -> Json:
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices, **more}


def called(*, is_whole: bool) -> list[Json]:
    first = {"name": "weather", "arguments": ARGUMENTS if is_whole else ""}
    call = {"index": 0, "id": "c1", "type": "function", "function": first}
    piece = {"index": 0, "function": {"arguments": ARGUMENTS}}
    return [
        _chunk({"role": "assistant", "content": LOOK}),
        _chunk({"tool_calls": [call]}),
        *([] if is_whole else [_chunk({"tool_calls": [piece]})]),
        _chunk({}, "tool_calls", usage={"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}),
    ]


def answered() -> list[Json]:
    return [*(_chunk({"role": "assistant", "content": text}) for text in SUNNY), _chunk({}, "stop")]


def gemini() -> list[Json]:
    call = {"functionCall": {"name": "weather", "args": json.loads(ARGUMENTS)}, "thoughtSignature": "U0lH"}
    parts = [{"text": "hmm", "thought": True}, {"text": LOOK}, call]
    found: list[Json] = [
        {"candidates": [{"content": {"role": "model", "parts": [part]}, "index": 0}]} for part in parts
    ]
    found[-1]["candidates"][0]["finishReason"] = "STOP"
    found[-1]["usageMetadata"] = {"promptTokenCount": 3, "candidatesTokenCount": 4, "totalTokenCount": 7}
    return found


def ollama_lines() -> list[Json]:
    call = {"function": {"name": "weather", "arguments": json.loads(ARGUMENTS)}}
    messages: list[Json] = [
        {"content": "", "thinking": "hmm"},
        {"content": LOOK},
        {"content": "", "tool_calls": [call]},
    ]
    about = {"model": "m", "created_at": "2026-01-01T00:00:00Z", "done": False}
    found = [{**about, "message": {"role": "assistant", **message}} for message in messages]
    last = {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop", "eval_count": 4}
    return [*found, {**about, **last}]


def responses(*, has_result: bool) -> list[Json]:
    about = {"object": "response", "created_at": 1, "model": "m", "tools": [], "tool_choice": "auto"}
    begun = {"id": f"resp_{has_result}", "status": "in_progress", "output": [], "parallel_tool_calls": True, **about}
    text = "".join(SUNNY) if has_result else LOOK
    part: Json = {"type": "output_text", "text": text, "annotations": []}
    message = {"id": "msg", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
    call = {"id": "fc", "type": "function_call", "call_id": "c1", "name": "weather", "arguments": ARGUMENTS}
    items: list[Json] = [message] if has_result else [message, {**call, "status": "completed"}]
    place = {"item_id": "msg", "output_index": 0, "content_index": 0}
    tokens = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    usage = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7, **tokens}
    events: list[Json] = [{"type": "response.created", "response": begun}]
    for index, item in enumerate(items):
        empty = {**item, "content": []} if item is message else {**item, "arguments": ""}
        events.append({"type": "response.output_item.added", "output_index": index, "item": empty})
        if item is message:
            events.append({"type": "response.content_part.added", **place, "part": {**part, "text": ""}})
            events.append({"type": "response.output_text.delta", **place, "delta": text, "logprobs": []})
        events.append({"type": "response.output_item.done", "output_index": index, "item": item})
    done = {**begun, "status": "completed", "output": items, "usage": usage}
    events.append({"type": "response.completed", "response": done})
    return [{**event, "sequence_number": number} for number, event in enumerate(events)]


@contextmanager
def provider() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def weather(city: str) -> str:
    """The weather of a city."""
    return f"sun in {city}"


async def langchain(url: str) -> AsyncIterator[Any]:
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(model="m", api_key="key", base_url=f"{url}/v1", stream_usage=False)
    async for chunk in model.astream("weather?"):
        yield chunk


def _graph(url: str) -> Any:
    from langchain_core.tools import tool
    from langchain_openai import ChatOpenAI
    from langgraph.graph import START, MessagesState, StateGraph
    from langgraph.prebuilt import ToolNode

    tools = [tool(weather)]
    model = ChatOpenAI(model="m", api_key="key", base_url=f"{url}/v1", streaming=True, stream_usage=False)
    bound = model.bind_tools(tools)

    async def ask(state: Any) -> Json:
        return {"messages": [await bound.ainvoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("model", ask)
    graph.add_node("tools", ToolNode(tools))
    graph.add_edge(START, "model")
    graph.add_conditional_edges("model", lambda state: "tools" if state["messages"][-1].tool_calls else "__end__")
    graph.add_edge("tools", "model")
    return graph.compile()


def langgraph(mode: Any, **options: Any) -> Callable[[str], AsyncIterator[Any]]:
    async def items(url: str) -> AsyncIterator[Any]:
        asked = {"messages": [("user", "hi"), ("assistant", "an earlier answer"), ("user", "weather?")]}
        graph = _graph(url)
        stream = graph.astream(asked, stream_mode=mode, **options)
        if mode == "events":
            stream = graph.astream_events(asked, version="v2")
        async for item in stream:
            yield item

    return items


async def openai_agents(url: str) -> AsyncIterator[Any]:
    from agents import Agent, OpenAIResponsesModel, Runner, function_tool, set_tracing_disabled
    from openai import AsyncOpenAI

    set_tracing_disabled(True)
    client = AsyncOpenAI(api_key="key", base_url=f"{url}/v1")
    agent = Agent(name="a", model=OpenAIResponsesModel("m", client), tools=[function_tool(weather)])
    async for event in Runner.run_streamed(agent, "weather?").stream_events():
        yield event


async def google_genai(url: str) -> AsyncIterator[Any]:
    from google import genai

    client = genai.Client(api_key="key", http_options=genai.types.HttpOptions(base_url=url))
    async for response in await client.aio.models.generate_content_stream(model="m", contents="weather?"):
        yield response


async def ollama(url: str) -> AsyncIterator[Any]:
    import ollama as sdk

    asked = [{"role": "user", "content": "?"}]
    async for line in await sdk.AsyncClient(host=url).chat(model="m", messages=asked, stream=True):
        yield line


async def mistral(url: str) -> AsyncIterator[Any]:
    from mistralai.client import Mistral

    client = Mistral(api_key="key", server_url=url)
    async for event in await client.chat.stream_async(model="m", messages=[{"role": "user", "content": "?"}]):
        yield event


def conversation() -> Iterator[Json]:
    """Mistral's, of a model that calls a tool of the client."""
    yield {"type": "conversation.response.started", "conversation_id": "conv_1"}
    for piece in ("Let me ", "look"):
        yield {"type": "message.output.delta", "id": "m1", "role": "assistant", "content": piece, "model": "m"}
    for piece in ('{"city": ', '"Oslo"}'):
        call = {"id": "f1", "tool_call_id": "call_1", "name": "weather", "arguments": piece}
        yield {"type": "function.call.delta", **call}
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    yield {"type": "conversation.response.done", "usage": usage}


async def mistral_conversations(url: str) -> AsyncIterator[Any]:
    from mistralai.client import Mistral

    client = Mistral(api_key="key", server_url=url)
    async for event in await client.beta.conversations.start_stream_async(model="m", inputs="?"):
        yield event


async def litellm(url: str) -> AsyncIterator[Any]:
    import litellm as sdk

    asked = [{"role": "user", "content": "?"}]
    async for chunk in await sdk.acompletion("openai/m", asked, stream=True, api_key="key", api_base=f"{url}/v1"):
        yield chunk


async def openai_helper(url: str) -> AsyncIterator[Any]:
    from openai import AsyncOpenAI

    chat = AsyncOpenAI(api_key="key", base_url=f"{url}/v1").chat
    async with chat.completions.stream(model="m", messages=[{"role": "user", "content": "?"}]) as stream:
        async for event in stream:
            yield event


async def bedrock(url: str) -> AsyncIterator[Any]:
    """The events of the service as botocore's parser gives them; there is no such server here."""
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    model = ServiceModel(Loader().load_service_model("bedrock-runtime", "service-2"))
    shape = model.operation_model("ConverseStream").output_shape.members["stream"]
    start, delta = {"toolUse": {"toolUseId": "c1", "name": "weather"}}, {"toolUse": {"input": ARGUMENTS}}
    usage = {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7}
    events: list[Json] = [
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"delta": {"text": LOOK}, "contentBlockIndex": 0}},
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {"contentBlockStart": {"start": start, "contentBlockIndex": 1}},
        {"contentBlockDelta": {"delta": delta, "contentBlockIndex": 1}},
        {"contentBlockStop": {"contentBlockIndex": 1}},
        {"messageStop": {"stopReason": "tool_use"}},
        {"metadata": {"usage": usage, "metrics": {"latencyMs": 1}}},
    ]
    for event in events:
        _check(shape, event)
        yield event


def _check(shape: Any, value: Any) -> None:
    """Every name is one of the service's own description."""
    if shape.type_name == "structure":
        for name, field in value.items():
            _check(shape.members[name], field)


async def llama_index(url: str) -> AsyncIterator[Any]:
    from llama_index.core.agent.workflow import AgentStream, ToolCallResult
    from llama_index.core.base.llms.types import ChatMessage, ChatResponse, ToolCallBlock
    from llama_index.core.tools import ToolOutput as Output

    for text in (LOOK[:5], LOOK):
        grown = text.removeprefix(LOOK[:5]) if text != LOOK[:5] else text
        yield ChatResponse(message=ChatMessage(role="assistant", content=text), delta=grown)
    block = ToolCallBlock(tool_call_id="c1", tool_name="weather", tool_kwargs=json.loads(ARGUMENTS))
    yield ChatResponse(message=ChatMessage(role="assistant", blocks=[block]), delta="")
    output = Output(content="sun in Oslo", tool_name="weather", raw_input={}, raw_output="sun in Oslo")
    result = {"tool_name": "weather", "tool_kwargs": json.loads(ARGUMENTS), "tool_id": "c1", "return_direct": False}
    yield ToolCallResult(**result, tool_output=output)
    for text in SUNNY:
        yield AgentStream(delta=text, response=text, current_agent_name="a")


def pydantic_ai(adapter: str) -> Callable[[str], AsyncIterator[Any]]:
    async def items(url: str) -> AsyncIterator[Any]:
        from openai import AsyncOpenAI
        from pydantic_ai import Agent
        from pydantic_ai.models.openai import OpenAIChatModel
        from pydantic_ai.providers.openai import OpenAIProvider

        client = OpenAIProvider(openai_client=AsyncOpenAI(api_key="key", base_url=f"{url}/v1"))
        agent = Agent(OpenAIChatModel("m", provider=client), tools=[weather])
        made: Any
        if adapter == "vercel":
            from pydantic_ai.ui.vercel_ai import VercelAIAdapter
            from pydantic_ai.ui.vercel_ai.request_types import SubmitMessage, TextUIPart, UIMessage

            message = UIMessage(id="u", role="user", parts=[TextUIPart(text="weather?")])
            made = VercelAIAdapter(agent, SubmitMessage(id="c", messages=[message], trigger="submit-message"))
        else:
            from ag_ui.core import RunAgentInput, UserMessage
            from pydantic_ai.ui.ag_ui import AGUIAdapter

            more: Json = {"state": {}, "tools": [], "context": [], "forwarded_props": {}}
            message = UserMessage(id="u", role="user", content="weather?")
            made = AGUIAdapter(agent, RunAgentInput(thread_id="t", run_id="r", messages=[message], **more))
        async for event in made.run_stream():
            yield event

    return items


SOURCES: dict[str, Callable[[str], AsyncIterator[Any]]] = {
    "langchain": langchain,
    **{f"langgraph-{mode}": langgraph(mode) for mode in ("messages", "updates", "values", "events")},
    "langgraph-several": langgraph(["messages", "updates", "values"]),
    "langgraph-subgraphs": langgraph(["messages"], subgraphs=True),
    "openai-agents": openai_agents,
    "google-genai": google_genai,
    "ollama": ollama,
    "mistral": mistral,
    "mistral-conversations": mistral_conversations,
    "litellm": litellm,
    "openai-helper": openai_helper,
    "bedrock": bedrock,
    "llama-index": llama_index,
    "pydantic-ai-vercel": pydantic_ai("vercel"),
    "pydantic-ai-ag-ui": pydantic_ai("ag-ui"),
}


async def played(source: Callable[[str], AsyncIterator[Any]]) -> Json:
    recogniser = Recogniser()
    parts = []
    with provider() as url:
        async for item in source(url):
            parts += recogniser.feed(item)
    parts += recogniser.finish()
    answer = Answer(parts)
    return {
        "text": answer.text,
        "calls": [[tool.name, tool.ready and tool.ready.input] for tool in answer.tools],
        "outputs": [part.output for part in parts if isinstance(part, ToolOutput)],
        "steps": sum(isinstance(part, StepStart) for part in parts),
        "errors": [part.message for part in parts if isinstance(part, ToolError)],
        "error": answer.error and answer.error.message,
        "finish": answer.finish and answer.finish.reason.value,
        "families": sorted(recogniser.families),
    }


def main(names: Iterable[str]) -> None:
    found = {}
    for name in names or SOURCES:
        try:
            found[name] = asyncio.run(played(SOURCES[name]))
        except Exception as error:  # each is told, so that one that does not run hides no other
            found[name] = {"raised": f"{type(error).__name__}: {error}"}
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
