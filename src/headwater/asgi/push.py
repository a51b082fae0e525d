"""Live responses: a reader's events, written to its connection where the server hands that over, else to `send`."""

from __future__ import annotations

from headwater.asgi.hypercorn import flow_of
from headwater.asgi.send_sink import END, SendSink
from headwater.asgi.starlette import unwrap
from headwater.asgi.types import Receive, Scope, Send
from headwater.asgi.uvicorn import can_take_over, is_gone, take_over, unframed_send, uvicorn_request
from headwater.http.exchange import ClientGone, Opening
from headwater.http.http1 import CLOSE
from headwater.http.live import unframed
from headwater.hub.live.readers import LiveReaders
from headwater.protocol.responses import HeaderList


async def push(
    live: LiveReaders, opening: Opening, scope: Scope, receive: Receive, send: Send, extra: HeaderList
) -> None:
    """Tell a reader until it ends or its client goes; returns at once, if the server lets us.

    Args:
        live: whose reader it is.
        opening: what is told; its frames are used on a connection that is handed over.
        scope: ASGI's; in HTTP/1.0 there are no chunks: the end of the connection ends the response (RFC 9112 6.3).
        receive: watched for the client's going.
        send: where it goes.
        extra: further headers.

    Raises:
        ClientGone: before anything was told.
    """
    form, head, version = opening.form, opening.head.answer(), scope["http_version"]
    headers = [*head.headers, *extra]
    inner = unwrap(send)
    if can_take_over(inner):
        if version == "1.0" and (request := uvicorn_request(inner)) is not None:
            request.begin_unframed()
            form = unframed(form, "1.0", b"")
        # What is handed over is closed at the end; a client that is not told so may send its next request there.
        await send({"type": "http.response.start", "status": head.status, "headers": [*headers, CLOSE]})
        if is_gone(inner):
            raise ClientGone
        sink = take_over(inner, live.runtime)
        live.push(opening.arrival, form, sink, lifetime=opening.lifetime, encoder=opening.encoder)
        return
    send = unframed_send(send, version)
    await send({"type": "http.response.start", "status": head.status, "headers": headers})
    slow = SendSink(live.runtime, flow_of(inner, live.runtime))
    form = unframed(form, "asgi", END)
    live.push(opening.arrival, form, slow, lifetime=opening.lifetime, encoder=opening.encoder)
    await slow.run(receive, send)
