"""Patterns of paths, by segments: `rooms/*`, `users/*/inbox`, `jobs/**`.

Rule: `*` stands for one whole segment, `**` for one or more, as the last one. No new stream has either in its path, so
      that a name with one is a pattern, and a name without one a stream.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Generic, TypeVar

from headwater.errors import BadRequest

#: One segment.
ONE: Final = "*"
#: One segment or more, at the end.
REST: Final = "**"

T = TypeVar("T")


def is_pattern(name: str) -> bool:
    """Whether a name is a pattern and not a path."""
    return ONE in name


def check_pattern(pattern: str) -> str:
    """The same pattern.

    Raises:
        BadRequest: an asterisk beside other characters of its segment, or `**` before the last one.
    """
    *others, last = pattern.split("/")
    if any(ONE in segment and segment != ONE for segment in others) or (ONE in last and last not in (ONE, REST)):
        raise BadRequest(
            f"the pattern {pattern[:80]!r}: '*' stands for a whole segment, and '**' for all that follow, at the end"
        )
    return pattern


def literal_prefix(pattern: str) -> str:
    """What every path that matches begins with."""
    return pattern.partition(ONE)[0]


def matches(pattern: str, path: str) -> bool:
    """Whether a path matches."""
    asked, given = pattern.split("/"), path.split("/")
    if asked[-1] == REST:
        asked.pop()
        if len(given) <= len(asked):
            return False
        given = given[: len(asked)]
    return len(asked) == len(given) and all(map(_fits, asked, given))


def _fits(asked: str, segment: str) -> bool:
    return asked in (ONE, segment)


class _Node(Generic[T]):
    __slots__ = ("below", "found")

    def __init__(self) -> None:
        self.below: dict[str, _Node[T]] = {}
        self.found: T | None = None


class PatternIndex(Generic[T]):
    """Values by pattern, found by path in time that goes with its segments and not with the number of patterns."""

    def __init__(self) -> None:
        self._root: _Node[T] = _Node()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def get(self, pattern: str) -> T | None:
        """The value of exactly this pattern."""
        node: _Node[T] | None = self._root
        for segment in pattern.split("/"):
            node = None if node is None else node.below.get(segment)
        return None if node is None else node.found

    def put(self, pattern: str, value: T) -> None:
        """Set the value of a pattern that has none."""
        node = self._root
        for segment in pattern.split("/"):
            node = node.below.setdefault(segment, _Node())
        node.found = value
        self._count += 1

    def remove(self, pattern: str) -> None:
        """Forget a pattern that has a value."""
        way, node = [], self._root
        for segment in pattern.split("/"):
            way.append((node, segment))
            node = node.below[segment]
        node.found = None
        self._count -= 1
        for above, segment in reversed(way):
            child = above.below[segment]
            if child.below or child.found is not None:
                break
            del above.below[segment]

    def matching(self, path: str) -> Iterator[T]:
        """The values of all patterns that a path matches."""
        nodes = [self._root]
        for segment in path.split("/"):
            for node in nodes:
                if (rest := node.below.get(REST)) is not None and rest.found is not None:
                    yield rest.found
            nodes = [found for node in nodes for key in (segment, ONE) if (found := node.below.get(key)) is not None]
        for node in nodes:
            if node.found is not None:
                yield node.found
