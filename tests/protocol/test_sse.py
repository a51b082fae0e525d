"""Event streams: what is encoded arrives, what the standard says is understood, and nothing breaks the parser."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.errors import TooLarge
from headwater.protocol.sse import Parser, ServerEvent, encode_comment, encode_event, encode_events, encode_retry

if TYPE_CHECKING:
    from tests.protocol.conftest import Cuts, Pieces

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "vectors" / "sse.json").read_text())["vectors"]

#: Bytes with everything in them that means something to a parser.
pieces_of_streams = st.sampled_from(
    [
        *(b"data", b"data:", b"data: ", b"event:", b"event: a", b"id:", b"id: 1", b"retry:", b"retry: 5"),
        *(b":", b" ", b"\n", b"\r", b"\r\n", b"\n\n", b"\0", b"\xef\xbb\xbf", b"\xef\xbb", b"\xff", b"9", b"x"),
    ]
)
streams = st.lists(pieces_of_streams | st.binary(max_size=5), max_size=40).map(b"".join)
#: Names and ids as the API lets them in.
names = st.binary(max_size=8).map(lambda name: name.translate(None, b"\r\n\0"))
ids = names.map(lambda name: name.lstrip(b" "))


def parse(pieces: Pieces, *, limit: int = 1 << 20) -> tuple[list[ServerEvent], bytes, int | None, bool]:
    """Everything a parser tells; the last is whether it gave up."""
    parser = Parser(max_event_bytes=limit)
    found: list[ServerEvent] = []
    too_large = False
    try:
        for piece in pieces:
            found += parser.feed(piece)
        parser.feed(b"")
    except TooLarge:
        too_large = True
    return found, parser.last_event_id, parser.retry, too_large


def one_line_end(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["name"]))
def test_every_cut_of_a_vector_gives_its_events(vector: dict[str, Any], every_cut: Cuts) -> None:
    """Where the network cuts the bytes never changes what the reader is told."""
    events = [
        ServerEvent(event["data"].encode("latin-1"), event["event"].encode("latin-1"), event["id"].encode("latin-1"))
        for event in vector["events"]
    ]
    expected = (events, vector["last_event_id"].encode("latin-1"), vector["retry"], False)
    for pieces in every_cut(vector["bytes"].encode("latin-1")):
        assert parse(pieces) == expected


def test_vectors_have_names_of_their_own() -> None:
    """A failure in any language can be found by its name."""
    assert len({vector["name"] for vector in VECTORS}) == len(VECTORS)


@given(stream=streams, data=st.data())
def test_any_cuts_of_any_bytes_give_the_same_events(stream: bytes, data: st.DataObject) -> None:
    """However often and wherever arbitrary bytes are cut, with a limit that some events pass."""
    at = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    limit = data.draw(st.sampled_from([0, 1, 4, 9, 1 << 20]))
    pieces = tuple(stream[start:end] for start, end in zip([0, *at], [*at, len(stream)], strict=True))
    whole = parse((stream,), limit=limit)
    assert parse(pieces, limit=limit) == whole
    assert parse(tuple(stream[n : n + 1] for n in range(len(stream))), limit=limit) == whole


@given(stream=st.binary(max_size=200) | streams)
def test_no_bytes_break_the_parser(stream: bytes) -> None:
    """Arbitrary bytes are read without an error, and give events without line ends in names and ids."""
    found, last_event_id, retry, too_large = parse((stream,))
    assert not too_large
    assert retry is None or retry >= 0
    for event in found:
        assert b"\r" not in event.data
        assert not set(event.event + event.id + last_event_id) & set(b"\r\n")
        assert b"\0" not in event.id


@given(data=st.binary(max_size=60) | streams, event=names, event_id=ids)
def test_an_encoded_event_arrives_alone_and_whole(data: bytes, event: bytes, event_id: bytes) -> None:
    """Any data, with line ends as line feeds; it never becomes a second event, a name or an id."""
    follower = encode_event(b"next")
    assert parse((encode_event(data, event=event, event_id=event_id) + follower,)) == (
        [ServerEvent(one_line_end(data), event, event_id), ServerEvent(b"next", b"", event_id)],
        event_id,
        None,
        False,
    )


@pytest.mark.parametrize(
    "attack",
    [
        b"x\n\ndata: forged",
        b"x\r\rdata: forged",
        b"x\r\n\r\nevent: forged\r\ndata: y",
        b"\nid: 9\n",
        b"\rretry: 1\r",
        b"\n",
        b"\r",
        b"\0\n\xef\xbb\xbfdata: forged\n\n",
        b"event: forged",
        b"\xc2\x85data: forged\xe2\x80\xa8data: forged",
    ],
)
def test_data_cannot_break_out_of_its_event(attack: bytes, every_cut: Cuts) -> None:
    """Data that looks like fields or the end of an event stays data."""
    for pieces in every_cut(encode_event(attack, event=b"e", event_id=b"1")):
        assert parse(pieces) == ([ServerEvent(one_line_end(attack), b"e", b"1")], b"1", None, False)


def test_events_look_as_documented() -> None:
    """The id, the name, a data field for each line; a space only where one would be taken away."""
    assert encode_event(b"a") == b"data:a\n\n"
    assert encode_event(b"") == b"data:\n\n"
    assert encode_event(b" a\n b\nc", event=b"n", event_id=b"1") == b"id:1\nevent: n\ndata:  a\ndata:  b\ndata:c\n\n"


@given(
    st.lists(
        st.sampled_from([b"", b"a", b" a", b"a\nb", b"a\rb", b"\0 a", b"a b", b"\xc3\xa9"]), min_size=1, max_size=5
    )
)
def test_many_events_are_each_of_them(pieces: list[bytes]) -> None:
    """What is encoded together is what each one is alone."""
    ids = [b"%03d" % number for number in range(len(pieces))]
    each = [encode_event(piece, event_id=id) for piece, id in zip(pieces, ids, strict=True)]
    assert encode_events(pieces, ids) == b"".join(each)


def test_comments_and_retry_are_no_events() -> None:
    """A comment is passed over; a retry changes the wait and gives nothing."""
    assert parse((encode_comment() + encode_comment(b"hi") + encode_retry(250),)) == ([], b"", 250, False)


def test_an_event_up_to_the_limit_passes_and_one_byte_more_does_not(every_cut: Cuts) -> None:
    """The limit counts the data, its line ends and the name, and holds for every cut alike."""
    event = b"event:ab\ndata:cd\ndata:ef\n\n"  # at most 2 + 3 bytes held, and a line of 7
    for pieces in every_cut(event):
        assert parse(pieces, limit=12) == ([ServerEvent(b"cd\nef", b"ab")], b"", None, False)
        assert parse(pieces, limit=11) == ([], b"", None, True)


@pytest.mark.parametrize("long", [b"data: 12345678", b"event: 1234567", b"id: 1234567890", b": 12345678901", b"x" * 13])
def test_a_long_line_of_any_kind_is_too_large(long: bytes, every_cut: Cuts) -> None:
    """Comments and unknown fields are held until they end, so they count too."""
    for pieces in every_cut(b"data: a\n\n" + long + b"\n\ndata: b\n\n"):
        assert parse(pieces, limit=12) == ([ServerEvent(b"a")], b"", None, True)


def test_events_before_a_long_one_are_given_first(every_cut: Cuts) -> None:
    """What `last_event_id` has passed was given out, in whatever pieces it came, and the error comes after it."""
    for pieces in every_cut(b"id: 1\ndata: a\n\nid: 2\ndata: 12345678901\n\n"):
        found, last_event_id, _, too_large = parse(pieces, limit=12)
        assert ([event.id for event in found], last_event_id, too_large) == ([b"1"], b"1", True)


def test_a_parser_that_gave_up_stays_so() -> None:
    """After TooLarge every further byte is TooLarge, also bytes that would be fine."""
    parser = Parser(max_event_bytes=4)
    for _ in range(3):
        with pytest.raises(TooLarge, match="4 bytes"):
            parser.feed(b"data: a\n\n")


@pytest.mark.parametrize(
    "piece", [b"x", b"data:\n", b"data:ab\n", b"event:abcdefgh\n", b"id:abcdefgh\n", b"xy", b":a\n"]
)
def test_memory_stays_near_the_limit(piece: bytes) -> None:
    """Endless pieces without a blank line hold a small multiple of the limit, however short they are."""
    limit = 20_000
    parser = Parser(max_event_bytes=limit)
    tracemalloc.start()
    try:
        for _ in range(4 * limit // len(piece)):
            parser.feed(piece)
    except TooLarge:
        pass
    finally:
        held = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert held < 5 * limit
