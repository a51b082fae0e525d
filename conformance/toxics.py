"""A bad network between a client and a server.

`python -m conformance.toxics --to 127.0.0.1:4437 --latency 40 --cut-every 1` tells its own address, and goes on.
It knows no protocol: bytes are delayed, slowed down, and lost with their connections.

Rule: what happens follows from the seed, the number of the connection and the bytes that came, so that a run that went
wrong can be made again.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import socket
import struct
import sys
from collections.abc import AsyncIterator
from typing import Final

import msgspec

#: Bytes that are passed on at once; so many are at most on their way when a connection is cut.
_PART: Final = 16 * 1024
#: Most bytes of a connection that a reset waits for.
_RESET_WITHIN: Final = 200_000


class Toxics(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How bad it is.

    Attributes:
        latency: milliseconds by which bytes come later, in each direction.
        jitter: up to so many more.
        rate: bytes a second that a connection passes in each direction; 0: no limit.
        resets: share of the connections that are reset, each at some byte.
        cut_every: seconds after which all connections are cut, again and again; 0: never.
        cut_within: each connection ends behind a random number of bytes, up to this; 0: none does.
        refuses: share of the connections that are reset at once.
    """

    latency: float = 0
    jitter: float = 0
    rate: float = 0
    resets: float = 0
    cut_every: float = 0
    cut_within: int = 0
    refuses: float = 0


class Network:
    """One of them; made by `bad_network`.

    Attributes:
        address: where it takes connections, such as `127.0.0.1:40123`.
        connections: that came.
        cuts: that were reset or cut.
        toxics: how bad it is; another value holds for what comes then.
    """

    def __init__(self, host: str, port: int, toxics: Toxics, seed: int) -> None:
        self.address = ""
        self.connections = 0
        self.cuts = 0
        self.toxics = toxics
        self._seed = seed
        self._to = (host, port)
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.connections += 1
        chance, toxics = random.Random(f"{self._seed}/{self.connections}"), self.toxics
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            if chance.random() < toxics.refuses:
                self._reset(writer)
                return
            limit = _RESET_WITHIN if chance.random() < toxics.resets else toxics.cut_within
            await self._join(reader, writer, _Budget(chance.randrange(1, limit + 1) if limit else None), chance)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            with contextlib.suppress(Exception):
                writer.close()

    async def _join(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, budget: _Budget, chance: random.Random
    ) -> None:
        origin_reader, origin_writer = await asyncio.open_connection(*self._to)
        both = (writer, origin_writer)
        self._open.update(both)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, origin_writer, budget, random.Random(chance.random())))
                group.create_task(self._pump(origin_reader, writer, budget, random.Random(chance.random())))
        except* (ConnectionError, _Spent):
            self._reset(writer)
            self._reset(origin_writer)
        finally:
            self._open.difference_update(both)
            origin_writer.close()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, budget: _Budget, chance: random.Random
    ) -> None:
        while data := await reader.read(_PART):
            toxics = self.toxics
            if toxics.latency or toxics.jitter:
                await asyncio.sleep((toxics.latency + chance.uniform(0, toxics.jitter)) / 1000)
            for at in range(0, len(data), size := self._step(toxics)):
                part = budget.take(data[at : at + size])
                writer.write(part)
                await writer.drain()
                budget.check()
                if toxics.rate:
                    await asyncio.sleep(len(part) / toxics.rate)
        if writer.can_write_eof():
            writer.write_eof()

    def _step(self, toxics: Toxics) -> int:
        # Slow is steady: a tenth of a second's bytes at a time.
        return max(1, min(_PART, int(toxics.rate / 10))) if toxics.rate else _PART

    def _reset(self, writer: asyncio.StreamWriter) -> None:
        if writer.transport.is_closing():
            return
        self.cuts += 1
        sock = writer.get_extra_info("socket")
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    def cut(self) -> None:
        """Cut all connections."""
        for writer in list(self._open):
            self._reset(writer)

    async def cut_again_and_again(self) -> None:
        """Cut all connections every `cut_every` seconds."""
        while True:
            await asyncio.sleep(self.toxics.cut_every or 0.1)
            if self.toxics.cut_every:
                self.cut()

    async def end(self) -> None:
        """End all connections."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class _Spent(Exception):
    """The connection has passed all the bytes that it may."""


class _Budget:
    def __init__(self, left: int | None) -> None:
        self._left = left

    def take(self, data: bytes) -> bytes:
        if self._left is None:
            return data
        data = data[: self._left]
        self._left -= len(data)
        return data

    def check(self) -> None:
        if self._left == 0:
            raise _Spent


@contextlib.asynccontextmanager
async def bad_network(host: str, port: int, toxics: Toxics, *, seed: int = 0) -> AsyncIterator[Network]:
    """One in front of a server.

    Args:
        host: of the server.
        port: of the server.
        toxics: how bad it is.
        seed: of all that is random.
    """
    found = Network(host, port, toxics, seed)
    server = await asyncio.start_server(found.handle, "127.0.0.1", 0)
    found.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    cutting = asyncio.create_task(found.cut_again_and_again())
    try:
        yield found
    finally:
        cutting.cancel()
        server.close()
        await found.end()


async def _run(options: argparse.Namespace) -> None:
    host, _, port = options.to.rpartition(":")
    fields = {name: getattr(options, name) for name in Toxics.__struct_fields__}
    async with bad_network(host, int(port), Toxics(**fields), seed=options.seed) as network:
        sys.stdout.write(f"{network.address}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


def main() -> None:
    """The command: it tells its address, and goes on until it is interrupted."""
    parser = argparse.ArgumentParser(prog="python -m conformance.toxics", description=__doc__)
    parser.add_argument("--to", required=True, help="host and port of the server")
    parser.add_argument("--seed", type=int, default=0)
    for name in Toxics.__struct_fields__:
        kind = int if name == "cut_within" else float
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, default=kind(0))
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
