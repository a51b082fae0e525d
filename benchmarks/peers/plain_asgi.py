"""Headwater as any ASGI server runs it: `app`; and `wrapped`, whose `send` hides uvicorn, so without the handover."""

from __future__ import annotations

from headwater import Hub
from headwater.asgi import App
from headwater.asgi.types import Message, Receive, Scope, Send

app = App(Hub("memory:"), with_page=False)


async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
    """The same application, with a `send` of its own."""

    async def pass_on(message: Message) -> None:
        await send(message)

    await app(scope, receive, pass_on)
