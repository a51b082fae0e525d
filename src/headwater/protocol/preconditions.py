"""Preconditions: a write that happens only if the stream is as its sender knows it (RFC 9110 section 13).

Rule 1: an ETag of ours names two offsets and what else tells forms of a response apart (cache_headers.py). Of a tag
        in a condition only the second offset counts: the tag of a read that was up to date serves as the tail's own.
Rule 2: the ledger looks at a condition last, behind every other refusal (section 13.2.1).
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from headwater.errors import BadRequest, PreconditionFailed
from headwater.protocol.headers import Headers
from headwater.protocol.names import IF_MATCH, IF_NONE_MATCH

#: Stands for any stream, whatever its tail.
ANY: Final = "*"

#: Why a condition fails in which no tag names a tail: an offset in quotes, say, or weak tags.
_NO_TAG: Final = "If-Match has none of its tags, which are told as ETag by HEAD, GET, PUT and POST"

#: An element of a list of entity tags, possibly an empty one, with the comma behind it (sections 5.6.1, 8.8.3).
_ELEMENT: Final = re.compile(r'[ \t]*(?:(W/)?"([^"\x00-\x20\x7f]*)")?[ \t]*(?:,|$)')


class Condition(msgspec.Struct, frozen=True, gc=False):
    """What must be so for a write to happen; tails as offsets, `*` for any.

    Attributes:
        if_match: one of them is the stream's tail; None: not asked.
        if_none_match: none of them is; None: not asked.
    """

    if_match: tuple[str, ...] | None = None
    if_none_match: tuple[str, ...] | None = None

    def check(self, path: str, tail: str | None) -> None:
        """Refuse a write whose condition does not hold.

        Args:
            path: the stream.
            tail: its tail; None: there is no stream.

        Raises:
            PreconditionFailed: it does not hold; carries the tail.
        """
        if self.if_match is not None and not _names(self.if_match, tail):
            raise _failed(path, tail, "If-Match names another tail" if self.if_match else _NO_TAG)
        if self.if_none_match is not None and _names(self.if_none_match, tail):
            raise _failed(path, tail, "If-None-Match excludes it")


def at_tail(offset: str | None) -> Condition | None:
    """That a stream ends at an offset; None: no condition."""
    return None if offset is None else Condition(if_match=(offset,))


def parse_condition(if_match: str | None, if_none_match: str | None) -> Condition | None:
    """The condition in a request's headers, several lines of one joined by commas; None: there is none.

    `If-Match` compares strongly, so that a weak tag never holds; `If-None-Match` weakly (sections 13.1.1, 13.1.2).

    Raises:
        BadRequest: one is neither `*` nor a list of entity tags.
    """
    if if_match is None and if_none_match is None:
        return None
    return Condition(
        None if if_match is None else _tails("If-Match", if_match, weak=False),
        None if if_none_match is None else _tails("If-None-Match", if_none_match, weak=True),
    )


def check_unconditional(headers: Headers, word: str) -> None:
    """Refuse a condition where no one stream is written to, whose tag it could name: to pass it over would be to write.

    Args:
        headers: of the request.
        word: where it goes, such as `-/append`.

    Raises:
        BadRequest: it has one.
    """
    for name, told in ((IF_MATCH, "If-Match"), (IF_NONE_MATCH, "If-None-Match")):
        if name in headers:
            raise BadRequest(f"{word} takes no {told}: it has no tag of its own; PUT, POST and DELETE of a stream do")


def _tails(name: str, value: str, *, weak: bool) -> tuple[str, ...]:
    if value == ANY:
        return (ANY,)
    tails, tags, at = [], 0, 0
    while at < len(value):
        element = _ELEMENT.match(value, at)
        if element is None:
            raise BadRequest(f"{name} must be * or a list of entity tags in double quotes, not {value[:80]!r}")
        at = element.end()
        if element[2] is None:
            continue
        tags += 1
        parts = element[2].split(":")
        if len(parts) > 1 and parts[1] != ANY and (weak or element[1] is None):
            tails.append(parts[1])
    if not tags:
        raise BadRequest(f"{name} names no entity tag")
    return tuple(tails)


def _names(tails: tuple[str, ...], tail: str | None) -> bool:
    return tail is not None and (ANY in tails or tail in tails)


def _failed(path: str, tail: str | None, why: str) -> PreconditionFailed:
    if tail is None:
        return PreconditionFailed(f"there is no stream at {path!r}, which If-Match asks for")
    return PreconditionFailed(f"the stream at {path!r} ends at {tail}: {why}", next_offset=tail)
