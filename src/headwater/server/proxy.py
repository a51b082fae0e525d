"""Serve the proxy before a model's provider: `headwater llm proxy`."""

from __future__ import annotations

import logging
from functools import partial
from typing import Final

import msgspec
import uvicorn

from headwater.asgi import Hub
from headwater.hub import Limits
from headwater.llm import Runs, SourceLimits
from headwater.llm.proxy.app import Proxy
from headwater.llm.proxy.upstream import Upstream
from headwater.protocol.reading import HEARTBEAT_SECONDS
from headwater.server.run import DrainingServer, is_loopback, protocol_of, run_server, start_process
from headwater.server.settings import InvalidSettings, Settings

#: Seconds that open answers have when the proxy stops.
SHUTDOWN_SECONDS: Final = 10


class ProxySettings(msgspec.Struct, frozen=True, kw_only=True):
    """How the proxy is served.

    Attributes:
        upstream: the provider's base URL.
        key: the provider's; None: clients bring theirs.
        client_keys: what clients must send; none: whoever reaches the proxy may use it.
        host: address to listen on.
        port: port to listen on; 0: any.
        store: where runs are kept.
        keep_seconds: idle seconds after which a run is deleted; None: never.
        cancel_when_unwatched: seconds without a reader after which a run is stopped; None: never.
        stall_seconds: of the provider's silence after which its answer is given up.
        heartbeat_seconds: of silence after which readers of a run get a keepalive.
    """

    upstream: str
    key: str | None = None
    client_keys: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    port: int = 4438
    store: str = "sqlite:headwater-llm.db"
    keep_seconds: int | None = None
    cancel_when_unwatched: float | None = None
    stall_seconds: float = 600.0
    heartbeat_seconds: float = HEARTBEAT_SECONDS


def run_proxy(settings: ProxySettings) -> None:
    """Serve until told to stop.

    Raises:
        BadRequest: the upstream is not allowed.
        InvalidSettings: the address is not loopback, the provider's key is kept here, and clients need none.
        SystemExit: the server could not start; the log says why.
    """
    if settings.key is not None and not settings.client_keys and not is_loopback(settings.host):
        raise InvalidSettings(
            f"host {settings.host} is reachable from outside: anybody could spend the provider's key. Listen on "
            "127.0.0.1, or name the clients' keys with --client-keys-env"
        )
    start_process("info")
    # httpx2 logs each request, with its URL.
    logging.getLogger("httpx2").setLevel("WARNING")
    run_server(make_proxy_server(settings))


def make_proxy_server(settings: ProxySettings) -> DrainingServer:
    """The server for these settings, not yet started."""
    hub = Hub(settings.store, limits=Limits(heartbeat_seconds=settings.heartbeat_seconds))
    stall = settings.stall_seconds
    proxy = Proxy(
        Runs(hub, keep_seconds=settings.keep_seconds, limits=SourceLimits(stall_seconds=stall)),
        Upstream(settings.upstream, settings.key, read_seconds=stall),
        client_keys=settings.client_keys,
        cancel_when_unwatched=settings.cancel_when_unwatched,
    )
    config = uvicorn.Config(
        proxy,
        host=settings.host,
        port=settings.port,
        http=protocol_of(hub, Settings()),
        ws="none",
        lifespan="on",
        interface="asgi3",
        backlog=4096,
        server_header=False,
        date_header=False,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    return DrainingServer(config, hub, partial(hello, settings.upstream, settings.host))


def hello(upstream: str, host: str, port: int) -> str:
    """What to try first."""
    base = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    return f"""
Headwater stands before {upstream} at {base}

  OpenAI      OpenAI(base_url="{base}/v1")
  Anthropic   Anthropic(base_url="{base}")
  resumable   default_headers={{"Headwater-Run": "an id of yours"}}, then GET {base}/v1/runs/ID/stream

"""
