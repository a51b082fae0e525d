"""Where the last so many records or lines of a stream begin.

Rule: records are counted where they are kept apart, lines in everything else, as `tail -n` does: a line break at the
end begins no line.
"""

from __future__ import annotations

from typing import Final

import msgspec

from headwater.cli.remote import Remote
from headwater.client.answers import Head
from headwater.client.errors import BadAnswer
from headwater.client.requests import PREVIOUS
from headwater.client.retry import Retry
from headwater.model import BEGINNING
from headwater.protocol import names
from headwater.protocol.backwards import MAX_LAST
from headwater.protocol.framing import is_json, keeps_records

#: Bytes that are looked through for lines at a time.
_PIECE: Final = 64 * 1024
_LINE_END: Final = b"\n"

_values: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Beginning(msgspec.Struct, frozen=True):
    """Where to begin.

    Attributes:
        offset: to read from.
        skip: bytes behind it that are not wanted.
    """

    offset: str
    skip: int = 0


def newest(remote: Remote, retry: Retry, path: str, content_type: str, count: int) -> Beginning:
    """Look for it, page by page from the end.

    Args:
        remote: the server.
        retry: when to ask again.
        path: the stream.
        content_type: of the stream.
        count: records or lines, at least one.

    Raises:
        HeadwaterError: the server refused, or patience is at its end.
    """
    if keeps_records(content_type):
        return _records(remote, retry, path, content_type, count)
    return _lines(remote, retry, path, count)


def _records(remote: Remote, retry: Retry, path: str, content_type: str, count: int) -> Beginning:
    before: str | None = None
    while count > 0:
        params = {names.QUERY_LAST: str(min(count, MAX_LAST))}
        if not is_json(content_type):  # a body of the others may not say where a record ends
            params[names.QUERY_ENVELOPE] = "1"
        head, data = _page(remote, retry, path, params, before)
        count -= _count_values(data) if is_json(content_type) else data.count(_LINE_END)
        before = head.headers.get(PREVIOUS)
        if before is None:
            break
    return Beginning(before or BEGINNING)


def _count_values(page: bytes) -> int:
    try:
        return len(_values(page))
    except msgspec.DecodeError:
        raise BadAnswer("the server does not answer with a JSON array") from None


def _lines(remote: Remote, retry: Retry, path: str, count: int) -> Beginning:
    before: str | None = None
    is_end = True
    while True:
        head, data = _page(remote, retry, path, {names.QUERY_LAST_BYTES: str(_PIECE)}, before)
        end = len(data) - (is_end and data.endswith(_LINE_END))
        is_end = False
        before = head.headers.get(PREVIOUS)
        while (at := data.rfind(_LINE_END, 0, end)) >= 0:
            count, end = count - 1, at
            if count == 0:
                return Beginning(before or BEGINNING, at + 1)
        if before is None:
            return Beginning(BEGINNING)


def _page(remote: Remote, retry: Retry, path: str, params: dict[str, str], before: str | None) -> tuple[Head, bytes]:
    if before is not None:
        params = {**params, names.QUERY_BEFORE: before}
    return remote.ask("GET", path, query=params, retry=retry)
