"""Records that follow each other in a log, as a read finds them: the data, and where the first one begins.

Rule: offsets and `Record`s are made when somebody asks for them. A page of an answer needs the data alone, and making
the rest would take most of its time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, islice
from typing import overload

from headwater.model import Record
from headwater.protocol.offsets import Lineage, offsets_at


class Span(Sequence[Record]):
    """A sequence of records; equal to a tuple of the same.

    Args:
        lineage: of the stream.
        start: position of the first record's first byte that is here.
        data: of each record.

    Attributes:
        data: as given; not to be changed.
    """

    __slots__ = ("_lineage", "_records", "_start", "data")

    def __init__(self, lineage: Lineage, start: int, data: list[bytes]) -> None:
        self.data = data
        self._lineage = lineage
        self._start = start
        self._records: tuple[Record, ...] | None = None

    def offsets(self) -> list[str]:
        """The offset of each record."""
        return offsets_at(self._lineage, list(islice(accumulate(map(len, self.data), initial=self._start), 1, None)))

    def _made(self) -> tuple[Record, ...]:
        if self._records is None:
            self._records = tuple(map(Record, self.offsets(), self.data))
        return self._records

    def __len__(self) -> int:
        return len(self.data)

    @overload
    def __getitem__(self, index: int) -> Record: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Record]: ...

    def __getitem__(self, index: int | slice) -> Record | Sequence[Record]:
        return self._made()[index]

    def __iter__(self) -> Iterator[Record]:
        return iter(self._made())

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Span):
            other = other._made()
        return self._made() == other

    def __hash__(self) -> int:
        return hash(self._made())

    def __repr__(self) -> str:
        return repr(self._made())


def data_of(records: Sequence[Record]) -> list[bytes]:
    """The data of each record."""
    return records.data if isinstance(records, Span) else [record.data for record in records]


def offsets_of(records: Sequence[Record]) -> list[str]:
    """The offset of each record."""
    return records.offsets() if isinstance(records, Span) else [record.offset for record in records]
