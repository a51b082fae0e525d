"""Where each of many streams begins.

Rule: the last N are lines of a stream that is named and does not keep records apart. What a pattern matches is not
known before it is read, and there the last N are records alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import click
import msgspec

from headwater.cli.follow_many import Start
from headwater.cli.newest import newest
from headwater.cli.remote import Remote
from headwater.client.retry import Retry
from headwater.errors import HeadwaterError, InvalidOffset
from headwater.model import BEGINNING, NOW
from headwater.protocol import names
from headwater.protocol.backwards import MAX_LAST
from headwater.protocol.framing import keeps_records
from headwater.protocol.offsets import check_offset
from headwater.protocol.patterns import is_pattern


class Starts(msgspec.Struct, frozen=True):
    """Where they begin.

    Attributes:
        by_name: of each path and pattern.
        cursor: of an earlier read of the same ones, which wins.
        skips: by stream: bytes behind its beginning that are not wanted.
    """

    by_name: dict[str, Start]
    cursor: str | None = None
    skips: dict[str, int] = {}


def starts_from(paths: Sequence[str], offset: str | None) -> Starts:
    """Where `--from` says.

    Raises:
        UsageError: it is an offset, which is of one stream.
    """
    if offset in (None, BEGINNING):
        return Starts(dict.fromkeys(paths))
    if offset == NOW:
        return Starts(dict.fromkeys(paths, NOW))
    if _is_offset(offset):
        raise click.UsageError(
            "an offset is of one stream: of several, --from takes -1, now, or a cursor that an interrupted tail told."
        )
    return Starts(dict.fromkeys(paths), cursor=offset)


def _is_offset(text: str | None) -> bool:
    try:
        return bool(check_offset(text or ""))
    except InvalidOffset:
        return False


def starts_of_last(remote: Remote, retry: Retry, paths: Sequence[str], count: int) -> Starts:
    """Where the last N of each begin; a stream that cannot be asked for begins at its start, when it comes.

    Raises:
        UsageError: a pattern is given, and N is more than a request gives.
        HeadwaterError: the server is lost.
    """
    if count == 0:
        return starts_from(paths, NOW)
    if count > MAX_LAST and any(map(is_pattern, paths)):
        raise click.UsageError(f"of what a pattern matches, the last {MAX_LAST} records are the most.")
    starts = Starts({})
    for path in paths:
        starts.by_name[path] = {names.QUERY_LAST: count} if is_pattern(path) else None
        if not is_pattern(path):
            _begin(remote, retry, path, count, starts)
    return starts


def _begin(remote: Remote, retry: Retry, path: str, count: int, starts: Starts) -> None:
    try:
        kind = remote.head(path, retry).content_type
        if keeps_records(kind) and count <= MAX_LAST:
            starts.by_name[path] = {names.QUERY_LAST: count}
            return
        begin = newest(remote, retry, path, kind, count)
    except HeadwaterError as error:
        if error.retryable or not error.status:
            raise
        return  # the read says why
    starts.by_name[path] = begin.offset
    starts.skips[path] = begin.skip
