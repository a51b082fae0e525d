"""Noticing that the server around us stops.

uvicorn (0.54) tells an application of a stop only after all its answers have ended, and by default waits for that for
ever: an event stream that knows nothing of the stop holds up every deploy. Its handler of SIGTERM is a method of the
server object, which says whether it was asked to exit (the way sse-starlette found).
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import Final

#: Seconds between two looks; uvicorn itself looks every 0.1 s.
LOOK_SECONDS: Final = 0.2


def server_is_stopping() -> bool:
    """Whether a uvicorn that handles this process's SIGTERM was asked to exit; False under any other server."""
    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    return getattr(server, "should_exit", False) is True


async def call_when_stopping(drain: Callable[[], None]) -> None:
    """Call `drain` once the server was asked to exit."""
    while not server_is_stopping():  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(LOOK_SECONDS)
    drain()
