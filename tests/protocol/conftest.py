"""What the tests of the protocol share: cuts of bytes, and a log in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from headwater.model import Batch, StreamConfig
from headwater.protocol.batches import Row, build_batch
from headwater.protocol.ledger import Accepted, Append, StreamState, append, new_stream
from headwater.protocol.offsets import locate, offset_at

Pieces = tuple[bytes, ...]
Cuts = Callable[[bytes], Iterator[Pieces]]


def _every_cut(data: bytes) -> Iterator[Pieces]:
    yield (data,)
    yield tuple(data[at : at + 1] for at in range(len(data)))
    yield tuple(piece for at in range(len(data)) for piece in (b"", data[at : at + 1], b""))
    for at in range(1, len(data)):
        yield data[:at], data[at:]


@pytest.fixture(scope="session")
def every_cut() -> Cuts:
    """The same bytes whole, one by one, with empty pieces between, and in two at every point."""
    return _every_cut


class Log:
    """One stream, kept as a store would keep it, without a store.

    Args:
        content_type: the stream's.
        bodies: what is appended to it.
        close: close it after them.
    """

    def __init__(self, content_type: str, *bodies: bytes, close: bool = False) -> None:
        self.state: StreamState = new_stream("a", 7, StreamConfig(content_type), 0.0)
        self._rows: list[Row] = []
        for body in bodies:
            self.append(body)
        if close:
            self.append(b"", close=True)

    @property
    def tail(self) -> str:
        """The offset after the last record."""
        return offset_at(self.state.lineage, self.state.tail)

    def append(self, body: bytes, *, close: bool = False) -> None:
        """Add a body as POST does."""
        accepted = append(self.state, None, Append(body, close=close), 0.0)
        assert isinstance(accepted, Accepted)
        position = accepted.start
        for record in accepted.records:
            self._rows.append((position, record.data, round(record.at * 1000), None))
            position += len(record.data)

    def read(self, offset: str = "-1", limit: int = 1 << 30) -> Batch:
        """One batch, as a store reads it."""
        start = locate(self.state.lineage, offset, earliest=0, tail=self.state.tail)
        rows = [row for row in self._rows if row[0] + len(row[1]) > start]
        batch = build_batch(self.state, start, rows, limit)
        assert batch is not None
        return batch

    def batches(self, offset: str = "-1", limit: int = 1 << 30) -> Iterator[Batch]:
        """Batches from an offset up to the tail."""
        while True:
            batch = self.read(offset, limit)
            yield batch
            if batch.up_to_date:
                return
            offset = batch.next_offset


@pytest.fixture(scope="session")
def make_log() -> type[Log]:
    """Makes logs of one stream: `make_log(content_type, body, ..., close=False)`."""
    return Log
