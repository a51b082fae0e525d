"""An access, with the proof that it came from."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Final

from headwater.protocol.access.identity import Access

#: Given what was said of a proof, asks who it is of now: raises, or gives None, where it is of nobody any more.
Again = Callable[[Access], "Access | Awaitable[Access | None] | None"]


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
