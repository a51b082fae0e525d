"""Slow readers that are cut: whatever the policy, the wire and the place of the cut, they come back and miss nothing.

What holds after each byte of an answer: the offset to come back at never goes back; and every record up to it was told,
or lies in a gap that was told and that the policy allows. The others a reader finds in the log when it comes back.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import socket
import time
import zlib
from bisect import bisect_right, insort
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.http import call
from tests.support.processes import ServerProcess, headwater_server
from tests.support.sockets import EVENTS, LINES, asking, lines_of, status_of

from headwater import Hub, Limits
from headwater.hub.formats import wire_format
from headwater.hub.live.pulled import PulledReader
from headwater.hub.live.sinks import BufferSink
from headwater.protocol.coding import Coding
from headwater.protocol.coding_gzip import GzipCoding
from headwater.protocol.coding_zstd import ZstdCoding
from headwater.protocol.compressors import find
from headwater.protocol.slow import parse_slow
from headwater.protocol.sse import Parser, ServerEvent

JSON = "application/json"
POLICIES = ["replay", "latest", "conflate:k", "disconnect"]
WIRES = ["ndjson", "events", "sse"]
CODINGS: dict[str, Callable[[], Coding]] = {
    "gzip": partial(GzipCoding, 6, 64, 4),
    "zstd": partial(ZstdCoding, 6, 64, 4),
}


class Client:
    """A client of one wire format: what it was told so far, and where it comes back.

    Args:
        wire: as `Hub.subscribe` names it.
        offset: where it began; not `now`.
    """

    def __init__(self, wire: str, offset: str) -> None:
        self.offset = offset
        self.seen: set[int] = set()
        self.gaps: list[tuple[str, str]] = []
        self.ends: list[str] = []
        self.version = 0
        self._wire = wire
        self._parser = Parser()
        self._held = b""

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        if self._wire == "ndjson":
            *lines, self._held = (self._held + data).split(b"\n")
            for line in lines:
                self._take_line(json.loads(line))
            return
        for event in self._parser.feed(data):
            self._take_event(event)
        if self._wire == "events" and self._parser.last_event_id:
            self._go_to(self._parser.last_event_id.decode())

    def _take_line(self, line: dict[str, Any]) -> None:
        if "data" in line:
            self.seen.add(line["data"]["n"])
        elif line["control"] == "gap":
            self.gaps.append((line["from"], line["to"]))
        elif line["control"] in {"closed", "detached", "error"}:
            self.ends.append(line["control"])
        self._go_to(line["offset"])

    def _take_event(self, event: ServerEvent) -> None:
        told = json.loads(event.data)
        if event.event == b"stream-gap":
            self.gaps.append((told["from"], told["to"]))
        elif event.event == b"control":
            if gap := told.get("streamGap"):
                self.gaps.append((gap["from"], gap["to"]))
            self.ends += ["closed"] if told.get("streamClosed") else []
            self.ends += ["detached"] if "streamDetached" in told else []
            self._go_to(told["streamNextOffset"])
        elif event.event.startswith(b"stream-"):
            self.ends.append(event.event.decode().removeprefix("stream-"))
        else:
            self.seen.update(value["n"] for value in (told if isinstance(told, list) else [told]))
        self.version += 1

    def _go_to(self, offset: str) -> None:
        assert offset >= self.offset, "an offset was told that lies before one that was told"
        self.version += offset != self.offset
        self.offset = offset


class Log:
    """What was appended: the offset and the key of each number."""

    def __init__(self) -> None:
        self.records: dict[int, tuple[str, str]] = {}

    def check(self, client: Client, policy: str) -> None:
        """Whoever is cut now and comes back has missed nothing that its policy keeps."""
        kept: dict[str, list[str]] = {}
        missing: list[tuple[str, str, int]] = []
        for n, (offset, key) in self.records.items():
            if offset > client.offset or n in client.seen:
                insort(kept.setdefault(key, []), offset)
            else:
                missing.append((offset, key, n))
        gaps, end = deque(sorted(client.gaps)), ""
        for offset, key, n in sorted(missing):
            while gaps and gaps[0][0] < offset:
                end = max(end, gaps.popleft()[1])
            assert offset <= end, f"record {n} is lost, and no gap was told"
            assert policy in {"latest", "conflate:k"}, f"{policy} leaves nothing out"
            if policy == "conflate:k":
                newer = kept.get(key, [])
                at = bisect_right(newer, offset)
                assert at < len(newer), f"record {n}, the newest of {key}, is lost"
                assert newer[at] <= end, f"record {n}, the newest of {key} in its gap, is lost"

    def check_cuts(self, client: Client, policy: str, text: bytes, feed: Callable[[bytes], bytes] = bytes) -> None:
        """The same after each byte of an answer."""
        version = -1
        for at in range(len(text)):
            client.feed(feed(text[at : at + 1]))
            if client.version != version:
                version = client.version
                self.check(client, policy)


class Decoder:
    """Decodes a coded answer as far as it goes, cut anywhere."""

    def __init__(self, token: str) -> None:
        self._zstd = find("zstd") if token == "zstd" else None
        self._decoder: Any = zlib.decompressobj(31) if self._zstd is None else self._zstd.ZstdDecompressor()

    def feed(self, data: bytes) -> bytes:
        """What more bytes decode to."""
        text = b""
        while data:
            if self._decoder.eof:
                assert self._zstd is not None
                self._decoder = self._zstd.ZstdDecompressor()
            text += self._decoder.decompress(data)
            data = self._decoder.unused_data if self._decoder.eof else b""
        return text


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


class Pushed:
    """A reader with a sink that takes nothing until told to."""

    def __init__(self, hub: Hub, policy: str, wire: str, coding: str, high_water: int) -> None:
        self.text = b""
        self._hub, self._policy, self._wire = hub, policy, wire
        self._coding = coding
        self._sink = BufferSink(high_water)

    async def begin(self) -> None:
        form = wire_format(self._wire)
        if self._coding:
            coding = CODINGS[self._coding]()
            form = msgspec.structs.replace(form, key=(*form.key, self._coding), coding=coding)
        await self._hub.live.subscribe("s", "-1", form, self._sink, slow=parse_slow(self._policy))

    async def take(self) -> None:
        self.text += self._sink.take()

    async def end(self) -> None:
        for _ in range(40):  # a full sink is given one record at a time, and there are thirty steps
            await self.take()
            await settle()
        self._sink.lose()


class Pulled:
    """A reader that is slow over every event, and asks for the next one when told to."""

    def __init__(self, hub: Hub, policy: str, wire: str) -> None:
        self.text = b""
        self._hub, self._policy = hub, policy
        self._encoder = wire_format(wire).encoder(JSON)
        self._reader: PulledReader | None = None
        self._asking: asyncio.Future[Any] | None = None

    async def begin(self) -> None:
        self._reader = await self._hub.live.open_reader("s", "-1", slow=parse_slow(self._policy))

    async def take(self) -> None:
        assert self._reader is not None
        self._asking = self._asking or asyncio.ensure_future(self._reader.next())
        await settle()
        if self._asking.done():
            event, self._asking = self._asking.result(), None
            if event is not None:
                self.text += self._encoder.encode(event, 2e9)

    async def end(self) -> None:
        assert self._reader is not None
        for _ in range(40):  # each event is one, and there are thirty steps
            await self.take()
        if self._asking is not None:
            self._asking.cancel()
            with suppress(asyncio.CancelledError):
                await self._asking
        self._reader.close()


Step = Literal["a", "b", "c", "take", "settle"]
End = Literal["cut", "close", "delete", "drain", "append and drain"]


async def deliver(log: Log, reader: Pushed | Pulled, hub: Hub, steps: list[Step], end: End) -> None:
    """Append, take and let the loop turn as the steps say; then end."""
    await hub.create("s", content_type=JSON)
    await reader.begin()
    for step in steps:
        if step == "take":
            await reader.take()
        elif step == "settle":
            await settle()
        else:
            n = len(log.records)
            log.records[n] = ((await hub.append("s", {"k": step, "n": n})).next_offset, step)
    if end == "close":
        await hub.close("s")
    elif end == "delete":
        await hub.delete("s")
    elif end != "cut":
        if end == "append and drain":
            await reader.take()
            await asyncio.sleep(0)
        hub.drain()
    await reader.end()


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("policy", POLICIES)
@settings(max_examples=40)
@given(
    steps=st.lists(st.sampled_from(["a", "b", "c", "a", "take", "settle"]), max_size=30),
    end=st.sampled_from(["cut", "close", "delete", "drain", "append and drain"]),
    coding=st.sampled_from(["pulled", "", "", "gzip", "zstd"]),
    high_water=st.sampled_from([1, 200]),
    window_bytes=st.sampled_from([1, 10_000]),
    read_bytes=st.sampled_from([20, 100, 10_000]),
)
def test_a_reader_may_be_cut_at_any_byte(
    policy: str,
    wire: str,
    steps: list[Step],
    end: End,
    coding: str,
    high_water: int,
    window_bytes: int,
    read_bytes: int,
) -> None:
    """Pushed and pulled, from memory and from the store, in one page and in many, compressed and not."""
    log = Log()

    async def main() -> bytes:
        limits = Limits(flush_seconds=0, slow_seconds=0, window_bytes=window_bytes, read_bytes=read_bytes)
        async with Hub(limits=limits) as hub:
            pulled = coding == "pulled"
            reader = Pulled(hub, policy, wire) if pulled else Pushed(hub, policy, wire, coding, high_water)
            await deliver(log, reader, hub, steps, end)
            return reader.text

    text = asyncio.run(main())
    client = Client(wire, "-1")
    log.check_cuts(client, policy, text, Decoder(coding).feed if coding in CODINGS else bytes)
    if end == "close" and policy != "disconnect":
        assert client.ends == ["closed"]
        assert all(offset <= client.offset for offset, _ in log.records.values())


@pytest.mark.parametrize("policy", POLICIES)
def test_who_reads_in_process_or_by_pages_chooses_its_own_pace(policy: str) -> None:
    """`Hub.read` and the long-poll leave nothing out, whatever the policy of the stream and however long they take."""

    async def main() -> None:
        async with Hub(limits=Limits(flush_seconds=0, slow_seconds=0, read_bytes=20)) as hub:
            await hub.create("s", content_type=JSON, slow=policy)
            for n in range(3):
                await hub.append("s", {"k": "a", "n": n})
            found = []
            async for record in hub.read("s", live=True):
                found.append(record.json()["n"])
                if len(found) < 5:
                    await hub.append("s", {"k": "a", "n": len(found) + 2})
                if len(found) == 7:
                    break
            assert found == list(range(7))
            paged: list[int] = []
            page = await hub.poll("s", "-1")
            while len(paged) < 7:
                paged += [record.json()["n"] for record in page.records]
                page = await hub.poll("s", page.next_offset) if len(paged) < 7 else page
            assert paged == found

    asyncio.run(main())


URL = "/v1/stream/prices"


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    """A server that compresses when asked to."""
    with headwater_server("memory:", "--slow-seconds", "0.2", "--compression", "gzip") as process:
        yield process


def body_of(raw: socket.socket) -> bytes:
    """The body of a chunked answer, to its end."""
    body = b""
    with raw.makefile("rb") as stream:
        while size := int(stream.readline() or b"0", 16):
            body += stream.read(size)
            stream.readline()
    return body


def told_of(raw: socket.socket, wire: str, offset: str, coding: str = "identity") -> tuple[bytes, Client]:
    """A whole answer, decoded, and the client that read it."""
    body = body_of(raw)
    text = Decoder(coding).feed(body) if coding == "gzip" else body
    client = Client(wire, offset)
    client.feed(text)
    return text, client


def ask(server: ServerProcess, policy: str, wire: str, offset: str, *headers: str, receive: int = 0) -> socket.socket:
    """A reader whose answer has begun."""
    target = f"{URL}?slow={policy}&offset={offset}" + ("&live=sse" if wire == "sse" else "")
    accept = LINES if wire == "ndjson" else EVENTS
    raw = asking(server, target, *headers, accept=accept, receive=receive)
    assert status_of(raw) == 200
    return raw


def cuts_of(text: bytes) -> list[int]:
    """Places to cut an answer: some everywhere, many around the news of a gap."""
    gap = re.search(rb'stream-gap|"gap"|streamGap', text)
    near = range(gap.start() - 20, gap.end() + 1000, 17) if gap else ()
    return sorted({0, len(text), *range(0, len(text), len(text) // 16 or 1), *near})


@pytest.mark.slow
@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize(
    ("policy", "coding"), [*((policy, "identity") for policy in POLICIES), ("conflate:k", "gzip"), ("latest", "gzip")]
)
def test_a_reader_is_cut_on_its_socket_and_comes_back(
    server: ServerProcess, policy: str, wire: str, coding: str
) -> None:
    """A key that is quiet since is told to everybody whose policy keeps it, wherever the socket was cut."""
    call(server, "DELETE", URL)
    call(server, "PUT", URL, content_type=JSON)
    start = call(server, "HEAD", URL).headers["stream-next-offset"]
    noise = random.Random(7)
    with ask(server, policy, wire, "now", f"accept-encoding: {coding}", receive=4096) as raw:
        for burst in range(60):
            keys = ["rare"] if burst == 30 else [f"key {n % 5}" for n in range(50)]
            values = [{"k": k, "n": 100 * burst + n, "pad": noise.randbytes(99).hex()} for n, k in enumerate(keys)]
            assert call(server, "POST", URL, json.dumps(values), content_type=JSON).status == 204
        call(server, "POST", URL, stream_closed="true")
        while policy == "disconnect" and call(server, "GET", "/-/readers").json()["readers"]:
            time.sleep(0.02)
        text, whole = told_of(raw, wire, start, coding)
    log = Log()
    with ask(server, "replay", "ndjson", start) as raw:
        log.records = {
            line["data"]["n"]: (line["offset"], line["data"]["k"]) for line in lines_of(raw) if "data" in line
        }
    assert len(log.records) == 59 * 50 + 1
    assert bool(whole.gaps) == (policy in {"latest", "conflate:k"})
    assert whole.ends == ["detached" if policy == "disconnect" else "closed"]
    client, fed = Client(wire, start), 0
    for number, cut in enumerate(cuts_of(text)):
        client.feed(text[fed:cut])
        fed = cut
        log.check(client, policy)
        if number % 20 == 5:
            with ask(server, policy, wire, client.offset) as raw:
                _, second = told_of(raw, wire, client.offset)
            second.seen |= client.seen
            second.gaps += client.gaps
            log.check(second, policy)
