"""Several appends in one request: NDJSON lines into appends, and their answers into lines.

Rule: a line is one record. `data` keeps the bytes with which it came.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from headwater.errors import BadRequest, HeadwaterError, TooLarge
from headwater.model import Appended, Principal
from headwater.protocol.commands import Write
from headwater.protocol.framing import check_content_type
from headwater.protocol.given import GivenConfig, config_of, producer_of
from headwater.protocol.ledger import Append
from headwater.protocol.paths import MAX_PATH_BYTES, NOTHING_PRIVATE, PrivatePaths, check_path

#: Lines of one request.
MAX_LINES: Final = 1024
MEDIA_TYPE: Final = b"application/x-ndjson"


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    stream: str
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    base64: str | None = None
    type: str | None = None
    producer: tuple[str, int, int] | None = None
    create: bool | GivenConfig = False
    close: bool = False


_decode: Final = msgspec.json.Decoder(_Line).decode


def parse_lines(
    body: bytes, *, max_path_bytes: int = MAX_PATH_BYTES, private: PrivatePaths = NOTHING_PRIVATE
) -> list[tuple[str, Append]]:
    """The appends of a request, in their order.

    Args:
        body: as it came. Empty lines are skipped.
        max_path_bytes: limit of a stream's path.
        private: what no request may name.

    Raises:
        TooLarge: more than `MAX_LINES` lines.
        BadRequest, InvalidPath, StreamPrivate, PathTooLong: a line is not as it should be, told by `line`.
    """
    lines = [(number, line) for number, line in enumerate(body.split(b"\n"), 1) if line.strip()]
    if len(lines) > MAX_LINES:
        raise TooLarge(f"the body has {len(lines)} lines, and {MAX_LINES} may be one step")
    if not lines:
        raise BadRequest("the body has no line; each is an object with stream and data")
    found = []
    for number, line in lines:
        try:
            path, append = _append(line)
            check_path(path, maximum=max_path_bytes)
            private.check(path)
        except HeadwaterError as error:
            error.details["line"] = number
            raise
        found.append((path, append))
    return found


def _append(line: bytes) -> tuple[str, Append]:
    try:
        given = _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"the line is not an append: {error}") from None
    if given.data is not msgspec.UNSET and given.base64 is not None:
        raise BadRequest("a line has data or base64, not both")
    kind = None if given.type is None else check_content_type(given.type)
    producer = producer_of(given.producer)
    body, is_value = (b"", False) if given.data is msgspec.UNSET else (bytes(given.data), True)
    if given.base64 is not None:
        body = _bytes(given.base64)
    create = config_of(given.create, kind)
    return given.stream, Append(body, kind, producer, close=given.close, create=create, is_value=is_value)


def _bytes(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError as error:
        raise BadRequest(f"base64: {error}") from None


def writes_of(appends: Sequence[tuple[str, Append]]) -> Iterator[tuple[Write, bool]]:
    """The same as single requests, to find out what each asks for, and whether each has a body."""
    for path, append in appends:
        write = Write(path, append.content_type, append.producer, None, append.close, create=append.create)
        yield write, bool(append.body)


def attributed(appends: Sequence[tuple[str, Append]], by: Principal | None) -> Sequence[tuple[str, Append]]:
    """The same, by somebody: who the request is proven to be of. No line says it, and one that does is refused."""
    if by is None:
        return appends
    return [(path, msgspec.structs.replace(append, by=by)) for path, append in appends]


class _Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    offset: str
    duplicate: bool = False
    created: bool = False
    closed: bool = False


def encode_answers(answers: Sequence[Appended]) -> bytes:
    """A line for each append, in their order."""
    lines = [_Answer(each.next_offset, each.duplicate, each.created, each.closed) for each in answers]
    return msgspec.json.Encoder().encode_lines(lines)
