"""Keys: the secret by which a member is held. Whoever has it may add connections, change the state and leave.

Rule 1: the first join decides the key: the one that it brings, else one that is made for it. So a member comes back
        with its key to a server that has forgotten it, and its tabs with it.
Rule 2: the process that keeps the room stands before the dot, so that a request can be led there by its key alone.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from hmac import compare_digest
from typing import Final

from headwater.errors import BadRequest

#: Bytes of the secret of a key that is made here.
SECRET_BYTES: Final = 16
_KEY: Final = re.compile(r"[0-9a-f]{1,8}\.[0-9A-Za-z_-]{22,64}", re.ASCII)


def make_key(process: int, secret: bytes) -> str:
    """A key.

    Args:
        process: that keeps the room.
        secret: `SECRET_BYTES` of randomness.
    """
    return f"{process:x}.{urlsafe_b64encode(secret).rstrip(b'=').decode()}"


def check_key(text: str) -> str:
    """Refuse what is no key: one that a client made must be as hard to guess as ours.

    Raises:
        BadRequest: it has another form.
    """
    if _KEY.fullmatch(text) is None:
        raise BadRequest(
            "a member's key is a number in hexadecimal, a dot, and 22 to 64 random letters, digits, '-' and '_', such "
            "as '0.' and a UUID without its hyphens"
        )
    return text


def same_key(left: str, right: str) -> bool:
    """Whether two keys are the same, in a time that does not tell where they differ."""
    return compare_digest(left.encode(), right.encode())
