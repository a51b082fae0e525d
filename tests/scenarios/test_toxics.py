"""A bad network: the same seed is the same network, and what it loses is lost with the connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from conformance.toxics import Network, Toxics, bad_network

Run = Callable[[Coroutine[Any, Any, Any]], Any]


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()


@asynccontextmanager
async def echo_behind(toxics: Toxics, seed: int = 0) -> AsyncIterator[Network]:
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server, bad_network("127.0.0.1", server.sockets[0].getsockname()[1], toxics, seed=seed) as network:
        yield network


async def sent(network: Network, data: bytes) -> bytes | None:
    """What comes back; None: the connection was reset."""
    host, _, port = network.address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(data)
        writer.write_eof()
        return await reader.read(-1)
    except (ConnectionError, OSError):
        return None
    finally:
        writer.close()


def test_a_good_network_changes_nothing(run: Run) -> None:
    """Whatever is slow about it."""

    async def main() -> None:
        data = bytes(range(256)) * 400
        async with echo_behind(Toxics(latency=1, jitter=2, rate=10_000_000)) as network:
            assert await sent(network, data) == data
            assert (network.connections, network.cuts) == (1, 0)

    run(main())


def test_a_seed_is_a_network(run: Run) -> None:
    """The same connections are lost, and others with another seed."""

    async def lost(seed: int) -> list[bool]:
        async with echo_behind(Toxics(refuses=0.5), seed) as network:
            return [await sent(network, b"hello") is None for _ in range(24)]

    async def main() -> None:
        first, again, other = await lost(1), await lost(1), await lost(2)
        assert first == again != other
        assert {True, False} == set(first)

    run(main())


def test_connections_that_end_within_so_many_bytes(run: Run) -> None:
    """Each is reset, and never behind more."""

    async def main() -> None:
        async with echo_behind(Toxics(cut_within=100)) as network:
            assert [await sent(network, b"x" * 5000) for _ in range(5)] == [None] * 5
            assert network.cuts >= 5

    run(main())


def test_all_are_cut(run: Run) -> None:
    """Those that are open."""

    async def main() -> None:
        async with echo_behind(Toxics()) as network:
            host, _, port = network.address.rpartition(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(b"a")
            assert await reader.readexactly(1) == b"a"
            network.cut()
            try:
                rest = await reader.read()
            except ConnectionError:
                rest = b""
            assert rest == b""
            writer.close()

    run(main())
