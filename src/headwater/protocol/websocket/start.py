"""Where a message wants a read to begin."""

from __future__ import annotations

from headwater.errors import InvalidMessage
from headwater.model import BEGINNING, Last
from headwater.protocol.backwards import make_last
from headwater.protocol.offsets import check_offset


def start_of(offset: str | None, last: int | None, last_bytes: int | None, before: str) -> str | Last:
    """Where a read begins.

    Args:
        offset: `from`; None: at the start, or as `last` says.
        last: so many of the newest records.
        last_bytes: in its place, so many of the newest bytes.
        before: where those end.

    Raises:
        InvalidMessage: there are two places to begin at.
        InvalidOffset, BadRequest: it is none.
    """
    if last is None and last_bytes is None:
        return BEGINNING if offset is None or offset == BEGINNING else check_offset(offset)
    if offset is not None:
        raise InvalidMessage("give from, or last or last_bytes: each says where to begin")
    newest: Last = make_last(last, last_bytes, before)
    return newest
