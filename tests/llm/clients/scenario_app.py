"""The chat routes on the scripted answers of scenarios.json, as control.mjs has them: the same chunks, by our way."""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from headwater import Hub
from headwater.llm import Chat, ChatRequest, Runs

SCENARIOS: dict[str, Any] = json.loads((Path(__file__).parent / "scenarios.json").read_text("utf-8"))
runs = Runs(Hub("memory:"), grace_seconds=0.5)
app = FastAPI(lifespan=runs.lifespan)
asked: Counter[str] = Counter()
released: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)


async def model(request: ChatRequest) -> AsyncIterator[Any]:
    """The next answer of the chat's scenario."""
    turns = SCENARIOS[request.chat.partition("-")[0]]
    turn = turns[min(asked[request.chat], len(turns) - 1)]
    asked[request.chat] += 1
    for chunk in turn:
        if "hold" in chunk:
            released[request.chat].clear()
            await released[request.chat].wait()
        else:
            yield chunk


@app.post("/release/{chat}", status_code=204)
async def release(chat: str) -> None:
    """Let the model go on in a chat."""
    released[chat].set()


@app.get("/ready")
async def ready() -> None:
    """For who waits for the start."""


Chat(runs, model, prefix="/6/api/chat").install(app)
Chat(runs, model, prefix="/7/api/chat", default="ai-sdk-7").install(app)
