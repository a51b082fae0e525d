"""Cursors, ETags and Cache-Control (protocol section 10)."""

from __future__ import annotations

from typing import Final

from headwater.model import Batch, Extent

#: Seconds a cursor lasts, and the moment they are counted from: 2024-10-09T00:00:00Z.
CURSOR_INTERVAL: Final = 20
CURSOR_EPOCH: Final = 1728432000
#: Jitter, in seconds, that keeps cursors growing when a client comes back within an interval.
MAX_JITTER: Final = 3600

_MAX_CURSOR_DIGITS: Final = 15

#: Answers that describe a moment, or say what to do next.
NO_STORE: Final = b"no-store"
#: Catch-up answers: the bytes at an offset never change; private, because a cache cannot check rights.
CACHEABLE: Final = b"private, max-age=60, stale-while-revalidate=300"
#: Answers whose range moves with the stream: a cache asks each time whether the tag still fits.
REVALIDATE: Final = b"private, no-cache"
#: Live answers; no-transform keeps proxies from compressing, and so from buffering, an event stream.
LIVE: Final = b"no-cache, no-transform"


def next_cursor(now: float, client_cursor: str | None, jitter: int) -> str:
    """The cursor for a live answer: the interval's number, or one beyond the client's (section 10.1).

    Args:
        now: seconds since the Unix epoch.
        client_cursor: what the client echoed; anything but a number of at most 15 digits counts as nothing.
        jitter: 1 to 3600 seconds, drawn by the caller.
    """
    current = int((now - CURSOR_EPOCH) // CURSOR_INTERVAL)
    if client_cursor is None or not (client_cursor.isascii() and client_cursor.isdigit()):
        return str(current)
    if len(client_cursor) > _MAX_CURSOR_DIGITS or int(client_cursor) < current:
        return str(current)
    return str(int(client_cursor) + max(1, jitter // CURSOR_INTERVAL))


def entity_tag(found: Batch | Extent, coding: str = "") -> str:
    """The ETag of a catch-up answer: its range, whether it ends at a closed tail, and its content coding.

    Offsets carry the incarnation, so a re-created stream never matches an old tag. Strong tags differ where bytes
    do (RFC 9110 section 8.8.3.3), so each coding has its own.
    """
    return f'"{found.offset}:{found.next_offset}{":c" if found.closed else ""}{coding and ":" + coding}"'


def tail_tag(tail: str, *, closed: bool) -> str:
    """The ETag of responses that tell where a stream ends and nothing else: an empty range at its tail."""
    return f'"{tail}:{tail}{":c" if closed else ""}"'


def matches(if_none_match: str | None, tag: str) -> bool:
    """Whether `If-None-Match` names this tag; weak comparison (RFC 9110 section 13.1.2)."""
    if if_none_match is None:
        return False
    candidates = (part.strip().removeprefix("W/") for part in if_none_match.split(","))
    return any(candidate in ("*", tag) for candidate in candidates)
