"""Calls of a hub from threads that have no event loop: `def` endpoints, workers, scripts beside a server."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from headwater.errors import StoreUnavailable, WrongLoop
from headwater.hub.lifespan import Gate

T = TypeVar("T")

#: Seconds between two looks at whether the hub's event loop still runs.
LOOK_SECONDS: Final = 1.0
_ENDED: Final = "the event loop of the hub ended before it answered; whether the call is done is not known"


def call_from_thread(gate: Gate, call: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a hub's event loop, and wait for it in this thread.

    Args:
        gate: the hub's.
        call: not begun.

    Raises:
        HubNotOpen: nothing was begun.
        WrongLoop: this thread runs an event loop, which would stand still meanwhile; nothing was begun.
        StoreUnavailable: the hub's loop ended before the answer came; whether it is done is not known.
        What the coroutine raises.
    """
    loop = gate.loop
    if not isinstance(loop, asyncio.AbstractEventLoop):
        call.close()
        raise gate.refusal()
    if asyncio._get_running_loop() is not None:
        call.close()
        raise WrongLoop("from_thread is for threads without an event loop: here, await the call itself")
    try:
        answer = asyncio.run_coroutine_threadsafe(call, loop)
    except RuntimeError:  # the loop is closed
        call.close()
        raise StoreUnavailable(_ENDED) from None
    while True:
        try:
            return answer.result(LOOK_SECONDS)
        except TimeoutError:
            if answer.done():
                raise
            if loop.is_closed():
                call.close()
                raise StoreUnavailable(_ENDED) from None
