"""Who somebody is, what they may do, and until when.

Rule: a principal is an issuer and a subject together. Two issuers that call somebody `7` mean two.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from typing import Final

from headwater.model import Principal
from headwater.protocol.access.grants import NOTHING, Grants
from headwater.protocol.asks import Operation
from headwater.protocol.principals import check_principal


class Access:
    """Who somebody is, what they may do, and until when.

    ::

        Access("u42", read=["users/u42/**", "news/*"], append=["rooms/7"], expires=session.ends)

    Each operation takes patterns of streams' paths: `*` is one segment, and `**` as the last one is all that follow.
    What is allowed is the union of them.

    Args:
        subject: who; None: anybody, nobody has said. It is kept with the records that are appended with this access,
            and told to who reads them.
        read: streams that may be read.
        append: streams that may be appended to.
        close: streams that may be closed or failed.
        create: streams that may be made.
        delete: streams that may be deleted.
        signal: streams to whose readers signals may be sent.
        presence: streams at which one may be, and see who else is.
        list: patterns that end in `**`: what may be listed below; figures and metrics take `**` itself.
        revoke: `**`: may take back what others may do, and end their connections.
        expires: seconds since the Unix epoch; None: without an end.
        issuer: whose subject it is; empty: the application's own.
        token_id: of the token (`jti`), by which it can be revoked alone.
        issued: when the token was made, in seconds since the Unix epoch; None: nobody says.
        recheck: seconds after which the application is asked again, while something is read; None: it is not.
        grants: in place of patterns: what they were compiled to.

    Attributes:
        subject: as given, and so are the others.
        grants: what is granted.
        principal: the issuer and the subject; None: anybody.

    Raises:
        ValueError: one of the patterns is none, or there are too many; or the subject or the issuer is too long, or no
            text that UTF-8 can write.
    """

    __slots__ = ("expires", "grants", "issued", "issuer", "principal", "recheck", "subject", "token_id")

    def __init__(
        self,
        subject: str | None,
        *,
        read: Iterable[str] = (),
        append: Iterable[str] = (),
        close: Iterable[str] = (),
        create: Iterable[str] = (),
        delete: Iterable[str] = (),
        signal: Iterable[str] = (),
        presence: Iterable[str] = (),
        list: Iterable[str] = (),
        revoke: Iterable[str] = (),
        expires: float | None = None,
        issuer: str = "",
        token_id: str | None = None,
        issued: float | None = None,
        recheck: float | None = None,
        grants: Grants | None = None,
    ) -> None:
        self.subject: Final = subject
        self.expires: Final = expires
        self.issuer: Final = issuer
        self.principal: Final[Principal | None] = None if subject is None else check_principal(subject, issuer)
        self.token_id: Final = token_id
        self.issued: Final = issued
        self.recheck: Final = recheck
        if grants is None:
            given = {
                Operation.READ: read,
                Operation.APPEND: append,
                Operation.CLOSE: close,
                Operation.CREATE: create,
                Operation.DELETE: delete,
                Operation.SIGNAL: signal,
                Operation.PRESENCE: presence,
                Operation.LIST: list,
                Operation.REVOKE: revoke,
            }
            found = {operation: _texts(operation, patterns) for operation, patterns in given.items() if patterns}
            grants = Grants(found) if found else NOTHING
        self.grants: Final = grants

    def allows(self, operation: Operation, path: str) -> bool:
        """Whether an operation is granted on a stream; until when is another question."""
        return self.grants.allows(operation, path)

    def _fields(self) -> tuple[object, ...]:
        return (self.subject, self.issuer, self.expires, self.token_id, self.issued, self.recheck, self.grants)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Access) and self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash(self._fields())

    def __repr__(self) -> str:
        return f"Access({self.subject!r}, issuer={self.issuer!r}, expires={self.expires!r}, grants={self.grants!r})"


def _texts(operation: Operation, patterns: Iterable[str]) -> builtins.list[str]:
    if isinstance(patterns, str):
        raise ValueError(f"{operation} takes several patterns: [{patterns!r}]")
    return [*patterns]


#: Somebody who has not said who it is.
ANYBODY: Final = Access(None)
