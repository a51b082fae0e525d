"""A crowd on every wire, of which one is taken back: nothing is told it afterwards, and everybody else is told all."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.conftest import Run
from tests.http.access.test_live import ROOT, guarded
from tests.support.access import SECRET, token
from tests.support.inprocess import turns
from tests.support.processes import ServerProcess, headwater_server
from tests.support.websocket import CONNECT, HEADERS, JSON_PROTOCOL
from websockets.frames import Frame, Opcode

Connect = Callable[[], Awaitable[socket.socket]]

#: By their names, the request of each.
WIRES = {
    "events": (f"{ROOT}a?offset=now", "text/event-stream"),
    "ndjson": (f"{ROOT}a?offset=now", "application/x-ndjson"),
    "long-poll": (f"{ROOT}a?offset=now&live=long-poll", "*/*"),
    "many": (f"{ROOT}-/many?stream=a", "text/event-stream"),
    "websocket": (CONNECT, ""),
}


#: The end of a close frame that says why: 4403, `revoked`.
_CLOSED = (4403).to_bytes(2) + b"revoked"


class Reader:
    """One of the crowd.

    Attributes:
        wire: by which it reads.
        told: all that came.
        ended: when its connection was at its end; 0: it is not.
    """

    def __init__(self, wire: str, by: str) -> None:
        self.wire = wire
        self.told = b""
        self.ended = 0.0
        self._by = by
        self._heard = asyncio.Event()

    async def read(self, connect: Connect) -> None:
        """Read to the end."""
        loop, sock = asyncio.get_running_loop(), await connect()
        with sock:
            await loop.sock_sendall(sock, self._request())
            with suppress(ConnectionError):
                while part := await loop.sock_recv(sock, 65536):
                    self.told += part
                    self._heard.set()
                    if self.wire == "websocket" and self.told.endswith(_CLOSED):
                        break
        self.ended = time.monotonic()
        self._heard.set()

    def _request(self) -> bytes:
        target, accept = WIRES[self.wire]
        if self.wire == "websocket":
            hello = json.dumps({"t": "hello", "token": self._by}).encode()
            sub = json.dumps({"t": "sub", "id": 1, "path": "a", "from": "now"}).encode()
            sent = b"".join(Frame(Opcode.TEXT, each).serialize(mask=True) for each in (hello, sub))
            return b"GET %b HTTP/1.1\r\n%b%b\r\n%b" % (target.encode(), HEADERS, JSON_PROTOCOL, sent)
        lines = [f"GET {target} HTTP/1.1", "host: localhost", f"accept: {accept}", "connection: close"]
        return "\r\n".join([*lines, f"authorization: Bearer {self._by}", "", ""]).encode()

    async def until(self, text: bytes) -> None:
        """Wait until it was told something."""
        while text not in self.told:
            assert not self.ended, (self.wire, self.told[-300:])
            self._heard.clear()
            await self._heard.wait()


class Crowd:
    """All of them.

    Args:
        connect: gives a connection.
        principals: how many there are.
        each: how many readers each has, of every wire in turn.
        subject: of the one that is taken back.
    """

    def __init__(self, connect: Connect, principals: int, each: int) -> None:
        self._connect = connect
        names = [*WIRES]
        self.victim = token("victim")
        tokens = [self.victim, *(token(f"u{number}") for number in range(principals - 1))]
        self.readers = [[Reader(names[at % len(names)], by) for at in range(each)] for by in tokens]
        self._tasks: list[asyncio.Task[None]] = []

    async def come(self, count: Callable[[], Awaitable[int]]) -> None:
        """Have all of them read live."""
        all_of_them = [reader for some in self.readers for reader in some]
        for start in range(0, len(all_of_them), 200):
            self._tasks += [asyncio.create_task(each.read(self._connect)) for each in all_of_them[start : start + 200]]
            while await count() < len(self._tasks):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def gone(self, of: list[Reader], since: float) -> float:
        """Seconds until the last one of some was at its end."""
        while not all(each.ended for each in of):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        return max(each.ended for each in of) - since

    async def leave(self) -> None:
        """Be gone."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def test_one_of_many_is_revoked(run: Run[None], tmp_path: Path) -> None:
    """On all wires: its readers end, nothing that is written behind the revocation is told them; others have it."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            crowd = Crowd(server.connect, 12, 10)

            async def count() -> int:
                return len(server.hub.runtime.principals)  # who is counted as a reader may still be on its way

            async with asyncio.timeout(60):
                await crowd.come(count)
                await turns()
                victims, others = crowd.readers[0], [each for some in crowd.readers[1:] for each in some]
                assert await server.hub.revoke("victim", issuer="headwater") == len(victims)
                await server.hub.append("a", "late")
                await crowd.gone(victims, time.monotonic())
                assert not any(b"late" in each.told for each in victims)
                await asyncio.gather(*[each.until(b"late") for each in others])
            await crowd.leave()

    run(main())


# The whole of it, by a server in a process of its own.


@contextmanager
def served(folder: Path) -> Iterator[ServerProcess]:
    """`headwater serve` with one secret and a store in a file."""
    key = folder / "access.key"
    key.write_bytes(SECRET)
    flags = ("--access-key-file", str(key), "--max-readers", "20000", "--long-poll-seconds", "900")
    with headwater_server(f"sqlite:{folder}/a.db", *flags) as process:
        yield process


class Served:
    """That, as a test has it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._chief = token("chief")

    async def connect(self) -> socket.socket:
        """See `Crowd`."""
        sock = socket.socket()
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self._port))
        return sock

    async def ask(self, method: str, target: str, body: bytes = b"", by: str | None = None) -> tuple[int, bytes]:
        """The status and the body of a response."""
        loop, sock = asyncio.get_running_loop(), await self.connect()
        lines = [f"{method} {target} HTTP/1.1", "host: localhost", f"content-length: {len(body)}", "connection: close"]
        lines += ["content-type: application/json", f"authorization: Bearer {by or self._chief}", "", ""]
        with sock:
            await loop.sock_sendall(sock, "\r\n".join(lines).encode() + body)
            told = b""
            while part := await loop.sock_recv(sock, 65536):
                told += part
        return int(told.split()[1]), told.partition(b"\r\n\r\n")[2]

    async def count(self) -> int:
        """How many live readers there are."""
        found: int = json.loads((await self.ask("GET", "/-/stats"))[1])["readers"]
        return found

    async def revoke(self) -> int:
        """Take the victim's proofs back."""
        body = b'{"subject":"victim","issuer":"headwater"}'
        status, told = await self.ask("POST", f"{ROOT}-/revoke", body)
        assert status == 200
        ended: int = json.loads(told)["ended"]
        return ended


def cpu_of(pid: int) -> float:
    """Seconds of CPU that a process has had."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("principals", "each"), [(1000, 10), (1, 10_000)], ids=["one of 1,000", "10,000 of one"])
def test_the_whole_crowd(tmp_path: Path, principals: int, each: int, capsys: pytest.CaptureFixture[str]) -> None:
    """10,000 readers; the victim's are gone a second after the revocation is in the store, also behind a restart."""

    async def main(port: int, pid: int) -> None:
        server = Served(port)
        assert (await server.ask("PUT", f"{ROOT}a"))[0] == 201
        crowd = Crowd(server.connect, principals, each)
        begun = time.monotonic()
        await crowd.come(server.count)
        came = time.monotonic() - begun
        victims, others = crowd.readers[0], [reader for some in crowd.readers[1:] for reader in some]
        spent = cpu_of(pid)
        assert await server.revoke() == len(victims)
        since = time.monotonic()
        while await server.count() > len(others):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        spent = cpu_of(pid) - spent
        took = await crowd.gone(victims, since)
        since = time.monotonic()
        assert (await server.ask("POST", f"{ROOT}a", b'"late"'))[0] == 204
        assert not any(b"late" in reader.told for reader in victims)
        await asyncio.gather(*[reader.until(b"late") for reader in others])
        with capsys.disabled():
            sys.stdout.write(
                f"\n{principals} principals, {each} readers each, came in {came:.1f} s. {len(victims)} of one were "
                f"told for {spent:.3f} s of CPU, and gone {took:.3f} s behind the response to the revocation. "
                f"{len(others)} others had the next record in {time.monotonic() - since:.2f} s\n"
            )
        assert spent <= 1.0  # of a machine with nothing else to do it is also the time
        await crowd.leave()

    async def after(port: int) -> None:
        server = Served(port)
        for wire, (target, _) in WIRES.items():
            if wire != "websocket":
                assert (await server.ask("GET", target, by=token("victim", iat=int(time.time()) - 60)))[0] == 401

    with served(tmp_path) as process:
        asyncio.run(main(process.port, process.pid))
        process.stop()
        process.start()
        asyncio.run(after(process.port))
