"""A body into records, for formats whose records lie one behind the other; see delimited.py and msgpack.py.

Rule: a splitter holds what is not a whole record yet, and nothing else. What is malformed is told with the position of
the byte, counted from the start of what was fed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from headwater.errors import InvalidBody, TooManyRecords


class Splitter(ABC):
    """Takes bytes as they come and gives the records that they complete; one for each body.

    Args:
        max_records: that the body may have; None: any number.
    """

    def __init__(self, max_records: int | None = None) -> None:
        self._most = max_records
        self._count = 0
        self._held = b""
        self._position = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes and give the records that are whole now.

        Raises:
            InvalidBody: they are none; the splitter is of no use any more.
            TooManyRecords: there are more than `max_records`.
        """
        data = self._held + data if self._held else data
        found: list[bytes] = []
        at = 0
        while at < len(data) and (end := self._end_of(data, at)) is not None:
            self._count += 1
            if self._most is not None and self._count > self._most:
                raise TooManyRecords(f"the body has more than max_append_records={self._most} records")
            found.append(data if end - at == len(data) else data[at:end])
            at = end
        self._held = data[at:]
        self._position += at
        return found

    def end(self) -> None:
        """There is nothing more.

        Raises:
            InvalidBody: the last record is not whole.
        """
        if self._held:
            raise self.malformed(f"the {self.noun} that begins there is not whole", 0)

    def malformed(self, reason: str, at: int) -> InvalidBody:
        """The error for what is no record.

        Args:
            reason: why.
            at: where, in what is not taken yet.
        """
        position = self._position + at
        return InvalidBody(f"the body is not {self.format}: byte {position}: {reason}", position=position)

    #: What the format is called.
    format: str
    #: What a record is called.
    noun: str

    @abstractmethod
    def _end_of(self, data: bytes, at: int) -> int | None:
        """Where the record ends that begins at `at`; None: it is not whole.

        Raises:
            InvalidBody: there is none; see `malformed`.
        """


def split_whole(splitter: Splitter, body: bytes) -> tuple[bytes, ...]:
    """The records of a body that is whole.

    Raises:
        InvalidBody, TooManyRecords: see `Splitter`.
    """
    records = splitter.feed(body)
    splitter.end()
    return tuple(records)
