"""What a request shows of who makes it, and in which order that counts.

Rule 1: the header `Authorization` comes before a connection's own token. The first that is shown decides; one that is
        worthless is refused, also where everybody may do what is asked, and never replaced by the next.
Rule 2: who was verified before is known by a hash, and meets no limit. Others are verified a few times a minute from
        one address without success, and then not at all for a while: a flood of bad tokens costs nothing but itself.
"""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable
from typing import Final

from headwater.errors import RateLimited, TokenRefused
from headwater.http.access.tokens import Tokens
from headwater.http.authorize import Credential
from headwater.hub.access.proven import Proven
from headwater.hub.peers import network_of
from headwater.protocol.rates import Rates

#: Tokens that may fail from one address in a minute.
FAILURES: Final = 20
_MINUTE: Final = 60.0


class TokenProofs:
    """Proofs by signed tokens.

    Args:
        tokens: verifies them.
    """

    def __init__(self, tokens: Tokens) -> None:
        self.tokens: Final = tokens
        self._failed: Final = Rates(FAILURES, _MINUTE)

    def __call__(self, credential: Credential, client: tuple[str, int] | None) -> Proven | Awaitable[Proven] | None:
        """Who shows a credential; None: nothing is shown.

        Raises:
            TokenRefused: what is shown is worthless.
            RateLimited: too much was, from this address.
            KeysUnavailable: the keys of its issuer are not known.
        """
        shown = credential.shown
        if shown is None:
            return None
        known = self.tokens.known(shown)
        if known is not None:
            return known
        who = network_of(client)
        if self._failed.is_spent(who, time.monotonic()):
            error = RateLimited(f"more than {FAILURES} tokens a minute from this address were worthless")
            error.retry_after = max(1, math.ceil(self._failed.wait(who, time.monotonic())))
            raise error
        try:
            found = self.tokens.verify(shown)
        except TokenRefused:
            self._failed.take(who, time.monotonic())
            raise
        return found if isinstance(found, Proven) else self._later(found, who)

    async def _later(self, found: Awaitable[Proven], who: str) -> Proven:
        try:
            return await found
        except TokenRefused:
            self._failed.take(who, time.monotonic())
            raise
