"""Clients of the binary subprotocols, with libraries that know nothing of ours."""

from __future__ import annotations

from typing import Any

import msgspec
from tests.support.proto import classes
from tests.support.websocket import Json, Packs
from websockets.frames import Frame, Opcode


class Msgpack:
    """See `Packs`."""

    name = "headwater.v1+msgpack"

    def pack(self, message: dict[str, Any]) -> Frame:
        """See `Packs`."""
        return Frame(Opcode.BINARY, msgspec.msgpack.encode(message))

    def unpack(self, data: bytes) -> dict[str, Any]:
        """See `Packs`."""
        found: dict[str, Any] = msgspec.msgpack.decode(data)
        return found


class Protobuf:
    """See `Packs`."""

    name = "headwater.v1+protobuf"

    def pack(self, message: dict[str, Any]) -> Frame:
        """See `Packs`."""
        fields = dict(message)
        kind = fields.pop("t")
        if "p" in fields:
            fields["p"] = dict(zip(("id", "epoch", "seq"), fields["p"], strict=True))
        if fields.get("create") is True:
            fields["create"] = {}
        return Frame(Opcode.BINARY, classes()["ClientMessage"](**{kind: fields}).SerializeToString())

    def unpack(self, data: bytes) -> dict[str, Any]:
        """See `Packs`; what is empty and need not be there is left out, as in JSON."""
        whole = classes()["ServerMessage"].FromString(data)
        kind = whole.WhichOneof("message")
        found: dict[str, Any] = {"t": kind}
        for field, value in getattr(whole, kind).ListFields():
            if field.name == "facts":
                found["facts"] = msgspec.json.decode(value)
            elif field.name == "limits":
                found["limits"] = dict(value)
            else:
                found[field.name] = list(value) if field.is_repeated else value
        return found


#: All of them.
SUBPROTOCOLS: list[Packs] = [Json(), Msgpack(), Protobuf()]
BINARY: list[Packs] = SUBPROTOCOLS[1:]
