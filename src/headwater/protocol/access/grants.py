"""What is granted, and whether something is.

Rule 1: what is allowed is the union of all grants. Nothing is denied, so their order means nothing, and what is not
        granted is refused.
Rule 2: a decision follows from the grants, the operation and the stream's own path, as the store has it; no spelling
        of a URL is looked at.
Rule 3: a decision takes time that goes with the path's segments and not with the number of grants. Few patterns are
        looked at one by one: there may be a hundred thousand holders of grants, and a tree for each costs more.
Rule 4: what many have in common, such as `news/*`, is there once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
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


#: Patterns for one operation up to which there is no tree.
_FEW: Final = 8
#: Patterns that name nobody's own claim, and lists of texts, that are there once.
_SHARED: Final = 4096


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


def _tree(patterns: Iterable[Pattern]) -> _Node:
    root = _Node()
    for pattern in patterns:
        _put(root, pattern)
    return root


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


def _is_in(pattern: Pattern, segments: list[str]) -> bool:
    if is_rest(pattern[-1]):
        pattern = pattern[:-1]
        return len(segments) > len(pattern) and _begins(pattern, segments)
    return len(segments) == len(pattern) and _begins(pattern, segments)


@lru_cache(_SHARED)
def _once(texts: tuple[str, ...]) -> tuple[str, ...]:
    return texts


@lru_cache(_SHARED)
def _common(text: str, maximum: int) -> Pattern:
    return parse_pattern(text, of_nobody, maximum=maximum)


def _parsed(text: str, fill: Callable[[str], str], maximum: int) -> Pattern:
    return parse_pattern(text, fill, maximum=maximum) if "{" in text else _common(text, maximum)


class Grants:
    """Patterns by operation.

    Args:
        patterns: as they were granted.
        fill: what stands for a name in braces; see `patterns`.
        maximum: bytes of a pattern.

    Raises:
        ValueError: one of them is no pattern, or there are too many.
    """

    __slots__ = ("_known", "_patterns", "_texts", "_trees")

    def __init__(
        self,
        patterns: Mapping[Operation, Iterable[str]] | None = None,
        fill: Callable[[str], str] = of_nobody,
        *,
        maximum: int = MAX_PATTERN_BYTES,
    ) -> None:
        found: dict[Operation, tuple[str, ...]] = {}
        self._patterns: dict[Operation, tuple[Pattern, ...]] = {}
        self._trees: dict[Operation, _Node] | None = None
        self._known: dict[tuple[Operation, str], bool] | None = None
        for operation, given in (patterns or {}).items():
            texts = tuple(given)
            if len(texts) > MAX_PATTERNS:
                raise ValueError(f"{len(texts)} patterns to {operation}; {MAX_PATTERNS} are allowed")
            if not texts:
                continue
            found[operation] = _once(texts)
            parsed = self._patterns[operation] = tuple([_parsed(text, fill, maximum) for text in texts])
            if len(parsed) > _FEW:
                self._trees = self._trees or {}
                self._trees[operation] = _tree(parsed)
        self._texts: Final = tuple(found.values())

    @property
    def texts(self) -> dict[Operation, tuple[str, ...]]:
        """As they were granted, by operation."""
        return dict(zip(self._patterns, self._texts, strict=True))

    def __bool__(self) -> bool:
        return bool(self._patterns)

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
        if known is None:
            known = self._known = {}
        found = known.get((operation, path))
        if found is None:
            found = self._lists(path) if operation is Operation.LIST else self._finds(operation, path)
            if len(known) >= MAX_REMEMBERED:
                known.clear()
            known[operation, path] = found
        return found

    def _finds(self, operation: Operation, path: str) -> bool:
        tree = None if self._trees is None else self._trees.get(operation)
        if tree is not None:
            return _finds(tree, path)
        segments = path.split("/")
        return any(_is_in(pattern, segments) for pattern in self._patterns.get(operation, ()))

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
