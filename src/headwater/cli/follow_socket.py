"""A reader on `-/connect`, by the client's connection.

Rule: the connection lives in a thread of its own, so that it answers heartbeats while a terminal is held. What was
printed is acknowledged, so a slow terminal holds the server back.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterator
from typing import Any

from headwater.cli.follow import Follower
from headwater.errors import MissingExtra


class SocketFollower(Follower):
    """See `Follower`; the wire and compression are not asked."""

    def _everything(self) -> Iterator[Any]:
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="headwater-connection", daemon=True)
        thread.start()

        def wait(work: Any) -> Any:
            return asyncio.run_coroutine_threadsafe(work, loop).result()

        given = self._given()
        try:
            while (found := wait(anext(given, None))) is not None:
                yield found
        finally:
            wait(given.aclose())
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    async def _given(self) -> AsyncGenerator[Any, None]:
        async with self._remote.connection(self._retry_for) as connection:
            stream = connection.stream(self._path, type=bytes, content_type=self._content_type)
            async for given in stream.read(self._offset, **self.asked()).everything():
                yield given


def check_installed() -> None:
    """Refuse to begin without the library.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        import websockets.asyncio.client  # noqa: F401
    except ImportError:
        raise MissingExtra.of("--wire websocket", "websocket") from None
