"""Parts as the bodies of appends, none larger than the hub takes.

Rule: a delta that is too large is cut in two, and so are bytes of a provider: it is the same answer. Any other part is
refused then, by its kind and its size, and what came before it stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from headwater.errors import HeadwaterError, TooLarge, UnknownItem
from headwater.hub.limits import Limits
from headwater.llm.answer import coalesce
from headwater.llm.parts import Part, Raw, Reasoning, Text, ToolInput, encode_part

_DELTAS: Final = (Text, Reasoning, ToolInput)
#: The brackets of an array.
_BRACKETS: Final = 2


def appends_of(parts: Sequence[Part], limits: Limits) -> tuple[list[bytes], HeadwaterError | None]:
    """The bodies for some parts, and why the last of them are not there.

    Args:
        parts: as they came.
        limits: of the hub; `max_body_bytes` and `max_append_records` are kept.
    """
    records: list[bytes] = []
    error: HeadwaterError | None = None
    try:
        for part in coalesce(parts):
            record = encode_part(part)
            if len(record) <= limits.max_body_bytes:
                records.append(record)
            else:
                records += _cut(part, len(record), limits.max_body_bytes)
    except HeadwaterError as refusal:
        error = refusal
    except (TypeError, ValueError, RecursionError):
        error = UnknownItem(f"the source gave a {type(part).__name__} with a value that has no JSON form")
    if len(records) == 1:  # the usual case
        return records, error
    return list(_grouped(records, limits)), error


def _cut(part: Part, size: int, most: int) -> list[bytes]:
    """The records of a part that is too large for one."""
    pieces = _halves(part)
    if not pieces:
        raise TooLarge(f"the source gave a {type(part).__name__} of {size} bytes, the limit is max_body_bytes={most}")
    found: list[bytes] = []
    for piece in pieces:
        record = encode_part(piece)
        found += [record] if len(record) <= most else _cut(piece, len(record), most)
    return found


def _halves(part: Part) -> list[Part]:
    """The same in two parts; none: it cannot be cut."""
    if isinstance(part, _DELTAS) and len(part.delta) > 1:
        half = len(part.delta) // 2
        return [msgspec.structs.replace(part, delta=delta) for delta in (part.delta[:half], part.delta[half:])]
    if isinstance(part, Raw) and len(part.data) > 1:
        half = len(part.data) // 2
        return [Raw.of(part.dialect, data) for data in (part.data[:half], part.data[half:])]
    return []


def _grouped(records: Iterable[bytes], limits: Limits) -> Iterable[bytes]:
    """The records as arrays, in as few as there may be."""
    group: list[bytes] = []
    size = _BRACKETS
    for record in records:
        if group and (size + len(record) > limits.max_body_bytes or len(group) >= limits.max_append_records):
            yield _array(group)
            group, size = [], _BRACKETS
        group.append(record)
        size += len(record) + 1
    if group:
        yield _array(group)


def _array(records: list[bytes]) -> bytes:
    return b"[" + b",".join(records) + b"]" if len(records) > 1 else records[0]
