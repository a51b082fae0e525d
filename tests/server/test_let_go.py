"""What a connection leaves behind: nothing that only the garbage collector finds."""

from __future__ import annotations

import gc

import pytest
from tests.conftest import Run
from tests.support.inprocess import InProcess, in_process, turns

from headwater.server.connection import Connection
from headwater.server.inbound import Inbound
from headwater.server.settings import Settings

POST = b"POST /v1/stream/a HTTP/1.1\r\nhost: localhost\r\n"
#: What is sent before the client leaves.
LEFT_BEHIND = {
    "nothing": b"",
    "half a head": b"GET / HTTP/1.1\r\nhost: local",
    "no HTTP": b"\x00\x01\x02 nonsense\r\n\r\n",
    "a bad head": b"GET /a b HTTP/1.1\r\nhost: localhost\r\n\r\n",
    "a refused request": b"GET /v1/stream/none HTTP/1.1\r\nhost: localhost\r\n\r\n",
    "a whole append": POST + b"content-length: 1\r\n\r\nx",
    "half a body": POST + b"content-length: 9\r\n\r\nx",
    "half a body in chunks": POST + b"transfer-encoding: chunked\r\n\r\n5\r\nx",
}


def connections() -> int:
    """How many there are, with what reads them, whether somebody can reach them or not."""
    return sum(isinstance(each, Connection | Inbound) for each in gc.get_objects())


async def visit(server: InProcess, sent: bytes) -> None:
    """Send something, and leave."""
    sock = await server.connect()
    with sock:
        sock.send(sent)
        await turns()
    await turns()


@pytest.mark.parametrize("what", LEFT_BEHIND)
def test_a_client_that_has_left_is_let_go_at_once(run: Run[None], what: str) -> None:
    """Without the collector, however it left."""

    async def main() -> None:
        async with in_process(Settings(store="memory:")) as server:
            await server.hub.create("a")
            await visit(server, LEFT_BEHIND[what])
            gc.collect()
            before = connections()
            gc.disable()
            try:
                for _ in range(5):
                    await visit(server, LEFT_BEHIND[what])
                assert connections() <= before
            finally:
                gc.enable()

    run(main())
