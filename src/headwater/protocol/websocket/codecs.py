"""The subprotocols that are spoken."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from headwater.protocol.websocket import frames
from headwater.protocol.websocket.codec import Codec, Framing, JsonCodec
from headwater.protocol.websocket.codec_msgpack import MsgpackCodec
from headwater.protocol.websocket.codec_protobuf import ProtobufCodec


def codecs(framing: Framing = frames.frame, key: Hashable = None) -> tuple[Codec, ...]:
    """One of each; see `Framed`."""
    return JsonCodec(framing, key), MsgpackCodec(framing, key), ProtobufCodec(framing, key)


#: By their names; of those that a client offers the client's first one is taken.
CODECS: Final[dict[str, Codec]] = {codec.name: codec for codec in codecs()}
