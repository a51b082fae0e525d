"""A row of `streams` alone: what it says, and whether it agrees with itself."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import isfinite
from typing import Any, Final

import msgspec

from headwater.errors import HeadwaterError
from headwater.model import Retention
from headwater.protocol import ledger
from headwater.protocol.framing import check_content_type
from headwater.protocol.ledger import StreamState
from headwater.protocol.offsets import MAX_HALF
from headwater.protocol.paths import check_path
from headwater.stores.sqlite.rows import from_row

#: The version of the schema that brought a column, and what it is before; see the migrations.
_SINCE: Final = {"failure": (2, "NULL"), "appended_at": (6, "NULL")}
_COLUMNS: Final = (
    "incarnation", "path", "config", "lineage", "created_at", "touched_at", "earliest", "tail", "closed", "closed_by",
    "last_seq", "deleted", "forks", "source", "failure", "appended_at", "expires", "look_at",
)  # fmt: skip
_TEXTS: Final = frozenset({"path", "config", "lineage", "closed_by", "last_seq", "failure"})
_KINDS: Final[dict[str, tuple[type, ...]]] = {
    **dict.fromkeys(("incarnation", "earliest", "tail", "closed", "deleted", "forks", "source"), (int,)),
    **dict.fromkeys(("created_at", "touched_at"), (float,)),
    **dict.fromkeys(("path", "config", "lineage"), (bytes,)),
    **dict.fromkeys(("closed_by", "last_seq", "failure"), (bytes, type(None))),
    **dict.fromkeys(("appended_at", "expires", "look_at"), (float, type(None))),
}
#: Seconds by which sums of the same times may differ.
_ROUNDING: Final = 0.001
#: Bytes of the longest path that is taken for one.
_ANY_LENGTH: Final = 1 << 20


class StreamRow(msgspec.Struct, frozen=True):
    """What a row says.

    Attributes:
        state: the stream; without `appended_at` where the file is older.
        appended_at: see `StreamState`; None: the file is older.
        expires: when it expires, as the index has it.
        look_at: when retention looks at it.
    """

    state: StreamState
    appended_at: float | None
    expires: float | None
    look_at: float | None


class Unreadable(Exception):
    """A row whose values mean nothing; its text says which. With the path, if that can be read."""

    def __init__(self, text: str, path: str | None) -> None:
        super().__init__(text)
        self.path = path


def streams_from(version: int) -> str:
    """The query of rows from a number on, for a version of the schema; texts come as bytes, which are always read."""
    columns = []
    for name in _COLUMNS:
        since, before = _SINCE.get(name, (1, ""))
        column = name if version >= since else before
        columns.append(f"CAST({column} AS BLOB)" if name in _TEXTS else column)
    return f"SELECT {', '.join(columns)} FROM streams WHERE incarnation >= ? ORDER BY incarnation LIMIT ?"


def parse_row(row: tuple[Any, ...]) -> StreamRow:
    """A row of `streams_from`.

    Raises:
        Unreadable: it is damaged.
    """
    values: dict[str, Any] = dict(zip(_COLUMNS, row, strict=True))
    path = values["path"].decode("utf-8", "replace") if type(values["path"]) is bytes else None
    for name, value in values.items():
        if type(value) not in _KINDS[name]:
            raise Unreadable(f"its {name} is {_kind(value)}", path)
        if type(value) is float and not isfinite(value) and name != "look_at":
            raise Unreadable(f"its {name} is {value}", path)
    try:
        for name in _TEXTS:
            if values[name] is not None:
                values[name] = values[name].decode()
        state = from_row(tuple(values[name] if name != "appended_at" else 0.0 for name in _COLUMNS[:-2]))
    except (ValueError, TypeError, RecursionError) as error:
        raise Unreadable(f"its row cannot be read: {error}", path) from None
    if not state.lineage:
        raise Unreadable("its lineage is empty", path)
    state.appended_at = values["appended_at"] or 0.0
    return StreamRow(state, values["appended_at"], values["expires"], values["look_at"])


def _kind(value: Any) -> str:
    return "missing" if value is None else f"of type {type(value).__name__}"


def problems_of(row: StreamRow) -> Iterator[str]:
    """What a row contradicts itself in, in sentences."""
    state = row.state
    try:
        check_path(state.path, maximum=_ANY_LENGTH)
    except HeadwaterError as error:
        yield f"its path is none: {error.message}"
    yield from _of_config(state)
    yield from _of_lineage(state)
    if not 0 <= state.earliest <= state.tail <= MAX_HALF:
        yield f"its earliest position is {state.earliest}, its tail {state.tail}"
    if state.tail < state.fork_position:
        yield f"its tail {state.tail} lies before position {state.fork_position}, where its own records begin"
    if not state.closed and (state.closed_by is not None or state.failure is not None):
        yield "it is open, and says who closed it or why"
    if state.forks < 0:
        yield f"it has {state.forks} forks"
    elif state.deleted and not state.forks:
        yield "it is deleted and has no forks, for which it would be kept"
    end = ledger.expires_at(state)
    if (end is None) != (row.expires is None) or (end is not None and abs(end - (row.expires or 0.0)) > _ROUNDING):
        yield f"its time to expire is {row.expires}, and {end} by its configuration"
    if row.look_at is not None and state.config.retention == Retention():
        yield "retention is to look at it, and it has none"


def _of_config(state: StreamState) -> Iterator[str]:
    kind = state.config.content_type
    try:
        if kind is None:
            yield "it has no content type"
        else:
            check_content_type(kind)
    except HeadwaterError as error:
        yield error.message


def _of_lineage(state: StreamState) -> Iterator[str]:
    lineage = state.lineage
    if lineage[0].start != 0:
        yield f"its first records would begin at position {lineage[0].start}"
    if lineage[-1].incarnation != state.incarnation:
        yield f"its lineage ends with stream number {lineage[-1].incarnation}, and its own is {state.incarnation}"
    pairs = pairwise(lineage)
    if any(one.incarnation >= other.incarnation or one.start > other.start for one, other in pairs):
        yield "its lineage does not ascend"
    if len({len(lineage) > 1, state.config.fork is not None, state.source != 0}) != 1:
        yield "its configuration, its source and its lineage differ in whether it is a fork"
