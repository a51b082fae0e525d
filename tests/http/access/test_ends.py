"""How an end goes that concerns many: hushed at once, told in turns, made once for all, and cheap for each."""

from __future__ import annotations

import asyncio
import gzip
import logging
import sys
import time
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from tests.conftest import Run
from tests.http.access.test_crowds import WIRES, Reader
from tests.http.access.test_live import ROOT, guarded, send
from tests.support.access import token
from tests.support.inprocess import InProcess, rest_of, turns

import headwater
from headwater.hub.access import end as ends
from headwater.hub.access.end import REVOKED, AccessEnd
from headwater.hub.access.proven import Proven
from headwater.model import Principal
from headwater.protocol.access.identity import Access

OURS = str(Path(headwater.__file__).parent) + "/"
#: Calls of Python for one reader that ends, told and closed; of a long-poll with its whole response.
COSTS = {"events": 40, "ndjson": 40, "long-poll": 57, "many": 84, "websocket": 77}


@asynccontextmanager
async def crowd(folder: Path, wire: str, count: int, **more: Any) -> AsyncIterator[tuple[InProcess, list[Reader]]]:
    """So many live readers of one principal."""
    async with guarded(folder, **more) as server:
        mine = token("victim")
        readers = [Reader(wire, mine) for _ in range(count)]
        tasks = [asyncio.create_task(each.read(server.connect)) for each in readers]
        async with asyncio.timeout(60):
            while server.hub.stats.readers < count or len(server.hub.runtime.principals) < count:  # noqa: ASYNC110
                await asyncio.sleep(0)
            await turns(30)
            yield server, readers
            await asyncio.gather(*tasks)


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Calls of our own functions, by their names."""
    calls: Counter[str] = Counter()

    def count(frame: FrameType, event: str, _: object) -> None:
        name = frame.f_code.co_filename
        if event == "call" and name.startswith(OURS):
            calls[frame.f_code.co_qualname] += 1

    sys.setprofile(count)
    try:
        yield calls
    finally:
        sys.setprofile(None)


async def calls_of(folder: Path, wire: str, count: int) -> Counter[str]:
    """Those of a revocation that ends so many readers."""
    async with crowd(folder, wire, count) as (server, _):
        tasks = len(asyncio.all_tasks())
        with counted() as calls:
            await server.hub.revoke("victim", issuer="headwater")
            assert len(asyncio.all_tasks()) <= tasks + 1  # that reads what was revoked elsewhere
            await turns(60)
        return calls


@pytest.mark.parametrize("wire", [*WIRES])
def test_what_each_costs(run: Run[None], tmp_path: Path, wire: str, caplog: pytest.LogCaptureFixture) -> None:
    """It goes with the number of readers, by so many calls each; there is one line, and no task, for all of them."""
    caplog.set_level(logging.INFO, "headwater.access")

    async def main() -> None:
        few, many = 10, 30
        less, more = await calls_of(tmp_path, wire, few), await calls_of(tmp_path, wire, many)
        each = {name: (more[name] - less[name]) / (many - few) for name in more | less}
        assert sum(each.values()) <= COSTS[wire] + 2, Counter(each).most_common()
        if wire in ("events", "ndjson"):
            assert all(each.get(name, 0) == 0 for name in ("Cursor.detach", "chunk", "PlainEvents.encode")), each
        lines = [record.getMessage() for record in caplog.records if record.name == "headwater.access"]
        assert [line.partition(" ")[0] for line in lines] == ["access.revoked"] * 2
        assert f'"ended":{many}' in lines[1]

    run(main())


@pytest.mark.parametrize("wire", [*WIRES])
def test_nothing_comes_while_others_end(
    run: Run[None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wire: str
) -> None:
    """What is written behind the revocation is told to none of them, also to those whose turn comes much later."""
    monkeypatch.setattr(ends, "TURN", 1)
    monkeypatch.setattr(ends, "HUSHED", 100)

    async def main() -> None:
        async with crowd(tmp_path, wire, 40) as (server, readers):
            assert await server.hub.revoke("victim", issuer="headwater") == 40
            await server.hub.append("a", "late")
            await turns(20)
            # What an append wakes does not wait for its turn.
            assert wire == "long-poll" or 0 < server.hub.stats.readers < 40
            await server.hub.append("a", "later")
        assert not any(b"late" in each.told for each in readers)
        assert len({each.told.partition(b"\r\n\r\n")[2].rpartition(b"detached")[2] for each in readers}) == 1
        assert server.hub.stats.readers == 0

    run(main())


def test_who_leaves_meanwhile(run: Run[None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some are gone before their turn, and the hub stops before that of others: all end once, and are counted once."""
    monkeypatch.setattr(ends, "TURN", 1)
    monkeypatch.setattr(ends, "HUSHED", 100)

    async def main() -> None:
        async with guarded(tmp_path) as server:
            mine = token("victim")
            socks = [
                await send(server, "GET", f"{ROOT}a?offset=now", mine, f"accept: {WIRES[wire][1]}")
                for wire in ("events", "ndjson")
                for _ in range(10)
            ]
            await turns(40)
            assert await server.hub.revoke("victim", issuer="headwater") == 20
            for sock in socks[8:14]:
                sock.close()
            server.hub.live.drain()
            async with asyncio.timeout(10):
                while server.hub.stats.readers:  # noqa: ASYNC110
                    await asyncio.sleep(0)
            for sock in (*socks[:8], *socks[14:]):
                told = await rest_of(sock)
                assert told.count(b"detached") == 1
                assert b"revoked" in told
                sock.close()
            assert server.hub.stats.access_ended == {"revoked": 20}
            assert len(server.hub.runtime.principals) == 0

    run(main())


def test_those_that_are_compressed(run: Run[None], tmp_path: Path) -> None:
    """Each is told in its own coding, to a proper end."""

    async def main() -> None:
        async with guarded(tmp_path, compression=("gzip",)) as server:
            mine = token("victim")
            lines = ("accept: application/x-ndjson", "accept-encoding: gzip", "connection: close")
            socks = [await send(server, "GET", f"{ROOT}a", mine, *lines) for _ in range(3)]
            await turns(40)
            await server.hub.append("a", "before")
            await turns()
            assert await server.hub.revoke("victim", issuer="headwater") == 3
            for sock in socks:
                with sock:
                    told = decoded(await rest_of(sock))
                assert b'"before"' in told
                assert b'"reason":"revoked"' in told

    run(main())


def decoded(response: bytes) -> bytes:
    """The body of a response in chunks, which is whole."""
    head, _, rest = response.partition(b"\r\n\r\n")
    assert b"content-encoding: gzip" in head.lower()
    body = b""
    while (size := int(rest[: rest.index(b"\r\n")], 16)) > 0:
        start = rest.index(b"\r\n") + 2
        body, rest = body + rest[start : start + size], rest[start + size + 2 :]
    decoder = zlib.decompressobj(31)
    found = decoder.decompress(body)
    assert decoder.eof
    assert gzip.decompress(body) == found
    return found


class Stub:
    """What lives by a proof, and notes in which turn of the loop it was told what."""

    turn = 0

    def __init__(self) -> None:
        self.hushed = self.ended = self.noticed = -1

    def hush(self, end: AccessEnd) -> None:
        self.hushed = Stub.turn

    def end_access(self, end: AccessEnd) -> None:
        self.ended = Stub.turn

    def tell_expiring(self, at: float) -> None:
        self.noticed = Stub.turn


async def turned(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)
        Stub.turn += 1


def test_ten_thousand_take_turns_to_be_hushed(run: Run[None], tmp_path: Path) -> None:
    """All before the first one beyond a turn ends; nobody is told an end who was not hushed."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            principals, stubs = server.hub.runtime.principals, [Stub() for _ in range(10_000)]
            access = Proven(Access("u1", issuer="x"), "proof")
            for stub in stubs:
                principals.enter(access, stub)
            Stub.turn = 0
            assert principals.end(Principal("u1", "x"), REVOKED) == 10_000
            assert sum(stub.hushed == 0 for stub in stubs) == 2 * ends.HUSHED  # in the call, and in its turn
            await turned(120)
            assert max(stub.hushed for stub in stubs) <= 20
            assert all(0 <= stub.hushed <= stub.ended for stub in stubs)
            assert max(Counter(stub.ended for stub in stubs).values()) <= 2 * ends.TURN

    run(main())


@pytest.mark.parametrize("proofs", [1, 5, 1000])
def test_a_turn_has_a_hundred(run: Run[None], tmp_path: Path, proofs: int) -> None:
    """By however many proofs a thousand live: all are hushed in the call, and no turn of the loop ends more."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            principals, stubs = server.hub.runtime.principals, [Stub() for _ in range(1000)]
            accesses = [Proven(Access("u1", issuer="x"), ("proof", number)) for number in range(proofs)]
            for number, stub in enumerate(stubs):
                principals.enter(accesses[number % proofs], stub)
            Stub.turn = 0
            assert principals.end(Principal("u1", "x"), REVOKED) == 1000
            assert {stub.hushed for stub in stubs} == {0}
            await turned(20)
            assert max(Counter(stub.ended for stub in stubs).values()) <= 2 * ends.TURN  # turns of ours and of the loop
            assert min(stub.ended for stub in stubs) == 0
            assert len(principals) == len(principals._proofs) == len(principals._of) == 0

    run(main())


def test_a_notice_has_turns(run: Run[None], tmp_path: Path) -> None:
    """That it will expire is told as an end is, a hundred in a turn."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            principals, stubs = server.hub.runtime.principals, [Stub() for _ in range(1000)]
            access = Proven(Access("u1", issuer="x", expires=2e9), "proof")
            for stub in stubs:
                principals.enter(access, stub)
            Stub.turn = 0
            object.__setattr__(access, "expires", time.time() + 20)
            principals._due(principals._proofs["proof"])
            await turned(20)
            assert max(Counter(stub.noticed for stub in stubs).values()) <= 2 * ends.TURN
            assert min(stub.noticed for stub in stubs) == 0
            for stub in stubs:
                principals.leave(access, stub)

    run(main())
