"""With what a stream of the model is made; see `testing.model`."""

from __future__ import annotations

from dataclasses import dataclass, field

from headwater.model import Expiry, Retention


@dataclass(frozen=True)
class ModelFork:
    """Where a fork leaves its source.

    Attributes:
        offset: the offset as asked for; None: the source's tail.
        anchor: the position it means now.
    """

    source: str
    offset: str | None = None
    sub_offset: int = 0
    anchor: int = field(default=0, compare=False)


@dataclass(frozen=True)
class ModelConfig:
    """With what an append may create its stream."""

    content_type: str
    expiry: Expiry
    retention: Retention
