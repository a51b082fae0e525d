"""A hub whose one stream is written as fast as told, from its first reader on; its writer waits for readers, or not.

Usage: python pausing_server.py PORT RATE LAG_BYTES KEPT_BYTES; LAG_BYTES 0: it never waits; KEPT_BYTES 0: all is kept.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator

import uvicorn

from headwater import Hub
from headwater.asgi import App
from headwater.hub.backpressure import Pause
from headwater.model import JSON, Retention

PATH = "load"
#: So that a record has 100 bytes.
_FILLING = b"Lorem ipsum dolor sit amet, consectetur adipiscing elit"[:46]


async def records(rate: int) -> AsyncIterator[bytes]:
    """Records of 100 bytes, as many a second as are taken, at most `rate`."""
    number, begin = 0, time.monotonic()
    while True:
        due = int((time.monotonic() - begin) * rate)
        if number >= due:
            await asyncio.sleep(0.001)
        while number < due:
            yield b'{"n":"%010d","t":"%019d","text":"%b"}' % (number, time.monotonic_ns(), _FILLING)
            number += 1


async def main(port: int, rate: int, lag: int, kept: int) -> None:
    """Serve until told to stop."""
    hub = Hub("memory:")
    config = uvicorn.Config(App(hub, multi=True), host="127.0.0.1", port=port, lifespan="off", access_log=False)
    async with hub:
        pause = Pause(lag_bytes=lag) if lag else None
        retention = Retention(size=kept) if kept else None
        await hub.create(PATH, content_type=JSON, retention=retention)

        async def write() -> None:
            while hub.live.stream(PATH) is None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            await hub.pump(PATH, records(rate), content_type=JSON, retention=retention, pause=pause)

        writing = asyncio.create_task(write())
        await uvicorn.Server(config).serve()
        writing.cancel()


asyncio.run(main(*map(int, sys.argv[1:])))
