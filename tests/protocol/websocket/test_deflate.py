"""permessage-deflate: what is agreed on, frames out, messages in, and what is no message."""

from __future__ import annotations

import os
import tracemalloc
import zlib
from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode

from headwater.protocol.websocket import frames
from headwater.protocol.websocket.agreed import Deflate
from headwater.protocol.websocket.assembly import Assembler, Broken, Event, Message, Ping
from headwater.protocol.websocket.codecs import codecs
from headwater.protocol.websocket.deflate import COMPRESSED, Deflater, agree
from headwater.protocol.websocket.stream_messages import StreamMessages

ALONE = b"permessage-deflate; server_no_context_takeover; client_no_context_takeover"
AGREED = Deflate(ALONE)
MAX = 1000
TEXT, BINARY, CONT, PING = Opcode.TEXT, Opcode.BINARY, Opcode.CONT, Opcode.PING


@pytest.mark.parametrize(
    ("offers", "agreed"),
    [
        (b"permessage-deflate", AGREED),
        (b"permessage-deflate; client_max_window_bits", AGREED),  # as browsers have it
        (b"permessage-deflate; server_no_context_takeover; client_no_context_takeover", AGREED),
        (b"permessage-deflate; server_max_window_bits=10", Deflate(ALONE + b"; server_max_window_bits=10", 10, 15)),
        (b"permessage-deflate; client_max_window_bits=9", Deflate(ALONE + b"; client_max_window_bits=9", 15, 9)),
        # A window that zlib cannot have: the next offer counts.
        (b"permessage-deflate; server_max_window_bits=8, permessage-deflate", AGREED),
        (b"permessage-deflate; unknown=1, other, permessage-deflate", AGREED),
        (b"", None),
        (b"other; x=1", None),
        (b"permessage-deflate; unknown", None),
        (b"permessage-deflate; server_max_window_bits", None),
        (b"permessage-deflate; server_max_window_bits=16", None),
        (b"permessage-deflate; server_no_context_takeover; server_no_context_takeover", None),
        (b"permessage-deflate; client_no_context_takeover=1", None),
        (b"; ; ,", None),
        (b"permessage-deflate; \xff", None),
    ],
)
def test_what_is_agreed_on(offers: bytes, agreed: Deflate | None) -> None:
    """Always without contexts, whether the client asks for that or not; what cannot be met is no error."""
    assert agree(offers) == agreed


def inflated(data: bytes, window: int = 15) -> bytes:
    return zlib.decompressobj(-window).decompress(data + b"\x00\x00\xff\xff")


@pytest.mark.parametrize("window", range(9, 16))
def test_frames_that_every_reader_of_a_window_takes(window: int) -> None:
    """Each stands alone; what is small, or grows, goes as it is."""
    deflater = Deflater(window, min_bytes=100)
    large = b'{"id":12345,"text":"hello"},' * 40_000
    for payload in (b"x" * 100, large, large):
        [(first, data)] = frames.split(deflater.frame(frames.TEXT, payload))
        assert first == frames.TEXT | COMPRESSED
        assert inflated(data, window) == payload
        assert len(data) < len(payload)
    assert deflater.frame(frames.BINARY, b"x" * 99) == frames.binary(b"x" * 99)
    noise = os.urandom(500)
    assert deflater.frame(frames.BINARY, noise) == frames.binary(noise)


def test_what_is_the_same_is_compressed_once() -> None:
    """A crowd that comes to one place is sent the same bytes; a reader that falls behind has the same codec."""
    deflater = Deflater(min_bytes=10)
    calls = 0
    compress = deflater._compress

    def count(payload: bytes) -> bytes:
        nonlocal calls
        calls += 1
        return compress(payload)

    deflater._recent._code = count
    assert len({deflater.frame(frames.TEXT, b"x" * 1000) for _ in range(100)}) == 1
    assert calls == 1
    json, *_ = codecs(deflater.frame, "deflate")
    encoder = deepcopy(StreamMessages("application/json", codec=json, number=1))
    assert encoder._codec is json
    assert deepcopy(deflater) is deflater
    assert json.key != codecs()[0].key
    assert json.name == codecs()[0].name


def raw(opcode: Opcode, data: bytes, *, fin: bool = True, rsv1: bool = False) -> bytes:
    """A masked frame, whether it is one of the protocol or not."""
    whole = Frame(opcode, data, fin=fin).serialize(mask=True)
    return bytes((whole[0] | COMPRESSED * rsv1,)) + whole[1:]


def compressed(opcode: Opcode, data: bytes, *sizes: int) -> bytes:
    """A compressed message in frames of these sizes, and one of the rest; masked."""
    packed = (
        PerMessageDeflate(
            remote_no_context_takeover=True,
            local_no_context_takeover=True,
            remote_max_window_bits=15,
            local_max_window_bits=15,
        )
        .encode(Frame(opcode, data))
        .data
    )
    pieces = []
    for size in sizes:
        pieces.append(bytes(packed[:size]))
        packed = packed[size:]
    pieces.append(bytes(packed))
    found = b""
    for at, piece in enumerate(pieces):
        kind = CONT if at else opcode
        found += raw(kind, piece, fin=at == len(pieces) - 1, rsv1=not at)
    return found


HELLO = bytes.fromhex("f248cdc9c90700")  # RFC 7692 section 7.2.3.1

VECTORS: dict[str, tuple[bytes, list[Event]]] = {
    "rfc": (raw(TEXT, HELLO, rsv1=True), [Message(b"Hello", True)]),
    "rfc-fragmented": (
        raw(TEXT, HELLO[:3], fin=False, rsv1=True) + raw(CONT, HELLO[3:]),
        [Message(b"Hello", True)],
    ),
    "two-in-one-context": (  # each stands alone, and so may refer to nothing before it
        compressed(TEXT, b"Hello") + compressed(BINARY, b"Hello"),
        [Message(b"Hello", True), Message(b"Hello", False)],
    ),
    "empty": (compressed(TEXT, b""), [Message(b"", True)]),
    "as-it-is": (raw(TEXT, b"Hello"), [Message(b"Hello", True)]),
    "mixed": (
        compressed(TEXT, "käse".encode() * 50, 3, 1)
        + raw(TEXT, b"a", fin=False)
        + raw(PING, b"?")
        + raw(CONT, b"b")
        + compressed(BINARY, bytes(900)),
        [Message("käse".encode() * 50, True), Ping(b"?"), Message(b"ab", True), Message(bytes(900), False)],
    ),
    "largest": (compressed(BINARY, bytes(MAX), 2), [Message(bytes(MAX), False)]),
}

BROKEN: dict[str, tuple[bytes, int]] = {
    "not-deflate": (raw(TEXT, b"\xff\xff\xff", rsv1=True), 1002),
    "refers-to-the-message-before": (
        compressed(TEXT, b"Hello") + raw(TEXT, bytes.fromhex("f200110000"), rsv1=True),
        1002,
    ),
    "continued-with-the-bit": (
        raw(TEXT, HELLO[:3], fin=False, rsv1=True) + raw(CONT, HELLO[3:], rsv1=True),
        1002,
    ),
    "another-bit": (b"\xa1\x80" + bytes(4), 1002),
    "compressed-ping": (b"\xc9\x80" + bytes(4), 1002),
    "not-utf-8": (compressed(TEXT, b"\xff"), 1007),
    "not-utf-8-in-fragments": (compressed(TEXT, b"a" * 100 + b"\xff", 2, 2), 1007),
    "bomb": (compressed(BINARY, bytes(16 * 1024 * 1024)), 1009),
    "one-byte-too-much": (compressed(BINARY, bytes(MAX + 1)), 1009),
    "bomb-in-fragments": (compressed(BINARY, os.urandom(MAX // 2) + bytes(MAX), 300, 200, 5, 5), 1009),
}


def fed(data: bytes, *cuts: int) -> list[Event]:
    assembler, events, at = Assembler(MAX, AGREED), list[Event](), 0
    for cut in (*cuts, len(data)):
        events += assembler.feed(data[at:cut])
        at = cut
        if assembler.is_idle:
            assembler = Assembler(MAX, AGREED)  # as a connection does between two messages
    return events


@pytest.mark.parametrize(("data", "events"), VECTORS.values(), ids=VECTORS)
def test_messages(data: bytes, events: list[Event]) -> None:
    """Whole, byte by byte, and cut at each point."""
    assert fed(data) == events
    assert fed(data, *range(1, len(data))) == events
    for cut in range(1, len(data)):
        assert fed(data, cut) == events


@pytest.mark.parametrize(("data", "code"), BROKEN.values(), ids=BROKEN)
def test_what_is_no_message(data: bytes, code: int) -> None:
    """The last event is the close code, however it comes."""
    for cuts in ((), range(1, min(len(data), 2000)), *((cut,) for cut in range(1, min(len(data), 200)))):
        last = fed(data, *cuts)[-1]
        assert isinstance(last, Broken)
        assert last.code == code


def test_a_bomb_is_never_whole() -> None:
    """What it would be is never in memory: what is read of it is no more than a message may have."""
    data = compressed(BINARY, bytes(64 * 1024 * 1024))
    assert len(data) < 100_000
    assembler = Assembler(64 * 1024, AGREED)
    tracemalloc.start()
    try:
        assert isinstance(assembler.feed(data)[-1], Broken)
        assert tracemalloc.get_traced_memory()[1] < 1024 * 1024
    finally:
        tracemalloc.stop()


@given(st.lists(st.binary(max_size=600), max_size=4), st.lists(st.integers(1, 40), max_size=6), st.data())
def test_whatever_a_client_sends_is_what_it_was(messages: list[bytes], sizes: list[int], data: st.DataObject) -> None:
    """In any fragments and cuts, compressed or not."""
    sent = b""
    for message in messages:
        if data.draw(st.booleans()):
            sent += compressed(BINARY, message, *sizes)
        else:
            sent += raw(BINARY, message)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(sent)), max_size=5)))
    assert fed(sent, *cuts) == [Message(message, False) for message in messages]
