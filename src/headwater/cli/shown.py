"""Bytes as they are printed: MessagePack as JSON where it can be, messages with their lengths, the rest as it is."""

from __future__ import annotations

from base64 import b64encode

from headwater.protocol.delimited import delimited
from headwater.protocol.framing import is_delimited, is_msgpack
from headwater.protocol.msgpack import to_json


def field_of(content_type: str, data: bytes) -> tuple[bytes, bytes]:
    """A record of bytes as a field of a JSON object: its name and its value.

    Args:
        content_type: the stream's.
        data: as records come by themselves.
    """
    if is_msgpack(content_type):
        try:
            return b"data", to_json(data)
        except ValueError:
            pass  # it has no form as JSON
    return b"base64", b'"' + b64encode(data) + b'"'


def printed(content_type: str, data: bytes) -> bytes:
    """The same on a stream of output that holds nothing else."""
    if is_msgpack(content_type):
        name, value = field_of(content_type, data)
        return (value if name == b"data" else b'{"base64":%b}' % value) + b"\n"
    return delimited((data,)) if is_delimited(content_type) else data
