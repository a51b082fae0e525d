"""`headwater serve`: from settings to a server that runs."""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import os
import socket
import ssl
from functools import partial
from typing import Final

import msgspec

from headwater.asgi import Hub
from headwater.errors import MissingExtra
from headwater.http.forwarded import TrustedProxies
from headwater.http.streams import StreamService
from headwater.protocol.compression import Compressor
from headwater.server.access_files import check_seconds, guard_of, has_access, open_with_keys, reload_keys
from headwater.server.allocator import return_freed_memory
from headwater.server.inherited import inherited, place_of
from headwater.server.schema_files import load_schemas
from headwater.server.settings import InvalidSettings, Settings, compression_of, hosts_of, limits_of
from headwater.stores import Store

try:
    import httptools  # noqa: F401
    import websockets  # noqa: F401
except ImportError:
    raise MissingExtra.of("headwater serve", "server") from None

from headwater.server.listener import bind
from headwater.server.server import Server
from headwater.server.shared import ConnectionLimits, Shared

_log: Final = logging.getLogger("headwater")


def run(settings: Settings) -> None:
    """Serve until told to stop.

    Raises:
        InvalidSettings: the address is not loopback, and `insecure` is not set; or TLS cannot be had.
        CannotListen: the address, or a socket that was opened for the server, cannot be used.
        SystemExit: the server could not start; the log says why.
    """
    start_process(settings.log_level)
    sockets = inherited(settings.fd, os.environ)
    settings = msgspec.structs.replace(settings, **place_of(sockets))
    check_bind(settings)
    run_server(make_server(settings), sockets or bind(settings.host, settings.port))


def start_process(log_level: str) -> None:
    """What the process of a server needs before anything of it is made: file descriptors, memory and a log."""
    raise_file_limit()
    return_freed_memory()
    logging.basicConfig(level=log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")


def run_server(server: Server, sockets: list[socket.socket]) -> None:
    """Serve until told to stop.

    Args:
        server: not yet started.
        sockets: to listen on.

    Raises:
        SystemExit: the server could not start, with 1; the log says why.
    """
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets)


def make_server(settings: Settings, store: Store | None = None) -> Server:
    """The server for these settings, not yet started.

    Args:
        settings: all of them.
        store: where the logs live; None: as the settings say.

    Raises:
        InvalidSettings: the certificate or its key, or a schema, cannot be used.
        MissingExtra: a schema is given, and what checks it is not installed.
    """
    check_seconds(settings)
    guard = guard_of(settings)
    hub = Hub(
        store or settings.store,
        limits=limits_of(settings),
        schemas=load_schemas(settings.schemas),
        hash_paths=settings.hash_paths,
    )
    service = StreamService(
        hub,
        prefix=settings.prefix,
        cors_origins=settings.cors_origins,
        allowed_hosts=hosts_of(settings),
        with_page=settings.page,
        introspection=settings.introspection,
        compression=compression_of(settings),
        serve_private=settings.serve_private,
        multi=settings.multi,
        authorize=guard,
    )
    warn_of_missing(service.compressor)
    if guard is not None and settings.store.startswith("memory:"):
        _log.warning(
            "the store is memory: what is revoked is forgotten when the server stops, and tokens are good again"
        )
    tls = tls_of(settings)
    reload_tls = None if tls is None else partial(load_certificate, tls, settings)
    limits = ConnectionLimits(
        max_connections=settings.max_connections,
        max_header_bytes=settings.max_header_bytes,
        head_seconds=settings.head_seconds,
        keep_alive_seconds=settings.keep_alive_seconds,
        access_log=settings.access_log,
    )
    shared = Shared(service, limits, TrustedProxies(settings.trusted_proxies), "http" if tls is None else "https")
    hello = partial(banner, settings) if settings.banner else None
    return Server(
        shared,
        partial(open_with_keys, hub, guard),
        tls=tls,
        reload_tls=reload_tls,
        reload_keys=None if guard is None else partial(reload_keys, guard, settings),
        shutdown_seconds=settings.shutdown_seconds,
        hello=hello,
    )


def tls_of(settings: Settings) -> ssl.SSLContext | None:
    """How connections are encrypted; None: they are not.

    Raises:
        InvalidSettings: the certificate or its key cannot be used.
    """
    if settings.tls_cert is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.set_alpn_protocols(["http/1.1"])
    load_certificate(context, settings)
    return context


def load_certificate(context: ssl.SSLContext, settings: Settings) -> None:
    """Read the certificate and its key, for connections from now on.

    Raises:
        InvalidSettings: they cannot be used; the context is as it was.
    """
    assert settings.tls_cert is not None
    try:
        # Tried on another context first: half of a pair that does not fit would stay.
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(settings.tls_cert, settings.tls_key)
        context.load_cert_chain(settings.tls_cert, settings.tls_key)
    except OSError as error:  # those of OpenSSL are kinds of it
        raise InvalidSettings(
            f"the certificate of tls_cert={settings.tls_cert} with the key of tls_key={settings.tls_key} cannot be "
            f"used: {error.strerror or error}. Name two files in PEM that belong together"
        ) from None


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
        InvalidSettings: `host` is not a loopback address, there is no access, or neither TLS nor `behind_proxy`, and
            `insecure` is not set.
    """
    if settings.insecure or is_loopback(settings.host):
        return
    where = reachable(settings.host, settings.fd)
    if not has_access(settings):
        raise InvalidSettings(
            f"{where}, and there is no access control: anybody could read and write every stream. Name the keys of who "
            "issues tokens with --access-keys, listen on 127.0.0.1 behind a proxy that checks access, or say --insecure"
        )
    if settings.tls_cert is None and not settings.behind_proxy:
        raise InvalidSettings(
            f"{where}, and nothing is encrypted: whoever is on the way could take the tokens. Give --tls-cert and "
            "--tls-key, say --behind-proxy where a proxy in front encrypts, or --insecure"
        )


def reachable(host: str, fd: int | None) -> str:
    """In words: that an address, or the socket of a descriptor that is bound to it, is for everybody."""
    what = f"host {host} is" if fd is None else f"descriptor {fd} is a socket that listens on {host}, which is"
    return f"{what} reachable from outside"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


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


def banner(settings: Settings, port: int | str) -> str:
    """What to try first, with the server's own address; the path of a Unix socket is for a proxy."""
    if isinstance(port, str):
        return f"\nHeadwater serves {settings.store} at the Unix socket {port}\n\n"
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
