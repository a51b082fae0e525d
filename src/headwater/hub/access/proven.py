"""An access, with the proof that it came from."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Final, Protocol

from headwater.protocol.access.identity import Access

#: Asks again who a proof is of: raises, or gives None, where it is of nobody any more.
Again = Callable[[], "Access | Awaitable[Access | None] | None"]


class Living(Protocol):
    """What lives by a proof: a response that goes on, a connection, a request that waits."""

    def end_access(self, reason: str, retry_after: float) -> None:
        """Tell that it is over, why and when to come back, and end; nothing more is told.

        Args:
            reason: `expired`, `revoked`, `kicked`, or `changed`: it may do something else now, and must ask again.
            retry_after: seconds.
        """
        ...

    def tell_expiring(self, at: float) -> None:
        """Tell that it will be over then, in seconds since the Unix epoch."""
        ...


class Proven(Access):
    """An access that somebody has proven.

    Args:
        access: what was proven.
        key: of the proof; the same credential of the same issuer has the same.
        again: asks again; None: nobody is to be asked.
        parent: the key of the proof by which it came to be, and with which it ends; None: there is none.
        signer: names the key that signed the token, without telling it; empty: there is none.

    Attributes:
        key: as given, and so are the others.
        decided: when, in seconds since the Unix epoch.
    """

    __slots__ = ("again", "decided", "key", "parent", "signer")

    def __init__(
        self,
        access: Access,
        key: Hashable,
        again: Again | None = None,
        *,
        parent: Hashable | None = None,
        signer: str = "",
    ) -> None:
        super().__init__(
            access.subject,
            expires=access.expires,
            issuer=access.issuer,
            token_id=access.token_id,
            issued=access.issued,
            recheck=access.recheck,
            grants=access.grants,
        )
        self.key: Final = key
        self.again: Final = again
        self.parent: Final = parent
        self.signer: Final = signer
        self.decided: Final = time.time()
