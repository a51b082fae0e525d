"""Serve the proxy before a model's provider: `headwater llm proxy`."""

from __future__ import annotations

import logging
import os
from functools import partial
from typing import Final

import msgspec

from headwater.asgi import Hub
from headwater.http.forwarded import TrustedProxies
from headwater.hub import Limits
from headwater.hub.limits import check_numbers
from headwater.llm import Runs, SourceLimits
from headwater.llm.proxy.access import Access
from headwater.llm.proxy.app import Proxy
from headwater.llm.proxy.upstream import Upstream
from headwater.protocol.cors import LOOPBACK
from headwater.protocol.cursor import HEARTBEAT_SECONDS
from headwater.server.inherited import inherited, place_of
from headwater.server.listener import bind
from headwater.server.run import is_loopback, reachable, run_server, start_process
from headwater.server.server import Server
from headwater.server.settings import InvalidSettings, Settings, check_settings, hosts_of
from headwater.server.shared import ConnectionLimits, Shared

#: Seconds that open answers have when the proxy stops.
SHUTDOWN_SECONDS: Final = 10


class ProxySettings(msgspec.Struct, frozen=True, kw_only=True):
    """How the proxy is served.

    Attributes:
        upstream: the provider's base URL.
        key: the provider's; None: clients bring theirs.
        client_keys: what clients must send; none: whoever reaches the proxy may use it.
        cors_origins: as of `headwater serve`.
        allowed_hosts: as of `headwater serve`; every name beyond loopback, unless given.
        insecure: listen beyond loopback although clients need no key.
        host: address to listen on; other than loopback only with client keys, or with `insecure`.
        port: port to listen on; 0: any.
        fd: descriptor of a socket to listen on, as of `headwater serve`; host and port are then its own.
        store: where runs are kept.
        keep_seconds: idle seconds after which a run is deleted; None: never.
        cancel_when_unwatched: seconds without a reader after which a run is stopped; None: never.
        stall_seconds: of the provider's silence after which its answer is given up.
        heartbeat_seconds: of silence after which readers of a run get a keepalive.
    """

    upstream: str
    key: str | None = None
    client_keys: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = (LOOPBACK,)
    allowed_hosts: tuple[str, ...] = (LOOPBACK,)
    insecure: bool = False
    host: str = "127.0.0.1"
    port: int = 4438
    fd: int | None = None
    store: str = "sqlite:headwater-llm.db"
    keep_seconds: int | None = None
    cancel_when_unwatched: float | None = None
    stall_seconds: float = 600.0
    heartbeat_seconds: float = HEARTBEAT_SECONDS


def run_proxy(settings: ProxySettings) -> None:
    """Serve until told to stop.

    Raises:
        BadRequest: the upstream is not allowed.
        CannotListen: the address, or a socket that was opened for the proxy, cannot be used.
        InvalidSettings: the address is not loopback, clients need no key, and `insecure` is not set; or a time is none.
        SystemExit: the server could not start; the log says why.
    """
    check_proxy_numbers(settings)
    start_process("info")
    sockets = inherited(settings.fd, os.environ)
    settings = msgspec.structs.replace(settings, **place_of(sockets))
    check_proxy_bind(settings)
    # httpx2 logs each request, with its URL.
    logging.getLogger("httpx2").setLevel("WARNING")
    run_server(make_proxy_server(settings), sockets or bind(settings.host, settings.port))


def check_proxy_numbers(settings: ProxySettings) -> None:
    """Refuse what is no time.

    Raises:
        InvalidSettings: one is not finite, negative, or zero where that means nothing.
    """
    try:
        check_numbers(
            settings,
            ("keep_seconds", "cancel_when_unwatched", "stall_seconds", "heartbeat_seconds"),
            {"cancel_when_unwatched"},
        )
    except ValueError as error:
        raise InvalidSettings(str(error)) from None


def check_proxy_bind(settings: ProxySettings) -> None:
    """Refuse to serve everybody by accident.

    Raises:
        InvalidSettings: the address is not loopback, clients need no key, and `insecure` is not set.
    """
    if settings.insecure or settings.client_keys or is_loopback(settings.host):
        return
    who = "spend the provider's key" if settings.key is not None else "use the proxy and guess at runs"
    raise InvalidSettings(
        f"{reachable(settings.host, settings.fd)}: anybody could {who}. Listen on 127.0.0.1, name the "
        "clients' keys with --client-keys-env, or say --insecure"
    )


def access_of(settings: ProxySettings) -> Access:
    """Who may use the proxy. A page under a name of its own (DNS rebinding) has no key of a client.

    Raises:
        InvalidSettings: a name or an origin is none.
    """
    is_open = settings.insecure or (bool(settings.client_keys) and not is_loopback(settings.host))
    checked = check_settings(
        Settings(
            host=settings.host,
            allowed_hosts=settings.allowed_hosts,
            cors_origins=settings.cors_origins,
            insecure=is_open,
        )
    )
    return Access(settings.client_keys, settings.cors_origins, hosts_of(checked))


def make_proxy_server(settings: ProxySettings) -> Server:
    """The server for these settings, not yet started."""
    hub = Hub(settings.store, limits=Limits(heartbeat_seconds=settings.heartbeat_seconds))
    stall = settings.stall_seconds
    proxy = Proxy(
        Runs(hub, keep_seconds=settings.keep_seconds, limits=SourceLimits(stall_seconds=stall)),
        Upstream(settings.upstream, settings.key, read_seconds=stall),
        access=access_of(settings),
        cancel_when_unwatched=settings.cancel_when_unwatched,
    )
    # A client that gives up looks like one that has closed its side, and the provider's work for nobody costs money.
    shared = Shared(proxy, ConnectionLimits(takes_half_closed=False), TrustedProxies(()))
    return Server(
        shared,
        proxy.lifespan,
        shutdown_seconds=SHUTDOWN_SECONDS,
        hello=partial(hello, settings.upstream, settings.host),
    )


def hello(upstream: str, host: str, port: int | str) -> str:
    """What to try first; the path of a Unix socket is for a proxy."""
    if isinstance(port, str):
        return f"\nHeadwater stands before {upstream} at the Unix socket {port}\n\n"
    base = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    return f"""
Headwater stands before {upstream} at {base}

  OpenAI      OpenAI(base_url="{base}/v1")
  Anthropic   Anthropic(base_url="{base}")
  resumable   extra_headers={{"Headwater-Run": "an id of yours"}}, then GET {base}/v1/runs/ID/stream with the same key

"""
