"""A chat application on a scripted model, served by the tests in a process of its own.

Environment: HEADWATER_STORE, the store; HEADWATER_LEASE, the lease in seconds; HEADWATER_HEARTBEAT and HEADWATER_STALL,
seconds; HEADWATER_UPSTREAM, the base URL of a provider. What the model says is in the last message of the user, a JSON
object:
`tokens`, how many; `pause`, seconds between two; `hold`, the number of the token before which it waits for
`POST /release/{chat}`; and `then`, how it ends (`finish`, `raise`, `stall`). With `upstream` it is the provider's model
of this name instead, with `turns` the kind of this name (turns.py), which raises from its `MAX_CALLS`th call on.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from fastapi import FastAPI
from tests.llm.turns import HELD, answers

from headwater import Hub
from headwater.hub import Limits
from headwater.llm import Runs, SourceLimits
from headwater.llm.http.chat import Chat, ChatRequest
from headwater.llm.http.runs import Watch

#: Of a chat whose model is of `turns`.
MAX_CALLS = 6
limits = Limits(heartbeat_seconds=float(os.environ.get("HEADWATER_HEARTBEAT", "15")))
hub = Hub(os.environ.get("HEADWATER_STORE", "memory:"), limits=limits, serve_private=True)
source_limits = SourceLimits(stall_seconds=float(os.environ.get("HEADWATER_STALL", "300")))
runs = Runs(hub, lease_seconds=int(os.environ.get("HEADWATER_LEASE", "3")), grace_seconds=1.0, limits=source_limits)
app = FastAPI(lifespan=runs.lifespan)
by_chat: Counter[str] = Counter()
calls = {"begun": 0, "cancelled": 0}
released: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)


def token(number: int) -> str:
    """The scripted model's tokens: different, and some of more than one byte."""
    return f"{number} \N{GREEK SMALL LETTER ALPHA}\N{GRINNING FACE} "


def rich(number: int) -> list[Any]:
    """What a model says beside its text: thinking, calls with results and without, images, citations, data."""
    call = {"id": f"call-{number}", "name": "look"}
    match number % 6:
        case 1:
            thought = {"type": "reasoning", "id": f"r{number}"}
            return [
                {**thought, "delta": f"hm{number} "},
                {**thought, "delta": "so "},
                {"type": "reasoning-end", "id": f"r{number}"},
            ]
        case 2:
            ready = {"type": "tool-ready", **call, "input": {"n": number}, "provider_executed": True}
            return [ready, {"type": "tool-output", "id": call["id"], "output": {"seen": number}}]
        case 3:
            return [{"type": "file", "url": f"data:image/png;base64,IMAGE{number:03}", "media_type": "image/png"}]
        case 4:
            return [{"type": "source", "id": f"s{number}", "url": f"https://cited.example/{number}", "title": "T"}]
        case 5:
            pieces = [{"type": "tool-input", "id": call["id"], "delta": delta} for delta in ('{"n":', f"{number}}}")]
            return [{"type": "tool-start", **call}, *pieces, {"type": "tool-ready", **call, "input": {"n": number}}]
    return [{"type": "data", "name": "x", "id": "d", "data": number}]


def asked_by_user(request: ChatRequest) -> str:
    """The text of the last message of the user."""
    messages = [message for message in request.messages if message.get("role") == "user"]
    return msgspec.structs.replace(request, messages=messages[-1:]).text


async def model(request: ChatRequest) -> AsyncIterator[Any]:
    """What the last message asks for."""
    script = json.loads(asked_by_user(request))
    calls["begun"] += 1
    try:
        if "turns" in script:
            by_chat[request.chat] += 1
            if by_chat[request.chat] > MAX_CALLS:
                raise OSError("asked without end")
            for item in answers(script["turns"], is_first=request.messages[-1]["role"] == "user"):
                yield item
                if item == HELD and script["turns"].endswith("-held"):
                    await released[request.chat].wait()
            return
        if "upstream" in script:
            async for chunk in await provided(script["upstream"]):
                yield chunk
            return
        for number in range(script["tokens"]):
            if number == script.get("hold"):
                await released[request.chat].wait()
            yield token(number)
            for part in rich(number) if script.get("rich") else ():
                yield part
            await asyncio.sleep(script["pause"])
        if script.get("then") == "raise":
            raise OSError("upstream")
        if script.get("then") == "stall":
            await asyncio.Event().wait()
    except asyncio.CancelledError:
        calls["cancelled"] += 1
        raise


async def provided(name: str) -> Any:
    """The stream of a provider's model, as its SDK gives it."""
    from openai import AsyncOpenAI  # takes a second, and most tests have no provider

    client = AsyncOpenAI(api_key="no key", base_url=os.environ["HEADWATER_UPSTREAM"], max_retries=0)
    return await client.chat.completions.create(model=name, messages=[], stream=True)


@app.post("/release/{chat}")
async def release(chat: str) -> None:
    """Let the model go on in a chat."""
    released[chat].set()


@app.get("/calls")
async def show_calls() -> dict[str, int]:
    """How often the model was called, and how often a call was cancelled."""
    return {**calls, "running": runs.running}


Chat(runs, model).install(app)
app.mount("/runs", Watch(runs))
app.mount("/streams", hub.asgi)
