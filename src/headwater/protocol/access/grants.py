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

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final

from headwater.protocol.access.patterns import (
    MAX_PATTERN_BYTES,
    Literal,
    Pattern,
    covers,
    fill_in,
    format_pattern,
    has_claims,
    is_one,
    is_rest,
    of_nobody,
    parse_template,
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


#: Texts by operation.
_Granted = tuple[tuple[Operation, tuple[str, ...]], ...]
#: Patterns, for each operation of these.
_Patterns = tuple[tuple[Pattern, ...], ...]


def _parsed(granted: _Granted, maximum: int) -> _Patterns:
    return tuple([tuple([parse_template(text, maximum=maximum) for text in texts]) for _, texts in granted])


@lru_cache(_SHARED)
def _shared(granted: _Granted) -> tuple[_Granted, _Patterns, bool]:
    """What many holders have in common, the patterns of texts, and whether claims are to be filled in."""
    patterns = _parsed(granted, MAX_PATTERN_BYTES)
    return granted, patterns, any(has_claims(pattern) for some in patterns for pattern in some)


class Grants:
    """Patterns by operation.

    Args:
        patterns: as they were granted.
        fill: what stands for a name in braces; see `patterns`.
        maximum: bytes of a pattern.

    Raises:
        ValueError: one of them is no pattern, or there are too many.
    """

    __slots__ = ("_granted", "_known", "_patterns", "_trees")

    def __init__(
        self,
        patterns: Mapping[Operation, Iterable[str]] | None = None,
        fill: Callable[[str], str] = of_nobody,
        *,
        maximum: int = MAX_PATTERN_BYTES,
    ) -> None:
        #: Decisions: the last one, or several.
        self._known: tuple[Operation, str, bool] | dict[tuple[Operation, str], bool] | None = None
        granted = tuple(
            [(operation, texts) for operation, given in (patterns or {}).items() if (texts := tuple(given))]
        )
        for operation, texts in granted:
            if len(texts) > MAX_PATTERNS:
                raise ValueError(f"{len(texts)} patterns to {operation}; {MAX_PATTERNS} are allowed")
        if maximum == MAX_PATTERN_BYTES:
            self._granted, found, has_names = _shared(granted)
        else:  # what was filled in is few holders'
            self._granted, found, has_names = granted, _parsed(granted, maximum), True
        if has_names:
            found = tuple([tuple([fill_in(pattern, fill) for pattern in some]) for some in found])
        self._patterns: _Patterns = found
        trees = {
            operation: _tree(some)
            for (operation, _), some in zip(self._granted, found, strict=True)
            if len(some) > _FEW
        }
        self._trees = trees or None

    def _of(self, operation: Operation) -> tuple[Pattern, ...]:
        for (granted, _), patterns in zip(self._granted, self._patterns, strict=True):
            if granted is operation:
                return patterns
        return ()

    def _all(self) -> Iterator[tuple[Operation, tuple[Pattern, ...]]]:
        for (operation, _), patterns in zip(self._granted, self._patterns, strict=True):
            yield operation, patterns

    @property
    def texts(self) -> dict[Operation, tuple[str, ...]]:
        """As they were granted, by operation."""
        return dict(self._granted)

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Grants) and (self is other or self._comparable() == other._comparable())

    def __hash__(self) -> int:
        return hash(frozenset(self._all()))

    def _comparable(self) -> dict[Operation, list[tuple[Pattern, list[bool]]]]:
        """A literal asterisk is another segment than a wildcard, and the same text."""
        return {
            operation: [(pattern, [isinstance(part, Literal) for part in pattern]) for pattern in patterns]
            for operation, patterns in self._all()
        }

    def __repr__(self) -> str:
        return f"Grants({ {str(operation): texts for operation, texts in self.texts.items()} })"

    def allows(self, operation: Operation, path: str) -> bool:
        """Whether an operation is granted on a stream.

        Args:
            operation: which.
            path: the stream's; or a prefix of paths, for `LIST`.
        """
        known = self._known
        if isinstance(known, tuple):  # most holders do one thing
            if known[0] is operation and known[1] == path:
                return known[2]
        elif known is not None and (found := known.get((operation, path))) is not None:
            return found
        found = self._lists(path) if operation is Operation.LIST else self._finds(operation, path)
        self._remember(operation, path, is_granted=found)
        return found

    def _remember(self, operation: Operation, path: str, *, is_granted: bool) -> None:
        known = self._known
        if known is None:
            self._known = operation, path, is_granted
            return
        if isinstance(known, tuple):
            known = self._known = {known[:2]: known[2]}
        elif len(known) >= MAX_REMEMBERED:
            known.clear()
        known[operation, path] = is_granted

    def _finds(self, operation: Operation, path: str) -> bool:
        tree = None if self._trees is None else self._trees.get(operation)
        if tree is not None:
            return _finds(tree, path)
        segments = path.split("/")
        return any(_is_in(pattern, segments) for pattern in self._of(operation))

    def _lists(self, prefix: str) -> bool:
        """Whether all that a text begins, at whatever character, is below what may be listed.

        Paths that begin with `rooms/7` are `rooms/77` too, so that only what ends in a slash is a place by itself.
        """
        patterns = self._of(Operation.LIST)
        whole, slash, _ = prefix.rpartition("/")
        if not slash:
            return any(len(pattern) == 1 and is_rest(pattern[0]) for pattern in patterns)
        return any(is_rest(pattern[-1]) and _begins(pattern[:-1], whole.split("/")) for pattern in patterns)

    def rule(self, operation: Operation, path: str) -> str | None:
        """The first pattern, as it was granted, that allows an operation; None: none does. For explanations."""
        for text, pattern in zip(self.texts.get(operation, ()), self._of(operation), strict=True):
            if Grants({operation: (format_pattern(pattern),)}, maximum=MAX_KEPT_BYTES).allows(operation, path):
                return text
        return None

    def kept(self) -> dict[str, tuple[str, ...]]:
        """All of them as texts without claims, to be written down; see `of_kept`."""
        return {
            str(operation): tuple([format_pattern(pattern) for pattern in patterns])
            for operation, patterns in self._all()
        }

    def paths(self) -> list[tuple[Operation, str]] | None:
        """All of them as operations on streams; None: one has a wildcard."""
        found = [(operation, pattern) for operation, patterns in self._all() for pattern in patterns]
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
            any(covers(granted, asked) for granted in self._of(operation))
            for operation, patterns in other._all()
            for asked in patterns
        )


def _begins(pattern: Pattern, segments: list[str]) -> bool:
    return len(segments) >= len(pattern) and all(
        is_one(granted) or granted == segment for granted, segment in zip(pattern, segments, strict=False)
    )


#: Nothing is granted.
NOTHING: Final = Grants()
