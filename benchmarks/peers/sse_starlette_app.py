"""Broadcast as it is usually written with sse-starlette: a queue for each client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from sse_starlette.sse import EventSourceResponse  # type: ignore[import-not-found]
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

clients: set[asyncio.Queue[str]] = set()


async def events(request: Request) -> Response:
    """Everything that is published from now on."""
    queue: asyncio.Queue[str] = asyncio.Queue()
    clients.add(queue)

    async def told() -> AsyncIterator[dict[str, str]]:
        try:
            while True:
                yield {"data": await queue.get()}
        finally:
            clients.discard(queue)

    response: Response = EventSourceResponse(told())
    return response


async def publish(request: Request) -> Response:
    """A record for each line of the body."""
    for line in (await request.body()).decode().splitlines():
        for queue in clients:
            queue.put_nowait(line)
    return Response(status_code=204)


app = Starlette(routes=[Route("/events", events), Route("/publish", publish, methods=["POST"])])
