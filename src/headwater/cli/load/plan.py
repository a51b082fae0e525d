"""What a run of `headwater bench` does, and how much it may do."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import msgspec

MAX_READERS: Final = 20_000
MAX_RATE: Final = 100_000
MAX_SECONDS: Final = 3600.0
MAX_STREAMS: Final = 100
MAX_PROCESSES: Final = 64
#: The head of a record takes 61 bytes.
MIN_BYTES: Final = 64
MAX_BYTES: Final = 65_536
#: Connections that a process opens at the same time.
OPENING: Final = 64
#: Records of one append, at most; those that are due wait for the next.
MAX_GROUP: Final = 1000
#: Bytes of one append, at most.
MAX_APPEND: Final = 1_000_000


class Plan(msgspec.Struct, frozen=True):
    """A run, the same for all its processes.

    Attributes:
        url: scheme, host and port.
        targets: URL paths of the streams.
        headers: sent with every request.
        readers: over all processes and streams.
        rate: records a second, over all streams.
        seconds: how long is published.
        size: bytes of a record.
        timeout: seconds for a connection or an answer.
        grace: seconds for what was published to come.
        paths: the streams' own.
        door: URL path of the WebSocket by which they are read; empty: they are read over SSE.
    """

    url: str
    targets: tuple[str, ...]
    headers: tuple[tuple[str, str], ...]
    readers: int
    rate: float
    seconds: float
    size: int
    timeout: float
    grace: float
    paths: tuple[str, ...] = ()
    door: str = ""

    @property
    def host(self) -> str:
        """Where to connect to."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """Where to connect to."""
        parts = urlsplit(self.url)
        return parts.port or (443 if self.is_tls else 80)

    @property
    def is_tls(self) -> bool:
        """Whether over TLS."""
        return self.url.startswith("https:")

    @property
    def group(self) -> int:
        """Records of one append, at most."""
        return max(1, min(MAX_GROUP, MAX_APPEND // (self.size + 1)))

    def head(self, method: str, target: str, headers: dict[str, str]) -> bytes:
        """A request's head."""
        lines = [f"{method} {target} HTTP/1.1", f"Host: {urlsplit(self.url).netloc}"]
        lines += [f"{name}: {value}" for name, value in (*self.headers, *headers.items())]
        return "\r\n".join([*lines, "", ""]).encode()
