"""How long a client is waited for: its silence, and a message that has begun.

Rule: what the server does not read is not missed.
"""

from __future__ import annotations

from typing import Final

from headwater.errors import RequestTimeout
from headwater.http.duplex import Duplex
from headwater.hub.limits import Limits

#: Heartbeats of silence after which a client is taken for dead.
PATIENCE: Final = 2.5
#: Seconds by which timers may come early.
EARLY: Final = 0.1


def is_dead(sink: Duplex, limits: Limits, now: float) -> bool:
    """Whether nothing was heard of a client for too long."""
    return now - sink.heard_at > PATIENCE * limits.heartbeat_seconds


def check_message(sink: Duplex, limits: Limits, now: float) -> None:
    """Refuse a message that has begun and does not come.

    Raises:
        RequestTimeout: it took too long.
    """
    if sink.partial_since and now - sink.partial_since > limits.body_seconds:
        raise RequestTimeout(f"a message did not arrive within body_seconds={limits.body_seconds:g}")
