"""The servers that are compared: two floors that answer with fixed bytes, and Headwater."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

from benchmarks import servers, tools
from benchmarks.servers import Kind


@dataclass(frozen=True)
class Peer:
    """A server.

    Attributes:
        name: what the table calls it.
        command: the command line, for a port, a folder for its data, and the responses to each of REQUESTS.
        stores: it keeps records, and its stream must be created.
        missing: the reason why it cannot run here.
    """

    name: str
    command: Callable[[int, Path, Sequence[str]], list[str]]
    stores: bool = True
    missing: Callable[[], str | None] = lambda: None

    def of(self, tree: Path) -> Self:
        """The same of another checkout."""
        found = self.kind(()).of(tree)
        return replace(self, name=found.name, command=lambda port, data, responses: found.command(port, data))

    def kind(self, responses: Sequence[str]) -> Kind:
        """The server; `responses` is what the floors answer."""
        return Kind(self.name, lambda port, data: self.command(port, data, responses), stores=self.stores)


def _headwater(name: str, kind: Kind) -> Peer:
    return Peer(name, lambda port, data, responses: kind.command(port, data))


FLOOR: Final = Peer(
    "C floor",
    lambda port, data, responses: [str(tools.compile_c("connect_server")), str(port), *responses],
    stores=False,
)
PYTHON: Final = Peer(
    "uvloop + httptools",
    lambda port, data, responses: [
        sys.executable,
        str(tools.HERE / "peers" / "connect_protocol.py"),
        str(port),
        *responses,
    ],
    stores=False,
)
PEERS: Final = (
    FLOOR,
    PYTHON,
    _headwater("headwater", servers.MEMORY),
    _headwater("headwater sqlite", servers.SQLITE),
)
