"""The transparent way: a request goes up and its answer comes down, byte by byte, until one side ends."""

from __future__ import annotations

import asyncio
import contextlib

import httpx2

from headwater.asgi.types import Receive, Send
from headwater.errors import UpstreamUnreachable
from headwater.llm.proxy.upstream import bytes_of, heads_down


async def relay(answer: httpx2.Response, receive: Receive, send: Send) -> bool:
    """Send a provider's answer as it comes; a client that goes cancels the provider's work.

    Args:
        answer: its head is there; closed when this returns.
        receive: of the client's request, whose body was read.
        send: of the client's request.

    Returns:
        True: it ended; False: the client went first.
    """
    down = asyncio.create_task(_send_down(answer, send))
    gone = asyncio.create_task(_wait_until_gone(receive))
    try:
        await asyncio.wait((down, gone), return_when=asyncio.FIRST_COMPLETED)
        if not down.done():
            return False
        down.result()
        return True
    finally:
        for task in (down, gone):
            task.cancel()
        await asyncio.gather(down, gone, return_exceptions=True)
        await answer.aclose()


async def _send_down(answer: httpx2.Response, send: Send) -> None:
    await send({"type": "http.response.start", "status": answer.status_code, "headers": heads_down(answer)})
    # What broke off above breaks off below: without a last part the server cuts the connection.
    with contextlib.suppress(UpstreamUnreachable):
        async for data in bytes_of(answer):
            await send({"type": "http.response.body", "body": data, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def _wait_until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
