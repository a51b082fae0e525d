"""Stream paths: which URL is which stream, what a path may look like, and which streams are not served."""

from __future__ import annotations

import re
from typing import Final
from unicodedata import is_normalized

from headwater.errors import InvalidPath, PathTooLong, StreamPrivate

#: Bytes of a stream path in UTF-8, unless a setting says otherwise.
MAX_PATH_BYTES: Final = 1024
#: Before the words below the root and below a stream (see `urls`), and before the introspection's routes.
RESERVED_SEGMENT: Final = "-"
#: What the protocol's own routes begin with (section 6).
PROTOCOL_PREFIX: Final = "__ds"
#: Where runs are kept, unless told otherwise: see `headwater.llm`.
RUNS: Final = ("runs", "runs-records", "runs-keys", "runs-threads", "runs-processes", "runs-leases")

#: A percent sign that encodes nothing, and what no path in a request has (RFC 3986 sections 2.1 and 3.5).
_NOT_ENCODED: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})|#")
#: Segments that no path has: two paths with them could be one.
_NO_SEGMENTS: Final = frozenset({"", ".", ".."})
#: What patterns and templates of paths are made of.
_PATTERN: Final = re.compile(r"[*{}]")
#: What most paths are like, and what every rule of paths allows.
_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~@:+=,-]*(?:/[A-Za-z0-9_][A-Za-z0-9._~@:+=,-]*)*", re.ASCII)
#: The last character there is; no path has it.
_LAST: Final = "\U0010ffff"


class PrivatePaths:
    """Streams that are there for the program itself, and not served over HTTP.

    Rule: whatever serves streams asks `check`, for every path that a request names. The answer follows from the path
    alone, so that it does not tell which streams there are.

    Args:
        roots: paths; they and what is below them are private.
    """

    def __init__(self, *roots: str) -> None:
        self._below: tuple[str, ...] = ()
        self.add(*roots)

    def add(self, *roots: str) -> None:
        """Make more private."""
        self._below = tuple(dict.fromkeys((*self._below, *(f"{root}/" for root in roots))))

    def __contains__(self, path: str) -> bool:
        return f"{path}/".startswith(self._below)

    def end(self, path: str) -> str:
        """A text behind a private path and what is private below the same root, and before all that follows.

        Args:
            path: a private one.
        """
        root = self._root(path)
        return path if path == root[:-1] else root + _LAST

    def _root(self, path: str) -> str:
        return next(root for root in self._below if f"{path}/".startswith(root))

    def check(self, path: str) -> None:
        """Refuse a private path.

        Raises:
            StreamPrivate: it is one.
        """
        if f"{path}/".startswith(self._below):
            raise StreamPrivate(f"{self._root(path)[:80]!r} and what is below it is not served here")


#: For servers that serve everything.
NOTHING_PRIVATE: Final = PrivatePaths()


def check_path(path: str, *, maximum: int = MAX_PATH_BYTES) -> str:
    """The same path, if a stream may have it.

    Args:
        path: decoded, without a leading slash: `jobs/7`.
        maximum: bytes in UTF-8.

    Raises:
        InvalidPath: empty; an empty, `.` or `..` segment; a control character; a backslash; or `-` as first segment.
        PathTooLong: more than `maximum` bytes.
    """
    if _PLAIN.fullmatch(path) and len(path) <= maximum:
        return path
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
    if segments[0] == RESERVED_SEGMENT or not _NO_SEGMENTS.isdisjoint(segments):
        raise InvalidPath(
            f"the stream path {path[:80]!r} has a segment that is empty, '.' or '..', or begins with the segment '-'"
        )
    return path


def check_new_path(path: str) -> str:
    """The same path, if a new stream may have it; those of before are not touched by this.

    Args:
        path: one that `check_path` lets through.

    Raises:
        InvalidPath: not in Unicode's form NFC, so that there could be two streams with one name; a character of
            patterns or templates; a segment `-`, behind which words stand in URLs; or `__ds` at the beginning, which
            the protocol has (section 6).
    """
    if _PLAIN.fullmatch(path):
        return path
    reason = ""
    if not path.isascii() and not is_normalized("NFC", path):
        reason = "is not in Unicode's normal form NFC"
    elif found := _PATTERN.search(path):
        reason = f"has the character {found[0]!r}"
    else:
        segments = path.split("/")
        if RESERVED_SEGMENT in segments:
            reason = f"has the segment {RESERVED_SEGMENT!r}"
        elif path.startswith(PROTOCOL_PREFIX):
            reason = f"begins with {PROTOCOL_PREFIX!r}"
    if reason:
        raise InvalidPath(f"the path {path[:80]!r} of a new stream {reason}")
    return path


def check_encoding(raw_path: bytes) -> None:
    """Refuse a URL path that decodes to the path of another one: decoders let `%zz` through as it is.

    Args:
        raw_path: as sent, without the query.

    Raises:
        InvalidPath: a percent sign without two hexadecimal digits, or a fragment.
    """
    found = _NOT_ENCODED.search(raw_path)
    if found is not None:
        near = raw_path[found.start() : found.start() + 3].decode("latin-1")
        raise InvalidPath(f"the path of the URL is not percent-encoded at {near!r}")


def strip_prefix(url_path: str, prefixes: tuple[str, ...]) -> str:
    """The stream path in a URL path: without the first prefix that fits, or without its leading slash."""
    for prefix in prefixes:
        if url_path.startswith(prefix):
            return url_path[len(prefix) :]
    return url_path.removeprefix("/")
