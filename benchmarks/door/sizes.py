"""Bytes around a record: what frames, messages and offsets add to 98 bytes of JSON, in batches of 1, 10 and 100."""

from __future__ import annotations

from typing import Final

from benchmarks.turns import Figures, Runs
from headwater.model import Record
from headwater.protocol.offsets import format_offset
from headwater.protocol.websocket.codecs import CODECS

SHAPE: Final = "bytes around a record of 98 bytes, by records in a batch"
BATCHES: Final = (1, 10, 100)
_SIZE: Final = 98

#: The same of others, on 2026-11-28: messages of the libraries themselves, on the path `rooms/7/messages`.
OTHERS: Final[dict[str, tuple[float, float, float]]] = {
    "headwater SSE": (52, 45, 44),
    "headwater, own URL": (58, 58, 58),
    "Centrifugo JSON, by the channel's name": (73, 70, 70),
    "Centrifugo Protobuf, by the channel's name": (32, 28, 28),
    "Phoenix": (41, 41, 41),
    "graphql-transport-ws": (63, 63, 63),
    "Pusher": (68, 68, 68),
    "Action Cable": (70, 70, 70),
    "AnyCable, extended": (130, 130, 130),
    "Ably JSON": (218, 58, 42),
    "Durable Streams, live=sse": (148, 16, 2.5),
}


def around(subprotocol: str, count: int) -> float:
    """Bytes of one message of so many records, without the records, for each of them."""
    data = b'{"text":"%b"}' % (b"x" * (_SIZE - 11))
    records = tuple(Record(format_offset(1, _SIZE * number), data) for number in range(1, count + 1))
    message = CODECS[subprotocol].data(7, "application/json", records, envelope=False)
    return (len(message) - _SIZE * count) / count


def runs() -> list[Runs]:
    """Ours, computed, and the others'."""
    rows: dict[str, tuple[float, ...]] = {name: tuple(around(name, count) for count in BATCHES) for name in CODECS}
    return [Runs(name, SHAPE, [_figures(row)]) for name, row in {**rows, **OTHERS}.items()]


def _figures(row: tuple[float, ...]) -> Figures:
    return {f"of_{count}": value for count, value in zip(BATCHES, row, strict=True)}
