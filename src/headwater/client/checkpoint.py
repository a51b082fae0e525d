"""Where the place of a reader is kept between two lives of a program."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol


class Checkpoint(Protocol):
    """Where the place of a reader is kept."""

    def load(self) -> str | Awaitable[str | None] | None:
        """Where to begin; None: as `start` says."""
        ...

    def save(self, offset: str) -> Awaitable[None] | None:
        """All up to the offset is done with."""
        ...
