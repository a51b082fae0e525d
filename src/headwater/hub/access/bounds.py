"""How often one principal, and one address, may do something, and how much of the server one principal may have.

Rule 1: a hub in which none of these limits is set has no `Bounds`, and nobody is counted.
Rule 2: a principal is an issuer and a subject. Somebody without a subject is counted by the address alone, and nobody
        by an address that is not known: those without one would be refused for each other.
Rule 3: what is done at once beyond the limit, such as a large body, is paid for before the next: whoever is in debt is
        refused, and what is refused is not counted.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from headwater.errors import LimitReached, RateLimited
from headwater.hub.access.principals import Principals
from headwater.hub.limits import Limits
from headwater.hub.peers import network_of
from headwater.model import Principal
from headwater.protocol.asks import Ask, Operation
from headwater.protocol.rates import Rates


class Doing(StrEnum):
    """What is counted; the settings are `principal_…_rate` and `address_…_rate`."""

    CONNECT = "connect"
    SUBSCRIBE = "subscribe"
    APPEND = "append"
    BYTE = "byte"
    CREATE = "create"
    SIGNAL = "signal"


#: Who is counted, as in the settings' names.
_PRINCIPAL: Final = "principal"
_ADDRESS: Final = "address"
#: What is asked, and as what it counts. An append that closes is one.
_OF_ASKS: Final = {
    Operation.APPEND: Doing.APPEND,
    Operation.CLOSE: Doing.APPEND,
    Operation.CREATE: Doing.CREATE,
    Operation.SIGNAL: Doing.SIGNAL,
}
#: The other end: host and port; None: not known.
Client = tuple[str, int] | None
#: Who is counted, how often they may, and by what they are known.
_Counted = tuple[str, tuple[int, Rates], "Principal | str"]


def bounds_of(limits: Limits, principals: Principals) -> Bounds | None:
    """Those of a hub; None: no such limit is set."""
    found = Bounds(limits, principals)
    return found if found.are_set else None


class Bounds:
    """Counts, and refuses.

    Args:
        limits: of the hub.
        principals: whose readers are counted there.
    """

    def __init__(self, limits: Limits, principals: Principals) -> None:
        self._principals: Final = principals
        self._most_readers: Final = limits.max_readers_per_principal
        self._rates: Final[dict[tuple[str, Doing], tuple[int, Rates]]] = {
            (who, doing): (rate, Rates(rate))
            for who in (_PRINCIPAL, _ADDRESS)
            for doing in Doing
            if (rate := getattr(limits, _setting(who, doing), 0))
        }

    @property
    def are_set(self) -> bool:
        """Whether there is a limit at all."""
        return bool(self._rates or self._most_readers)

    def take(self, doing: Doing, principal: Principal | None, client: Client, times: int = 1) -> None:
        """Count something that is done now.

        Args:
            doing: what.
            principal: who; None: nobody who is known.
            client: the other end.
            times: how many.

        Raises:
            RateLimited: one of the two does it too often; nothing is counted.
        """
        now, counted = time.monotonic(), self._of(doing, principal, client)
        for who, (rate, rates), key in counted:
            if rates.is_spent(key, now):
                raise _refusal(who, doing, rate, rates.wait(key, now), principal)
        for _, (_, rates), key in counted:
            rates.take(key, now, times)

    def _of(self, doing: Doing, principal: Principal | None, client: Client) -> list[_Counted]:
        found: list[_Counted] = []
        rates = self._rates
        if principal is not None and (by := rates.get((_PRINCIPAL, doing))) is not None:
            found.append((_PRINCIPAL, by, principal))
        if client is not None and (by := rates.get((_ADDRESS, doing))) is not None:
            found.append((_ADDRESS, by, network_of(client)))
        return found

    def take_asks(self, asks: Iterable[Ask], principal: Principal | None, client: Client) -> None:
        """Count what a request asks for; see `take`.

        Raises:
            RateLimited: one of the two does one of these too often, or has sent too many bytes just before.
        """
        counted = {(doing, ask.path) for ask in asks if (doing := _OF_ASKS.get(ask.operation)) is not None}
        if not counted:
            return
        if any(doing is not Doing.SIGNAL for doing, _ in counted):
            self.take(Doing.BYTE, principal, client, 0)
        for doing in Doing:
            times = sum(each is doing for each, _ in counted)
            if times:
                self.take(doing, principal, client, times)

    def take_body(self, size: int, principal: Principal | None, client: Client) -> None:
        """Count a body that is whole, before it is handed to the store; see `take`."""
        if size:
            self.take(Doing.BYTE, principal, client, size)

    def connect(self, principal: Principal | None, client: Client) -> None:
        """Count a response that goes on, or a WebSocket; see `take`.

        Raises:
            RateLimited: too many a second.
            LimitReached: too many at the same time.
        """
        self.take(Doing.CONNECT, principal, client)
        self.check_readers(principal)

    def check_readers(self, principal: Principal | None) -> None:
        """Refuse one more that reads.

        Raises:
            LimitReached: the principal has so many.
        """
        most = self._most_readers
        if most and principal is not None and self._principals.count(principal) >= most:
            error = LimitReached(f"one principal may have max_readers_per_principal={most} readers at the same time")
            error.principal = principal
            raise error


def _setting(who: str, doing: Doing) -> str:
    return f"{who}_{doing}_rate"


def _refusal(who: str, doing: Doing, rate: int, wait: float, principal: Principal | None) -> RateLimited:
    error = RateLimited(f"{_setting(who, doing)}={rate} a second is what one {who} may do, and it is done")
    error.retry_after = max(1, math.ceil(wait))
    error.principal = principal
    return error
