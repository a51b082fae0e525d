"""What is granted, and whether something is.

Rule 1: what is allowed is the union of all grants. Nothing is denied, so their order means nothing, and what is not
        granted is refused.
Rule 2: a decision follows from the grants, the operation and the stream's own path, as the store has it; no spelling
        of a URL is looked at.
Rule 3: a decision takes time that goes with the path's segments and not with the number of grants.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from headwater.protocol.access.patterns import (
    MAX_PATTERN_BYTES,
    Pattern,
    covers,
    format_pattern,
    is_one,
    is_rest,
    of_nobody,
    parse_pattern,
)
from headwater.protocol.asks import Operation

#: Patterns for one operation.
MAX_PATTERNS: Final = 64
#: Bytes of a pattern that was filled in and written down.
MAX_KEPT_BYTES: Final = 16 * 1024
#: Decisions that are remembered for one holder of grants.
MAX_REMEMBERED: Final = 512


class _Node:
    __slots__ = ("any", "below", "ends", "rest")

    def __init__(self) -> None:
        self.below: dict[str, _Node] = {}
        self.any: _Node | None = None
        self.ends = False
        self.rest = False


def _put(root: _Node, pattern: Pattern) -> None:
    node = root
    for segment in pattern:
        if is_rest(segment):
            node.rest = True
            return
        if is_one(segment):
            node.any = node = node.any or _Node()
        else:
            node = node.below.setdefault(str(segment), _Node())
    node.ends = True


def _finds(root: _Node, path: str) -> bool:
    nodes = [root]
    for segment in path.split("/"):
        following: list[_Node] = []
        for node in nodes:
            if node.rest:
                return True
            if (found := node.below.get(segment)) is not None:
                following.append(found)
            if node.any is not None:
                following.append(node.any)
        if not following:
            return False
        nodes = following
    return any(node.ends for node in nodes)


class Grants:
    """Patterns by operation.

    Args:
        patterns: as they were granted.
        fill: what stands for a name in braces; see `patterns`.
        maximum: bytes of a pattern.

    Attributes:
        texts: as given, by operation.

    Raises:
        ValueError: one of them is no pattern, or there are too many.
    """

    __slots__ = ("_known", "_patterns", "_tries", "texts")

    def __init__(
        self,
        patterns: Mapping[Operation, Iterable[str]] | None = None,
        fill: Callable[[str], str] = of_nobody,
        *,
        maximum: int = MAX_PATTERN_BYTES,
    ) -> None:
        self.texts: dict[Operation, tuple[str, ...]] = {}
        self._patterns: dict[Operation, tuple[Pattern, ...]] = {}
        self._tries: dict[Operation, _Node] = {}
        self._known: dict[tuple[Operation, str], bool] = {}
        for operation, given in (patterns or {}).items():
            texts = tuple(given)
            if len(texts) > MAX_PATTERNS:
                raise ValueError(f"{len(texts)} patterns to {operation}; {MAX_PATTERNS} are allowed")
            if not texts:
                continue
            self.texts[operation] = texts
            self._patterns[operation] = tuple([parse_pattern(text, fill, maximum=maximum) for text in texts])
            root = self._tries[operation] = _Node()
            for pattern in self._patterns[operation]:
                _put(root, pattern)

    def __bool__(self) -> bool:
        return bool(self.texts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Grants) and self._patterns == other._patterns

    def __hash__(self) -> int:
        return hash(tuple(sorted(self._patterns.items())))

    def __repr__(self) -> str:
        return f"Grants({ {str(operation): texts for operation, texts in self.texts.items()} })"

    def allows(self, operation: Operation, path: str) -> bool:
        """Whether an operation is granted on a stream.

        Args:
            operation: which.
            path: the stream's; or a prefix of paths, for `LIST`.
        """
        known = self._known
        found = known.get((operation, path))
        if found is None:
            root = self._tries.get(operation)
            found = root is not None and (_finds(root, path) if operation is not Operation.LIST else self._lists(path))
            if len(known) >= MAX_REMEMBERED:
                known.clear()
            known[operation, path] = found
        return found

    def _lists(self, prefix: str) -> bool:
        """Whether all that a text begins, at whatever character, is below what may be listed.

        Paths that begin with `rooms/7` are `rooms/77` too, so that only what ends in a slash is a place by itself.
        """
        patterns = self._patterns.get(Operation.LIST, ())
        whole, slash, _ = prefix.rpartition("/")
        if not slash:
            return any(len(pattern) == 1 and is_rest(pattern[0]) for pattern in patterns)
        return any(is_rest(pattern[-1]) and _begins(pattern[:-1], whole.split("/")) for pattern in patterns)

    def rule(self, operation: Operation, path: str) -> str | None:
        """The first pattern, as it was granted, that allows an operation; None: none does. For explanations."""
        for text, pattern in zip(self.texts.get(operation, ()), self._patterns.get(operation, ()), strict=True):
            alone = Grants()
            alone._patterns[operation] = (pattern,)
            root = alone._tries[operation] = _Node()
            _put(root, pattern)
            if alone.allows(operation, path):
                return text
        return None

    def kept(self) -> dict[str, tuple[str, ...]]:
        """All of them as texts without claims, to be written down; see `of_kept`."""
        return {
            str(operation): tuple([format_pattern(pattern) for pattern in patterns])
            for operation, patterns in self._patterns.items()
        }

    def paths(self) -> list[tuple[Operation, str]] | None:
        """All of them as operations on streams; None: one has a wildcard."""
        found = [(operation, pattern) for operation, patterns in self._patterns.items() for pattern in patterns]
        if any(is_one(segment) or is_rest(segment) for _, pattern in found for segment in pattern):
            return None
        return [(operation, "/".join(pattern)) for operation, pattern in found]

    @classmethod
    def of_kept(cls, texts: Mapping[str, Iterable[str]]) -> Grants:
        """What was written down.

        Raises:
            ValueError: it is something else.
        """
        return cls({Operation(name): patterns for name, patterns in texts.items()}, maximum=MAX_KEPT_BYTES)

    def cover(self, other: Grants) -> bool:
        """Whether each pattern of others lies inside one of these."""
        return all(
            any(covers(granted, asked) for granted in self._patterns.get(operation, ()))
            for operation, patterns in other._patterns.items()
            for asked in patterns
        )


def _begins(pattern: Pattern, segments: list[str]) -> bool:
    return len(segments) >= len(pattern) and all(
        is_one(granted) or granted == segment for granted, segment in zip(pattern, segments, strict=False)
    )


#: Nothing is granted.
NOTHING: Final = Grants()
