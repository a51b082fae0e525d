"""A reader of `headwater bench` over WebSocket: one subscription on a connection, with acknowledgements."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final, cast

import msgspec

from headwater.cli.failures import Failure, refusal
from headwater.cli.load.reader import Reader
from headwater.client.connection.session import SUBPROTOCOL

if TYPE_CHECKING:
    import asyncio

    from websockets.client import ClientProtocol

#: A record of the run in a `data` message: its number, and when it was due.
_RECORD: Final = re.compile(rb'\{"n":"(\d{10})","t":"(\d{19})"')


class _Message(msgspec.Struct):
    """What the server says, as far as it matters here."""

    t: str
    s: int = 0
    o: str = ""
    window: int = 0
    after: float = 0.0


_decode: Final = msgspec.json.Decoder(_Message).decode


class SocketReader(Reader):
    """See `Reader`. A record comes with its frame, so what a cut leaves of one comes again whole."""

    _protocol: ClientProtocol
    _window = 0
    _taken = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the handshake."""
        from websockets.client import ClientProtocol
        from websockets.typing import Subprotocol
        from websockets.uri import parse_uri

        self._transport = cast("asyncio.Transport", transport)
        plan = self._plan
        uri = parse_uri(f"ws{plan.url.removeprefix('http')}{plan.door}")
        self._protocol = ClientProtocol(uri, subprotocols=[Subprotocol(SUBPROTOCOL)], max_size=None)
        request = self._protocol.connect()
        for name, value in plan.headers:
            request.headers[name] = value
        self._protocol.send_request(request)
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Count what came."""
        from websockets.frames import Frame, Opcode
        from websockets.http11 import Response

        now, protocol = time.monotonic_ns(), self._protocol
        protocol.receive_data(data)
        for event in protocol.events_received():
            if isinstance(event, Frame):
                if event.opcode is Opcode.TEXT:
                    self._hear(bytes(event.data), now)
            elif isinstance(event, Response):
                self._answered(event.status_code, bytes(event.body or b""))
        self._flush()

    def _answered(self, status: int, body: bytes) -> None:
        if status != 101:
            self._failed(refusal(status, body))
            return
        self._say(t="hello")
        self._say(t="sub", id=1, path=self._target, **{"from": self._id or "-1"})

    def _hear(self, text: bytes, now: int) -> None:
        message = _decode(text)
        match message.t:
            case "welcome":
                self._window = message.window
            case "sub" if not self.live.done():
                self.live.set_result(None)
            case "data":
                for found in _RECORD.finditer(text):
                    self._count(int(found[1]), int(found[2][:-3]), now)
                self._id = message.o
                self._taken += len(text)
                if self._taken * 2 >= self._window:
                    self._taken = 0
                    self._say(t="ack", s=message.s, o=message.o)
            case "ping":
                self._say(t="pong")
            case "err":
                self._failed(refusal(0, text))
            case "end":
                self._failed(Failure("ended", f"a reader's stream ended: {text.decode('utf-8', 'replace')[:300]}"))

    def _say(self, **message: object) -> None:
        self._protocol.send_text(msgspec.json.encode(message))

    def _flush(self) -> None:
        if self._transport is not None:
            self._transport.writelines(self._protocol.data_to_send())
