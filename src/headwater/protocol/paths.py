"""Stream paths: which URL is which stream, and what a path may look like."""

from __future__ import annotations

from typing import Final

from headwater.errors import InvalidPath, PathTooLong

#: Bytes of a stream path in UTF-8, unless a setting says otherwise.
MAX_PATH_BYTES: Final = 1024
#: First segment of the introspection routes; no stream may begin with it.
RESERVED_SEGMENT: Final = "-"


def check_path(path: str, *, maximum: int = MAX_PATH_BYTES) -> str:
    """The same path, if a stream may have it.

    Args:
        path: decoded, without a leading slash: `jobs/7`.
        maximum: bytes in UTF-8.

    Raises:
        InvalidPath: empty; an empty, `.` or `..` segment; a control character; a backslash; or `-` as first segment.
        PathTooLong: more than `maximum` bytes.
    """
    if not path:
        raise InvalidPath("the stream path is empty")
    try:
        length = len(path) if path.isascii() else len(path.encode())
    except UnicodeEncodeError:
        raise InvalidPath("the stream path is not UTF-8") from None
    if length > maximum:
        raise PathTooLong(f"the stream path has {length} bytes, the limit is {maximum}")
    # U+FFFD is what servers make of bytes that are no UTF-8: different URLs would be one stream.
    if not path.isprintable() or "\\" in path or "\ufffd" in path:
        raise InvalidPath(f"the stream path {path[:80]!r} has a control character, a backslash or wrong UTF-8")
    segments = path.split("/")
    if segments[0] == RESERVED_SEGMENT or any(segment in ("", ".", "..") for segment in segments):
        raise InvalidPath(
            f"the stream path {path[:80]!r} has a segment that is empty, '.' or '..', or begins with the segment '-'"
        )
    return path


def strip_prefix(url_path: str, prefixes: tuple[str, ...]) -> str:
    """The stream path in a URL path: without the first prefix that fits, or without its leading slash."""
    for prefix in prefixes:
        if url_path.startswith(prefix):
            return url_path[len(prefix) :]
    return url_path.removeprefix("/")
