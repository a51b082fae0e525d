"""An access as it is written down, where it must outlive who showed its proof: that of a session, or of a ticket."""

from __future__ import annotations

import msgspec

from headwater.protocol.access.grants import Grants
from headwater.protocol.access.identity import Access


class KeptAccess(msgspec.Struct, frozen=True, omit_defaults=True):
    """An access, written down.

    Attributes:
        subject: who.
        grants: patterns by operation, with claims filled in.
        issuer: whose subject.
        expires: seconds since the Unix epoch.
        token_id: of the token that it came from.
        issued: when that was made.
        recheck: see `Access`.
        signer: names the key that signed the token, without telling it.
    """

    subject: str | None
    grants: dict[str, tuple[str, ...]]
    issuer: str = ""
    expires: float | None = None
    token_id: str | None = None
    issued: float | None = None
    recheck: float | None = None
    signer: str = ""

    @classmethod
    def of(cls, access: Access, signer: str = "") -> KeptAccess:
        """What is written of an access."""
        return cls(
            access.subject,
            access.grants.kept(),
            access.issuer,
            access.expires,
            access.token_id,
            access.issued,
            access.recheck,
            signer,
        )

    def access(self) -> Access:
        """The access that it is.

        Raises:
            ValueError: it was written by something else.
        """
        return Access(
            self.subject,
            grants=Grants.of_kept(self.grants),
            issuer=self.issuer,
            expires=self.expires,
            token_id=self.token_id,
            issued=self.issued,
            recheck=self.recheck,
        )
