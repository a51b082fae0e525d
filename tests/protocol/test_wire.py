"""Text that appends cut inside characters comes out whole, and every offset told is one to come back to."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.errors import OffsetGone, error_table
from headwater.model import Batch, Record
from headwater.protocol.cursor import Data
from headwater.protocol.framing import complete_utf8
from headwater.protocol.ndjson import JsonLines
from headwater.protocol.sse_control import ControlEvents
from headwater.protocol.sse_plain import PlainEvents
from headwater.protocol.wire import Encoder, Regrouper, TextRecords, base64_of, problem

if TYPE_CHECKING:
    from tests.protocol.conftest import Log

TEXT = "aé€😀z"


def pieces_at(data: bytes, cuts: tuple[int, ...]) -> list[bytes]:
    ends = [*cuts, len(data)]
    return [data[start:end] for start, end in zip([0, *cuts], ends, strict=True) if start < end]


def regrouped(log: Log, offset: str = "-1", limit: int = 1 << 30) -> list[tuple[bytes, str]]:
    """What a reader is told: data, and the offset after it; batch by batch."""
    text = TextRecords()
    told: list[tuple[bytes, str]] = []
    for batch in log.batches(offset, limit):
        records, next_offset = text.regroup(batch)
        told += [(record.data, record.offset) for record in records]
        told.append((b"", next_offset))
        assert text.told(batch.next_offset) == next_offset
    return told


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 1 << 30])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_text_cut_anywhere_comes_out_in_whole_characters(make_log: type[Log], count: int, limit: int) -> None:
    """Every way to cut the text into appends, read in batches of any size: whole, and from every offset told."""
    data = TEXT.encode()
    for cuts in combinations(range(1, len(data)), count):
        log = make_log("text/plain", *pieces_at(data, cuts), close=True)
        so_far = b""
        for piece, offset in regrouped(log, limit=limit):
            assert complete_utf8(piece) == len(piece)
            so_far += piece
            rest = b"".join(more for more, _ in regrouped(log, offset))
            assert so_far + rest == data
        assert so_far == data


def test_one_byte_at_a_time(make_log: type[Log]) -> None:
    """A character in four appends is one record, at the offset after its last byte."""
    log = make_log("text/plain", *(bytes([byte]) for byte in "é😀".encode()))
    told = [(data.decode(), offset[-2:]) for data, offset in regrouped(log, limit=1) if data]
    assert told == [("é", "02"), ("😀", "06")]


def test_whole_records_are_passed_on_as_they_are(make_log: type[Log]) -> None:
    """Nothing is copied where nothing is cut."""
    batch = make_log("text/plain", b"a", "é".encode()).read()
    records, next_offset = TextRecords().regroup(batch)
    assert records is batch.records
    assert next_offset == batch.next_offset


def test_the_offset_told_lies_before_a_held_character(make_log: type[Log]) -> None:
    """While bytes are held, every offset is the one of the last whole character."""
    log = make_log("text/plain", b"ab\xf0")
    text = TextRecords()
    first = log.read()
    records, told = text.regroup(first)
    assert [record.data for record in records] == [b"ab"]
    assert told == records[0].offset == text.told(log.tail) < log.tail
    log.append(b"\x9f\x98")
    second = log.read(first.next_offset)
    assert text.regroup(second) == ((), told)
    log.append(b"\x80c")
    records, told = text.regroup(log.read(second.next_offset))
    assert [record.data for record in records] == ["😀c".encode()]
    assert told == text.told(log.tail) == log.tail


@pytest.mark.parametrize("broken", [b"a\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\xc3"])
def test_a_closed_stream_gives_out_what_can_never_be_whole(make_log: type[Log], broken: bytes) -> None:
    """The end comes with everything, also bytes that wait for a character in vain."""
    log = make_log("text/plain", broken)
    text = TextRecords()
    first = log.read()
    before, _ = text.regroup(first)
    log.append(b"", close=True)
    after, told = text.regroup(log.read(first.next_offset))
    assert b"".join(record.data for record in (*before, *after)) == broken
    assert told == after[-1].offset == text.told(log.tail) == log.tail


@given(appends=st.lists(st.binary(min_size=1, max_size=6), min_size=1, max_size=8), limit=st.integers(1, 20))
def test_no_byte_is_lost_or_repeated(make_log: type[Log], appends: list[bytes], limit: int) -> None:
    """Bytes that are no UTF-8 pass through; from every offset told the rest is exactly the rest."""
    log = make_log("text/plain", *appends, close=True)
    data = b"".join(appends)
    so_far = b""
    for piece, offset in regrouped(log, limit=limit):
        so_far += piece
        assert so_far + b"".join(more for more, _ in regrouped(log, offset)) == data
    assert so_far == data


@pytest.mark.parametrize("content_type", ["application/json", "application/octet-stream", "image/png"])
def test_only_text_is_regrouped(content_type: str) -> None:
    """JSON values and bytes are never held, whatever they end with."""
    batch = Batch("-1", (Record("0000000000000001_0000000000000001", b"\xc3"),), "n", True, False, content_type)
    regrouper = Regrouper(content_type)
    assert regrouper.regroup(batch) == (batch.records, "n")
    assert regrouper.told("n") == "n"


def test_text_types_are_regrouped(make_log: type[Log]) -> None:
    """Any text type, with parameters and in any case."""
    regrouper = Regrouper("Text/Markdown; charset=utf-8")
    records, told = regrouper.regroup(make_log("text/markdown", b"a\xc3").read())
    assert [record.data for record in records] == [b"a"]
    assert told == regrouper.told("another") == records[0].offset


def test_base64_has_padding_and_one_line() -> None:
    """Standard base64 in one line, however long (RFC 4648 section 4)."""
    assert base64_of(b"") == b""
    assert base64_of(b"\xfb\xff") == b"+/8="
    assert b"\n" not in base64_of(bytes(1000))


def test_every_error_is_the_same_kind_of_problem() -> None:
    """Each error says what, why and what to do, with its details beside."""
    for kind in error_table():
        told = problem(kind("why"))
        assert told == {
            "type": f"urn:headwater:error:{kind.code}",
            "title": kind.title(),
            "status": kind.status,
            "code": kind.code,
            "detail": "why",
            "advice": kind.advice,
        }
    assert problem(OffsetGone("gone", earliest="0_1"))["earliest"] == "0_1"


def test_what_is_held_can_be_seen(make_log: type[Log]) -> None:
    """Nothing, the first bytes of a character, nothing again; never anything but text."""
    log = make_log("text/plain", b"a\xe2")
    regroupers = Regrouper("text/plain"), Regrouper("image/png")
    assert [regrouper.held for regrouper in regroupers] == [b"", b""]
    first = log.read()
    for regrouper in regroupers:
        regrouper.regroup(first)
    assert [regrouper.held for regrouper in regroupers] == [b"\xe2", b""]
    log.append(b"\x82\xac")
    regroupers[0].regroup(log.read(first.next_offset))
    assert regroupers[0].held == b""


def encoders(content_type: str) -> list[Encoder]:
    return [JsonLines(content_type), PlainEvents(content_type), ControlEvents(content_type, None, 1)]


@pytest.mark.parametrize("which", [0, 1, 2])
@pytest.mark.parametrize("body", [b"ab", b"a\xe2", b"\xe2\x82", b""])
def test_readers_of_equal_state_are_told_the_same(make_log: type[Log], which: int, body: bytes) -> None:
    """Who came to a place in one batch and who came in many are told the same from there on, if their states agree."""
    log = make_log("text/plain", *([body] if body else []))
    at_once, bit_by_bit = encoders("text/plain")[which], encoders("text/plain")[which]
    at_once.encode(Data(log.read()), 2e9)
    for batch in log.batches(limit=1):
        bit_by_bit.encode(Data(batch), 2e9)
    assert at_once.state() == bit_by_bit.state()
    place = log.tail
    log.append(b"\x82\xacz", close=True)
    last = Data(log.read(place))
    assert at_once.encode(last, 2e9) == bit_by_bit.encode(last, 2e9) != b""


@pytest.mark.parametrize("which", [0, 1, 2])
def test_readers_who_hold_different_bytes_differ_in_state(make_log: type[Log], which: int) -> None:
    """A reader who came inside a character holds less than one who came before it."""
    log = make_log("text/plain", b"a\xe2")
    before, inside = encoders("text/plain")[which], encoders("text/plain")[which]
    before.encode(Data(log.read()), 2e9)
    inside.encode(Data(log.read(log.tail)), 2e9)
    assert before.state() != inside.state()
