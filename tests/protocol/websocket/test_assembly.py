"""Messages out of frames: each vector whole, byte by byte, and cut at each point; what breaks the protocol, and how."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from headwater.protocol.websocket.assembly import (
    Assembler,
    Broken,
    Closing,
    Event,
    Message,
    Ping,
    Pong,
    whole_messages,
)

MAX = 1000


def masked(opcode: Opcode, data: bytes = b"", *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin=fin).serialize(mask=True)


TEXT, BINARY, CONT = Opcode.TEXT, Opcode.BINARY, Opcode.CONT
CLOSE, PING, PONG = Opcode.CLOSE, Opcode.PING, Opcode.PONG

VECTORS: dict[str, tuple[bytes, list[Event]]] = {
    # RFC 6455 section 5.7: a single-frame masked text message.
    "rfc": (bytes.fromhex("818537fa213d7f9f4d5158"), [Message(b"Hello", True)]),
    "empty": (masked(TEXT) + masked(BINARY), [Message(b"", True), Message(b"", False)]),
    "lengths": (
        masked(BINARY, bytes(125)) + masked(BINARY, bytes(126)) + masked(TEXT, b"x" * MAX),
        [Message(bytes(125), False), Message(bytes(126), False), Message(b"x" * MAX, True)],
    ),
    "fragments": (
        masked(TEXT, "käse".encode()[:2], fin=False) + masked(CONT, b"\xa4s", fin=False) + masked(CONT, b"e"),
        [Message("käse".encode(), True)],
    ),
    "empty-fragments": (masked(BINARY, fin=False) + masked(CONT, fin=False) + masked(CONT), [Message(b"", False)]),
    "control-between-fragments": (
        masked(TEXT, b"a", fin=False) + masked(PING, b"?") + masked(CONT, b"b") + masked(PONG, b"!"),
        [Ping(b"?"), Message(b"ab", True), Pong(b"!")],
    ),
    "close": (masked(CLOSE, b"\x03\xe8bye") + masked(TEXT, b"late"), [Closing(1000, "bye")]),
    "close-without-a-code": (masked(CLOSE), [Closing(1005, "")]),
    "close-in-a-message": (masked(TEXT, b"a", fin=False) + masked(CLOSE, b"\x0f\xa0"), [Closing(4000, "")]),
}

BROKEN: dict[str, tuple[bytes, int]] = {
    "unmasked": (Frame(TEXT, b"Hello").serialize(mask=False), 1002),
    "reserved-bit": (b"\xc1\x80" + bytes(4), 1002),
    "unknown-opcode": (b"\x83\x80" + bytes(4), 1002),
    "unknown-control": (b"\x8b\x80" + bytes(4), 1002),
    "long-ping": (b"\x89\xfe\x00\x7e" + bytes(4 + 126), 1002),
    "fragmented-ping": (b"\x09\x80" + bytes(4), 1002),
    "nothing-to-continue": (masked(CONT, b"x"), 1002),
    "message-in-a-message": (masked(TEXT, b"a", fin=False) + masked(TEXT, b"b"), 1002),
    "close-of-one-byte": (masked(CLOSE, b"\x03"), 1002),
    "close-with-a-reserved-code": (masked(CLOSE, b"\x03\xed"), 1002),
    "close-with-a-bad-reason": (masked(CLOSE, b"\x03\xe8\xff"), 1007),
    "no-utf8": (masked(TEXT, b"\xff"), 1007),
    "no-utf8-at-the-end": (masked(TEXT, b"\xc3"), 1007),
    "no-utf8-in-a-fragment": (masked(TEXT, b"a\xff", fin=False), 1007),
    "surrogate": (masked(TEXT, b"\xed\xa0\x80"), 1007),
    "too-big": (masked(BINARY, bytes(MAX + 1)), 1009),
    "too-big-in-its-head": (b"\x82\xff" + (2**63 - 1).to_bytes(8), 1009),
    "too-big-together": (masked(BINARY, bytes(MAX), fin=False) + masked(CONT, b"x"), 1009),
}


def fed(*pieces: bytes) -> list[Event]:
    assembler = Assembler(MAX)
    return [event for piece in pieces for event in assembler.feed(piece)]


@pytest.mark.parametrize("name", VECTORS)
def test_a_vector(name: str) -> None:
    """Whole, byte by byte, and in two pieces cut at each point, it is the same."""
    data, events = VECTORS[name]
    assert fed(data) == events
    assert fed(*(bytes((byte,)) for byte in data)) == events
    for cut in range(1, len(data)):
        assert fed(data[:cut], data[cut:]) == events


@pytest.mark.parametrize("name", BROKEN)
def test_what_breaks_the_protocol(name: str) -> None:
    """It is told once, with its code, however it is cut; nothing behind it is looked at."""
    data, code = BROKEN[name]
    behind = masked(TEXT, b"behind")
    for pieces in ([data + behind], [bytes((byte,)) for byte in data + behind]):
        events = fed(*pieces)
        assert [event.code for event in events if isinstance(event, Broken)] == [code]
        assert not [event for event in events if isinstance(event, Message)]


def test_nothing_is_kept_between_messages() -> None:
    """Not a byte, nor a parser; within one, what has come is counted."""
    assembler = Assembler(MAX)
    data = masked(BINARY, bytes(50), fin=False)
    states = []
    for piece in (b"", data[:20], data[20:], masked(CONT, b"x")):
        assembler.feed(piece)
        states.append((assembler.is_between, assembler.held))
    assert states == [(True, 0), (False, 20 - 6), (False, 50), (True, 0)]


@given(
    st.lists(st.tuples(st.booleans(), st.lists(st.text(max_size=20), min_size=1, max_size=4)), max_size=5),
    st.lists(st.integers(0, 2000)),
)
def test_any_messages_in_any_fragments_in_any_pieces(messages: list[tuple[bool, list[str]]], cuts: list[int]) -> None:
    """They come out as they went in."""
    data, expected = b"", []
    for is_text, parts in messages:
        for number, part in enumerate(parts):
            opcode = CONT if number else TEXT if is_text else BINARY
            data += masked(opcode, part.encode(), fin=number == len(parts) - 1)
        expected.append(Message("".join(parts).encode(), is_text))
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    assert fed(*(data[start:end] for start, end in pairwise(places))) == expected


def test_small_fragments_take_what_they_hold() -> None:
    """Not an object each: of a message of a million bytes in frames of a few, and of frames of none."""
    assembler = Assembler(1_000_000)
    assembler.feed(masked(BINARY, b"xyz", fin=False))
    many = masked(CONT, b"xyz", fin=False) * 1000 + masked(CONT, fin=False) * 1000
    tracemalloc.start()
    try:
        for _ in range(20):
            assert not assembler.feed(many)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert assembler.held == 3 + 60_000
    assert held < 2 * 60_000
    [message] = assembler.feed(masked(CONT))
    assert message == Message(b"xyz" * 20_001, False)


def in_one_step(data: bytes, maximum: int = MAX) -> list[Event]:
    """What a sink makes of one read: first what is read in one step, then what the parser makes of the rest."""
    messages, at = whole_messages(data, maximum)
    return [*(Message(*each) for each in messages), *Assembler(maximum).feed(data[at:])]


@pytest.mark.parametrize("name", [*VECTORS, *BROKEN])
@pytest.mark.parametrize("maximum", [MAX, 125, 5, 0])
def test_whole_messages_are_what_the_parser_makes_of_them(name: str, maximum: int) -> None:
    """Also of each beginning of a vector, and behind other messages."""
    data = masked(TEXT, b"ab") + (VECTORS[name][0] if name in VECTORS else BROKEN[name][0])
    for end in range(min(len(data), 300) + 1):
        assert in_one_step(data[:end], maximum) == Assembler(maximum).feed(data[:end])
    assert in_one_step(data, maximum) == Assembler(maximum).feed(data)


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=12),
            st.builds(
                lambda opcode, data, fin: (
                    masked(opcode, data, fin=fin) if opcode in (TEXT, BINARY, CONT) else masked(opcode, data[:125])
                ),
                st.sampled_from([TEXT, BINARY, CONT, PING, PONG, CLOSE]),
                st.one_of(st.binary(max_size=130), st.text(max_size=40).map(str.encode)),
                st.booleans(),
            ),
        ),
        max_size=6,
    ).map(b"".join)
)
def test_any_bytes_in_one_step(data: bytes) -> None:
    """They are the same messages, and the same mistakes."""
    assert in_one_step(data) == Assembler(MAX).feed(data)
