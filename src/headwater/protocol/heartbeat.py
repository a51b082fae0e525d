"""Heartbeats as they are asked for and told: seconds of silence after which a live reader is told something."""

from __future__ import annotations

from typing import Final

from headwater.errors import BadRequest
from headwater.protocol import names
from headwater.protocol.expiry import parse_integer

#: Below a second heartbeats would be most of the traffic; proxies cut what is silent for longer than these.
MIN_SECONDS: Final = 1
MAX_SECONDS: Final = 120


def asked_heartbeat(value: str | None, *, is_live: bool) -> int:
    """Seconds that a read asks for; 0: the server's own. Reads that have no heartbeats do not look at it.

    Raises:
        BadRequest: no whole number of seconds from 1 to 120.
    """
    if value is None or not is_live:
        return 0
    seconds = parse_integer(value, name=names.QUERY_HEARTBEAT, maximum=MAX_SECONDS)
    if seconds < MIN_SECONDS:
        raise BadRequest(f"?{names.QUERY_HEARTBEAT}= takes {MIN_SECONDS} to {MAX_SECONDS} seconds, not {value[:40]!r}")
    return seconds


def told_heartbeat(seconds: float) -> tuple[bytes, bytes]:
    """The header of a live response."""
    return names.STREAM_HEARTBEAT, b"%g" % seconds
