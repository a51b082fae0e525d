"""The ASGI application: its lifespan, and requests and WebSockets to the service."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from headwater.asgi.exchange import serve
from headwater.asgi.hypercorn import hypercorn_stops
from headwater.asgi.lifespan import startup_failed
from headwater.asgi.starlette import unwrap
from headwater.asgi.types import Receive, Scope, Send
from headwater.asgi.websocket import serve_websocket
from headwater.http.streams import StreamService
from headwater.hub import Engine


class App:
    """Streams over HTTP, as an ASGI application.

    Args:
        hub: what is served.
        manage_hub: open and close the hub with the ASGI lifespan; not when a framework's lifespan does.
        **options: see `StreamService`.

    Attributes:
        hub: as given.
        service: what serves the requests.
    """

    def __init__(self, hub: Engine, *, manage_hub: bool = True, **options: Any) -> None:
        self.hub: Final = hub
        self.service: Final = StreamService(hub, **options)
        self._manage_hub: Final = manage_hub
        self._watch: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection (ASGI 3.0)."""
        if self._watch is None or self._watch.done():
            self._watch_stop(send)
        match scope["type"]:
            case "http":
                await serve(self.service, scope, receive, send)
            case "lifespan":
                await self._lifespan(receive, send)
            case "websocket":
                await serve_websocket(self.service, scope, receive, send)

    def _watch_stop(self, send: Send) -> None:
        wait = hypercorn_stops(unwrap(send))
        if wait is not None:
            self._watch = asyncio.create_task(self._drain_behind(wait), name="headwater-shutdown")

    async def _drain_behind(self, wait: Callable[[], Awaitable[None]]) -> None:
        await wait()
        self.hub.drain()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            if self._manage_hub:
                await self.hub.open()
        except Exception as error:
            await send(startup_failed("the hub", error))
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if self._manage_hub:
            await asyncio.shield(self.hub.aclose())
        await send({"type": "lifespan.shutdown.complete"})


async def refuse_websocket(receive: Receive, send: Send) -> None:
    """For applications that have none."""
    await receive()
    await send({"type": "websocket.close", "code": 4404, "reason": "no WebSocket here"})
