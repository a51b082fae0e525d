"""The servers that are compared: how each is started, published to and read."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal, Self
from urllib.parse import quote

from benchmarks import servers, tools
from benchmarks.fanout import nginx, peers
from benchmarks.fanout.publisher import JSON_TYPE, TOPIC, Grouping
from benchmarks.servers import Kind

#: How a reader comes back: it sends Last-Event-ID, or an offset in its URL.
Resume = Literal["resume-by-id", "resume-by-offset"]


def _nothing() -> str | None:
    return None


@dataclass(frozen=True)
class Broadcaster:
    """A server that fans out.

    Attributes:
        kind: how it is started.
        publish: URL path of POST, or of the publisher's WebSocket.
        events: URL path of the readers.
        grouping: how several records are published at once.
        headers: of what is published.
        reader: the C program of its readers.
        words: further arguments of that program.
        create: its stream must be created.
        resume: how its readers come back; None: they cannot.
        missing: the reason why it cannot run here; may install it.
    """

    kind: Kind
    publish: str
    events: str
    grouping: Grouping
    headers: tuple[str, ...] = JSON_TYPE
    reader: str = "sse_readers"
    words: tuple[str, ...] = ()
    create: bool = False
    resume: Resume | None = None
    missing: Callable[[], str | None] = _nothing

    @property
    def name(self) -> str:
        """What the table calls it."""
        return self.kind.name

    def of(self, tree: Path) -> Self:
        """The same of another checkout."""
        return replace(self, kind=self.kind.of(tree))


def _sse_starlette(port: int, data: Path) -> list[str]:
    options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    folder = ["--app-dir", str(tools.HERE / "peers"), "--port", str(port)]
    return [str(peers.python()), "-m", "uvicorn", *folder, *options, "sse_starlette_app:app"]


def _node_script(name: str) -> Callable[[int, Path], list[str]]:
    return lambda port, data: [*tools.node(), str(tools.HERE / "peers" / name), str(port)]


def _asgi(*words: str) -> Callable[[int, Path], list[str]]:
    """The application of plain_asgi.py; {port} and {peers} stand for themselves."""

    def command(port: int, data: Path) -> list[str]:
        known = {"port": port, "peers": tools.HERE / "peers"}
        return [sys.executable, "-m", *(word.format(**known) for word in words)]

    return command


def _websockets(port: int, data: Path) -> list[str]:
    return [str(peers.python()), str(tools.HERE / "peers" / "websockets_server.py"), str(port)]


#: The key, and a token signed with it (HS256) that says {"mercure": {"publish": ["*"]}}.
_MERCURE_KEY = "a key for this benchmark, of thirty-two bytes or more"
_MERCURE_TOKEN = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJtZXJjdXJlIjp7InB1Ymxpc2giOlsiKiJdfX0."
    "vl4Mq4u3qwDbUhdP6a0MW4o_lkWfHV7qqYGOf5jDy3E"
)


def _mercure(port: int, data: Path) -> list[str]:
    options = ["--addr", f"127.0.0.1:{port}", "--jwt-key", _MERCURE_KEY, "--allow-anonymous"]
    # Without a history, which would be a file.
    return [str(tools.go_program(peers.MERCURE)), *options, "--transport-url", "local://local"]


def _centrifugo(port: int, data: Path) -> list[str]:
    config = data / "centrifugo.json"
    config.write_text('{"uni_sse": true, "allow_subscribe_for_client": true, "allow_subscribe_for_anonymous": true}')
    options = ["--address", "127.0.0.1", "--port", str(port), "--api_insecure", "--client_insecure"]
    return [str(tools.go_program(peers.CENTRIFUGO)), "--config", str(config), *options, "--log_level", "none"]


def _streams(kind: Kind, missing: Callable[[], str | None] = _nothing) -> Broadcaster:
    """A server of the Durable Streams protocol."""
    stream = "/v1/stream/load"
    events = f"{stream}?offset=now&live=sse"
    return Broadcaster(kind, stream, events, "array", create=True, resume="resume-by-offset", missing=missing)


def _headwater(kind: Kind) -> Broadcaster:
    stream = "/v1/stream/load"
    return Broadcaster(kind, stream, f"{stream}?offset=now", "array", create=True, resume="resume-by-id")


FLOOR = Broadcaster(
    Kind("C floor", lambda port, data: [str(tools.compile_c("floor_server")), str(port)]),
    "/publish",
    "/events",
    "lines",
)
HEADWATER = _headwater(Kind("headwater", servers.MEMORY.command))
HEADWATER_SQLITE = _headwater(Kind("headwater sqlite", servers.SQLITE.command))
_UVICORN = ("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning")
UVICORN = _headwater(
    Kind(
        "headwater uvicorn",
        _asgi("uvicorn", "--app-dir", "{peers}", "--port", "{port}", *_UVICORN, "plain_asgi:wrapped"),
    )
)
HYPERCORN = _headwater(
    Kind(
        "headwater hypercorn",
        _asgi("hypercorn", "--worker-class", "uvloop", "--bind", "127.0.0.1:{port}", "{peers}/plain_asgi.py:app"),
    )
)
GRANIAN = _headwater(
    Kind(
        "headwater granian",
        _asgi(
            "granian",
            *("--interface", "asgi", "--loop", "uvloop", "--backpressure", "65536", "--log-level", "warning"),
            *("--port", "{port}", "{peers}/plain_asgi.py:app"),
        ),
    )
)
NCHAN = Broadcaster(
    Kind("Nchan", nginx.nchan),
    "/publish",
    "/events",
    "requests",
    resume="resume-by-id",
    missing=nginx.missing_nchan,
)
WS = Broadcaster(
    Kind("Node ws", _node_script("ws_server.mjs")),
    "/publish",
    "/",
    "lines",
    reader="ws_readers",
    missing=peers.install_node,
)
SOCKET_IO = Broadcaster(
    Kind("Socket.IO", _node_script("socketio_server.mjs")),
    "/publish",
    "/socket.io/?EIO=4&transport=websocket",
    "lines",
    reader="ws_readers",
    words=("socketio",),
    missing=peers.install_node,
)
WEBSOCKETS = Broadcaster(
    Kind("websockets", _websockets), "/publish", "/", "frames", reader="ws_readers", missing=peers.install
)
SSE_STARLETTE = Broadcaster(
    Kind("sse-starlette", _sse_starlette), "/publish", "/events", "lines", missing=peers.install
)
MERCURE = Broadcaster(
    Kind("Mercure", _mercure),
    "/.well-known/mercure",
    f"/.well-known/mercure?topic={TOPIC}",
    "updates",
    headers=("Content-Type: application/x-www-form-urlencoded", f"Authorization: Bearer {_MERCURE_TOKEN}"),
    missing=partial(peers.install_go, peers.MERCURE),
)
CENTRIFUGO = Broadcaster(
    Kind("Centrifugo", _centrifugo),
    "/api/batch",
    "/connection/uni_sse?cf_connect=" + quote(f'{{"subs":{{"{TOPIC}":{{}}}}}}'),
    "commands",
    missing=partial(peers.install_go, peers.CENTRIFUGO),
)
DS_NODE = _streams(Kind("DS Node", servers.NODE_MEMORY.command), peers.install_node)
DS_RUST = _streams(Kind("DS Rust", servers.RUST_MEMORY.command), peers.install_rust)
BROADCASTERS = (
    *(FLOOR, HEADWATER, NCHAN, MERCURE, CENTRIFUGO, WS, SOCKET_IO, WEBSOCKETS, SSE_STARLETTE),
    *(DS_NODE, DS_RUST),
)
#: Headwater under ASGI servers that keep their connections; measured when they are asked for by name.
PLAIN = (UVICORN, HYPERCORN, GRANIAN)
