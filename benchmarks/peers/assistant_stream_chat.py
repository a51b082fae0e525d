"""A chat with resumable assistant-stream, as its documentation has it. REDIS_SOCKET: of a Redis; without: in memory."""

from __future__ import annotations

import os
from typing import Any

from assistant_stream import RunController  # type: ignore[import-not-found, unused-ignore]
from assistant_stream.resumable import (  # type: ignore[import-not-found, unused-ignore]
    create_in_memory_resumable_stream_store,
    create_resumable_assistant_stream_response,
    create_resumable_stream_context,
    create_resume_assistant_stream_response,
)
from fastapi import FastAPI
from scripted_model import calm_garbage_collection, tokens  # type: ignore[import-not-found, unused-ignore]
from starlette.responses import Response


def _store() -> Any:
    if "REDIS_SOCKET" not in os.environ:
        return create_in_memory_resumable_stream_store()
    from assistant_stream.resumable.stores.redis import (  # type: ignore[import-not-found, unused-ignore]
        create_redis_resumable_stream_store,
    )
    from redis.asyncio import Redis  # type: ignore[import-not-found, unused-ignore]

    # redis-py opens 100 connections at most unless told otherwise, and raises then.
    redis = Redis(unix_socket_path=os.environ["REDIS_SOCKET"], max_connections=10_000)
    return create_redis_resumable_stream_store(redis)


app = FastAPI()
context = create_resumable_stream_context(store=_store())


@app.post("/api/chat")
async def chat(request: dict[str, Any]) -> Response:
    """Begin an answer."""

    async def run(controller: RunController) -> None:
        async for token in tokens(request):
            controller.append_text(token)

    answer: Response = await create_resumable_assistant_stream_response(
        context=context, stream_id=request["id"], callback=run
    )
    return answer


@app.get("/api/chat/{chat}/stream")
async def resume(chat: str) -> Response:
    """Read it from its start."""
    answer: Response = await create_resume_assistant_stream_response(context=context, stream_id=chat)
    return answer


calm_garbage_collection()
