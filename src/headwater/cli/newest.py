"""Where the last so many records or lines of a stream begin.

Rule: records are counted where they are kept apart, lines in everything else, as `tail -n` does: a line break at the
end begins no line.
"""

from __future__ import annotations

from typing import Final

import httpx2
import msgspec

from headwater.cli.failures import Failure
from headwater.cli.patience import Patience
from headwater.cli.remote import Remote, header
from headwater.errors import InvalidBody
from headwater.model import BEGINNING
from headwater.protocol import names
from headwater.protocol.backwards import MAX_LAST
from headwater.protocol.framing import keeps_records, split_body

#: Bytes that are looked through for lines at a time.
_PIECE: Final = 64 * 1024
_LINE_END: Final = b"\n"


class Beginning(msgspec.Struct, frozen=True):
    """Where to begin.

    Attributes:
        offset: to read from.
        skip: bytes behind it that are not wanted.
    """

    offset: str
    skip: int = 0


def newest(remote: Remote, patience: Patience, path: str, content_type: str, count: int) -> Beginning:
    """Look for it, page by page from the end.

    Args:
        remote: the server.
        patience: when to ask again.
        path: the stream.
        content_type: of the stream.
        count: records or lines, at least one.

    Raises:
        Failure: the server refused, or patience is at its end.
    """
    if keeps_records(content_type):
        return _records(remote, patience, path, content_type, count)
    return _lines(remote, patience, path, count)


def _records(remote: Remote, patience: Patience, path: str, content_type: str, count: int) -> Beginning:
    before: str | None = None
    while count > 0:
        page = _page(remote, patience, path, {names.QUERY_LAST: str(min(count, MAX_LAST))}, before)
        count -= _count_records(content_type, page)
        before = header(page, names.STREAM_PREVIOUS_OFFSET)
        if before is None:
            break
    return Beginning(before or BEGINNING)


def _count_records(content_type: str, page: httpx2.Response) -> int:
    try:
        return len(split_body(content_type, page.content, allow_empty_array=True))
    except InvalidBody as error:
        raise Failure("malformed", f"the server does not answer with {content_type}: {error.message}") from None


def _lines(remote: Remote, patience: Patience, path: str, count: int) -> Beginning:
    before: str | None = None
    is_end = True
    while True:
        page = _page(remote, patience, path, {names.QUERY_LAST_BYTES: str(_PIECE)}, before)
        data = page.content
        end = len(data) - (is_end and data.endswith(_LINE_END))
        is_end = False
        before = header(page, names.STREAM_PREVIOUS_OFFSET)
        while (at := data.rfind(_LINE_END, 0, end)) >= 0:
            count, end = count - 1, at
            if count == 0:
                return Beginning(before or BEGINNING, at + 1)
        if before is None:
            return Beginning(BEGINNING)


def _page(remote: Remote, patience: Patience, path: str, params: dict[str, str], before: str | None) -> httpx2.Response:
    if before is not None:
        params = {**params, names.QUERY_BEFORE: before}
    return patience.ask(lambda: remote.page(path, params))
