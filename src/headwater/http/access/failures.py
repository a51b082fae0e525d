"""Proofs that failed, by the address that they came from.

Rule: who was verified before is known by a hash, and meets no limit. Others are verified a few times a minute from one
      address without success, and then not at all for a while: a flood of bad proofs costs nothing but itself.
"""

from __future__ import annotations

import time
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from headwater.errors import RateLimited
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
        if self._failed.is_spent(_network(client), time.monotonic()):
            raise RateLimited(f"more than {FAILURES} credentials a minute from this address were worthless")

    def take(self, client: Client) -> None:
        """One failed."""
        self._failed.take(_network(client), time.monotonic())


def _network(client: Client) -> str:
    """Whose failures they are: an address, or of IPv6 the network that one customer has."""
    if client is None:
        return ""
    try:
        address = ip_address(client[0].partition("%")[0])
    except ValueError:
        return client[0]
    return str(ip_network((address, 64), strict=False)) if isinstance(address, IPv6Address) else client[0]
