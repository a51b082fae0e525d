"""The servers that are compared: each has a chat on the same scripted model, and how it is begun and watched."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from benchmarks import tools
from benchmarks.fanout import peers
from benchmarks.servers import Kind

PEERS = tools.HERE / "peers"
MODEL = PEERS / "scripted_model.py"


@dataclass(frozen=True)
class Chat:
    """A server with a chat.

    Attributes:
        kind: how it is started.
        start: URL path of the POST that begins an answer.
        watch: URL path of the GET that reads it, with {chat}; empty: nobody but who asked can read it.
        missing: the reason why it cannot run here; may install it.
    """

    kind: Kind
    start: str = "/api/chat"
    watch: str = "/api/chat/{chat}/stream"
    missing: Callable[[], str | None] = lambda: None

    @property
    def name(self) -> str:
        """What the table calls it."""
        return self.kind.name

    def of(self, tree: Path) -> Self:
        """The same of another checkout; the application is the one of this tree."""
        return replace(self, kind=self.kind.of(tree))

    @property
    def viewers(self) -> int:
        """Of each answer."""
        return 2 if self.watch else 1


def _uvicorn(python: Path | str, app: str, port: int) -> list[str]:
    options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    limits = ["--backlog", "4096", "--timeout-graceful-shutdown", "1"]
    return [str(python), "-m", "uvicorn", "--app-dir", str(PEERS), "--port", str(port), *options, *limits, app]


def _headwater(store: Callable[[Path], str]) -> Callable[[int, Path], list[str]]:
    def command(port: int, data: Path) -> list[str]:
        return ["env", f"LLM_STORE={store(data)}", *_uvicorn(sys.executable, "headwater_chat:app", port)]

    return command


def _peer(app: str) -> Callable[[int, Path], list[str]]:
    return lambda port, data: _uvicorn(peers.python(), app, port)


def _with_redis(command: Callable[[int, Path], list[str]]) -> Callable[[int, Path], list[str]]:
    return lambda port, data: [sys.executable, str(PEERS / "with_redis.py"), str(data), *command(port, data)]


def _resumable_stream(port: int, data: Path) -> list[str]:
    return [*tools.node(), str(PEERS / "resumable_stream_chat.mjs"), str(port)]


def redis_version() -> str:
    """Of `redis-server`; empty: there is none."""
    if shutil.which("redis-server") is None:
        return ""
    told = subprocess.run(["redis-server", "--version"], check=True, capture_output=True, text=True).stdout
    return told.split()[2].removeprefix("v=")


def _needs_redis(install: Callable[[], str | None]) -> Callable[[], str | None]:
    return lambda: install() if redis_version() else "there is no redis-server (Debian: redis-server)"


def _dialect(name: str) -> tuple[str, str]:
    return f"/api/chat?dialect={name}", f"/api/chat/{{chat}}/stream?dialect={name}"


def _memory(data: Path) -> str:
    return "memory:"


def _sqlite(data: Path) -> str:
    return f"sqlite:{data / 'runs.db'}?driver=apsw&synchronous=full"


HEADWATER = Chat(Kind("headwater", _headwater(_memory)), *_dialect("plain"))
HEADWATER_AI_SDK = Chat(Kind("headwater ai-sdk", _headwater(_memory)), *_dialect("ai-sdk"))
HEADWATER_SQLITE = Chat(Kind("headwater sqlite", _headwater(_sqlite)), *_dialect("plain"))
SSE_STARLETTE = Chat(Kind("sse-starlette", _peer("sse_starlette_chat:app")), watch="", missing=peers.install)
RESUMABLE_STREAM = Chat(
    Kind("resumable-stream", _with_redis(_resumable_stream)), missing=_needs_redis(peers.install_node)
)
ASSISTANT_STREAM = Chat(Kind("assistant-stream", _peer("assistant_stream_chat:app")), missing=peers.install)
ASSISTANT_STREAM_REDIS = Chat(
    Kind("assistant-stream Redis", _with_redis(_peer("assistant_stream_chat:app"))), missing=_needs_redis(peers.install)
)
CHATS = (
    HEADWATER,
    HEADWATER_AI_SDK,
    HEADWATER_SQLITE,
    SSE_STARLETTE,
    RESUMABLE_STREAM,
    ASSISTANT_STREAM,
    ASSISTANT_STREAM_REDIS,
)
