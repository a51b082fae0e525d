"""Times, counted in buckets at most 1 % wide, so that those of many processes can be added."""

from __future__ import annotations

from typing import Final

import msgspec

_SUB_BITS: Final = 7


class Histogram(msgspec.Struct):
    """Times in microseconds.

    Attributes:
        counts: of each bucket, by its number.
        longest: the longest time, exactly.
    """

    counts: dict[int, int] = {}
    longest: int = 0

    @property
    def total(self) -> int:
        """How many there are."""
        return sum(self.counts.values())

    def add(self, micros: int) -> None:
        """Count one; clocks that disagree by a hair make no time below zero."""
        micros = max(0, micros)
        self.longest = max(self.longest, micros)
        number = bucket(micros)
        self.counts[number] = self.counts.get(number, 0) + 1

    def merge(self, other: Histogram) -> None:
        """Count all of another's."""
        self.longest = max(self.longest, other.longest)
        for number, count in other.counts.items():
            self.counts[number] = self.counts.get(number, 0) + count

    def percentile(self, share: float) -> float:
        """The time in milliseconds that this share is not above; 0 when there is none."""
        rank, seen = share * self.total, 0
        for number in sorted(self.counts):
            seen += self.counts[number]
            if seen >= rank:
                return min(_value(number), self.longest) / 1000
        return 0.0


def bucket(value: int) -> int:
    """The number of a value's bucket."""
    shift = max(0, value.bit_length() - 1 - _SUB_BITS)
    return (shift << _SUB_BITS) + (value >> shift)


def _value(number: int) -> int:
    shift = max(0, (number >> _SUB_BITS) - 1)
    return (number - (shift << _SUB_BITS)) << shift
