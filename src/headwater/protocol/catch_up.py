"""A catch-up read: what its head promises, the pieces that keep it, and when it cannot be kept (protocol section 5.6).

Rule 1: the tail, the closure and the failure of the moment of the head are the promise. What is appended later belongs
        to a later read, whatever the log gives meanwhile.
Rule 2: pieces follow each other without a hole, and end at the promised tail. A piece that does not follow breaks the
        promise: the body is cut, never ended.
Rule 3: a body of JSON is one array over all pieces, every other one their bytes one after another.
"""

from __future__ import annotations

from headwater.errors import StoreUnavailable
from headwater.model import Batch, Extent
from headwater.protocol.framing import is_json
from headwater.protocol.offsets import distance
from headwater.protocol.spans import data_of, part_of


def promise(first: Batch, rest: Extent | None = None) -> Extent:
    """What the head of a catch-up read says.

    Args:
        first: the first piece.
        rest: what there is behind it, looked up after it was read; None: nothing.
    """
    end: Batch | Extent = first if rest is None else rest
    return Extent(first.offset, end.next_offset, end.closed, first.content_type, end.failure)


def size_of(extent: Extent) -> int:
    """Bytes of record data in it."""
    size = distance(extent.offset, extent.next_offset)
    assert size is not None, "a store gives positions"
    return size


class CatchUp:
    """The body of one catch-up read, in the making.

    Args:
        extent: what was promised.
        piece_bytes: record data of one piece at most; a record that is kept whole and is larger comes alone.
    """

    __slots__ = ("_at", "_begun", "_is_json", "_left", "_piece_bytes")

    def __init__(self, extent: Extent, piece_bytes: int) -> None:
        self._at = extent.offset
        self._left = size_of(extent)
        self._is_json = is_json(extent.content_type)
        self._piece_bytes = piece_bytes
        self._begun = False

    @property
    def length(self) -> int | None:
        """Bytes of the body that are still to come; None: they depend on how many values there are."""
        return None if self._is_json else self._left

    def wanted(self) -> tuple[str, int] | None:
        """Where the next piece is to be read and how many bytes at most; None: the promise is kept."""
        return (self._at, min(self._left, self._piece_bytes)) if self._left else None

    def take(self, batch: Batch) -> bytes:
        """The part of the body that a batch makes, which was read as `wanted` says.

        Raises:
            StoreUnavailable: it is not what follows, so that the promise cannot be kept.
        """
        step = distance(self._at, batch.next_offset)
        if batch.offset != self._at or step is None or not 0 < step <= self._left:
            raise StoreUnavailable(f"the store gave {batch.offset} to {batch.next_offset} for what follows {self._at}")
        self._at = batch.next_offset
        self._left -= step
        if not self._is_json:
            piece = b"".join(data_of(batch.records))
            if len(piece) != step:
                raise StoreUnavailable(f"the store gave {len(piece)} bytes for the {step} before {self._at}")
            return piece
        before = b"," if self._begun else b"["
        self._begun = True
        return part_of(batch.records, before, b"" if self._left else b"]")
