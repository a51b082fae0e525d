"""The subprotocols that are spoken."""

from __future__ import annotations

from typing import Final

from headwater.protocol.websocket.codec import Codec, JsonCodec
from headwater.protocol.websocket.codec_msgpack import MsgpackCodec
from headwater.protocol.websocket.codec_protobuf import ProtobufCodec

#: By their names; of those that a client offers the client's first one is taken.
CODECS: Final[dict[str, Codec]] = {codec.name: codec for codec in (JsonCodec(), MsgpackCodec(), ProtobufCodec())}
