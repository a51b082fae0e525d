"""What the subprotocols cost: bytes around a record, as the reference page says."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater.protocol.offsets import Segment
from headwater.protocol.spans import Span
from headwater.protocol.websocket.codecs import CODECS

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "websocket.md"
#: Of the record that other protocols were measured with.
SIZE = 98


def around(name: str, count: int) -> float:
    """Bytes around each record of a batch, the frame's header among them."""
    record = b'"' + b"x" * (SIZE - 2) + b'"'
    records = Span((Segment(1, 0),), 1_000_000, [record] * count, None)
    whole = CODECS[name].data(4, "application/json", records, envelope=False)
    return (len(whole) - SIZE * count) / count


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("headwater.v1+json", (71, 14.9, 8.8)),
        ("headwater.v1+msgpack", (59, 12.5, 7.7)),
        ("headwater.v1+protobuf", (47, 11.9, 8.5)),
    ],
)
def test_bytes_around_a_record(name: str, most: tuple[float, ...]) -> None:
    """Not more than was planned, and what the page says."""
    found = [around(name, count) for count in (1, 10, 100)]
    assert all(each <= limit for each, limit in zip(found, most, strict=True))
    told = " | ".join(f"{each:.1f}".removesuffix(".0") for each in found)
    assert f"| `{name}` | {told} |" in PAGE.read_text("utf-8")
