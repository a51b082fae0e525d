"""Records of a read whose offsets are made late: the same as if they had been made at once."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from headwater.model import Principal, Record
from headwater.protocol.offsets import MAX_HALF, Lineage, Segment, offset_at
from headwater.protocol.spans import Span, data_of, offsets_of

LINEAGES: list[Lineage] = [(Segment(7, 0),), (Segment(3, 0), Segment(5, 4), Segment(8, 9)), (Segment(MAX_HALF, 0),)]

#: Milliseconds of this century.
TIMES = [1_700_000_000_123 + 142_857 * number for number in range(8)]

U1 = Principal("u1")

lineages = st.sampled_from(LINEAGES)
pieces = st.lists(st.binary(min_size=1, max_size=5), max_size=8)


def made(lineage: Lineage, start: int, data: list[bytes]) -> tuple[Record, ...]:
    """Each record with its offset, one after the other."""
    found: list[Record] = []
    for piece in data:
        start += len(piece)
        found.append(Record(offset_at(lineage, start), piece, TIMES[len(found)] / 1000))
    return tuple(found)


@given(lineages, st.integers(0, 12) | st.just(MAX_HALF - 45), pieces)
@example(LINEAGES[1], 3, [b"a", b"bc", b"def", b"ghij"])
def test_a_span_is_its_records(lineage: Lineage, start: int, data: list[bytes]) -> None:
    """As a sequence, and in each way of asking; over the edges of forks, too."""
    times = TIMES[: len(data)]
    span, records = Span(lineage, start, data, times), made(lineage, start, data)
    assert data_of(span) == data_of(records) == data
    assert offsets_of(span) == offsets_of(records) == [record.offset.encode() for record in span]
    assert (len(span), bool(span), tuple(span), list(reversed(span))) == (
        len(data),
        bool(data),
        records,
        list(reversed(records)),
    )
    assert span[1:] == records[1:]
    assert [span[index] for index in range(len(span))] == list(records)
    assert span == records
    assert records == span
    assert span == Span(lineage, start, list(data), ",".join(map(str, times)))
    assert [record.at for record in Span(lineage, start, data, None)] == [0.0] * len(data)
    named = Span(lineage, start, data, times, [None if number % 2 else '"u1"' for number in range(len(data))])
    assert [record.by for record in named] == [None if number % 2 else U1 for number in range(len(data))]
    assert (data_of(named), offsets_of(named)) == (data, offsets_of(span))
    assert (hash(span), repr(span)) == (hash(records), repr(records))
    assert span != (*records, Record("x", b""))
    assert span != 1
