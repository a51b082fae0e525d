"""Content codings of live answers: the same bytes for every reader of a feed, decoded as they come."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from headwater.protocol import coding_gzip, coding_zstd
from headwater.protocol.coding import IDENTITY, LARGE, Body, Coding, Common, Pool, Recent
from headwater.protocol.coding_gzip import GzipCoding
from headwater.protocol.coding_zstd import ZstdCoding
from headwater.protocol.compressors import find

zstd: Final[Any] = find("zstd")


class Gunzip:
    """A strict decoder of gzip, fed as a network feeds it: one member, a right CRC, nothing behind it."""

    def __init__(self) -> None:
        self._decoder = zlib.decompressobj(31)

    def feed(self, data: bytes) -> bytes:
        found = self._decoder.decompress(data)
        assert not self._decoder.unused_data
        return found

    @property
    def complete(self) -> bool:
        return self._decoder.eof


class Unzstd:
    """A decoder of zstd frames with the window that browsers allow."""

    def __init__(self) -> None:
        self._decoder = self._make()

    def _make(self) -> Any:
        return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: 23})

    def feed(self, data: bytes) -> bytes:
        found = b""
        while data:
            if self._decoder.eof:
                self._decoder = self._make()
            found += self._decoder.decompress(data)
            data = self._decoder.unused_data if self._decoder.eof else b""
        return found

    @property
    def complete(self) -> bool:
        return bool(self._decoder.eof)


class Plain:
    complete = True

    def feed(self, data: bytes) -> bytes:
        return data


Make = Callable[..., Coding]
CODINGS: dict[str, tuple[Make, Callable[[], Any]]] = {
    "gzip": (lambda level=6, min_bytes=64, contexts=8: GzipCoding(level, min_bytes, contexts), Gunzip),
    "zstd": (lambda level=6, min_bytes=64, contexts=8: ZstdCoding(level, min_bytes, contexts), Unzstd),
    "identity": (lambda **_: IDENTITY, Plain),
}
EVENT = b'id:0000000000000001_%016d\ndata:{"seq":%d,"user":"Ada","state":"moving"}\n\n'


@pytest.fixture(params=CODINGS)
def kind(request: pytest.FixtureRequest) -> tuple[Make, Callable[[], Any]]:
    return CODINGS[request.param]


class Client:
    """One reader: its body on the server, and its decoder."""

    def __init__(self, coding: Coding, decoder: Any) -> None:
        self.body: Body = coding.body()
        self.decoder = decoder
        self.expected = b""
        self.seen = b""

    def take(self, coded: bytes, plain: bytes) -> None:
        """What was sent, and what must have arrived by it."""
        self.seen += self.decoder.feed(coded)
        self.expected += plain
        assert self.seen == self.expected

    def begin(self, plain: bytes = b"") -> None:
        self.take(self.body.begin(plain), plain)

    def own(self, plain: bytes) -> None:
        self.take(self.body.own(plain), plain)

    def end(self) -> None:
        self.take(self.body.end(), b"")
        assert self.decoder.complete


def test_each_piece_is_decoded_when_it_arrives(kind: tuple[Make, Callable[[], Any]]) -> None:
    """A record never waits for the next one, whatever was sent before."""
    make, decoder = kind
    coding = make()
    client = Client(coding, decoder())
    client.begin(b"retry:1000\n\n")
    client.own(b"x" * 10)
    client.own(EVENT % (1, 1) * 40)
    common = coding.common()
    client.body.join(common)
    for number in range(100):
        plain = EVENT % (number, number)
        client.take(common.piece(plain), plain)
    client.end()


def test_late_joiners_decode_the_very_same_bytes(kind: tuple[Make, Callable[[], Any]]) -> None:
    """Whoever joins is given what the others are given; nothing is compressed again."""
    make, decoder = kind
    coding = make()
    common = coding.common()
    clients: list[Client] = []
    for number in range(60):
        if number % 3 == 0:
            clients.append(Client(coding, decoder()))
            clients[-1].begin(EVENT % (number, 0) * (number % 7))
            clients[-1].body.join(common)
        plain = EVENT % (number, number)
        piece = common.piece(plain)
        for client in clients:
            client.take(piece, plain)
    for client in clients:
        client.end()


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_a_cut_at_any_byte_loses_nothing_before_it(name: str) -> None:
    """However the network cuts the body, what was decoded is a beginning of the text, and whole pieces are whole."""
    make, decoder = CODINGS[name]
    coding = make()
    body, common = coding.body(), coding.common()
    parts = [(body.begin(b"retry:1000\n\n"), b"retry:1000\n\n"), (body.own(EVENT % (0, 0) * 3), EVENT % (0, 0) * 3)]
    body.join(common)
    parts += [(common.piece(EVENT % (n, n)), EVENT % (n, n)) for n in range(5)]
    parts.append((common.aside(b":\n\n"), b":\n\n"))
    body.heard(b":\n\n")
    parts += [(common.piece(EVENT % (9, 9)), EVENT % (9, 9)), (body.end(), b"")]
    wire, text = (b"".join(column) for column in zip(*parts, strict=True))
    ends = [(sum(len(c) for c, _ in parts[:i]), sum(len(p) for _, p in parts[:i])) for i in range(len(parts) + 1)]
    for cut in range(len(wire) + 1):
        fed = decoder()
        seen = fed.feed(wire[:cut])
        assert text.startswith(seen)
        assert len(seen) >= max(plain for coded, plain in ends if coded <= cut)
        assert fed.feed(wire[cut:]) == text[len(seen) :]
    drop = decoder()
    assert b"".join(drop.feed(wire[i : i + 1]) for i in range(len(wire))) == text
    assert drop.complete


def test_gzip_is_one_member_with_a_right_trailer() -> None:
    """Decoders that read to the end check the CRC and the size; also for a reader that came and went."""
    coding = GzipCoding(6, 64, 8)
    body, common, other = coding.body(), coding.common(), coding.body()
    other.begin(b"")
    other.join(common)
    common.piece(b"before")
    wire = body.begin(b"own") + body.own(b"y" * 200)
    body.join(common)
    wire += common.piece(b"shared 1") + common.piece(b"shared 2")
    body.leave()
    body.leave()
    wire += body.own(b"alone")
    common.piece(b"not for this one")
    body.join(common)
    wire += common.piece(b"shared 3")
    wire += body.end()
    assert gzip.decompress(wire) == b"own" + b"y" * 200 + b"shared 1shared 2aloneshared 3"


def test_bytes_of_small_gzip_pieces() -> None:
    """RFC 1952's header, a stored block of RFC 1951, the empty last block, CRC and size."""
    body = GzipCoding(6, 64, 8).body()
    assert body.begin(b"hi") + body.end() == bytes.fromhex(
        "1f8b08000000000000ff"  # header
        "00 0200 fdff 6869"  # stored, 2 bytes
        "0300 ac2a93d8 02000000"  # last block, CRC-32 of "hi", size
    )


def test_bytes_of_small_zstd_pieces() -> None:
    """An empty frame that is left open; its end, a frame with a raw block of two bytes, left open; its end."""
    body = ZstdCoding(6, 64, 8).body()
    assert body.begin(b"hi") + body.end() == bytes.fromhex("28b52ffd0038 010000 28b52ffd0038 100000 6869 010000")


@pytest.mark.parametrize("name", ["gzip", "zstd"])
@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, LARGE - 1, LARGE, LARGE + 1, 300_000])
def test_pieces_of_any_size(name: str, size: int) -> None:
    """Around every border: stored or compressed, with or without what came before, in one block or more."""
    make, decoder = CODINGS[name]
    coding = make()
    data = (EVENT % (7, 7) * (size // len(EVENT) + 1))[:size]
    client, common = Client(coding, decoder()), coding.common()
    client.begin(data)
    client.own(data)
    client.body.join(common)
    for plain in (b"a", data, b"b", data):
        client.take(common.piece(plain), plain)
    client.end()


@pytest.mark.parametrize("name", ["gzip", "zstd"])
@pytest.mark.parametrize("level", range(1, 10))
def test_every_level(name: str, level: int) -> None:
    make, decoder = CODINGS[name]
    coding = make(level=level)
    client, common = Client(coding, decoder()), coding.common()
    client.begin(EVENT % (0, 0) * 20)
    client.body.join(common)
    for number in range(50):
        plain = EVENT % (number, number) * (1 + number % 5)
        client.take(common.piece(plain), plain)
    client.end()


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_pieces_that_refer_to_earlier_ones_are_smaller(name: str) -> None:
    """What was sent before is what makes small records small; a join costs that once."""
    make, _ = CODINGS[name]
    coding = make()
    body, common = coding.body(), coding.common()
    body.join(common)
    sizes = [len(common.piece(EVENT % (n, n))) for n in range(20)]
    assert max(sizes[3:]) < sizes[0] / 2
    coding.body().join(common)
    again = [len(common.piece(EVENT % (n, n))) for n in range(20, 25)]
    assert again[0] > sizes[-1] * 2 > max(again[2:])


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_a_context_that_is_taken_away_costs_nothing_but_bytes(name: str) -> None:
    """More groups than contexts: each piece is decoded all the same, and no context more is made."""
    make, decoder = CODINGS[name]
    coding: Any = make(contexts=2)
    groups = []
    for _ in range(5):
        client, common = Client(coding, decoder()), coding.common()
        client.begin()
        client.body.join(common)
        groups.append((client, common))
    for number in range(40):
        for client, common in groups[: 1 + number % 5]:
            plain = EVENT % (number, number)
            client.take(common.piece(plain), plain)
    assert len(coding.pool) == 2
    for client, _ in groups:
        client.end()


def test_the_pool_gives_the_oldest_context_to_somebody_else() -> None:
    """Who was sent to last keeps its own."""
    made = iter(range(10))
    pool = Pool(lambda: [next(made)], 2)
    first, second, third = object(), object(), object()
    assert pool.take(first) == ([0], False)
    assert pool.take(second) == ([1], False)
    assert pool.take(first) == ([0], True)
    assert pool.take(third) == ([1], False)
    assert pool.take(first) == ([0], True)
    assert pool.take(second) == ([1], False)
    assert len(pool) == 2


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_a_crowd_is_sent_pieces_that_were_coded_once(name: str) -> None:
    """What one reader was sent for itself is the very object that the next one is sent, and both decode it."""
    coding: Any = (GzipCoding if name == "gzip" else ZstdCoding)(6, 100, 4)
    decoders: list[Any] = [Gunzip(), Gunzip()] if name == "gzip" else [Unzstd(), Unzstd()]
    first, second = coding.body(), coding.body()
    pieces = [b"history of a stream " * 400, b"another piece of it " * 400, b"small"]
    begun = [decoder.feed(body.begin(b"")) for decoder, body in zip(decoders, (first, second), strict=True)]
    assert begun == [b"", b""]
    for piece in pieces:
        one = first.own(piece)
        other = second.own(bytes(bytearray(piece)))
        assert (one is other) is (len(piece) > 100)
        assert [decoder.feed(coded) for decoder, coded in zip(decoders, (one, other), strict=True)] == [piece, piece]


def test_few_pieces_are_kept() -> None:
    """The oldest go first, and large ones are not kept at all."""
    coded: list[bytes] = []

    def code(data: bytes) -> bytes:
        coded.append(data)
        return data.upper()

    recent = Recent(code, 100)
    assert [recent.get(data) for data in (b"a" * 10, b"b" * 10, b"a" * 10)] == [b"A" * 10, b"B" * 10, b"A" * 10]
    assert (len(coded), recent.size) == (2, 40)
    for letter in b"cdefg":
        recent.get(bytes([letter]) * 10)
        assert recent.size <= 100
    recent.get(b"g" * 10)
    recent.get(b"x" * 13)
    recent.get(b"x" * 13)
    assert (len(coded), coded[-1]) == (9, b"x" * 13)
    recent.get(b"a" * 10)
    assert len(coded) == 10


def test_other_feeds_data_is_never_referred_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A context that goes from a feed to another, and the compressor of own pieces, forget what they compressed.

    A reference into another stream's data could not be decoded, and its length would tell what the data is.
    """
    secret = b'{"password":"correct horse battery staple"}' * 3
    for name in ("gzip", "zstd"):
        make, _ = CODINGS[name]
        fresh, used = make(contexts=1, min_bytes=1), make(contexts=1, min_bytes=1)
        used.body().own(secret)
        used.common().piece(secret)
        assert used.body().own(secret) == fresh.body().own(secret)
        assert used.common().piece(secret) == fresh.common().piece(secret)


class Readers(RuleBasedStateMachine):
    """Readers come, are served alone, join, hear heartbeats or not, leave and end, in any order."""

    made: Make
    decoder: Callable[[], Any]

    @initialize()
    def start(self) -> None:
        self.coding = self.made(contexts=1, min_bytes=20)
        self.commons: list[Common] = [self.coding.common() for _ in range(2)]
        self.joined: list[list[Client]] = [[], []]
        self.alone: list[Client] = []

    @rule(text=st.binary(max_size=50))
    def come(self, text: bytes) -> None:
        client = Client(self.coding, self.decoder())
        client.begin(text)
        self.alone.append(client)

    @precondition(lambda self: self.alone)
    @rule(data=st.data(), text=st.text("abc", min_size=1, max_size=300))
    def own(self, data: st.DataObject, text: str) -> None:
        data.draw(st.sampled_from(self.alone)).own(text.encode())

    @precondition(lambda self: self.alone)
    @rule(data=st.data(), feed=st.integers(0, 1))
    def join(self, data: st.DataObject, feed: int) -> None:
        client = self.alone.pop(data.draw(st.integers(0, len(self.alone) - 1)))
        client.body.join(self.commons[feed])
        self.joined[feed].append(client)

    @rule(feed=st.integers(0, 1), text=st.text("abc", min_size=1, max_size=300))
    def piece(self, feed: int, text: str) -> None:
        coded = self.commons[feed].piece(text.encode())
        for client in self.joined[feed]:
            client.take(coded, text.encode())

    @rule(feed=st.integers(0, 1), data=st.data())
    def heartbeat(self, feed: int, data: st.DataObject) -> None:
        coded = self.commons[feed].aside(b":\n\n")
        for client in self.joined[feed]:
            if data.draw(st.booleans()):
                client.take(coded, b":\n\n")
                client.body.heard(b":\n\n")

    @precondition(lambda self: any(self.joined))
    @rule(data=st.data(), ends=st.booleans())
    def leave(self, data: st.DataObject, ends: bool) -> None:
        feed = next(feed for feed in self.joined if feed)
        client = feed.pop(data.draw(st.integers(0, len(feed) - 1)))
        if ends:
            client.end()
        else:
            client.body.leave()
            self.alone.append(client)

    @invariant()
    def all_is_decoded(self) -> None:
        for client in [*self.alone, *self.joined[0], *self.joined[1]]:
            assert client.seen == client.expected

    def teardown(self) -> None:
        for client in [*self.alone, *self.joined[0], *self.joined[1]]:
            client.end()


def _machine(name: str) -> Any:
    make, decoder = CODINGS[name]
    fields = {"made": staticmethod(make), "decoder": staticmethod(decoder)}
    machine = type(f"Readers{name.title()}", (Readers,), fields)
    machine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)  # type: ignore[attr-defined]
    return machine.TestCase  # type: ignore[attr-defined]


TestGzipReaders = _machine("gzip")
TestZstdReaders = _machine("zstd")


@given(st.lists(st.binary(min_size=1, max_size=500), max_size=20))
def test_any_bytes_come_back(parts: list[bytes]) -> None:
    """Also those that cannot be compressed."""
    for make, decoder in CODINGS.values():
        coding = make(min_bytes=1)
        client, common = Client(coding, decoder()), coding.common()
        client.begin()
        for part in parts:
            client.own(part)
        client.body.join(common)
        for part in parts:
            client.take(common.piece(part), part)
        client.end()


@pytest.mark.parametrize("library", ["zlib", "zlib_ng.zlib_ng"])
def test_either_library_of_gzip(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python's own, and zlib-ng where it is installed."""
    module = pytest.importorskip(library)
    monkeypatch.setattr(coding_gzip, "find", lambda coding: module)
    for test in (test_late_joiners_decode_the_very_same_bytes, test_each_piece_is_decoded_when_it_arrives):
        test(CODINGS["gzip"])
    for size in (1, 64, LARGE, 200_000):
        test_pieces_of_any_size("gzip", size)


def test_frames_have_the_window_that_they_say() -> None:
    """The header that readers begin with, and the compressors' own, keep to what browsers allow (RFC 9659)."""
    assert zstd.get_frame_info(coding_zstd.HEADER + b"\x01\0\0").decompressed_size is None
    piece = ZstdCoding(9, 1, 1).body().own(b"x" * 100_000)
    window = 1 << (10 + (piece[len(coding_zstd.END) + 5] >> 3))
    assert window <= 8 * 1024 * 1024
