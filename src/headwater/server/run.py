"""Start, drain and stop a server.

What uvicorn does not do (0.54): it never tells an open answer that the server stops, and waits for it, by default for
ever; `lifespan.shutdown` comes after that wait. So the hub is drained first, and the wait has an end.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import ipaddress
import logging
import socket
import sys
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any, Final

from headwater.asgi import App, Hub
from headwater.errors import MissingExtra
from headwater.protocol.compression import Compressor
from headwater.server.settings import InvalidSettings, Settings, compression_of, hosts_of, limits_of, proxies_of

try:
    import httptools  # noqa: F401
    import uvicorn
except ImportError:
    raise MissingExtra.of("headwater serve", "server") from None

from headwater.server.connections import LimitedProtocol, limited_protocol
from headwater.server.door import door
from headwater.server.fastlane import FastLane
from headwater.server.lanes import lane_protocol

_log: Final = logging.getLogger("headwater")


class DrainingServer(uvicorn.Server):
    """uvicorn's server, which lets the hub's readers go before it waits for them.

    Args:
        config: uvicorn's.
        hub: whose readers these are.
        hello: what to print for a port, once it listens; None: nothing.
    """

    def __init__(self, config: uvicorn.Config, hub: Hub, hello: Callable[[int], str] | None = None) -> None:
        super().__init__(config)
        self._hub = hub
        self._hello = hello

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say what to try."""
        await super().startup(sockets)
        calm_garbage_collection()
        if self.started and self._hello is not None:
            port = self.servers[0].sockets[0].getsockname()[1]
            sys.stderr.write(self._hello(port))
            sys.stderr.flush()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, tell the readers to come back, finish what is under way, close the store."""
        for server in self.servers:
            server.close()
        self._hub.drain()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop on the first signal, at once on the second; the process then exits with 0, as asked to."""
        super().handle_exit(sig, frame)
        self._captured_signals.clear()


def run(settings: Settings) -> None:
    """Serve until told to stop.

    Raises:
        InvalidSettings: the address is not loopback, and `insecure` is not set.
        SystemExit: the server could not start; the log says why.
    """
    check_bind(settings)
    start_process(settings.log_level)
    run_server(make_server(settings))


def start_process(log_level: str) -> None:
    """What the process of a server needs before anything of it is made: file descriptors and a log."""
    raise_file_limit()
    logging.basicConfig(level=log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")


def run_server(server: DrainingServer) -> None:
    """Serve until told to stop.

    Raises:
        SystemExit: the server could not start; the log says why.
    """
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        raise SystemExit(1)


def make_server(settings: Settings) -> DrainingServer:
    """The server for these settings, not yet started."""
    hub = Hub(settings.store, limits=limits_of(settings))
    app = App(
        hub,
        prefix=settings.prefix,
        cors_origins=settings.cors_origins,
        allowed_hosts=hosts_of(settings),
        with_page=settings.page,
        introspection=settings.introspection,
        compression=compression_of(settings),
        serve_private=settings.serve_private,
    )
    warn_of_missing(app.compressor)
    protocol = protocol_of(hub, settings)
    http: type[asyncio.Protocol] = protocol
    if settings.fast_lane and not settings.access_log:
        lane = FastLane(hub, settings.prefix, hosts_of(settings), settings.cors_origins, app.compressor, app.private)
        http = door(lane_protocol(protocol, body_seconds=settings.body_seconds, lane=lane))
    options: dict[str, Any] = {"ssl_certfile": settings.tls_cert, "ssl_keyfile": settings.tls_key}
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=http,
        ws="none",
        lifespan="on",
        interface="asgi3",
        backlog=4096,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=proxies_of(settings),
        access_log=settings.access_log,
        log_level=settings.log_level,
        log_config=None,
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=settings.shutdown_seconds,
        **options,
    )
    return DrainingServer(config, hub, partial(banner, settings) if settings.banner else None)


def protocol_of(hub: Hub, settings: Settings) -> type[LimitedProtocol]:
    """The protocol of connections with the limits of a hub and of a server."""
    return limited_protocol(
        hub.stats,
        hub.limits,
        max_connections=settings.max_connections,
        max_header_bytes=settings.max_header_bytes,
        head_seconds=settings.head_seconds,
    )


def warn_of_missing(compressor: Compressor) -> None:
    """Say which codings cannot be offered, and what would help."""
    if compressor.missing:
        _log.warning(
            "no compression with %s: not installed. Install it with: pip install 'headwater[compress]'",
            ", ".join(compressor.missing),
        )


def check_bind(settings: Settings) -> None:
    """Refuse to serve everybody by accident.

    Raises:
        InvalidSettings: `host` is not a loopback address, and `insecure` is not set.
    """
    if settings.insecure or is_loopback(settings.host):
        return
    raise InvalidSettings(
        f"host {settings.host} is reachable from outside, and there is no access control: anybody could read and "
        "write every stream. Listen on 127.0.0.1 behind a proxy that checks access, or say --insecure"
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def calm_garbage_collection() -> None:
    """Look for cycles less often: requests make none, and what was loaded until now stays for good."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)


def raise_file_limit() -> None:
    """Let the process have as many connections as the system's hard limit allows."""
    try:
        import resource
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def banner(settings: Settings, port: int) -> str:
    """What to try first, with the server's own address."""
    scheme = "https" if settings.tls_cert else "http"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    base = f"{scheme}://{host}:{port}"
    stream = f"{base}{settings.prefix}hello"
    json_type = "-H 'content-type: application/json'"
    return "\n".join(
        [
            f"\nHeadwater serves {settings.store} at {base}\n",
            "  create    " + f"curl -X PUT  {stream} {json_type}",
            "  append    " + f'curl -X POST {stream} {json_type} -d \'{{"text": "hi"}}\'',
            "  read      " + f"curl -N {stream} -H 'accept: text/event-stream'",
            *([f"  or open   {base}/ in a browser"] if settings.page else []),
            "",
        ]
    )
