"""Proofs that failed, by the address that they came from.

Rule: who was verified before is known by a hash, and meets no limit. Others are verified a few times a minute from one
      address without success, and then not at all for a while: a flood of bad proofs costs nothing but itself.
"""

from __future__ import annotations

import math
import time
from typing import Final

from headwater.errors import RateLimited
from headwater.hub.peers import network_of
from headwater.protocol.rates import Rates

#: Proofs that may fail from one address in a minute.
FAILURES: Final = 20
_MINUTE: Final = 60.0

Client = tuple[str, int] | None


class Failures:
    """Those of one service."""

    def __init__(self) -> None:
        self._failed: Final = Rates(FAILURES, _MINUTE)

    def check(self, client: Client) -> None:
        """Refuse to verify one more.

        Raises:
            RateLimited: too many failed, from this address.
        """
        who, now = network_of(client), time.monotonic()
        if self._failed.is_spent(who, now):
            error = RateLimited(f"more than {FAILURES} credentials a minute from this address were worthless")
            error.retry_after = max(1, math.ceil(self._failed.wait(who, now)))
            raise error

    def take(self, client: Client) -> None:
        """One failed."""
        self._failed.take(network_of(client), time.monotonic())
