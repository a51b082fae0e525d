"""A chat application on a scripted model, served by the tests in a process of its own.

Environment: HEADWATER_STORE, the store; HEADWATER_LEASE, the lease in seconds. What the model says is in the last
message: a JSON object with `tokens`, how many; `pause`, seconds between two; and `then`, how it ends (`finish`,
`raise`, `stall`).
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator

from fastapi import FastAPI

from headwater import Hub
from headwater.llm import Runs
from headwater.llm.chat import Chat, ChatRequest
from headwater.llm.watching import Watch

hub = Hub(os.environ.get("HEADWATER_STORE", "memory:"))
runs = Runs(hub, lease_seconds=int(os.environ.get("HEADWATER_LEASE", "3")), grace_seconds=1.0)
app = FastAPI(lifespan=runs.lifespan)
calls = {"begun": 0, "cancelled": 0}


def token(number: int) -> str:
    """The scripted model's tokens: different, and some of more than one byte."""
    return f"{number} \N{GREEK SMALL LETTER ALPHA}\N{GRINNING FACE} "


async def model(request: ChatRequest) -> AsyncIterator[str]:
    """What the last message asks for."""
    script = json.loads(request.text)
    calls["begun"] += 1
    try:
        for number in range(script["tokens"]):
            yield token(number)
            await asyncio.sleep(script["pause"])
        if script.get("then") == "raise":
            raise OSError("upstream")
        if script.get("then") == "stall":
            await asyncio.Event().wait()
    except asyncio.CancelledError:
        calls["cancelled"] += 1
        raise


@app.get("/calls")
async def show_calls() -> dict[str, int]:
    """How often the model was called, and how often a call was cancelled."""
    return {**calls, "running": runs.running}


Chat(runs, model).install(app)
app.mount("/runs", Watch(runs))
app.mount("/streams", hub.asgi)
