"""Live answers: a reader's events, encoded and sent as they come.

Rule: this driver holds one encoded event at a time, and takes the next one when `send` returns. A client that reads
slowly so reads the log later; it costs the server's write buffer and nothing here.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Final

from headwater.asgi.types import Receive, Send
from headwater.hub import LiveReader
from headwater.protocol.responses import HeaderList, streaming
from headwater.protocol.wire import Encoder

_log: Final = logging.getLogger("headwater")


async def stream(reader: LiveReader, encoder: Encoder, receive: Receive, send: Send, headers: HeaderList) -> bool:
    """Send a live answer until the reader ends or the client goes.

    Args:
        reader: begun, and closed by the caller.
        encoder: the wire format.
        receive: watched for the client's going.
        send: where it goes.
        headers: further headers for the answer's head.

    Returns:
        True: it ended; False: the client went first.
    """
    head = streaming(encoder.media_type, reader.info.content_type)
    await send({"type": "http.response.start", "status": head.status, "headers": [*head.headers, *headers]})
    watcher = asyncio.create_task(_cancel_when_gone(receive, reader))
    try:
        await _send_part(send, encoder.opening())
        while (event := await reader.next()) is not None:
            await _send_part(send, encoder.encode(event, time.time()))
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
