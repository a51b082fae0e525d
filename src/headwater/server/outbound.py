"""The bytes that go out on a connection: past the transport where that holds nothing, and watched where it does.

A response that its client does not take is the hub's to judge, as a long body is: it counts in the budget of what all
slow clients hold, and who takes nothing of it for `write_seconds` is cut (`hub/outflow.py`).
"""

from __future__ import annotations

import asyncio
from functools import partial
from os import write
from typing import Final, Protocol

from headwater.http.http1 import chunk
from headwater.http.socket_options import restrain
from headwater.http.socket_sink import descriptor_of, peer_of, reset
from headwater.hub.outflow import GRACE_SECONDS, Ending, Outflow
from headwater.server.shared import Shared

#: The socket below a transport was not looked for yet; there is none to write to.
_UNKNOWN: Final = -2
_NONE: Final = -1


class Outgoing:
    """What goes out on one connection: the half of it that writes.

    Args:
        shared: what connections share.

    Attributes:
        shared: as given.
        transport: of the connection.
        is_full: the transport holds its high-water mark.
    """

    __slots__ = ("_descriptor", "_more", "is_full", "shared", "transport")

    transport: asyncio.Transport

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self._descriptor = _UNKNOWN
        #: Done when the transport takes more; None: it does.
        self._more: asyncio.Future[None] | None = None
        self.is_full = False

    def peer(self) -> tuple[str, int] | None:
        """Host and port of the other end; None: it has none."""
        return peer_of(self.transport)

    def put(self, data: bytes) -> None:
        """Write, unless the connection is closing."""
        if not self.transport.is_closing():
            self.write(data)

    def write(self, data: bytes) -> None:
        """Write, where nothing closes. uvloop's transport would keep the interpreter lock in `write(2)`."""
        transport, descriptor = self.transport, self._descriptor
        if descriptor < 0:
            descriptor = self._found()
        if descriptor < 0 or transport.get_write_buffer_size():
            transport.write(data)
            return
        try:
            sent = write(descriptor, data)
        except OSError:
            sent = 0  # it is the transport's to find out
        if sent < len(data):
            transport.write(data[sent:])

    def _found(self) -> int:
        if self._descriptor == _UNKNOWN:
            found = descriptor_of(self.transport, self.transport.get_extra_info("socket"))
            self._descriptor = _NONE if found is None else found
        return self._descriptor

    def held(self) -> int:
        """Bytes that were written and are not sent yet."""
        return self.transport.get_write_buffer_size()

    async def taken(self) -> None:
        """Wait until the transport takes more.

        Raises:
            ConnectionResetError: the connection is gone.
        """
        if self._more is not None:
            await asyncio.shield(self._more)
        if self.transport.is_closing():
            raise ConnectionResetError

    def pause_writing(self) -> None:
        """The transport is full."""
        self._more = asyncio.get_running_loop().create_future()
        self.is_full = True

    def resume_writing(self) -> None:
        """It takes more, or is gone."""
        more, self._more = self._more, None
        self.is_full = False
        if more is not None and not more.done():
            more.set_result(None)

    def abort(self) -> None:
        """End at once."""
        self.transport.abort()

    def close_out(self) -> None:
        """Close behind what waits; a client that takes nothing of it for `write_seconds` is cut."""
        self.transport.close()
        if self.held():
            if not self.shared.restrained:
                restrain(self.transport.get_extra_info("socket"), self.shared.service.limits)
            self._expect_less()

    def _expect_less(self) -> None:
        held = self.held()
        if held:
            self.shared.timers.after(self.shared.service.limits.write_seconds, partial(self._took, held))

    def _took(self, before: int) -> None:
        if self.held() < before:
            self._expect_less()
        else:
            self.transport.abort()

    def watch(self) -> None:
        """Behind a response: if its socket did not take it, what waits now may wait for ever."""
        if self._more is not None:
            self.shared.timers.after(GRACE_SECONDS, self._look)

    def _look(self) -> None:
        if self._more is not None and not self.transport.is_closing():
            self.shared.start(self._wait())

    async def _wait(self) -> None:
        if await Outflow(self.shared.runtime, SocketOutlet(self, chunked=False), "").wait() is Ending.STALLED:
            reset(self.transport)


class Takes(Protocol):
    """What an outlet puts its pieces in; see `Outgoing`."""

    def put(self, data: bytes) -> None:
        """Write, unless the connection is closing."""
        ...

    async def taken(self) -> None:
        """Wait until more is taken."""
        ...

    def held(self) -> int:
        """Bytes that were written and are not sent yet."""
        ...


class SocketOutlet:
    """An outlet on a connection whose response is under way; see `Outlet`.

    Args:
        out: of the connection.
        chunked: the body has no length, and goes out in chunks.
    """

    #: The socket takes what it can of a piece at once; nothing is gained by less.
    lump = 2**62

    def __init__(self, out: Takes, *, chunked: bool) -> None:
        self._out = out
        self._chunked = chunked

    async def give(self, data: bytes) -> None:
        """See `Outlet.give`."""
        if data:
            self._out.put(chunk(data) if self._chunked else data)
            del data
        await self._out.taken()

    def held(self) -> int:
        """See `Outlet.held`."""
        return self._out.held()
