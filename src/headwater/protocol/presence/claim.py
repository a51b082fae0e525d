"""Who somebody says to be in a room, and whether a member is theirs.

Rule: a member is whose proof it has, or else whose key. Of two issuers that call somebody the same, one is there at a
      time: nobody takes the other's place, and readers never see the one under the name of the other.
"""

from __future__ import annotations

import msgspec

from headwater.errors import MemberTaken
from headwater.protocol.presence.keys import same_key
from headwater.protocol.presence.members import Member


class Claim(msgspec.Struct, frozen=True, gc=False):
    """Who somebody says to be.

    Attributes:
        id: the member.
        key: of it; None: none was sent.
        proven: it is known otherwise that it is this member, such as by its access.
        issuer: of the proof; those of two issuers with one name are two.
    """

    id: str
    key: str | None = None
    proven: bool = False
    issuer: str = ""


def check_claim(claim: Claim, member: Member) -> None:
    """Let somebody act as a member.

    Raises:
        MemberTaken: it is somebody else's.
    """
    if claim.proven:
        if member.issuer not in (None, claim.issuer):
            raise MemberTaken(f"{claim.id!r} is here, and is another issuer's")
    elif claim.key is None or not same_key(claim.key, member.key):
        said = "with another key" if claim.key is not None else "without its key"
        raise MemberTaken(f"{claim.id!r} is here, and this is asked for {said}")
