"""URLs: the stream in a path below the root, and the word behind it; the table of the words that are reserved.

Rule 1: what concerns one stream is below its URL, so that whatever guards its path guards that too. What concerns
        several streams, or none, is below the root: `/v1/stream/`, or the mount point.
Rule 2: the first segment `-` decides, and what follows it is a word of the table, whole. Everything else is a stream's
        path, as it stands: paths of old streams have such segments.
Rule 3: the introspection has no word of the root's table: mounted, both are below the same `-`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from headwater.errors import RouteNotFound
from headwater.protocol.paths import MAX_PATH_BYTES, NOTHING_PRIVATE, RESERVED_SEGMENT, PrivatePaths, check_path

#: Words below the root, `{root}-/many`, and what each is reserved for.
AT_ROOT: Final[Mapping[str, str]] = {
    "many": "reading many streams in one response",
    "append": "appending to many streams in one step",
    "connect": "WebSocket connections",
    "ticket": "tickets, by which a client without a header says who it is",
    "session": "the sessions of browsers",
    "revoke": "taking back what somebody may do",
    "kick": "ending somebody's connections",
}
#: Words below a stream, `{root}{path}/-/signal`, and what each is reserved for.
AT_STREAM: Final[Mapping[str, str]] = {
    "signal": "messages to a stream's readers that are not stored",
    "presence": "who is there",
    "cancel": "asking a task to stop",
    "schema": "what a stream holds",
}

_BELOW_ROOT: Final = f"{RESERVED_SEGMENT}/"
#: Before a word below a stream.
BELOW_STREAM: Final = f"/{RESERVED_SEGMENT}/"


class Target(msgspec.Struct, frozen=True, gc=False):
    """What a URL names.

    Attributes:
        path: the stream; not checked; empty at the root.
        word: of `AT_STREAM`, or of `AT_ROOT` at the root; empty: the stream itself.
    """

    path: str
    word: str = ""


def split_url(path: str) -> Target:
    """The stream and the word in a URL's path.

    Args:
        path: below the root, decoded, without a leading slash: `jobs/7`, `jobs/7/-/signal`, `-/many`.

    Returns:
        With a word, if it is one of the table; else the path unchanged, whether a stream may have it or not.
    """
    if path.startswith(_BELOW_ROOT):
        word = path[len(_BELOW_ROOT) :]
        return Target("", word) if word in AT_ROOT else Target(path)
    stream, _, word = path.partition(BELOW_STREAM)
    return Target(stream, word) if stream and word in AT_STREAM else Target(path)


def stream_at(path: str, *, maximum: int = MAX_PATH_BYTES, private: PrivatePaths = NOTHING_PRIVATE) -> str:
    """The path of the stream that a URL is of.

    Args:
        path: as for `split_url`.
        maximum: bytes of a stream's path in UTF-8; a word behind it is not counted.
        private: what is not served.

    Raises:
        InvalidPath, PathTooLong: no stream has this path; see `check_path`.
        StreamPrivate: the stream, or the one before the word, is not served.
        RouteNotFound: the URL has a word of the table, and nothing serves it.
    """
    if BELOW_STREAM not in f"/{path}":
        private.check(check_path(path, maximum=maximum))
        return path
    target = target_at(path, maximum=maximum, private=private)
    if target.word:
        raise not_served(target)
    return target.path


def target_at(path: str, *, maximum: int = MAX_PATH_BYTES, private: PrivatePaths = NOTHING_PRIVATE) -> Target:
    """The same with a word that may stand behind the stream.

    Args:
        path: see `stream_at`.
        maximum: see `stream_at`.
        private: see `stream_at`.

    Raises:
        InvalidPath, PathTooLong, StreamPrivate: see `stream_at`.
    """
    target = split_url(path) if BELOW_STREAM in f"/{path}" else Target(path)
    if target.path or not target.word:
        check_path(target.path, maximum=maximum)
        private.check(target.path)
    return target


def not_served(target: Target) -> RouteNotFound:
    """The refusal of a URL whose word is reserved, at a server that has nothing for it.

    Args:
        target: with a word.
    """
    where, table = ("a stream", AT_STREAM) if target.path else ("the root", AT_ROOT)
    return RouteNotFound(
        f"'{RESERVED_SEGMENT}/{target.word}' below {where} is reserved for {table[target.word]}; "
        "this server does not serve it"
    )
