"""Who is told of new streams: reads of patterns, matched once for all who read the same one."""

from __future__ import annotations

from typing import Protocol

from headwater.model import Change
from headwater.protocol.offsets import incarnation_of
from headwater.protocol.patterns import PatternIndex


class Listener(Protocol):
    """A read of a pattern."""

    def made(self, path: str, incarnation: int) -> None:
        """A stream that matches was made."""
        ...


class Patterns:
    """The patterns that are read."""

    def __init__(self) -> None:
        self._index: PatternIndex[dict[Listener, None]] = PatternIndex()

    def __len__(self) -> int:
        return len(self._index)

    def watch(self, pattern: str, listener: Listener) -> None:
        """Tell it of every stream that is made from now on and matches."""
        listeners = self._index.get(pattern)
        if listeners is None:
            listeners = {}
            self._index.put(pattern, listeners)
        listeners[listener] = None

    def unwatch(self, pattern: str, listener: Listener) -> None:
        """Tell it no more."""
        listeners = self._index.get(pattern)
        if listeners is None or listener not in listeners:
            return
        del listeners[listener]
        if not listeners:
            self._index.remove(pattern)

    def created(self, change: Change) -> None:
        """A stream was made."""
        incarnation = incarnation_of(change.tail)
        for listeners in self._index.matching(change.path):
            for listener in list(listeners):
                listener.made(change.path, incarnation)
