"""Listen, serve, drain and stop.

A stop goes in this order: no more connections are taken; live readers are told when to come back; each response under
way is its connection's last; what is idle has a moment for a request that was on its way; then everything that is left
is cut, and the hub is closed.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import ssl
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack
from functools import partial
from typing import Any, Final

from headwater.errors import HeadwaterError
from headwater.http.socket_options import restrain_accepted
from headwater.server.connection import Connection
from headwater.server.inherited import address_of
from headwater.server.shared import Shared

_log: Final = logging.getLogger("headwater")

#: Connections that wait to be taken.
BACKLOG: Final = 4096
#: Seconds between two looks whether all have left.
_LOOK_SECONDS: Final = 0.05


class Server:
    """A service on sockets.

    Args:
        shared: what its connections share.
        lifespan: opens what is served, and closes it.
        tls: None: plain connections.
        reload_tls: called at SIGHUP, with TLS; what it raises is logged, and new connections are as before.
        reload_keys: called at SIGHUP, where there is access; the same.
        shutdown_seconds: how long a stop waits for responses under way before it cuts them.
        hello: what to print for a port, or for the path of a Unix socket, once it listens; None: nothing.

    Attributes:
        shared: as given.
        started: it has listened.
    """

    def __init__(
        self,
        shared: Shared,
        lifespan: Callable[[], AbstractAsyncContextManager[Any]],
        *,
        tls: ssl.SSLContext | None = None,
        reload_tls: Callable[[], None] | None = None,
        reload_keys: Callable[[], None] | None = None,
        shutdown_seconds: float = 10.0,
        hello: Callable[[int | str], str] | None = None,
    ) -> None:
        self.shared: Final = shared
        self.started = False
        self._lifespan = lifespan
        self._tls = tls
        self._reloads = {"certificate": reload_tls, "file of access keys": reload_keys}
        self._shutdown_seconds = shutdown_seconds
        self._hello = hello
        self._stop: asyncio.Event = asyncio.Event()
        self._at_once = False

    def run(self, sockets: Sequence[socket.socket]) -> None:
        """Serve in an event loop of its own, uvloop's where it is installed, until told to stop.

        Raises:
            SystemExit: what is served could not be opened; the log says why.
        """
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(self.serve(sockets))

    def stop(self) -> None:
        """Stop in order; called again, at once."""
        self._at_once = self._stop.is_set()
        self._stop.set()

    async def serve(self, sockets: Sequence[socket.socket]) -> None:
        """Serve until told to stop; see `run`."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop)
        if any(self._reloads.values()):
            loop.add_signal_handler(signal.SIGHUP, self._reload)
        try:
            lifespan = self._lifespan()
            await lifespan.__aenter__()
        except Exception as error:
            _log.error("the hub cannot be opened: %s", error, exc_info=not isinstance(error, HeadwaterError))
            raise SystemExit(1) from None
        try:
            await self._listen(sockets)
        finally:
            await lifespan.__aexit__(None, None, None)

    def _reload(self) -> None:
        for what, reload in self._reloads.items():
            if reload is None:
                continue
            try:
                reload()
            except HeadwaterError as error:
                _log.error("the %s was not read again: %s", what, error)
            else:
                _log.info("the %s was read again", what)

    async def _listen(self, sockets: Sequence[socket.socket]) -> None:
        loop = asyncio.get_running_loop()
        self.shared.restrained = all(restrain_accepted(sock, self.shared.runtime.limits) for sock in sockets)
        connect = partial(Connection, self.shared)
        with ExitStack() as listening:
            for sock in sockets:
                # A handshake is a head that does not come.
                seconds = None if self._tls is None else self.shared.limits.head_seconds
                server = await loop.create_server(
                    connect, sock=sock, ssl=self._tls, ssl_handshake_timeout=seconds, backlog=BACKLOG
                )
                listening.callback(server.close)
            calm_garbage_collection()
            self.started = True
            if self._hello is not None:
                sys.stderr.write(self._hello(address_of(sockets[0])[1]))
                sys.stderr.flush()
            await self._stop.wait()
        await self._finish()

    async def _finish(self) -> None:
        """Let everybody go; see the module."""
        shared, hub = self.shared, self.shared.service.hub
        shared.stopping = True
        hub.drain()
        for connection in [*shared.connections, *shared.turned_away]:
            connection.stop()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._shutdown_seconds
        while (shared.connections or shared.stats.pushed) and not self._at_once and loop.time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_SECONDS)
        for connection in [*shared.connections, *shared.turned_away]:
            connection.abort()
        for task in list(shared.tasks):
            task.cancel()
        await asyncio.gather(*shared.tasks, return_exceptions=True)


def calm_garbage_collection() -> None:
    """Look for cycles less often: requests make none, and what was loaded until now stays for good."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
