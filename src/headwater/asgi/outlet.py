"""Long bodies over an ASGI `send`, and how each server is made to cut one: never ended, always seen by the client.

Rule 1: a body goes out in lumps, so that `send` can say when the client takes no more.
Rule 2: HTTP/1.1 is cut by closing before the last chunk, or before `Content-Length` is full; HTTP/1.0 without a length
        by a reset, as a close would be the end there; HTTP/2 by RST_STREAM.
Rule 3: uvicorn, hypercorn (each in its file) and granian, known by their `send`, do so when the application
        returns early. Anything else, such as middleware that wraps `send`, might take that for the end: it gets an
        exception.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

from headwater.asgi.hypercorn import flow_of, hypercorn_transport
from headwater.asgi.starlette import unwrap
from headwater.asgi.types import Receive, Scope, Send
from headwater.asgi.uvicorn import uvicorn_request
from headwater.http.exchange import Streamed
from headwater.http.socket_options import relax, restrain
from headwater.http.socket_sink import reset
from headwater.hub import Engine
from headwater.hub.outflow import Ending, Outflow
from headwater.protocol.responses import Answer, HeaderList

#: Bytes in one `send`.
LUMP: Final = 64 * 1024


def whole(answer: Answer, path: str, headers: HeaderList) -> Streamed:
    """A response that is made already, and too large to be given to a server at once: a client may take nothing of it.

    Args:
        answer: with its body.
        path: what it answers.
        headers: of the head, all of them.
    """
    return Streamed(Answer(answer.status, headers), len(answer.body), _once(answer.body), path)


async def _once(body: bytes) -> AsyncGenerator[bytes]:
    yield body


class ResponseCut(Exception):
    """The response cannot be finished, and the server is to close its connection; the log said why."""


class AsgiOutlet:
    """An outlet on the `send` of one request, whose head is out.

    Args:
        send: where it goes.
        hub: whose limits count.
    """

    lump = LUMP

    def __init__(self, send: Send, hub: Engine) -> None:
        inner = unwrap(send)
        self._send = send
        self._hub = hub
        self._under_way = 0
        self._flow = flow_of(inner, hub.runtime)
        self._uvicorn = uvicorn_request(inner)
        self._transport = hypercorn_transport(inner) if self._uvicorn is None else self._uvicorn.transport
        self._is_granian = type(getattr(inner, "__self__", None)).__module__.startswith("granian.")
        if self._transport is not None:
            restrain(self._transport.get_extra_info("socket"), hub.limits)

    async def give(self, data: bytes) -> None:
        """See `Outlet.give`."""
        self._under_way = len(data)
        if data:
            await self._send({"type": "http.response.body", "body": data, "more_body": True})
        if self._uvicorn is not None:
            await self._uvicorn.drained()
        self._under_way = 0
        if self._flow is not None:
            await self._flow.drained()

    def release(self) -> None:
        """The body is out: the kernel may hold as much as for everybody again."""
        if self._transport is not None:
            relax(self._transport.get_extra_info("socket"))

    def held(self) -> int:
        """See `Outlet.held`."""
        if self._transport is not None:
            return self._transport.get_write_buffer_size()
        return self._under_way if self._flow is None else max(self._under_way, self._flow.held())

    async def cut(self, *, at_once: bool) -> None:
        """Leave the body incomplete.

        Args:
            at_once: drop what is held; a client in HTTP/1.0 that was told no length sees its end in nothing else.
        """
        if self._flow is not None:
            await self._flow.cut()
        elif self._transport is not None and at_once:
            reset(self._transport)
        elif self._uvicorn is not None:
            self._uvicorn.transport.close()
            if self.held():
                self._hub.runtime.timers.after(self._hub.limits.write_seconds, self._uvicorn.transport.abort)
        if self._uvicorn is not None:
            self._uvicorn.forget()
        elif self._flow is None and self._transport is None and not self._is_granian:
            raise ResponseCut


async def send_streamed(
    scope: Scope, receive: Receive, send: Send, streamed: Streamed, hub: Engine, extra: HeaderList
) -> None:
    """Send a response whose body comes in pieces.

    Args:
        scope: ASGI's.
        receive: ASGI's; watched for the client's going.
        send: ASGI's.
        streamed: what to send.
        hub: whose limits and figures count.
        extra: further headers.

    Raises:
        ResponseCut: it could not be finished.
    """
    endless = streamed.length is None and scope["http_version"] == "1.0"
    request = uvicorn_request(unwrap(send)) if endless else None
    if request is not None:
        request.begin_unframed()
    headers = [*streamed.head.headers, *extra]
    await send({"type": "http.response.start", "status": streamed.head.status, "headers": headers})
    outlet = AsgiOutlet(send, hub)
    outflow = Outflow(hub.runtime, outlet, streamed.path, streamed.access)
    watcher = asyncio.create_task(_watch(receive, outflow))
    try:
        ending = await outflow.run(streamed.pieces)
    finally:
        watcher.cancel()
    if ending is Ending.WHOLE:
        outlet.release()
        if request is not None:
            request.end_unframed()
        await send({"type": "http.response.body", "body": b""})
    elif ending is not Ending.LOST:
        await outlet.cut(at_once=endless or ending is Ending.STALLED)


async def _watch(receive: Receive, outflow: Outflow) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    outflow.lost()
