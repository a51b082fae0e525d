"""A member's connection: lost with its reader, and noticed when the machine at the other side has vanished."""

from __future__ import annotations

import asyncio
import socket
from functools import partial

import pytest
from tests.conftest import Run
from tests.protocol.presence.room_model import key_of

from headwater import Hub, Limits
from headwater.http.exchange import ClientGone
from headwater.http.presence import joined, member_peer
from headwater.http.socket_sink import TransportSink
from headwater.hub import Peer
from headwater.hub.live.connection import SingleConnection
from headwater.hub.live.sinks import BufferSink
from headwater.hub.live.wire_format import WireFormat
from headwater.protocol.commands import Joins
from headwater.protocol.ndjson import JsonLines

PATH = "rooms/7"
FORM = WireFormat(("lines",), partial(JsonLines), bytes)
ADA = Joins("ada", key_of("ada"))


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the system does not tell what was not received")
@pytest.mark.parametrize(("lease", "milliseconds"), [(30.0, 10_000), (1.0, 1_000)])
def test_a_machine_that_vanished_is_noticed_within_the_lease(run: Run[None], lease: float, milliseconds: int) -> None:
    """A heartbeat after 15 s, the system's patience, and the grace of 5 s."""

    async def main() -> None:
        async with Hub(limits=Limits(presence_lease=lease)) as hub:
            await hub.create(PATH)
            with (
                socket.create_server(("127.0.0.1", 0)) as server,
                socket.create_connection(server.getsockname()),
            ):
                ours, _ = server.accept()
                ours.setblocking(False)
                transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=ours)
                peer = member_peer(hub, PATH, ADA, Peer())
                with joined(peer):
                    await hub.live.subscribe(PATH, "-1", FORM, TransportSink(transport, hub.runtime), peer=peer)
                assert hub.presence(PATH).count == 1
                sock = transport.get_extra_info("socket")
                assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == milliseconds
                transport.abort()

    run(main())


def test_a_member_is_lost_with_its_reader(run: Run[None]) -> None:
    """However that ends: the client goes, the stream is closed, the reader is let go; and when nobody pushed to it."""

    async def main() -> None:
        async with Hub(limits=Limits(presence_grace=0.0)) as hub:
            for end in ("lost", "closed", "detached", "never", "refused"):
                path = f"rooms/{end}"
                await hub.create(path)
                peer, sink = member_peer(hub, path, ADA, Peer()), BufferSink()
                if end == "never":
                    with joined(peer):
                        assert hub.presence(path).count == 1
                elif end == "refused":
                    with pytest.raises(ClientGone), joined(peer):
                        raise ClientGone
                else:
                    with joined(peer):
                        await hub.live.subscribe(path, "-1", FORM, sink, peer=peer)
                    assert hub.presence(path).count == 1
                    if end == "lost":
                        sink.lose()
                    elif end == "closed":
                        await hub.close(path)
                    else:
                        next(iter(hub.live.stream(path).followers)).let_go()  # type: ignore[union-attr]
                async with asyncio.timeout(10):
                    while hub.presence(path).count:  # noqa: ASYNC110 - nothing tells it
                        await asyncio.sleep(0.01)
            assert hub.stats.members == 0

    run(main())


def test_other_readers_have_nothing_of_it(run: Run[None]) -> None:
    async def main() -> None:
        async with Hub() as hub:
            await hub.create(PATH)
            reader = await hub.live.subscribe(PATH, "-1", FORM, BufferSink())
            assert type(reader._connection) is SingleConnection
            assert hub.live.stream(PATH).listeners is None  # type: ignore[union-attr]
            assert len(hub.rooms) == 0

    run(main())
