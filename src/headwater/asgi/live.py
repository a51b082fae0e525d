"""Live answers: a reader's events, encoded and sent as they come; pushed where the server allows it, pulled elsewhere.

Rule: the pulling driver holds one encoded event at a time, and takes the next one when `send` returns. A client that
reads slowly so reads the log later; it costs the server's write buffer and nothing here.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Final

from headwater.asgi.flow import StreamFlow, flow_of
from headwater.asgi.handover import can_take_over, take_over, unwrap
from headwater.asgi.types import Receive, Send
from headwater.hub.audience import Audience
from headwater.hub.feeds import Format
from headwater.hub.readers import LiveReader
from headwater.protocol.coding import IDENTITY, Coding
from headwater.protocol.responses import HeaderList, streaming
from headwater.protocol.wire import Encoder

_log: Final = logging.getLogger("headwater")


async def answer_live(
    audience: Audience,
    reader: LiveReader,
    form: Format,
    receive: Receive,
    send: Send,
    headers: HeaderList,
    *,
    lifetime: float | None,
) -> None:
    """Send a live answer until the reader ends or the client goes; pushed, if the server lets us.

    Args:
        audience: whose reader it is.
        reader: just opened, and closed by the caller.
        form: the wire format; its frames are HTTP/1.1 chunks, and are used when the answer is pushed.
        receive: watched for the client's going.
        send: where it goes.
        headers: further headers for the answer's head.
        lifetime: seconds before the reader is let go; None: no end.
    """
    encoder = form.encoder(reader.info.content_type)
    head = streaming(encoder.media_type, reader.info.content_type)
    inner = unwrap(send)
    handover = can_take_over(inner)
    # What is handed over is closed at the end; a client that is not told so may send its next request there.
    closing = [(b"connection", b"close")] if handover else []
    await send({"type": "http.response.start", "status": head.status, "headers": [*head.headers, *headers, *closing]})
    if handover:
        audience.push(reader, form, take_over(inner, audience), lifetime=lifetime, encoder=encoder)
    elif not await pull(reader, encoder, receive, send, form.coding, flow_of(inner, audience)):
        audience.stats.disconnects += 1


async def pull(
    reader: LiveReader,
    encoder: Encoder,
    receive: Receive,
    send: Send,
    coding: Coding = IDENTITY,
    flow: StreamFlow | None = None,
) -> bool:
    """Send a reader's events as the body; the head is out.

    Args:
        reader: pulled.
        encoder: of its events.
        receive: watched for the client's going.
        send: waits until there is room, or `flow` does.
        coding: of the body.
        flow: of a server whose `send` does not wait.

    Returns:
        True: it ended; False: the client went first.
    """
    watcher = asyncio.create_task(_cancel_when_gone(receive, reader))
    # As the only member of a feed.
    body, common = coding.body(), coding.common()
    try:
        await _send_part(send, body.begin(encoder.opening()))
        body.join(common)
        while (event := await reader.next()) is not None:
            if data := encoder.encode(event, time.time()):
                await _send_part(send, common.piece(data))
                if flow is not None and not await flow.drained(watcher):
                    return True
        if encoder.must_cut:
            if flow is not None:
                await flow.cut()
            return True  # without the end that ASGI wants, servers cut the connection
        await _send_part(send, body.end())
        if not watcher.done():
            await send({"type": "http.response.body", "body": b""})
            return True
    except Exception:
        # The head is out: the server cuts the connection, and the client comes back for the rest.
        _log.exception("a live answer broke off")
    finally:
        watcher.cancel()
    return False


async def _send_part(send: Send, part: bytes) -> None:
    if part:
        await send({"type": "http.response.body", "body": part, "more_body": True})


async def _cancel_when_gone(receive: Receive, reader: LiveReader) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    reader.cancel()
