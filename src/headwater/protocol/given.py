"""What clients give as JSON beside records: producers, and with what a stream is made.

Shared by the lines of `-/append` and the messages of WebSocket connections.
"""

from __future__ import annotations

from typing import Final

import msgspec

from headwater.errors import BadRequest
from headwater.model import Producer, StreamConfig
from headwater.protocol.expiry import parse_expiry, parse_retention
from headwater.protocol.producers import MAX_INTEGER
from headwater.protocol.slow import REPLAY, parse_slow

#: Characters of a producer's id.
MAX_ID: Final = 256


class GivenConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """With what a stream may be made, in the words of the headers of PUT."""

    ttl: int | None = None
    expires_at: str | None = None
    retention: str | None = None
    slow: str | None = None


def producer_of(given: tuple[str, int, int] | None) -> Producer | None:
    """An idempotent producer: id, epoch, sequence.

    Raises:
        BadRequest: one of them is out of range.
    """
    if given is None:
        return None
    name, epoch, seq = given
    if not 0 < len(name) <= MAX_ID or not name.isprintable():
        raise BadRequest(f"a producer's id has 1 to {MAX_ID} printable characters")
    if not (0 <= epoch <= MAX_INTEGER and 0 <= seq <= MAX_INTEGER):
        raise BadRequest(f"a producer's epoch and sequence are whole numbers from 0 to {MAX_INTEGER}")
    return Producer(name, epoch, seq)


def config_of(given: bool | GivenConfig, kind: str | None) -> StreamConfig | None:
    """With what to make a stream, if there is none; None: it is not made.

    Args:
        given: as it came.
        kind: the content type.

    Raises:
        BadRequest: a value is malformed.
    """
    if given is False:
        return None
    asked = given if isinstance(given, GivenConfig) else GivenConfig()
    return StreamConfig(
        kind,
        expiry=parse_expiry(None if asked.ttl is None else str(asked.ttl), asked.expires_at),
        retention=parse_retention(asked.retention),
        slow=REPLAY if asked.slow is None else parse_slow(asked.slow),
    )
