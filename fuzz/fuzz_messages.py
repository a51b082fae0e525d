"""Messages of a WebSocket client, in every subprotocol: each is read, or refused as one that is none.

And: a message of Protobuf that is read is one for its own library too; what the library reads and we refuse has a value
that is no JSON. What is read is the same when it is written again.
Run it: python -m fuzz.fuzz_messages -runs=200000 -max_len=200
"""

from __future__ import annotations

from typing import Any

from fuzz.driver import instrumented, run

with instrumented():
    import msgspec
    from google.protobuf.message import DecodeError
    from tests.support.proto import classes

    from headwater.errors import InvalidMessage
    from headwater.protocol.websocket.codec import Codec
    from headwater.protocol.websocket.codecs import CODECS
    from headwater.protocol.websocket.protobuf import block, encode
    from headwater.protocol.websocket.schema import CLIENT_NUMBERS

JSON, MSGPACK, PROTOBUF = (CODECS[f"headwater.v1+{name}"] for name in ("json", "msgpack", "protobuf"))
NUMBERS = {cls: number for number, cls in CLIENT_NUMBERS.items()}

_MESSAGES: tuple[dict[str, Any], ...] = (
    {"t": "hello", "token": "x", "name": "ada"},
    {"t": "sub", "id": 1, "path": "a/*", "from": "-1", "window": 0, "signals": True},
    {"t": "append", "id": 2, "s": 3, "p": ["me", 1, 2], "create": {"ttl": 5}, "b": []},
    {"t": "signal", "path": "a", "to": "bob", "keep": 0},
    {"t": "ack", "s": 1, "o": "0000000000000001_0000000000000000"},
    {"t": "ping"},
)
SEEDS = (
    *map(msgspec.json.encode, _MESSAGES),
    *map(msgspec.msgpack.encode, _MESSAGES),
    msgspec.msgpack.encode({"t": "append", "id": 1, "r": [b"1", b'{"x":[]}']}),
    *(block(NUMBERS[type(found)], encode(found)) for found in map(JSON.decode, map(msgspec.json.encode, _MESSAGES))),
    b"\x2a\x0b\x08\x01\x12\x01a\x22\x04[1,2]",
)
WORDS = (b'"t":', b'"id":', b"null", b"\xa1t", b"\xc4\x01", b"\x0a\x00", b"\x12\x02", b"\x2a", b"\xff\x01", b"\x0b\x0c")


#: Of refusals of what the library reads: it knows no JSON, takes an empty message, and skips a number 0 within a group.
_STRICTER = ("JSON value", "none of ClientMessage", "the number 0")


def check(data: bytes) -> None:
    """In each of them."""
    for codec in (JSON, MSGPACK):
        read(codec, data)
    found, refusal = read(PROTOBUF, data)
    if found is None:
        assert not taken(data) or any(word in refusal for word in _STRICTER), refusal
        return
    assert taken(data)
    again, _ = read(PROTOBUF, block(NUMBERS[type(found)], encode(found)))
    assert encode(again) == encode(found)


def read(codec: Codec, data: bytes) -> tuple[Any, str]:
    """A message; or None, and what is wrong with it."""
    try:
        return codec.decode(data), ""
    except InvalidMessage as error:
        return None, error.message


def taken(data: bytes) -> bool:
    """Whether the library reads it."""
    try:
        classes()["ClientMessage"].FromString(data)
    except DecodeError:
        return False
    return True


if __name__ == "__main__":
    run(check, SEEDS, WORDS)
