"""A reader on `-/connect` that outlives its connections, and acknowledges what it gave out.

Rule: what was given out is acknowledged when half a window of it is; so a slow terminal holds the server back.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import msgspec

from headwater.cli.failures import ExitCode, FailedStream, Failure, refusal
from headwater.cli.follow import Follower, Step
from headwater.cli.wires import let_go
from headwater.errors import MissingExtra
from headwater.model import Policy, Record
from headwater.protocol.framing import is_json

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

SUBPROTOCOL: Final = "headwater.v1+json"


class _Message(msgspec.Struct, rename={"from_": "from"}):
    """What the server says, as far as it matters here."""

    t: str
    s: int = 0
    o: str = ""
    e: list[str] = []
    r: list[msgspec.Raw] | None = None
    b: list[str] = []
    window: int = 0
    why: str = ""
    code: str = ""
    message: str = ""
    after: float | None = None


_decode: Final = msgspec.json.Decoder(_Message).decode


class SocketFollower(Follower):
    """See `Follower`; the wire and compression are not asked."""

    def _connection(self) -> Iterator[Step]:
        with self._remote.socket(SUBPROTOCOL) as socket:
            self._say(socket, t="hello")
            wish: dict[str, Any] = {"path": self._path, "from": self.offset, "slow": Policy.REPLAY.value}
            self._say(socket, t="sub", id=1, **wish, **dict.fromkeys(self._kinds, True))
            window, given = 0, 0
            for raw in socket:
                data = raw.encode() if isinstance(raw, str) else raw
                message = _decode(data)
                if message.t == "welcome":
                    window = message.window
                    continue
                self._patience.worked()
                yield self._told(message, data)
                if message.t == "data":
                    given += len(data)
                    if given * 2 >= window:
                        given = 0
                        self._say(socket, t="ack", s=message.s, o=message.o)
                elif message.t == "end":
                    self._end(message)
                    return
        raise Failure("cut", "the connection was cut", passing=True)

    def _say(self, socket: ClientConnection, **message: Any) -> None:
        socket.send(msgspec.json.encode(message).decode())

    def _told(self, message: _Message, data: bytes) -> Step:
        match message.t:
            case "data":
                records = tuple(self._records(message))
                self.offset = message.o
                return Step(records, up_to_date=False)
            case "live":
                self.offset = message.o
                return Step((), up_to_date=True)
            case "signal" | "presence":
                line = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
                kept = {name: value for name, value in line.items() if name not in ("t", "s")}
                return Step((), False, (msgspec.json.encode({"control": message.t, **kept}),))
            case "err":
                raise refusal(0, data)
            case _:
                return Step((), up_to_date=False)

    def _records(self, message: _Message) -> Iterator[Record]:
        last = message.o
        offsets = [last[: len(last) - len(end)] + end for end in message.e] + [last]
        if message.r is None:
            data = [b64decode(each, validate=True) for each in message.b]
        elif is_json(self._content_type):
            data = [bytes(each) for each in message.r]
        else:
            data = [msgspec.json.decode(each, type=str).encode() for each in message.r]
        yield from map(Record, offsets, data)

    def _end(self, message: _Message) -> None:
        match message.why:
            case "closed":
                self._closed = True
            case "failed":
                self._closed = True
                raise FailedStream(message.code, message.message)
            case "detached":
                raise let_go(message.after or 0.0)
            case _:
                exit_code = ExitCode.NOT_FOUND if message.why == "deleted" else ExitCode.REFUSED
                detail = message.message or f"the stream is {message.why}"
                raise Failure(message.code or message.why, detail, exit_code=exit_code)


def check_installed() -> None:
    """Refuse to begin without the library.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        import websockets.sync.client  # noqa: F401
    except ImportError:
        raise MissingExtra.of("--wire websocket", "websocket") from None
