"""What was taken back: all tokens of somebody that were made before a time, or one token by its id.

Rule 1: what is asked is a look into a dictionary, and nothing where nothing was ever taken back.
Rule 2: an entry is forgotten when no token that it is about can still be good. There are so many at most.
"""

from __future__ import annotations

import math
from typing import Final

import msgspec

from headwater.errors import LimitReached
from headwater.model import Principal
from headwater.protocol.access.identity import Access

#: Entries that are kept.
MAX_ENTRIES: Final = 100_000


class Revocation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry.

    Attributes:
        issuer: of the subject or the token; empty: the application itself.
        until: when it can be forgotten, in seconds since the Unix epoch.
        before: what was made then or earlier is worth nothing.
        subject: whose tokens; None: it is about one token.
        token_id: of the token.
    """

    issuer: str
    until: float
    before: float
    subject: str | None = None
    token_id: str | None = None


class Revocations:
    """Those of one hub."""

    def __init__(self) -> None:
        self._subjects: dict[Principal, Revocation] = {}
        self._tokens: dict[tuple[str, str], Revocation] = {}

    def __len__(self) -> int:
        return len(self._subjects) + len(self._tokens)

    def add(self, entry: Revocation, now: float) -> None:
        """Take one back. A later one of the same subject takes an earlier one's place.

        Raises:
            LimitReached: there are too many.
        """
        if len(self) >= MAX_ENTRIES:
            self.forget(now)
            if len(self) >= MAX_ENTRIES:
                raise LimitReached(f"there are {MAX_ENTRIES} revocations that are not over yet")
        if entry.token_id is not None:
            self._tokens[entry.issuer, entry.token_id] = entry
        if entry.subject is not None:
            principal = Principal(entry.subject, entry.issuer)
            former = self._subjects.get(principal)
            if former is None or former.before <= entry.before:
                self._subjects[principal] = entry

    def forget(self, now: float) -> None:
        """Forget those that are over."""
        self._subjects = {key: entry for key, entry in self._subjects.items() if entry.until > now}
        self._tokens = {key: entry for key, entry in self._tokens.items() if entry.until > now}

    def entries(self) -> list[Revocation]:
        """All of them."""
        return [*self._subjects.values(), *self._tokens.values()]

    def hit(self, access: Access, decided: float) -> bool:
        """Whether an access was taken back.

        Args:
            access: of which.
            decided: when it was found to be one. It counts where nobody says when its credential was made: who is
                asked again is let in again, if the application says so.
        """
        if self._subjects and access.principal is not None:
            entry = self._subjects.get(access.principal)
            if entry is not None:
                if access.issued is None:
                    return decided <= entry.before
                # Tokens tell whole seconds: one of the same second may be older.
                if access.issued <= math.ceil(entry.before):
                    return True
        return bool(self._tokens) and access.token_id is not None and (access.issuer, access.token_id) in self._tokens
