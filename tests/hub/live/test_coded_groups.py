"""Feeds in a content coding: compressed once for all, whoever joins, falls behind, or is told something aside."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater import Hub, Limits
from headwater.hub.live.sinks import BufferSink
from headwater.hub.live.wire_format import WireFormat
from headwater.model import Policy, SlowPolicy
from headwater.protocol.coding import Coding
from headwater.protocol.coding_gzip import GzipCoding, GzipCommon
from headwater.protocol.coding_zstd import ZstdCoding
from headwater.protocol.compressors import find
from headwater.protocol.ndjson import JsonLines

Run = Callable[[Coroutine[Any, Any, Any]], Any]
JSON = "application/json"
PROMPT = Limits(flush_seconds=0)
CODINGS: dict[str, Callable[[], Coding]] = {
    "gzip": partial(GzipCoding, 6, 64, 4),
    "zstd": partial(ZstdCoding, 6, 64, 4),
}


def coded_lines(coding: Coding) -> WireFormat:
    return WireFormat(("ndjson", coding.token), JsonLines, bytes, coding=coding)


class Decoder:
    """Decodes what a sink was given, part by part."""

    def __init__(self, token: str) -> None:
        self._zstd = find("zstd") if token == "zstd" else None
        self._decoder: Any = zlib.decompressobj(31) if self._zstd is None else self._zstd.ZstdDecompressor()
        self.text = b""

    def feed(self, data: bytes) -> bytes:
        while data:
            if self._decoder.eof:
                assert self._zstd is not None, "something follows on the end of a gzip file"
                self._decoder = self._zstd.ZstdDecompressor()
            self.text += self._decoder.decompress(data)
            data = self._decoder.unused_data if self._decoder.eof else b""
        return self.text

    @property
    def complete(self) -> bool:
        return bool(self._decoder.eof)


def values(text: bytes) -> list[Any]:
    import json

    assert text == b"" or text.endswith(b"\n")
    return [line["data"] for line in map(json.loads, text.splitlines()) if "data" in line]


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture(params=CODINGS)
def coding(request: pytest.FixtureRequest) -> Coding:
    return CODINGS[request.param]()


def test_readers_are_given_the_same_object(run: Run, coding: Coding, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred readers, one compression a batch; also for those who came late."""
    calls: list[int] = []
    common = type(coding.common())
    piece = common.piece

    def counted(self: Any, data: bytes) -> bytes:
        calls.append(len(data))
        return piece(self, data)

    monkeypatch.setattr(common, "piece", counted)

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type=JSON)
            given: list[list[bytes]] = []

            async def join(count: int) -> None:
                for _ in range(count):
                    parts: list[bytes] = []
                    sink = BufferSink()
                    monkeypatch.setattr(sink, "write", parts.append, raising=False)
                    await hub.live.subscribe("s", "-1", coded_lines(coding), sink)
                    given.append(parts)

            await join(50)
            await hub.append("s", {"number": 1})
            await settle()
            await join(50)
            for number in range(2, 12):
                await hub.append("s", {"number": number})
                await settle()
            assert len(calls) == 11
            for nth in range(-10, 0):
                assert len({id(parts[nth]) for parts in given}) == 1
            for parts in given:
                decoder = Decoder(coding.token)
                for part in parts:
                    decoder.feed(part)
                assert values(decoder.text) == [{"number": number} for number in range(1, 12)]

    run(main())


@pytest.mark.parametrize("policy", list(Policy))
def test_slow_readers_decode_what_they_get(run: Run, coding: Coding, policy: Policy) -> None:
    """Leaving the feed, reading alone and joining again is nothing that a decoder notices, whatever the policy."""

    async def main() -> None:
        async with Hub(limits=Limits(flush_seconds=0, window_bytes=500)) as hub:
            await hub.create("s", content_type=JSON)
            slow, quick = BufferSink(high_water=100), BufferSink(high_water=10**6)
            rule = SlowPolicy(policy, "key" if policy is Policy.CONFLATE else "")
            await hub.live.subscribe("s", "-1", coded_lines(coding), slow, slow=rule)
            await hub.live.subscribe("s", "-1", coded_lines(coding), quick)
            decoders = Decoder(coding.token), Decoder(coding.token)
            for number in range(200):
                await hub.append("s", {"key": number % 3, "number": number})
                await settle()
                if number % 20 == 19:
                    while slow.held():
                        decoders[0].feed(slow.take())
                        await settle()
            await hub.append("s", {"key": 0, "number": 200})
            await settle()
            decoders[0].feed(slow.take())
            decoders[1].feed(quick.take())
            assert [value["number"] for value in values(decoders[1].text)] == list(range(201))
            seen = [value["number"] for value in values(decoders[0].text)]
            assert seen == (list(range(201)) if policy in (Policy.REPLAY, Policy.DISCONNECT) else sorted(set(seen)))
            assert seen[-1] == 200

    run(main())


@pytest.mark.parametrize("way", ["close", "delete", "drain"])
def test_every_end_is_the_end_of_the_coding(run: Run, coding: Coding, way: str) -> None:
    """Strict decoders take a body that just stops for one that was cut."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type=JSON)
            sinks = [BufferSink() for _ in range(3)]
            for number, sink in enumerate(sinks):
                await hub.append("s", number)
                await hub.live.subscribe("s", "-1", coded_lines(coding), sink)
            await hub.append("s", 3)
            await settle()
            match way:
                case "close":
                    await hub.append("s", 4, close=True)
                case "delete":
                    await hub.delete("s")
                case _:
                    hub.drain()
            await settle()
            for sink in sinks:
                decoder = Decoder(coding.token)
                decoder.feed(sink.take())
                assert decoder.complete
                assert sink.ended == "finished"
                assert values(decoder.text)[:4] == [0, 1, 2, 3]
                word = {"close": b"closed", "delete": b"error", "drain": b"detached"}[way]
                assert b'"control":"' + word in decoder.text.splitlines()[-1]

    run(main())


def test_heartbeats_travel_in_the_coding(run: Run, coding: Coding) -> None:
    """They are decoded as they come, and what follows is right for who got one and for who did not."""

    async def main() -> None:
        async with Hub(limits=Limits(flush_seconds=0, heartbeat_seconds=0.05)) as hub:
            await hub.create("s", content_type=JSON)
            sinks = [BufferSink() for _ in range(300)]
            decoders = [Decoder(coding.token) for _ in sinks]

            async def join(some: slice) -> None:
                for sink in sinks[some]:
                    await hub.live.subscribe("s", "-1", coded_lines(coding), sink)

            await join(slice(None, 290))
            while decoders[0].text.count(b"keepalive") < 2:
                decoders[0].feed(sinks[0].take())
                await asyncio.sleep(0)
            await join(slice(290, None))
            await hub.append("s", 1)
            await hub.append("s", 2, close=True)
            await settle()
            beats = set()
            for sink, decoder in zip(sinks, decoders, strict=True):
                decoder.feed(sink.take())
                assert values(decoder.text) == [1, 2]
                assert decoder.complete
                beats.add(decoder.text.count(b"keepalive"))
            assert len(beats) > 1

    run(main())


def test_feeds_share_the_contexts(run: Run) -> None:
    """More streams than contexts: memory has a limit, and every reader still decodes everything."""

    async def main() -> None:
        gzip = GzipCoding(6, 64, 4)
        async with Hub(limits=PROMPT) as hub:
            sinks = {f"s{number}": BufferSink() for number in range(12)}
            for path, sink in sinks.items():
                await hub.create(path, content_type=JSON)
                await hub.live.subscribe(path, "-1", coded_lines(gzip), sink)
            for number in range(20):
                for path in sinks:
                    await hub.append(path, {"path": path, "number": number})
                await settle()
            assert len(gzip.pool) == 4
            for path, sink in sinks.items():
                text = Decoder("gzip").feed(sink.take())
                assert values(text) == [{"path": path, "number": number} for number in range(20)]

    run(main())


#: What a run does: append so many, take a sink's bytes, join, or let go of one.
STEPS = st.lists(
    st.tuples(st.sampled_from(["append", "take", "join", "lose"]), st.integers(0, 3)), min_size=5, max_size=40
)


@given(steps=STEPS, token=st.sampled_from(sorted(CODINGS)))
@settings(max_examples=60, deadline=None)
def test_any_interleaving_is_decoded(steps: list[tuple[str, int]], token: str) -> None:
    """Joining, falling behind, draining and leaving in any order: nothing lost, repeated or garbled."""

    async def main() -> None:
        form = coded_lines(CODINGS[token]())
        async with Hub(limits=Limits(flush_seconds=0, window_bytes=300)) as hub:
            await hub.create("s", content_type=JSON)
            readers: list[tuple[BufferSink, Decoder]] = []
            total = 0
            for step, which in steps:
                if step == "append":
                    for _ in range(which + 1):
                        await hub.append("s", total)
                        total += 1
                elif step == "join":
                    readers.append((BufferSink(high_water=60 + 100 * which), Decoder(token)))
                    await hub.live.subscribe("s", "-1", form, readers[-1][0])
                elif readers and step == "take":
                    sink, decoder = readers[which % len(readers)]
                    decoder.feed(sink.take())
                elif readers:
                    readers.pop(which % len(readers))[0].lose()
                await settle()
            await hub.close("s")
            for sink, decoder in readers:
                while sink.ended is None or sink.held():
                    decoder.feed(sink.take())
                    await asyncio.sleep(0)
                assert values(decoder.text) == list(range(total))
                assert decoder.complete

    asyncio.run(main())


def test_the_crc_of_a_feed_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not once a reader: readers' trailers follow from the feed's."""
    coding = GzipCoding(6, 64, 4)
    common = coding.common()
    bodies = [coding.body() for _ in range(100)]
    wire = [body.begin(b"") for body in bodies]
    for body in bodies:
        body.join(common)
    assert isinstance(common, GzipCommon)
    before = common.crc
    pieces = b"".join(common.piece(b"some text %d" % number) for number in range(10))
    assert common.crc != before
    for body, start in zip(bodies, wire, strict=True):
        text = zlib.decompress(start + pieces + body.end(), wbits=31)
        assert text == b"".join(b"some text %d" % number for number in range(10))
