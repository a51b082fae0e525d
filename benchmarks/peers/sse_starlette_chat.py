"""A chat as it is usually written with FastAPI and sse-starlette: the request that asks for the answer makes it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI
from scripted_model import calm_garbage_collection, tokens  # type: ignore[import-not-found, unused-ignore]
from sse_starlette.sse import EventSourceResponse  # type: ignore[import-not-found, unused-ignore]

app = FastAPI()


@app.post("/api/chat")
async def chat(request: dict[str, Any]) -> EventSourceResponse:
    """Answer; who goes takes the answer with them, and nobody else can read it."""

    async def told() -> AsyncIterator[dict[str, str]]:
        async for token in tokens(request):
            yield {"data": json.dumps({"content": token})}
        yield {"data": "[DONE]"}

    return EventSourceResponse(told())


calm_garbage_collection()
