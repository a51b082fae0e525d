"""Several appends that are one step: what callers in this process give, and how much that may be."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Final

from headwater.errors import HeadwaterError, InvalidBody, TooLarge
from headwater.hub.arguments import check_append, principal_of
from headwater.model import Appended, Entry
from headwater.protocol.delimited import delimited
from headwater.protocol.framing import Split, check_body, split_message
from headwater.protocol.ledger import Append
from headwater.protocol.objects import encoded, is_message

#: Appends in one step.
MAX_ENTRIES: Final = 1024
#: Entries that are looked at in one turn of the loop.
AT_ONCE: Final = 128


def append_of_entry(entry: Entry | tuple[str, Any]) -> tuple[str, Append]:
    """The path of an entry, and what the stores are asked for.

    Raises:
        InvalidBody: the data has no form as JSON, and is no message of Protobuf.
        BadRequest: `by` can be nobody.
        TypeError: it is something else.
    """
    if isinstance(entry, tuple):
        entry = Entry(*entry)
    if not isinstance(entry, Entry):
        raise TypeError(f"an entry is an Entry or (path, data), not {type(entry).__name__}")
    path, data, producer, create = entry.path, entry.data, entry.producer, entry.create
    if type(path) is not str or producer is not None or create is not None:
        check_append(path, producer, None, None, create)
    is_value = not isinstance(data, bytes | bytearray | memoryview)
    split: Split | None = None
    try:
        body = encoded("JSON", data) if is_value else bytes(data)
    except InvalidBody:
        if not is_message(data):
            raise
        body, split = delimited((encoded("Protobuf", data),)), split_message
    kind = None if create is None else create.content_type
    # By place, because there are many.
    by = None if entry.by is None else principal_of(entry.by)
    return path, Append(body, kind, producer, None, entry.close, None, None, create, None, is_value, split, by)


async def appends_of_entries(entries: Iterable[Entry | tuple[str, Any]]) -> list[tuple[str, Append]]:
    """The same of many; others have their turn of the loop in between.

    Raises:
        InvalidBody, TypeError: as `append_of_entry`.
    """
    found: list[tuple[str, Append]] = []
    for entry in entries:
        found.append(append_of_entry(entry))
        if not len(found) % AT_ONCE:
            await asyncio.sleep(0)
    return found


def check_together(appends: Sequence[tuple[str, Append]], max_body_bytes: int) -> None:
    """Refuse what is too much for one step, and an append that would do nothing.

    Raises:
        TooLarge: they are too many, or have too many bytes together.
        BadRequest: one is empty, and closes nothing.
    """
    if len(appends) > MAX_ENTRIES:
        raise TooLarge(f"there are {len(appends)} appends, and {MAX_ENTRIES} may be one step")
    size = sum([len(request.body) for _, request in appends])
    if size > max_body_bytes:
        raise TooLarge(f"the appends have {size} bytes, the limit is max_body_bytes={max_body_bytes}")
    for line, (path, request) in enumerate(appends, 1):
        if request.body:
            continue
        try:
            check_body(request.body, close=request.close)
        except HeadwaterError as error:
            error.details.update(line=line, stream=path)
            raise


def created_of(appends: Iterable[tuple[str, Append]], answers: Iterable[Appended]) -> list[str]:
    """The streams that were made."""
    return [path for (path, _), answer in zip(appends, answers, strict=True) if answer.created]
