"""Forks: a stream that shares its source's records up to a point, without copying (protocol section 4.2).

Rule: a fork never changes its source but for the count of its forks; `StreamState.forks` keeps the source's records
alive after a delete, and outside the reach of retention.
"""

from __future__ import annotations

from typing import Final

import msgspec

from headwater.errors import BadRequest, ContentTypeMismatch, ForkTooDeep, SourceGone
from headwater.model import Expiry, StreamConfig
from headwater.protocol.framing import keeps_records, same_content_type
from headwater.protocol.ledger import StreamState, Watched, check_usable
from headwater.protocol.offsets import cut_lineage, locate
from headwater.protocol.slow import check_slow

#: Streams whose records a fork may share: its source, that one's, and so on.
MAX_SOURCES: Final = 1000


def check_source(source: StreamState | None, config: StreamConfig, now: float, watched: Watched) -> StreamState:
    """The source of a fork, if it may be forked with this configuration.

    Raises:
        StreamNotFound: no such stream, or expired.
        SourceGone: soft-deleted.
        ContentTypeMismatch: the request names another content type.
        BadRequest: the policy for slow readers has no meaning for the source's type.
    """
    assert config.fork is not None
    if source is not None and source.deleted:
        raise SourceGone(f"the stream at {source.path!r} was deleted")
    source = check_usable(source, config.fork.source, now, watched)
    if config.content_type is not None and not same_content_type(config.content_type, source.content_type):
        raise ContentTypeMismatch(f"the source is {source.content_type}, the fork {config.content_type}")
    check_slow(config.slow, source.content_type)
    return source


def fork_anchor(source: StreamState, offset: str | None) -> int:
    """The position in the source that a fork's offset means, before any sub-offset.

    Raises:
        InvalidOffset, OffsetGone: see `offsets.locate`.
    """
    if offset is None:
        return source.tail
    return locate(source.lineage, offset, earliest=source.earliest, tail=source.tail)


def resolve_sub_offset(source: StreamState, anchor: int, sub_offset: int, following: tuple[bytes, ...]) -> int:
    """The divergence position `sub_offset` records or bytes past an anchor.

    Args:
        source: the stream to fork.
        anchor: from `fork_anchor`.
        sub_offset: records where they are kept apart, bytes otherwise.
        following: the records at the anchor, the first one cut at it: `sub_offset` many if they are counted, else one.

    Raises:
        BadRequest: it overshoots: past the tail (records), or past the end of the record (bytes).
    """
    if sub_offset == 0:
        return anchor
    if keeps_records(source.content_type):
        if len(following) < sub_offset:
            raise BadRequest(f"Stream-Fork-Sub-Offset {sub_offset} overshoots: {len(following)} records follow")
        return anchor + sum(len(data) for data in following[:sub_offset])
    length = len(following[0]) if following else 0
    if sub_offset > length:
        raise BadRequest(f"Stream-Fork-Sub-Offset {sub_offset} overshoots: the record has {length} more bytes")
    return anchor + sub_offset


def check_depth(source: StreamState, position: int) -> None:
    """Refuse a fork that would be too deep: a fork of a fork knows of every stream whose records it reads.

    Streams that are deeper already, from before there was this bound, stay as they are.

    Raises:
        ForkTooDeep: it would have records of more than `MAX_SOURCES` others.
    """
    if len(source.lineage) <= MAX_SOURCES:
        return
    count = sum(segment.start <= position for segment in source.lineage)
    if count > MAX_SOURCES:
        raise ForkTooDeep(
            f"the fork would share the records of {count} streams, each forked from the next; {MAX_SOURCES} are allowed"
        )


def new_fork(
    path: str, incarnation: int, config: StreamConfig, source: StreamState, position: int, now: float
) -> StreamState:
    """The state of a fork that leaves `source` at `position`; expiry as in the table of protocol section 4.2."""
    expiry = config.expiry if config.expiry != Expiry() else source.config.expiry
    return StreamState(
        path=path,
        incarnation=incarnation,
        config=msgspec.structs.replace(config, content_type=source.content_type, expiry=expiry),
        lineage=cut_lineage(source.lineage, position, incarnation),
        created_at=now,
        touched_at=now,
        earliest=min(source.earliest, position),
        tail=position,
        source=source.incarnation,
        appended_at=source.appended_at,
    )


def segments_from(state: StreamState, position: int) -> list[tuple[int, int, int]]:
    """The stretches to read from a position to the tail: (incarnation, first position, end), in order."""
    ends = [*(segment.start for segment in state.lineage[1:]), state.tail]
    return [
        (segment.incarnation, max(segment.start, position), end)
        for segment, end in zip(state.lineage, ends, strict=True)
        if end > max(segment.start, position)
    ]
