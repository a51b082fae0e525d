"""Both doors of WebSockets through nginx, HAProxy and Caddy, by clients that know nothing of them.

Chromium is in `test_browser.py`.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from tests.proxies.fronts import FRONTS, HOST, Certificates, Front, in_front_of
from tests.support.http import call
from tests.support.processes import ServerProcess, required
from tests.support.websocket_node import NODE_SAYS, PACKAGE, node_says
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

pytestmark = pytest.mark.slow

STREAM = "/v1/stream/room"
JSON = "application/json"
PROTOCOL = Subprotocol("headwater.v1+json")


@contextmanager
def connected(
    front: Front, certificates: Certificates, path: str, protocol: Subprotocol | None = None, origin: str = ""
) -> Iterator[ClientConnection]:
    """A WebSocket over TLS to the proxy, by the name that it serves."""
    sock = socket.create_connection(("127.0.0.1", front.port), timeout=30)
    with connect(
        front.url.replace("https", "wss") + path,
        sock=sock,
        ssl=certificates.trusted(),
        subprotocols=[protocol] if protocol else None,
        additional_headers={"Origin": origin or front.url},
        proxy=None,
        open_timeout=30,
        close_timeout=5,
        max_size=None,
    ) as client:
        yield client


@contextmanager
def greeted(front: Front, certificates: Certificates) -> Iterator[ClientConnection]:
    """A connection of `-/connect` behind `welcome`."""
    with connected(front, certificates, "/v1/stream/-/connect", PROTOCOL) as client:
        assert client.subprotocol == PROTOCOL
        client.send('{"t":"hello"}')
        until(client, t="welcome")
        yield client


def until(client: ClientConnection, **fields: Any) -> dict[str, Any]:
    """The next message with these fields."""
    while True:
        found: dict[str, Any] = json.loads(client.recv(timeout=30))
        if all(found.get(key) == value for key, value in fields.items()):
            return found


def say(client: ClientConnection, **message: Any) -> None:
    client.send(json.dumps(message))


def drain(client: ClientConnection) -> None:
    """Read until the connection is gone."""
    with suppress(ConnectionClosed):
        while True:
            client.recv(timeout=30)


def test_records_and_appends_pass(front: Front, certificates: Certificates) -> None:
    """Each record is seen before the next is written, on both doors; a message of nearly `max_body_bytes` passes."""
    with greeted(front, certificates) as many:
        say(many, t="create", id=1, path="room", type=JSON)
        assert until(many, id=1)["created"]
        say(many, t="sub", id=2, path="room", window=0)
        number = until(many, id=2)["s"]
        with connected(front, certificates, f"{STREAM}?raw=1") as bare:
            for each in range(10):
                say(many, t="append", id=10 + each, s=number, r=[each])
                assert until(many, t="data")["r"] == [each]
                assert bare.recv(timeout=30) == str(each)
            bare.send('"from the bare one"')
            assert until(many, t="data")["r"] == ["from the bare one"]
            assert bare.recv(timeout=30) == '"from the bare one"'
            large = "x" * (16 * 1024 * 1024 - 200)
            say(many, t="append", id=100, s=number, r=[large])
            assert json.loads(bare.recv(timeout=30)) == large
            say(many, t="close", id=101, s=number)
            drain(bare)
            assert (bare.close_code, bare.close_reason) == (1000, "closed")
        assert until(many, t="end")["why"] == "closed"


@pytest.mark.parametrize("library", ["node", "ws"])
def test_node(front: Front, certificates: Certificates, library: str) -> None:
    """Node's own `WebSocket`, which is that of browsers, and the package `ws`: both doors, and how each ends."""
    required("the npm package ws (make tests/clients/node_modules)", library == "node" or PACKAGE.is_dir())
    env = {"NAME": HOST, "NODE_EXTRA_CA_CERTS": str(certificates.authority)}
    assert node_says(f"{front.url}/v1/stream/", library, waits=True, env=env) == NODE_SAYS


class ThisMachine(AbstractResolver):
    """Every name is this machine."""

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[ResolveResult]:
        found = ResolveResult(hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0)
        return [found]

    async def close(self) -> None:
        pass


def test_aiohttp(front: Front, certificates: Certificates, server: ServerProcess) -> None:
    """Another library, which offers compression: both doors, and how a stream ends."""
    call(server, "PUT", STREAM, "[1]", content_type=JSON)
    root = front.url.replace("https", "wss") + "/v1/stream/"

    async def main() -> None:
        connector = aiohttp.TCPConnector(resolver=ThisMachine(), ssl=certificates.trusted())
        async with aiohttp.ClientSession(connector=connector) as session:
            where = f"{root}-/connect"
            async with session.ws_connect(where, protocols=[PROTOCOL], compress=15) as many:
                await many.send_json({"t": "hello"})
                assert (await many.receive_json())["t"] == "welcome"
                await many.send_json({"t": "sub", "id": 1, "path": "room"})
                assert [(await many.receive_json())["t"] for _ in range(3)] == ["sub", "data", "live"]
                async with session.ws_connect(f"{root}room?raw=1") as one:
                    sockets = [each.get_extra_info("socket") for each in (many, one)]
                    assert await one.receive_json() == 1
                    await one.send_str("2")
                    assert await one.receive_json() == 2
                    assert (await many.receive_json())["r"] == [2]
                    call(server, "DELETE", STREAM)
                    closed = await one.receive()
                    assert (closed.type, closed.data) == (aiohttp.WSMsgType.CLOSE, 4404)
                assert (await many.receive_json())["why"] == "deleted"
        async with asyncio.timeout(30):
            while any(each.fileno() >= 0 for each in sockets):  # noqa: ASYNC110 - TLS ends behind aiohttp's back
                await asyncio.sleep(0)

    asyncio.run(main())


def test_readers_resume_after_the_proxy_was_killed(
    server: ServerProcess, front: Front, certificates: Certificates
) -> None:
    """What was written meanwhile comes once, from the last offset on; a producer's append is written once."""
    call(server, "PUT", STREAM, "[0,1,2]", content_type=JSON)
    producer = ["p", 0, 0]
    with greeted(front, certificates) as many, connected(front, certificates, STREAM) as bare:
        say(many, t="sub", id=1, path="room")
        offset = until(many, id=1)["tail"]
        seen: list[int] = []
        while len(seen) < 3:
            seen += until(many, t="data")["r"]
        lines = [json.loads(bare.recv(timeout=30)) for _ in range(3)]
        say(many, t="append", id=2, path="room", r=[3], p=producer)
        until(many, id=2)
        front.kill()
        drain(many)
        drain(bare)
    call(server, "POST", STREAM, "[4,5]", content_type=JSON)
    front.start()
    with (
        greeted(front, certificates) as many,
        connected(front, certificates, f"{STREAM}?offset={lines[-1]['offset']}") as bare,
    ):
        say(many, t="append", id=1, path="room", r=[3], p=producer)
        assert until(many, id=1)["dup"]
        say(many, t="sub", id=2, path="room", **{"from": offset})
        while len(seen) < 6:
            seen += until(many, t="data")["r"]
        lines += [json.loads(bare.recv(timeout=30)) for _ in range(3)]
    assert seen == [line["data"] for line in lines] == list(range(6))


@pytest.mark.parametrize("flags", [("--drain-seconds", "0.2")])
def test_a_stop_is_told_through_the_proxy(server: ServerProcess, front: Front, certificates: Certificates) -> None:
    """`drain` and 1012 reach the client; while the server is away a connection is refused, or waits for it."""
    call(server, "PUT", STREAM, "[1]", content_type=JSON)
    with greeted(front, certificates) as many, connected(front, certificates, f"{STREAM}?raw=1") as bare:
        assert bare.recv(timeout=30) == "1"
        server.stop()
        until(many, t="drain")
        drain(many)
        drain(bare)
        assert (many.close_code, bare.close_code) == (1012, 1012)
    server.start()
    with connected(front, certificates, f"{STREAM}?raw=1") as bare:
        assert bare.recv(timeout=30) == "1"


def test_a_page_of_another_origin(server: ServerProcess, front: Front, certificates: Certificates) -> None:
    """The site's own pages may connect; others are refused before anything is upgraded."""
    call(server, "PUT", STREAM, "[1]", content_type=JSON)
    with (
        pytest.raises(InvalidStatus) as caught,
        connected(front, certificates, STREAM, origin="https://attacker.example"),
    ):
        pass
    assert caught.value.response.status_code == 403


#: What each configuration has for silence; Caddy has nothing that ends a WebSocket.
TIMEOUTS = {
    "nginx": {"proxy_read_timeout 60s": "proxy_read_timeout 1s"},
    "haproxy": {"timeout client 60s": "timeout client 1s", "timeout server 60s": "timeout server 1s"},
    "caddy": {},
}


@pytest.fixture(params=FRONTS)
def hasty(
    request: pytest.FixtureRequest, server: ServerProcess, certificates: Certificates, tmp_path: Path
) -> Iterator[Front]:
    """Each proxy, which waits a second for the next byte."""
    directory = tmp_path / "hasty"
    directory.mkdir()
    with in_front_of(server.port, request.param, certificates, directory, TIMEOUTS[request.param]) as front:
        yield front


@pytest.mark.parametrize("flags", [("--heartbeat-seconds", "0.4")])
def test_heartbeats_keep_silent_connections(server: ServerProcess, hasty: Front, certificates: Certificates) -> None:
    """Silence of six times the proxy's timeout is outlived by both doors: the server's pings pass, and so do the
    client's answers, which it waits for."""
    call(server, "PUT", STREAM, content_type=JSON)
    with greeted(hasty, certificates) as many, connected(hasty, certificates, f"{STREAM}?raw=1") as bare:
        say(many, t="sub", id=1, path="room")
        for _ in range(15):
            until(many, t="ping")
        call(server, "POST", STREAM, "[1]", content_type=JSON)
        assert until(many, t="data")["r"] == [1]
        assert bare.recv(timeout=30) == "1"


@pytest.mark.parametrize("hasty", ["nginx", "haproxy"], indirect=True)
@pytest.mark.parametrize("flags", [("--heartbeat-seconds", "60")])
def test_without_heartbeats_the_proxy_cuts(server: ServerProcess, hasty: Front, certificates: Certificates) -> None:
    """So the test above tests something."""
    call(server, "PUT", STREAM, content_type=JSON)
    with connected(hasty, certificates, f"{STREAM}?raw=1") as bare:
        drain(bare)
        assert bare.close_code == 1006
