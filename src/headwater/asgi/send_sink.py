"""A sink on an ASGI `send`: how the hub pushes to a reader whose connection its server keeps.

Rule 1: what a group encoded once for all is given here as it is. The request's task wakes once for all that waits,
        however many records those are, and passes it on in one `send`.
Rule 2: while `send` waits, the reader is a cursor: no more is read for it, and what it holds is bounded.
Rule 3: `send` takes a turn of the event loop or two in any case. A sink is full when it holds its high-water mark
        for longer than `GRACE_SECONDS`, so that a quick reader is never taken for a slow one.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from headwater.asgi.hypercorn import StreamFlow
from headwater.asgi.types import Receive, Send
from headwater.asgi.uvicorn import is_gone
from headwater.hub.live.runtime import Runtime
from headwater.hub.live.sinks import SinkOwner
from headwater.hub.wheel import Timer

_log: Final = logging.getLogger("headwater")

#: Seconds for which a sink may hold its high-water mark before it is full.
GRACE_SECONDS: Final = 0.1
#: Bytes read for one reader ahead of its next `send`, at most: a log is passed on in pieces of this size.
LUMP: Final = 64 * 1024
#: The `last` of a format whose answers end as ASGI has it: told by what it is, never sent.
END: Final = bytes(bytearray(b"end of the answer"))


class SendSink:
    """A sink on the `send` of one request.

    Args:
        runtime: of the hub; its limits hold.
        flow: of a server whose `send` does not wait; None: it does.
    """

    __slots__ = (
        "_flow",
        "_full",
        "_holding",
        "_news",
        "_over",
        "_owner",
        "_parts",
        "_runtime",
        "_timeout",
        "_timer",
        "_under_way",
        "_waiting",
        "_whole",
        "descriptor",
    )

    def __init__(self, runtime: Runtime, flow: StreamFlow | None) -> None:
        self.descriptor: int | None = None
        self._runtime = runtime
        self._flow = flow
        self._owner: SinkOwner | None = None
        self._parts: list[bytes | memoryview] = []
        self._waiting = 0
        self._under_way = 0
        self._news: asyncio.Future[None] | None = None
        self._timeout: asyncio.Timeout | None = None
        self._timer: Timer | None = None
        self._holding = self._full = False
        self._over = self._whole = False

    # From the hub.

    def attach(self, owner: SinkOwner) -> None:
        """See `Sink.attach`."""
        self._owner = owner

    def write(self, data: bytes | memoryview) -> None:
        """See `Sink.write`."""
        if data is END:
            self._whole = True
            return
        self._parts.append(data)
        self._waiting += len(data)
        self._wake()
        self._check()

    def address(self) -> str | None:
        """See `Sink.address`: who gave the request knows it."""
        return None

    def held(self) -> int:
        """See `Sink.held`."""
        return self._waiting + self._under_way + (0 if self._flow is None else self._flow.held())

    def finish(self) -> None:
        """See `Sink.finish`."""
        self._over = True
        self._wake()

    def abort(self) -> None:
        """See `Sink.abort`: the answer is left incomplete, and the server cuts the connection."""
        self._parts.clear()
        self._waiting = 0
        self._over, self._whole = True, False
        if self._timeout is not None and not self._timeout.expired():
            self._timeout.reschedule(0.0)

    # The request's task.

    async def run(self, receive: Receive, send: Send) -> None:
        """Send what the hub writes, until it ends or the client goes; the head is out.

        Args:
            receive: watched for the client's going.
            send: where it goes.
        """
        watcher = asyncio.create_task(self._watch(receive))
        try:
            async with asyncio.timeout(None) as self._timeout:
                await self._pass_on(send)
        except OSError:
            pass  # `abort`, or ASGI's word for a client that is gone
        except Exception:
            # The head is out: the server cuts the connection, and the client comes back for the rest.
            if not is_gone(send):
                _log.exception("a live answer broke off")
        finally:
            self._timeout = None
            cut = self._over and not self._whole and not watcher.done()
            watcher.cancel()
            self._lose()
        if cut and self._flow is not None:
            await self._flow.cut()

    async def _pass_on(self, send: Send) -> None:
        while self._parts or not self._over:
            if not self._parts:
                self._news = asyncio.get_running_loop().create_future()
                await self._news
                self._news = None
                continue
            parts, self._parts = self._parts, []
            self._under_way, self._waiting = self._waiting, 0
            body = bytes(parts[0]) if len(parts) == 1 else b"".join(parts)
            del parts
            await self._deliver(send, body)
            self._under_way = 0
            if self._flow is not None:
                self._check()
                await self._flow.drained()
            self._taken()
        # Without this end, which ASGI wants, servers cut the connection.
        if self._whole:
            await send({"type": "http.response.body", "body": b""})

    async def _deliver(self, send: Send, body: bytes) -> None:
        """Pass on what waited."""
        await send({"type": "http.response.body", "body": body, "more_body": True})

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.abort()

    def _wake(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    def _check(self) -> None:
        """After a write: whether more may be read, and whether this is to be looked at again."""
        held, limits, owner = self.held(), self._runtime.limits, self._owner
        if held < limits.buffer_bytes or self._full or owner is None:
            return
        if self._timer is None:
            self._timer = self._runtime.timers.after(GRACE_SECONDS, self._still_full)
        if held >= max(limits.buffer_bytes, LUMP) and not self._holding:
            self._holding = True
            owner.hold(on=True)
        # The group's bytes, which all readers share; but not without end.
        if held >= max(limits.read_bytes, LUMP):
            self._still_full()

    def _still_full(self) -> None:
        self._cancel_timer()
        if self._owner is not None and not self._full:
            self._full = True
            self._owner.paused()

    def _taken(self) -> None:
        """After a `send`: go on with what is to be read."""
        if self._timer is None and not self._full:
            return
        if self._parts if self._full else self.held() >= self._runtime.limits.buffer_bytes:
            return
        self._cancel_timer()
        full, self._full = self._full, False
        holding, self._holding = self._holding, False
        if holding and self._owner is not None:
            self._owner.hold(on=False)
        if full and self._owner is not None:
            self._owner.resumed()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _lose(self) -> None:
        self._cancel_timer()
        owner, self._owner = self._owner, None
        if owner is not None:
            owner.lost()
