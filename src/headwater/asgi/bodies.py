"""Request bodies, within the limits of size and time, and what is left of them behind an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any, Final, TypeVar

from headwater.asgi.types import Receive
from headwater.http.bodies import too_large, too_late, too_many
from headwater.http.exchange import ClientGone
from headwater.hub import Limits
from headwater.hub.intake import Body, Intake
from headwater.protocol.headers import Headers
from headwater.protocol.http1 import body_length


async def read_body(
    receive: Receive, headers: Headers, limits: Limits, intake: Intake, client: Sequence[Any] | None
) -> bytes:
    """The whole body.

    Args:
        receive: ASGI's.
        headers: of the request.
        limits: of its size and time.
        intake: where it counts while a part of it is missing.
        client: host and port of the other end; None: not known.

    Raises:
        TooLarge: it is over `limits.max_body_bytes`; a declared length is refused before any of it is read. `unread`.
        RequestTimeout: it did not arrive within `limits.body_seconds`. `unread`.
        TooManyBodies: it was the slowest when all together were too many. `unread`.
        ClientGone: the connection was closed before its end; nothing of it may be used.
    """
    declared = body_length(headers)
    if declared is not None and declared > limits.max_body_bytes:
        raise too_large(limits, declared)
    task = asyncio.current_task()
    assert task is not None, "a body is read in a task"
    deadlines = _deadlines_of(limits.body_seconds)
    deadlines.add(task)
    body: Body | None = None
    try:
        first, more = await _part(receive)
        if not more:
            return _checked(first, limits)
        body = intake.begin(client[0] if client else None, partial(deadlines.cut, task))
        return await _collect(first, receive, limits, intake, body)
    except asyncio.CancelledError:
        # Cancelled for being late or too slow, or by somebody else, whose cancellation goes on.
        if task in deadlines or task.uncancel():
            raise
        if body is not None and body.refused:
            raise too_many(intake) from None
        raise too_late(limits) from None
    finally:
        deadlines.discard(task)
        if body is not None:
            intake.end(body)


class _Deadlines:
    """Tasks that have the same time to read a body, with one timer for all of them.

    `asyncio.timeout` makes a timer for each, although most bodies come with their heads: a tenth of the CPU time of
    an append.

    Args:
        loop: the tasks' loop.
        seconds: after which a task is cancelled, and no longer one of these.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self._loop = loop
        self._seconds = seconds
        # The first to begin is the first that is due.
        self._due: dict[asyncio.Task[Any], float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __contains__(self, task: asyncio.Task[Any]) -> bool:
        return task in self._due

    def add(self, task: asyncio.Task[Any]) -> None:
        """Begin a task's time."""
        self._due[task] = self._loop.time() + self._seconds
        if self._timer is None:
            self._timer = self._loop.call_later(self._seconds, self._check)

    def discard(self, task: asyncio.Task[Any]) -> None:
        """The task has its body, or gave up."""
        self._due.pop(task, None)

    def cut(self, task: asyncio.Task[Any]) -> None:
        """Cancel a task before its time, unless it is the one that runs."""
        if self._due.pop(task, None) is not None and task is not asyncio.current_task():
            task.cancel()

    def _check(self) -> None:
        now = self._loop.time()
        self._timer = None
        while self._due and self._timer is None:
            task, due = next(iter(self._due.items()))
            if due > now:
                self._timer = self._loop.call_at(due, self._check)
            else:
                del self._due[task]
                task.cancel()


_deadlines: Final[dict[tuple[asyncio.AbstractEventLoop, float], _Deadlines]] = {}


def _deadlines_of(seconds: float) -> _Deadlines:
    loop = asyncio.get_running_loop()
    found = _deadlines.get((loop, seconds))
    if found is None:
        for key in [key for key in _deadlines if key[0].is_closed()]:
            del _deadlines[key]
        found = _deadlines[loop, seconds] = _Deadlines(loop, seconds)
    return found


async def _part(receive: Receive) -> tuple[bytes, bool]:
    """A part of the body, and whether there is more."""
    event = await receive()
    if event["type"] == "http.disconnect":
        raise ClientGone
    return event.get("body", b""), event.get("more_body", False)


async def _collect(part: bytes, receive: Receive, limits: Limits, intake: Intake, body: Body) -> bytes:
    # One buffer: many small parts would take more memory than they count.
    found, more = bytearray(), True
    while True:
        found += part
        _checked(found, limits)
        if not more:
            return bytes(found)
        intake.arrived(body, len(part))
        if body.refused:
            raise too_many(intake)
        part, more = await _part(receive)


_Bytes = TypeVar("_Bytes", bytes, bytearray)


def _checked(body: _Bytes, limits: Limits) -> _Bytes:
    if len(body) > limits.max_body_bytes:
        raise too_large(limits, None)
    return body


async def throw_away(receive: Receive, limits: Limits) -> bool:
    """Read what is left of a body whose request has been answered, so that the client reads the answer.

    A connection that is closed with unread data is reset, and a reset destroys the answer on its way (RFC 9112 section
    9.6).

    Returns:
        False: there was more than `limits.linger_bytes`, or it took longer than `limits.linger_seconds`.
    """
    left = limits.linger_bytes
    try:
        async with asyncio.timeout(limits.linger_seconds):
            while left >= 0:
                event = await receive()
                if event["type"] == "http.disconnect" or not event.get("more_body", False):
                    return True
                left -= len(event.get("body", b""))
    except TimeoutError:
        pass
    return False
