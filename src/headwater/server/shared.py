"""What the connections of a server share."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from typing import Final, Generic, Protocol, TypeVar

import msgspec

from headwater.http.exchange import LiveHead, Work
from headwater.http.forwarded import TrustedProxies
from headwater.http.http1 import Clock
from headwater.http.service import Service
from headwater.server.head_cache import HeadCache


class ConnectionLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What a connection may do, and how it is taken.

    Attributes:
        max_connections: at the same time; one more is told so and closed.
        max_header_bytes: request line and headers.
        head_seconds: time for them to arrive.
        keep_alive_seconds: of silence between two requests.
        takes_half_closed: a client that closes its own side is answered; without, it has left.
        access_log: log every request.
    """

    max_connections: int = 60_000
    max_header_bytes: int = 32 * 1024
    head_seconds: float = 10.0
    keep_alive_seconds: float = 15.0
    takes_half_closed: bool = True
    access_log: bool = False


class Stoppable(Protocol):
    """A connection, as the server sees it."""

    def stop(self) -> None:
        """Take at most one more request, and only if it comes soon."""
        ...

    def abort(self) -> None:
        """End at once."""
        ...


K = TypeVar("K")
V = TypeVar("V")

#: Things that are kept ready at the same time.
MAX_READY: Final = 64


class Ready(Generic[K, V]):
    """What was made of a date, and holds for its second.

    Attributes:
        found: what there is.
        second: of which.
    """

    __slots__ = ("found", "second")

    def __init__(self) -> None:
        self.found: dict[K, V] = {}
        self.second = 0

    def at(self, second: int) -> dict[K, V]:
        """Those of a second; of another one than the last, none yet."""
        if second != self.second or len(self.found) > MAX_READY:
            self.second = second
            self.found.clear()
        return self.found


class Shared:
    """One for all connections of a server.

    Args:
        service: what serves the requests.
        limits: of each connection.
        proxies: whose word about a client is believed.
        scheme: `http` or `https`.

    Attributes:
        service: as given.
        limits: as given.
        proxies: as given.
        scheme: as given.
        heads: requests' heads.
        clock: of responses.
        stats: where connections are counted.
        live: what live readers become part of.
        runtime: what they share.
        timers: of all connections.
        arrivals: connections whose first head is due.
        connections: those that are no live readers.
        turned_away: those of which there are too many.
        tasks: what takes waiting.
        stopping: each response is the last one of its connection.
        restrained: so are all connections, by the sockets that accept them; see `restrain_accepted`.
        appended: responses to appends without their offset, by whether the stream is closed.
        live_heads: heads of live responses.
        upgrades: of WebSockets, without what they say of the key, by what is agreed on.
    """

    def __init__(
        self, service: Service, limits: ConnectionLimits, proxies: TrustedProxies, scheme: str = "http"
    ) -> None:
        self.service: Final = service
        self.limits: Final = limits
        self.proxies: Final = proxies
        self.scheme: Final = scheme
        self.heads: Final = HeadCache()
        self.clock: Final = Clock()
        self.stats: Final = service.stats
        self.live: Final = service.hub.live
        self.runtime: Final = service.hub.runtime
        self.timers: Final = self.runtime.timers
        self.arrivals: Final = self.runtime.rounds.of(limits.head_seconds)
        self.connections: Final[set[Stoppable]] = set()
        self.turned_away: Final[set[Stoppable]] = set()
        self.tasks: Final[set[asyncio.Task[None]]] = set()
        self.stopping = False
        self.restrained = False
        self.appended: Final[Ready[bool, list[bytes]]] = Ready()
        self.live_heads: Final[Ready[LiveHead, bytes]] = Ready()
        self.upgrades: Final[Ready[Hashable, list[bytes]]] = Ready()

    def start(self, work: Work) -> asyncio.Task[None]:
        """Let what takes waiting go on by itself."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task
