"""Records that follow each other in a log, as a read finds them: the data, and where the first one begins.

Rule: offsets and `Record`s are made when somebody asks for them. A page of an answer needs the data alone, and making
the rest would take most of its time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, islice, repeat
from typing import Final, overload

import msgspec

from headwater.model import Record
from headwater.protocol.framing import join_records
from headwater.protocol.offsets import Lineage, offsets_at
from headwater.protocol.principals import from_text

#: Milliseconds of a second.
MILLIS: Final = 1000

_numbers: Final = msgspec.json.Decoder(list[int]).decode


class Span(Sequence[Record]):
    """A sequence of records; equal to a tuple of the same.

    Args:
        lineage: of the stream.
        start: position of the first record's first byte that is here.
        data: of each record, at least one; of a JSON stream also as lines, none of them ended.
        times: when each record was appended, in milliseconds; also in one text, with commas between. None:
            nobody looks at them.
        by: who appended each, as `principals.to_text` has it; None: of none of them it is known, or nobody looks.

    Attributes:
        lines: the data as it was given; None: not as lines.
    """

    __slots__ = ("_by", "_data", "_lineage", "_records", "_start", "_times", "lines")

    def __init__(
        self,
        lineage: Lineage,
        start: int,
        data: list[bytes] | bytes,
        times: Sequence[int] | str | None,
        by: Sequence[str | None] | None = None,
    ) -> None:
        self.lines = data if isinstance(data, bytes) else None
        self._data = None if isinstance(data, bytes) else data
        self._lineage = lineage
        self._start = start
        self._times = times
        self._by = by
        self._records: tuple[Record, ...] | None = None

    @property
    def data(self) -> list[bytes]:
        """Of each record; not to be changed."""
        if self._data is None:
            assert self.lines is not None
            self._data = self.lines.split(b"\n")
        return self._data

    def offsets(self) -> list[bytes]:
        """The offset of each record, in ASCII."""
        ends = islice(accumulate(map(len, self._data or self.data), initial=self._start), 1, None)
        return offsets_at(self._lineage, list(ends))

    def _made(self) -> tuple[Record, ...]:
        if self._records is None:
            times = self._times
            if isinstance(times, str):
                times = _numbers(f"[{times}]")
            seconds = repeat(0.0) if times is None else [time / MILLIS for time in times]
            fields = map(bytes.decode, self.offsets()), self.data, seconds
            by = () if self._by is None else ([None if text is None else from_text(text) for text in self._by],)
            self._records = tuple(map(Record, *fields, *by))
        return self._records

    def __len__(self) -> int:
        return len(self._data or self.data)

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
    return records._data or records.data if isinstance(records, Span) else [record.data for record in records]


def are_lines(records: Sequence[Record]) -> bool:
    """Whether the data came as lines, so that a body is made of them without a look at each."""
    return isinstance(records, Span) and records.lines is not None


def count_of(records: Sequence[Record]) -> int:
    """How many records there are, of which none is made for it."""
    if isinstance(records, Span) and records.lines is not None:
        return records.lines.count(b"\n") + 1
    return len(records)


def body_of(content_type: str, records: Sequence[Record]) -> bytes:
    """The records as the body of a read; see `framing.join_records`."""
    if isinstance(records, Span) and records.lines is not None:
        return b"".join((b"[", records.lines.replace(b"\n", b","), b"]"))
    return join_records(content_type, data_of(records))


def part_of(records: Sequence[Record], before: bytes, behind: bytes) -> bytes:
    """Some of the values of a JSON array that comes in parts.

    Args:
        records: the values, at least one.
        before: what precedes them: the array's opening, or the comma behind the part before.
        behind: what follows them: the array's end, or nothing.
    """
    if isinstance(records, Span) and records.lines is not None:
        return b"".join((before, records.lines.replace(b"\n", b","), behind))
    return b"".join((before, b",".join(data_of(records)), behind))


def offsets_of(records: Sequence[Record]) -> list[bytes]:
    """The offset of each record, in ASCII."""
    return records.offsets() if isinstance(records, Span) else [record.offset.encode() for record in records]
