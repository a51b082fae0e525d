"""Bytes as they are printed: MessagePack as JSON where it can be, messages with their lengths, the rest as it is."""

from __future__ import annotations

from base64 import b64encode

from headwater.model import Principal
from headwater.protocol.delimited import delimited
from headwater.protocol.framing import is_delimited, is_msgpack
from headwater.protocol.msgpack import to_json
from headwater.protocol.principals import told


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


def known_of(at: float | None, by: Principal | None) -> bytes:
    """What an envelope told of a record, as fields of a JSON object with a comma behind each; empty: nothing.

    Args:
        at: when it was appended; None: not known.
        by: who appended it; None: not known.
    """
    when = b"" if at is None else b'"at":%.3f,' % at
    return when if by is None else when + b'"by":%b,' % told(by)


def printed(content_type: str, data: bytes) -> bytes:
    """The same on a stream of output that holds nothing else."""
    if is_msgpack(content_type):
        name, value = field_of(content_type, data)
        return (value if name == b"data" else b'{"base64":%b}' % value) + b"\n"
    return delimited((data,)) if is_delimited(content_type) else data
