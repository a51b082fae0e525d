"""Several appends that are one step: what callers in this process give, and how much that may be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from headwater.errors import HeadwaterError, InvalidBody, TooLarge
from headwater.hub.arguments import check_append
from headwater.model import Appended, Entry
from headwater.protocol.framing import check_body
from headwater.protocol.ledger import Append

#: Appends in one step.
MAX_ENTRIES: Final = 1024


def append_of_entry(entry: Entry | tuple[str, Any]) -> tuple[str, Append]:
    """The path of an entry, and what the stores are asked for.

    Raises:
        InvalidBody: the data has no form as JSON.
        TypeError: it is something else.
    """
    if isinstance(entry, tuple):
        entry = Entry(*entry)
    if not isinstance(entry, Entry):
        raise TypeError(f"an entry is an Entry or (path, data), not {type(entry).__name__}")
    check_append(entry.path, entry.producer, None, None, entry.create)
    body, is_value = _body(entry.data)
    kind = None if entry.create is None else entry.create.content_type
    request = Append(body, kind, entry.producer, close=entry.close, create=entry.create, is_value=is_value)
    return entry.path, request


def _body(data: Any) -> tuple[bytes, bool]:
    if isinstance(data, bytes | bytearray | memoryview):
        return bytes(data), False
    try:
        return msgspec.json.encode(data), True
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidBody(f"the value cannot be written as JSON: {error}") from None


def check_together(appends: Sequence[tuple[str, Append]], max_body_bytes: int) -> None:
    """Refuse what is too much for one step, and an append that would do nothing.

    Raises:
        TooLarge: they are too many, or have too many bytes together.
        BadRequest: one is empty, and closes nothing.
    """
    if len(appends) > MAX_ENTRIES:
        raise TooLarge(f"there are {len(appends)} appends, and {MAX_ENTRIES} may be one step")
    size = sum(len(request.body) for _, request in appends)
    if size > max_body_bytes:
        raise TooLarge(f"the appends have {size} bytes, the limit is max_body_bytes={max_body_bytes}")
    for line, (path, request) in enumerate(appends, 1):
        try:
            check_body(request.body, close=request.close)
        except HeadwaterError as error:
            error.details.update(line=line, stream=path)
            raise


def count_created(answers: Iterable[Appended]) -> int:
    """How many streams were made."""
    return sum(answer.created for answer in answers)
