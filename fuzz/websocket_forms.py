"""The subprotocols as a stranger speaks them: each message that `websocket_inputs` draws, right and wrong, as bytes."""

from __future__ import annotations

import base64
import json
import random
from typing import Any

import msgspec
from fuzz.websocket_inputs import Draws
from tests.support.subprotocols import Msgpack, Protobuf


class JsonForm:
    """Text messages.

    Attributes:
        name: of the subprotocol.
        first: opcode of its messages.
    """

    name = "headwater.v1+json"
    first = 0x1

    def right(self, message: dict[str, Any]) -> bytes:
        """A message that is right."""
        return json.dumps(message).encode()

    def wrong(self, draws: Draws, draw: random.Random) -> bytes:
        """One that is not."""
        return draws.wrong()

    def read(self, payload: bytes) -> dict[str, Any]:
        """What the server told."""
        found: dict[str, Any] = json.loads(payload)
        return found


class MsgpackForm:
    """Maps of MessagePack; see `JsonForm`."""

    name = Msgpack.name
    first = 0x2

    def right(self, message: dict[str, Any]) -> bytes:
        """See `JsonForm.right`."""
        return msgspec.msgpack.encode(as_bytes(message))

    def wrong(self, draws: Draws, draw: random.Random) -> bytes:
        """See `JsonForm.wrong`."""
        if draw.random() < 0.5:
            return mutated(self.right(draws.right()), draw)
        try:
            return mutated(msgspec.msgpack.encode(draws.wrong_message()), draw, odds=0.2)
        except OverflowError:  # no such number in MessagePack
            return draw.randbytes(draw.randrange(40))

    def read(self, payload: bytes) -> dict[str, Any]:
        """See `JsonForm.read`."""
        return Msgpack().unpack(payload)


class ProtobufForm:
    """Messages of `websocket.proto`; see `JsonForm`."""

    name = Protobuf.name
    first = 0x2

    def right(self, message: dict[str, Any]) -> bytes:
        """See `JsonForm.right`."""
        try:
            return bytes(Protobuf().pack(as_bytes(message)).data)
        except (TypeError, ValueError):  # an odd value that no field takes, of a message that waits for no answer
            assert "id" not in message, message
            return b"\x2a"

    def wrong(self, draws: Draws, draw: random.Random) -> bytes:
        """See `JsonForm.wrong`."""
        data = self.right(draws.right())
        # What comes twice counts in the last one, and what is not known is skipped.
        return mutated(data + draw.choice((b"", b"", data, draw.randbytes(draw.randrange(12)))), draw)

    def read(self, payload: bytes) -> dict[str, Any]:
        """See `JsonForm.read`."""
        return Protobuf().unpack(payload)


Form = JsonForm | MsgpackForm | ProtobufForm
FORMS: tuple[Form, ...] = (JsonForm(), MsgpackForm(), ProtobufForm())


def as_bytes(message: dict[str, Any]) -> dict[str, Any]:
    """A message as binary subprotocols have it."""
    found = dict(message)
    if "r" in found:
        found["r"] = [json.dumps(each).encode() for each in found["r"]]
    if "b" in found:
        found["b"] = [base64.b64decode(each) for each in found["b"]]
    for name in ("data", "state"):
        if name in found:
            found[name] = json.dumps(found[name]).encode()
    return found


def mutated(data: bytes, draw: random.Random, odds: float = 1.0) -> bytes:
    """Bytes with some of them changed, doubled or left out."""
    if draw.random() >= odds:
        return data
    out = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 4))):
        at = draw.randrange(len(out) + 1)
        match draw.randrange(4):
            case 0 if at < len(out):
                out[at] ^= 1 << draw.randrange(8)
            case 1:
                out[at:at] = draw.choice((draw.randbytes(draw.randrange(1, 5)), out[at : at + 20]))
            case 2:
                del out[at : at + draw.randrange(1, 4)]
            case _:
                out[at : at + 1] = bytes((draw.choice((0x00, 0x7F, 0x80, 0xC1, 0xFF)),))
    return bytes(out)
