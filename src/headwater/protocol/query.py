"""The query of a read: our parameters decoded, all others let through unread (protocol section 11.1).

Rule: what is not ours is nobody's business here: any number of parameters, any bytes. The size of the head bounds them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import unquote_to_bytes

from headwater.errors import BadRequest
from headwater.model import NOW, Last
from headwater.protocol import names
from headwater.protocol.backwards import MAX_LAST, MAX_LAST_BYTES, make_last
from headwater.protocol.expiry import parse_integer

_OURS: Final = {value.encode(): value for name, value in vars(names).items() if name.startswith("QUERY_")}
#: Two of them would contradict each other.
_ONCE: Final = (names.QUERY_OFFSET, names.QUERY_LIVE, names.QUERY_LAST, names.QUERY_LAST_BYTES, names.QUERY_BEFORE)


def parse_query(query: bytes) -> dict[str, str]:
    """Our parameters, by name; of a repeated one the last.

    Args:
        query: as sent, without the question mark.

    Raises:
        BadRequest: one of ours is not URL-encoded UTF-8, or one came twice that says where or how.
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
            raise BadRequest(f"{name} must be given once")
        found[name] = decoded(name, value)
    return found


def named_fields(query: bytes, wanted: Collection[str]) -> dict[str, str]:
    """Parameters of some names; what has another name is let through unread.

    Args:
        query: as sent, without the question mark.
        wanted: their names.

    Raises:
        BadRequest: one of these is not URL-encoded UTF-8, or came twice.
    """
    found: dict[str, str] = {}
    for part in query.split(b"&"):
        raw_name, _, value = part.partition(b"=")
        name = unquote_to_bytes(raw_name).decode("latin-1")
        if name not in wanted:
            continue
        if name in found:
            raise BadRequest(f"{name} must be given once")
        found[name] = decoded(name, value)
    return found


def parse_last(fields: Mapping[str, str], *, live: bool) -> Last | None:
    """What is asked for from behind; None: nothing is.

    Args:
        fields: from `parse_query`.
        live: the read is.

    Raises:
        BadRequest: a number is none, or what came does not go together.
        InvalidOffset: `before` is no offset.
    """
    records, size, before = (
        fields.get(name) for name in (names.QUERY_LAST, names.QUERY_LAST_BYTES, names.QUERY_BEFORE)
    )
    if records is None and size is None:
        if before is not None:
            raise BadRequest("before needs last or last_bytes, which say how much is asked for")
        return None
    if names.QUERY_OFFSET in fields:
        raise BadRequest("give offset, or last or last_bytes: each says where to begin")
    if live and before is not None:
        raise BadRequest("a live read has no before: it begins with the newest records, and goes on")
    return last_of(records, size, NOW if before is None else before)


def last_of(records: str | None, size: str | None, before: str = NOW) -> Last:
    """What is asked for from behind, of the texts of its numbers.

    Raises:
        BadRequest: a number is none, or out of range, or both are given.
        InvalidOffset: `before` is no offset.
    """
    count, length = names.QUERY_LAST, names.QUERY_LAST_BYTES
    return make_last(
        None if records is None else parse_integer(records, name=count, minimum=1, maximum=MAX_LAST),
        None if size is None else parse_integer(size, name=length, minimum=1, maximum=MAX_LAST_BYTES),
        before,
    )


def decoded(name: str, value: bytes) -> str:
    """The value of one of our parameters.

    Raises:
        BadRequest: it is not URL-encoded UTF-8.
    """
    try:
        if value.isascii():
            return unquote_to_bytes(value.replace(b"+", b" ")).decode()
    except UnicodeDecodeError:
        pass
    raise BadRequest(f"the query parameter {name} is not URL-encoded UTF-8")
