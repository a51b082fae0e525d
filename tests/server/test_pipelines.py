"""Requests behind each other on one connection while commits are slow: all are answered, in order, whatever the cut."""

from __future__ import annotations

import asyncio
import re
import select
import socket
from collections.abc import Callable, Coroutine, Iterable
from contextlib import closing
from typing import Any

import pytest
from tests.support.inprocess import InProcess, in_process, rest_of, turns

from headwater.model import Appended, Batch, StreamInfo
from headwater.protocol.ledger import Append
from headwater.server.settings import Settings
from headwater.stores.base import Done
from headwater.stores.memory import MemoryStore

Run = Callable[[Coroutine[Any, Any, Any]], Any]

HOST = b"host: localhost\r\n"
LAST = b"connection: close\r\n"
#: Sends a request through ASGI, past the fast lane.
PAGE = b"origin: http://localhost\r\n"


class SlowStore(MemoryStore):
    """A store whose appends wait until they are let go."""

    def __init__(self) -> None:
        super().__init__()
        self.open_gate = asyncio.Event()
        self._waiting: list[tuple[str, Append, Done]] = []

    async def append(self, path: str, request: Append) -> Appended:
        """Wait, then append."""
        await self.open_gate.wait()
        return await super().append(path, request)

    def post(self, path: str, request: Append, done: Done) -> None:
        """Wait without waiting, then append."""
        if self.open_gate.is_set():
            super().post(path, request, done)
        else:
            self._waiting.append((path, request, done))

    def let_go(self) -> None:
        """Commit what waits, and whatever comes."""
        self.open_gate.set()
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            super().post(*one)


def post(body: bytes, *headers: bytes, chunked: bool = False) -> bytes:
    framing = b"transfer-encoding: chunked\r\n" if chunked else b"content-length: %d\r\n" % len(body)
    sent = b"%x\r\n%b\r\n0\r\nstream-closed: true\r\n\r\n" % (len(body), body) if chunked else body
    head = b"POST /v1/stream/s HTTP/1.1\r\ncontent-type: application/json\r\n" + HOST + b"".join(headers)
    return head + framing + b"\r\n" + sent


def get(*headers: bytes, method: bytes = b"GET") -> bytes:
    return method + b" /v1/stream/s HTTP/1.1\r\naccept: */*\r\n" + HOST + b"".join(headers) + b"\r\n"


ALL = post(b"1") + post(b"2", PAGE) + get() + post(b"3", chunked=True) + post(b"4") + get(PAGE)
LIVE = get().replace(b"*/*", b"text/event-stream")
#: What is sent, the statuses, and what the stream holds behind it.
PIPELINES = {
    "to an end": (
        ALL + get(method=b"HEAD") + post(b"nonsense") + post(b"5", PAGE, LAST),
        [204, 204, 200, 204, 204, 200, 200, 400, 204],
        [b"1", b"2", b"3", b"4", b"5"],
    ),
    "to a bad request": (
        ALL + b"\r\nGET / HTTP/3.0\r\n\r\n" + post(b"6"),
        [204, 204, 200, 204, 204, 200, 505],
        [b"1", b"2", b"3", b"4"],
    ),
    "to a bad body": (
        ALL + post(b"", chunked=True).replace(b"\r\n\r\n0\r\n", b"\r\n\r\nx\r\n") + post(b"6"),
        [204, 204, 200, 204, 204, 200, 400],
        [b"1", b"2", b"3", b"4"],
    ),
    "to a live read": (
        ALL + post(b"5", b"stream-closed: true\r\n") + LIVE,
        [204, 204, 200, 204, 204, 200, 204, 200],
        [b"1", b"2", b"3", b"4", b"5"],
    ),
    "with upgrades": (
        post(b"1", b"connection: Upgrade\r\nupgrade: h2c\r\n")
        + post(b"2", b"connection: Upgrade\r\nupgrade: h2c\r\n", chunked=True)
        + get(LAST),
        [204, 204, 200],
        [b"1", b"2"],
    ),
}


async def answered(served: InProcess, store: SlowStore, pieces: list[bytes]) -> bytes:
    """What comes back for pieces that are read one by one, before any commit is done."""
    store.open_gate.clear()
    served_by = await served.connect()
    with closing(served_by) as client:
        for piece in pieces:
            await asyncio.get_running_loop().sock_sendall(client, piece)
            await turns()
        store.let_go()
        return await rest_of(client)


def statuses(answer: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1.1 (\d+)", answer)]


async def begin(served: InProcess) -> None:
    """An empty stream."""
    if await served.hub.list():
        await served.hub.delete("s")
    await served.hub.create("s", content_type="application/json")


def at_lines(sent: bytes) -> list[int]:
    """In and around every line end, and at every eleventh byte."""
    ends = [found.start() + step for found in re.finditer(rb"\r\n", sent) for step in (1, 2, 3)]
    return sorted({cut for cut in (*ends, *range(1, len(sent), 11)) if cut < len(sent)})


@pytest.mark.slow
@pytest.mark.parametrize("name", PIPELINES)
def test_pipelines_cut_at_lines_are_answered_in_order(run: Run, name: str) -> None:
    """In two, while the first commit waits for the second segment; `make soak` cuts at every byte."""
    check_cuts(run, name, at_lines(PIPELINES[name][0]))


@pytest.mark.soak
@pytest.mark.parametrize("name", PIPELINES)
def test_pipelines_cut_everywhere_are_answered_in_order(run: Run, name: str) -> None:
    """In two at every byte."""
    check_cuts(run, name, range(1, len(PIPELINES[name][0])))


def check_cuts(run: Run, name: str, cuts: Iterable[int]) -> None:
    sent, expected, content = PIPELINES[name]

    async def main() -> None:
        store = SlowStore()
        async with in_process(Settings(store="memory:"), store) as served:
            for cut in cuts:
                await begin(served)
                answer = await answered(served, store, [sent[:cut], sent[cut:]])
                assert statuses(answer) == expected, cut
                assert [record.data for record in (await served.hub.read_batch("s")).records] == content
            assert served.hub.stats.readers == 0

    run(main())


#: What is sent before the client closes its side, and the statuses; half a request at the end gets none.
HALF_CLOSED = {
    "an append": (post(b"1"), [204]),
    "a page's append": (post(b"1", PAGE), [204]),
    "a chunked append": (post(b"1", chunked=True), [204]),
    "a read": (get(), [200]),
    "several": (ALL, [204, 204, 200, 204, 204, 200]),
    "half a head behind": (post(b"1", PAGE) + get()[:-2], [204]),
    "half a body behind": (post(b"1", PAGE) + post(b"23", PAGE)[:-1], [204]),
    "half a body of the lane behind": (post(b"1") + post(b"23")[:-1], [204]),
    "half a body": (post(b"23", PAGE)[:-1], []),
    "half a body of the lane": (post(b"23")[:-1], []),
    "a bad request behind": (post(b"1", PAGE) + b"GET / HTTP/3.0\r\n\r\n", [204, 505]),
    "a refused body behind": (get() + post(b"1", b"content-encoding: gzip\r\n"), [200, 415]),
    "a refused body behind an append": (post(b"1") + post(b"1", b"content-encoding: gzip\r\n"), [204, 415]),
    "nothing": (b"", []),
}


@pytest.mark.parametrize("name", HALF_CLOSED)
def test_what_was_sent_whole_is_answered_after_the_client_closes_its_side(run: Run, name: str) -> None:
    """As `nc -N` does; then the connection closes, long before `keep_alive_seconds`."""
    sent, expected = HALF_CLOSED[name]

    async def main() -> None:
        store = SlowStore()
        async with in_process(Settings(store="memory:"), store) as served:
            await begin(served)
            with closing(await served.connect()) as client:
                await asyncio.get_running_loop().sock_sendall(client, sent)
                client.shutdown(socket.SHUT_WR)
                await turns()
                store.let_go()
                assert statuses(await rest_of(client)) == expected
            kept = [record.data for record in (await served.hub.read_batch("s")).records]
            assert len(kept) == expected.count(204)
            assert served.hub.intake.held == 0

    run(main())


LIVE_POLL = b"GET /v1/stream/s?offset=now&live=long-poll HTTP/1.1\r\nhost: localhost\r\n\r\n"


@pytest.mark.parametrize("live", [LIVE, LIVE_POLL], ids=["events", "long-poll"])
@pytest.mark.parametrize("leaves", [socket.socket.close, lambda client: client.shutdown(socket.SHUT_WR)])
def test_a_live_reader_that_closes_its_side_is_gone(
    run: Run, live: bytes, leaves: Callable[[socket.socket], None]
) -> None:
    """A client that reads keeps its side open: it looks the same as one that has left."""

    async def main() -> None:
        async with in_process(Settings(store="memory:")) as served:
            await begin(served)
            with closing(await served.connect()) as client:
                await asyncio.get_running_loop().sock_sendall(client, live)
                async with asyncio.timeout(10):
                    while not served.hub.stats.readers:
                        await turns()
                    leaves(client)
                    while served.hub.stats.readers:
                        await turns()

    run(main())


@pytest.mark.parametrize("framing", [b"content-length: 9\r\n\r\n12", b"transfer-encoding: chunked\r\n\r\n9\r\n12"])
def test_half_a_body_that_nobody_wants_ends_with_its_response(run: Run, framing: bytes) -> None:
    """The client has closed its side: the rest of it, which would be thrown away, is not waited for."""

    async def main() -> None:
        store = SlowInfo()
        async with in_process(Settings(store="memory:", linger_seconds=1000), store) as served:
            await begin(served)
            with closing(await served.connect()) as client:
                await asyncio.get_running_loop().sock_sendall(client, get(method=b"HEAD")[:-2] + framing)
                await store.was_asked.wait()
                client.shutdown(socket.SHUT_WR)
                await turns()
                store.open_gate.set()
                assert statuses(await rest_of(client)) == [200]

    run(main())


def test_many_requests_with_bodies_that_nobody_reads_are_all_answered(run: Run) -> None:
    """However many come at once: what is behind a body that is thrown away has a turn of its own."""
    one = b"OPTIONS /v1/stream/s HTTP/1.1\r\ncontent-length: 1\r\n" + HOST + b"\r\nx"

    async def main() -> None:
        async with in_process(Settings(store="memory:")) as served:
            with closing(await served.connect()) as client:
                await asyncio.get_running_loop().sock_sendall(client, one * 500 + get(LAST))
                assert statuses(await rest_of(client)) == [204] * 500 + [404]

    run(main())


class SlowInfo(MemoryStore):
    """A store that is asked about a stream, and takes its time."""

    def __init__(self) -> None:
        super().__init__()
        self.was_asked, self.open_gate = asyncio.Event(), asyncio.Event()

    async def info(self, path: str) -> StreamInfo:
        """Wait, then look."""
        self.was_asked.set()
        await self.open_gate.wait()
        return await super().info(path)


@pytest.mark.parametrize("leaves", [socket.socket.close, lambda client: client.shutdown(socket.SHUT_WR)])
def test_a_client_that_leaves_before_its_body_is_asked_for_leaves_nothing(
    run: Run, leaves: Callable[[socket.socket], None]
) -> None:
    """Nobody waits for a body that will not come; it is a disconnect."""
    sent = post(b"1", b"expect: 100-continue\r\n", b"stream-create: true\r\n")[:-1]

    async def main() -> None:
        store = SlowInfo()
        async with in_process(Settings(store="memory:"), store) as served:
            before = asyncio.all_tasks()
            with closing(await served.connect()) as client:
                await asyncio.get_running_loop().sock_sendall(client, sent)
                await store.was_asked.wait()
                leaves(client)
                await turns()
                store.open_gate.set()
                await turns()
                assert asyncio.all_tasks() == before
                assert served.hub.stats.disconnects == 1

    run(main())


async def fill(served: InProcess, client: socket.socket, least: int = 0) -> None:
    """Ask, and take nothing, until more than so many bytes of responses wait for the client in the process."""
    await begin(served)
    await served.hub.append("s", "x" * 40_000)
    while served.held() <= least:
        await asyncio.get_running_loop().sock_sendall(client, get())
        await turns()


async def until_cut(client: socket.socket) -> None:
    """Wait for the other side to close, without taking anything; at most ten seconds."""
    poll = select.poll()
    poll.register(client, 0)
    async with asyncio.timeout(10):
        while not any(event & select.POLLHUP for _, event in poll.poll(0)):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


#: What a client asks for last, before it closes its side.
UNTAKEN = {"half a body": post(b"23")[:-1], "a live read": post(b"1") + LIVE, "half a head": LIVE[:-2], "nothing": b""}


@pytest.mark.parametrize("name", UNTAKEN)
def test_a_client_that_takes_nothing_and_closes_its_side_is_cut(run: Run, name: str) -> None:
    """After `write_seconds`, whatever it has asked: its descriptor is needed."""
    settings = Settings(store="memory:", write_seconds=0.2, body_seconds=0.5, head_seconds=0.5, keep_alive_seconds=1)

    async def main() -> None:
        store = SlowStore()
        store.let_go()
        async with in_process(settings, store) as served:
            with closing(await served.connect()) as client:
                await fill(served, client)
                store.open_gate.clear()
                await asyncio.get_running_loop().sock_sendall(client, UNTAKEN[name])
                client.shutdown(socket.SHUT_WR)
                await turns()
                store.let_go()
                await until_cut(client)

    run(main())


def test_a_client_that_takes_a_last_response_slowly_gets_all_of_it(run: Run) -> None:
    """However long that takes: `write_seconds` is for one that takes nothing."""
    seconds = 0.6

    async def main() -> None:
        async with in_process(Settings(store="memory:", write_seconds=seconds)) as served:
            loop = asyncio.get_running_loop()
            with closing(await served.connect()) as client:
                await begin(served)
                await served.hub.append("s", "x" * 800_000)
                await loop.sock_sendall(client, get(LAST))
                found, began = b"", loop.time()
                while part := await loop.sock_recv(client, 30_000):
                    found += part
                    await asyncio.sleep(seconds / 10)
                assert len(found) > 800_000
                assert loop.time() - began > 2 * seconds

    run(main())


def test_a_live_reader_that_took_nothing_of_what_came_before_is_paused_and_cut(run: Run) -> None:
    """It has the limits of every other reader, although its connection was full when it began."""
    settings = Settings(store="memory:", write_seconds=0.2)

    async def main() -> None:
        async with in_process(settings) as served:
            with closing(await served.connect()) as client:
                await fill(served, client, settings.buffer_bytes)
                await asyncio.get_running_loop().sock_sendall(client, LIVE)
                await turns()
                assert served.hub.stats.readers == 1
                await served.hub.append("s", "y" * 40_000)
                await turns()
                assert served.hub.stats.pauses == 1
                await until_cut(client)
            assert served.hub.stats.stalls == 1

    run(main())


class SlowRead(MemoryStore):
    """A store that gives the first piece of a long read, and no second one."""

    def __init__(self) -> None:
        super().__init__()
        self.reads, self.waits = 0, asyncio.Event()

    async def read(self, path: str, offset: str, **bounds: Any) -> Batch:
        """Read the stream once."""
        self.reads += path == "s"
        if self.reads > 1:
            self.waits.set()
            await asyncio.Event().wait()
        return await super().read(path, offset, **bounds)


def test_a_response_whose_next_piece_takes_its_time_ends_with_its_client(run: Run) -> None:
    """Nothing is made for a client that is gone."""

    async def main() -> None:
        store = SlowRead()
        async with in_process(Settings(store="memory:", read_bytes=10_000), store) as served:
            await begin(served)
            for _ in range(3):
                await served.hub.append("s", "x" * 8_000)
            before = asyncio.all_tasks()
            with closing(await served.connect()) as client:
                await asyncio.get_running_loop().sock_sendall(client, get())
                await store.waits.wait()
            await turns()
            assert asyncio.all_tasks() == before
            assert served.hub.stats.disconnects == 1

    run(main())


def test_what_waits_behind_a_response_that_is_not_taken_yet_is_answered_too(run: Run) -> None:
    """Although its client closes its side meanwhile."""

    async def main() -> None:
        async with in_process(Settings(store="memory:")) as served:
            await begin(served)
            await served.hub.append("s", "x" * 900_000)
            with closing(await served.connect()) as client:
                await asyncio.get_running_loop().sock_sendall(client, get() + post(b"1"))
                client.shutdown(socket.SHUT_WR)
                await turns()
                assert statuses(await rest_of(client)) == [200, 204]

    run(main())
