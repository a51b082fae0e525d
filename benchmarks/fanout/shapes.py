"""What the publisher and the readers do."""

from __future__ import annotations

import msgspec


class Shape(msgspec.Struct, frozen=True):
    """How many readers there are, and how many records go to each.

    Attributes:
        rate: records a second; 0: none, the readers only connect and are weighed.
        group: records that are published at once.
    """

    readers: int
    rate: int = 0
    group: int = 1

    @property
    def text(self) -> str:
        """The shape in words."""
        if not self.rate:
            return f"idle: {self.readers:,} readers"
        if self.group == 1:
            return f"paced: {self.readers:,} readers, {self.rate} records/s"
        return f"burst: {self.readers:,} readers, {self.rate:,} records/s in groups of {self.group}"


PACE = 50


def shapes(paced: list[int], burst: list[int], idle: list[int]) -> list[Shape]:
    """The shapes for these numbers of readers."""
    return [
        *(Shape(count, PACE) for count in paced),
        *(Shape(count, 1000, 10) for count in burst),
        *(Shape(count) for count in idle),
    ]
