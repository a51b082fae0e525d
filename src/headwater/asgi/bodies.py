"""Request bodies, within the limits of size and time, and what is left of them behind an answer."""

from __future__ import annotations

import asyncio
from typing import Any, Final, TypeVar

from headwater.asgi.types import ClientGone, Receive
from headwater.errors import BadRequest, HeadwaterError, RequestTimeout, TooLarge
from headwater.hub import Limits
from headwater.protocol import names
from headwater.protocol.requests import Headers

E = TypeVar("E", bound=HeadwaterError)


async def read_body(receive: Receive, headers: Headers, limits: Limits) -> bytes:
    """The whole body.

    Raises:
        TooLarge: it is over `limits.max_body_bytes`; a declared length is refused before any of it is read. `unread`.
        RequestTimeout: it did not arrive within `limits.body_seconds`. `unread`.
        ClientGone: the connection was closed before its end; nothing of it may be used.
    """
    declared = _declared_length(headers)
    if declared is not None and declared > limits.max_body_bytes:
        raise _too_large(limits, declared)
    task = asyncio.current_task()
    assert task is not None, "a body is read in a task"
    deadlines = _deadlines_of(limits.body_seconds)
    deadlines.add(task)
    try:
        return await _collect(receive, limits)
    except asyncio.CancelledError:
        # Cancelled for being late, or by somebody else, whose cancellation goes on.
        if task in deadlines or task.uncancel():
            raise
        late = RequestTimeout(f"the body did not arrive within body_seconds={limits.body_seconds:g}")
        raise _unread(late) from None
    finally:
        deadlines.discard(task)


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


async def _collect(receive: Receive, limits: Limits) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise ClientGone
        part = event.get("body", b"")
        size += len(part)
        if size > limits.max_body_bytes:
            raise _too_large(limits, None)
        if not event.get("more_body", False):
            return part if not parts else b"".join([*parts, part])
        parts.append(part)


def _declared_length(headers: Headers) -> int | None:
    value = headers.get(names.CONTENT_LENGTH)
    if value is None:
        return None
    if not value.isdigit() or len(value) > 18:
        raise BadRequest("Content-Length is not a number")
    return int(value)


def _too_large(limits: Limits, size: int | None) -> TooLarge:
    found = "is too large" if size is None else f"has {size} bytes"
    error = TooLarge(f"the body {found}, the limit is max_body_bytes={limits.max_body_bytes}")
    return _unread(error)


def _unread(error: E) -> E:
    error.unread = True
    return error


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
