"""Servers of ours from another checkout, such as the commit before, in turns with the ones of this tree."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol, Self, TypeVar

#: The beginning of the name of a server of ours.
OURS: Final = "headwater"


class Twofold(Protocol):
    """A server that another checkout may have, too."""

    @property
    def name(self) -> str:
        """What the table calls it."""
        ...

    def of(self, tree: Path) -> Self:
        """The same of the checkout `tree`."""
        ...


S = TypeVar("S", bound=Twofold)


def with_those_of(servers: Sequence[S], tree: Path | None) -> list[S]:
    """The servers, each of ours followed by that of the checkout `tree`, if there is one."""
    if tree is None:
        return list(servers)
    pairs = [(server, server.of(tree)) if server.name.startswith(OURS) else (server,) for server in servers]
    return [server for pair in pairs for server in pair]


def before_option(parser: argparse.ArgumentParser) -> None:
    """Where the other checkout is."""
    text = "another checkout, as of `git worktree add`: each server of ours is measured with its code, too"
    parser.add_argument("--before", type=Path, help=text)
