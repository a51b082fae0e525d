"""A server for tests of an application that uses a client: the real one, in memory, which fails when it is told to.

    async with running_server() as server:
        await server.hub.create("jobs/7", content_type="application/json")
        server.refuse("unavailable", times=2)
        ...  # what is tested reads server.url + "jobs/7"
        server.cut()

In a test that is not asynchronous, `server_in_thread` is the same with a loop of its own.

Rule: nothing is imitated, so what passes here is not refused elsewhere. It needs `headwater[server]`.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, TypeVar
from weakref import WeakSet

import msgspec

from headwater.asgi import Hub
from headwater.errors import HeadwaterError, error_table
from headwater.http.exchange import Exchange, Work
from headwater.http.forwarded import TrustedProxies
from headwater.http.streams import StreamService
from headwater.hub import Limits
from headwater.server.connection import Connection
from headwater.server.shared import ConnectionLimits, Shared

__all__ = ["LIMITS", "Asked", "RunningServer", "ThreadedServer", "running_server", "server_in_thread"]

T = TypeVar("T")
#: Heartbeats of a second, so that a client that waits for one does not wait long.
LIMITS: Final = Limits(heartbeat_seconds=1.0, long_poll_seconds=1.0)


class Asked(msgspec.Struct, frozen=True):
    """A request that came.

    Attributes:
        method: of it.
        path: decoded, as `/v1/stream/jobs/7`.
        query: as sent.
        headers: by their names in lower case.
    """

    method: str
    path: str
    query: str
    headers: dict[str, str]


class _Service(StreamService):
    def __init__(self, hub: Hub) -> None:
        super().__init__(hub, multi=True)
        self.asked: list[Asked] = []
        self.refusals: deque[HeadwaterError] = deque()

    def begin(self, exchange: Exchange) -> Work | None:
        request = exchange.request
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers.items()}
        self.asked.append(Asked(request.method, request.path, request.query.decode("latin-1"), headers))
        if not self.refusals:
            return super().begin(exchange)
        exchange.extra = self.headers(request)
        self.refuse(exchange, self.refusals.popleft())
        return None


class _Connection(Connection):
    __slots__ = ("_opened",)

    def __init__(self, shared: Shared, opened: WeakSet[asyncio.Transport]) -> None:
        super().__init__(shared)
        self._opened = opened

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._opened.add(transport)
        super().connection_made(transport)


class RunningServer:
    """One of them; made by `running_server`.

    Attributes:
        url: below which its streams are, such as `http://127.0.0.1:40123/v1/stream/`.
        hub: behind it, for what the test itself appends and reads.
    """

    def __init__(self, hub: Hub, service: _Service, url: str, opened: WeakSet[asyncio.Transport]) -> None:
        self.url = url
        self.hub = hub
        self._service = service
        self._opened = opened

    @property
    def requests(self) -> list[Asked]:
        """All that came, in order; a WebSocket is one."""
        return self._service.asked

    def refuse(self, code: str, *, times: int = 1) -> None:
        """Answer the next requests with an error.

        Args:
            code: of the table of errors, such as `unavailable`, `not-authorized` or `offset-gone`.
            times: how many.

        Raises:
            ValueError: the table has no such code.
        """
        kind = next((kind for kind in error_table() if kind.code == code), None)
        if kind is None:
            raise ValueError(f"there is no error {code!r}; see headwater.errors")
        self._service.refusals.extend(kind("the test says so") for _ in range(times))

    def cut(self) -> None:
        """Reset all connections, as a network does that goes away."""
        for transport in list(self._opened):
            transport.abort()


@asynccontextmanager
async def running_server(limits: Limits = LIMITS) -> AsyncIterator[RunningServer]:
    """A server in the loop of the test, on a port of its own.

    Args:
        limits: of its hub.
    """
    async with Hub("memory:", limits=limits) as hub:
        service, opened = _Service(hub), WeakSet[asyncio.Transport]()
        shared = Shared(service, ConnectionLimits(), TrustedProxies(()))
        listening = await asyncio.get_running_loop().create_server(lambda: _Connection(shared, opened), "127.0.0.1", 0)
        host, port = listening.sockets[0].getsockname()[:2]
        server = RunningServer(hub, service, f"http://{host}:{port}/v1/stream/", opened)
        try:
            yield server
        finally:
            listening.close()
            server.cut()
            await asyncio.sleep(0)  # the connections are told


class ThreadedServer:
    """A server in a thread of its own; made by `server_in_thread`.

    Attributes:
        url: see `RunningServer`.
    """

    def __init__(self, server: RunningServer, loop: asyncio.AbstractEventLoop) -> None:
        self.url = server.url
        self._server = server
        self._loop = loop

    @property
    def requests(self) -> list[Asked]:
        """See `RunningServer.requests`."""
        return list(self._server.requests)

    def refuse(self, code: str, *, times: int = 1) -> None:
        """See `RunningServer.refuse`."""
        self.run(self._later(lambda: self._server.refuse(code, times=times)))

    def cut(self) -> None:
        """See `RunningServer.cut`."""
        self.run(self._later(self._server.cut))

    def hub(self, use: Callable[[Hub], Coroutine[Any, Any, T]]) -> T:
        """Use the hub: `server.hub(lambda hub: hub.append("jobs/7", {"done": 1}))`."""
        return self.run(use(self._server.hub))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something in the server's loop, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _later(self, act: Callable[[], None]) -> None:
        act()


@contextmanager
def server_in_thread(limits: Limits = LIMITS) -> Iterator[ThreadedServer]:
    """A server for tests that are not asynchronous.

    Args:
        limits: of its hub.
    """
    started: deque[ThreadedServer | BaseException] = deque()
    ready, over = threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with running_server(limits) as server:
            started.append(ThreadedServer(server, asyncio.get_running_loop()))
            ready.set()
            await over.wait()

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            started.append(error)
            ready.set()

    thread = threading.Thread(target=run, name="headwater.testing")
    thread.start()
    ready.wait()
    found = started[-1]
    if isinstance(found, BaseException):
        thread.join()
        raise found
    try:
        yield found
    finally:
        found._loop.call_soon_threadsafe(over.set)
        thread.join()
