"""The query of a read: our parameters decoded, all others let through unread (protocol section 11.1).

Rule: what is not ours is nobody's business here: any number of parameters, any bytes. The size of the head bounds them.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote_to_bytes

from headwater.errors import BadRequest
from headwater.protocol import names

_OURS: Final = {value.encode(): value for name, value in vars(names).items() if name.startswith("QUERY_")}
#: Two of them would contradict each other.
_ONCE: Final = (names.QUERY_OFFSET, names.QUERY_LIVE)


def parse_query(query: bytes) -> dict[str, str]:
    """Our parameters, by name; of a repeated one the last.

    Args:
        query: as sent, without the question mark.

    Raises:
        BadRequest: one of ours is not URL-encoded UTF-8, or `offset` or `live` came twice.
    """
    found: dict[str, str] = {}
    if not query:
        return found
    for part in query.split(b"&"):
        raw_name, _, value = part.partition(b"=")
        name = _OURS.get(unquote_to_bytes(raw_name) if b"%" in raw_name else raw_name)
        if name is None:
            continue
        if name in found and name in _ONCE:
            raise BadRequest("offset and live must be given once")
        found[name] = _decoded(name, value)
    return found


def _decoded(name: str, value: bytes) -> str:
    try:
        if value.isascii():
            return unquote_to_bytes(value.replace(b"+", b" ")).decode()
    except UnicodeDecodeError:
        pass
    raise BadRequest(f"the query parameter {name} is not URL-encoded UTF-8")
