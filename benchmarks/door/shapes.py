"""What the connections do."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from benchmarks.fanout.shapes import PACE


class Subscriptions(msgspec.Struct, frozen=True):
    """Connections that read many streams each."""

    connections: int
    streams: int

    @property
    def text(self) -> str:
        """The shape in words."""
        return f"subscriptions: {self.connections:,} connections with {self.streams} each, {PACE} records/s in all"

    @property
    def paths(self) -> Sequence[str]:
        """Of the streams."""
        return [f"/v1/stream/load-{number}" for number in range(self.streams)]


class Starved(Subscriptions, frozen=True):
    """The same, and one subscription more on each, which is out of credit."""

    @property
    def text(self) -> str:
        """The shape in words."""
        return f"starved: one out of credit beside {self.streams} on each of {self.connections:,} connections"
