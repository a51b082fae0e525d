"""Who appended a record, or sent a signal: as it is kept, and as it is told.

Rule 1: it comes from the proof of a request, or from the program itself. Nothing that a client writes is taken for it.
Rule 2: an issuer and a subject together are one principal, everywhere. The application's own subjects have no issuer.
Rule 3: it is told to who asks for envelopes and may read the stream, and kept as long as the record.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import msgspec

from headwater.model import Principal

#: Bytes of a subject, and of an issuer, as UTF-8: each record of it has both.
MAX_PRINCIPAL_BYTES: Final = 1024
#: Principals whose forms are remembered.
_MOST: Final = 1024

_decode: Final = msgspec.json.Decoder(str | tuple[str, str]).decode


def check_principal(subject: str, issuer: str) -> Principal:
    """A principal that can be kept and told.

    Raises:
        ValueError: one of the two is too long, or has half a surrogate pair, or the subject is empty.
    """
    if not subject:
        raise ValueError("a subject is not empty")
    for name, text in (("subject", subject), ("issuer", issuer)):
        try:
            size = len(text.encode())
        except UnicodeEncodeError:
            raise ValueError(f"the {name} has half a surrogate pair, which UTF-8 cannot write") from None
        if size > MAX_PRINCIPAL_BYTES:
            raise ValueError(f"the {name} has {size} bytes, and {MAX_PRINCIPAL_BYTES} are the most")
    return Principal(subject, issuer)


@lru_cache(_MOST)
def to_text(principal: Principal) -> str:
    """As it is kept: JSON in one line, the subject alone, or the issuer and the subject."""
    form = (principal.issuer, principal.subject) if principal.issuer else principal.subject
    return msgspec.json.encode(form).decode()


@lru_cache(_MOST)
def from_text(text: str) -> Principal:
    """The principal that `to_text` wrote.

    Raises:
        ValueError: it is something else.
    """
    try:
        found = _decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise ValueError(f"{text[:80]!r} is no principal: {error}") from None
    return Principal(found) if isinstance(found, str) else Principal(found[1], found[0])


@lru_cache(_MOST)
def told(principal: Principal) -> bytes:
    """As it is told, on every wire: JSON, without the issuer, where it is the application's own."""
    return msgspec.json.encode(principal)
