"""Header fields into a mapping: what becomes of one that is sent in several lines (RFC 9110 sections 5.3 and 5.5).

Rule 1: every driver makes its headers here, so that no two of them read one request in two ways.
Rule 2: a field that has one value is refused when it comes twice; to choose one would be a guess, and a proxy in front
        may have chosen the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from headwater.errors import BadRequest
from headwater.protocol import names

#: Header names in lower case to values, as `collect` gives them.
Headers = Mapping[bytes, bytes]

#: Fields with one value. Every other one that comes again is a list, ours excepted.
_SINGLE: Final = frozenset(
    {
        names.HOST,
        names.ORIGIN,
        names.CONTENT_LENGTH,
        names.CONTENT_TYPE,
        names.LAST_EVENT_ID,
        b"authorization",
        b"idempotency-key",
        b"x-api-key",
    }
)
#: How the names of ours begin; they have one value each.
_OURS: Final = (b"stream-", b"producer-", b"headwater-")
#: White space around a value (RFC 9110 section 5.6.3).
_SPACE: Final = b" \t"


def collect(fields: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The headers of a request, each name once.

    Args:
        fields: names in lower case and values, in the order of the request.

    Returns:
        Values without the white space around them. Lists of several lines are joined with a comma (section 5.3),
        cookies with a semicolon, as HTTP/2 cuts them (RFC 9113 section 8.2.3).

    Raises:
        BadRequest: a field that has one value came twice.
    """
    found: dict[bytes, bytes] = {}
    for name, line in fields:
        value = line.strip(_SPACE)
        if name in found:
            if name in _SINGLE or name.startswith(_OURS):
                raise BadRequest(f"the header {name.decode('latin-1')[:80]} was sent more than once")
            value = found[name] + (b"; " if name == b"cookie" else b", ") + value
        found[name] = value
    return found
