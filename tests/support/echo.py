"""A server that echoes messages over the door's own handshake, frames and connections; for judges of the protocol.

Run as `python -m tests.support.echo --port PORT`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from headwater import Hub, Limits
from headwater.http.duplex import Duplex, Receiver
from headwater.http.exchange import Exchange, Upgrade, Work
from headwater.http.forwarded import TrustedProxies
from headwater.http.request import Request
from headwater.http.service import Service
from headwater.hub.access.end import AccessEnd
from headwater.hub.live.shared_connection import SharedConnection
from headwater.model import SlowPolicy
from headwater.protocol import names, responses
from headwater.protocol.responses import Answer, HeaderList
from headwater.protocol.slow import REPLAY
from headwater.protocol.websocket import frames, handshake
from headwater.protocol.websocket.agreed import Deflate
from headwater.protocol.websocket.deflate import COMPRESSED, Deflater, agree
from headwater.server.listener import bind
from headwater.server.run import run_server
from headwater.server.server import Server
from headwater.server.shared import ConnectionLimits, Shared

#: The largest message that the cases send.
MAX_BYTES = 16 * 1024 * 1024


class Always(Deflater):
    """Compresses what grows by it, too: kosoku 0.1.0 takes no other message on such a connection."""

    def frame(self, first: int, payload: bytes) -> bytes:
        return frames.frame(first | COMPRESSED, self._compress(payload))


class Echo:
    """Sends each message back: a receiver, and the one channel of its connection."""

    def __init__(self, hub: Hub, sink: Duplex, deflate: Deflate | None) -> None:
        self.slow: SlowPolicy = REPLAY
        self._frame = frames.frame if deflate is None else Always(deflate.window).frame
        self._connection = SharedConnection(hub.runtime, sink)
        self._connection.add(self)

    def received(self, messages: Sequence[tuple[bytes, bool]]) -> None:
        for data, is_text in messages:
            self._connection.write(self._frame(frames.TEXT if is_text else frames.BINARY, data))

    def write(self, data: bytes) -> None:
        self._connection.write(data)

    def closing(self) -> None:
        self._connection.lost()

    def pause(self) -> None:
        pass

    def resume(self, paused: float) -> None:
        pass

    def step(self) -> bool:
        return False

    def hold_back(self) -> None:
        pass

    def shares_group(self, other: object) -> bool:
        return False

    def detach(self, retry_after: float, reason: str = "") -> None:
        pass

    def hush(self, end: AccessEnd) -> None: ...

    def end_access(self, end: AccessEnd) -> None: ...

    def tell_expiring(self, at: float) -> None: ...

    def lost(self) -> None:
        pass


class EchoService(Service):
    """Every handshake is taken; what is none is answered 200."""

    def headers(self, request: Request | None) -> HeaderList:
        return []

    def check(self, request: Request) -> None:
        pass

    def route(self, exchange: Exchange) -> Work | None:
        if not exchange.is_websocket:
            exchange.respond(responses.nothing())
            return None
        accept = handshake.check_key(exchange.request.headers, exchange.websocket_key)
        deflate = agree(exchange.request.headers.get(names.SEC_WEBSOCKET_EXTENSIONS, b""))
        return exchange.upgrade(Upgrade("", self._open, MAX_BYTES, deflate), accept)

    def _open(self, exchange: Exchange, sink: Duplex, deflate: Deflate | None) -> Receiver:
        assert isinstance(self.hub, Hub)
        return Echo(self.hub, sink, deflate)

    def refusal(self, error: Exception, request: Request | None) -> Answer:
        return responses.nothing()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    hub = Hub("memory:", limits=Limits(write_seconds=20))
    shared = Shared(EchoService(hub), ConnectionLimits(), TrustedProxies(()))
    run_server(Server(shared, lambda: hub), bind("127.0.0.1", port))


if __name__ == "__main__":
    main()
