"""Who is told of new streams: reads of patterns, matched once for all who read the same one.

Rule: a stream that was made and has nothing to tell yet is one entry for each pattern that it matches, whatever the
number of their readers. These take it with its first record, or with its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from headwater.hub.live.news import Listener, Made, News
from headwater.model import Change
from headwater.protocol.offsets import incarnation_of, is_first
from headwater.protocol.patterns import PatternIndex


class Watch:
    """One pattern that is read.

    Attributes:
        listeners: its reads, in the order in which they came.
        fresh: streams that have nothing to tell yet, and where each begins.
    """

    __slots__ = ("fresh", "listeners")

    def __init__(self) -> None:
        self.listeners: dict[Listener, None] = {}
        self.fresh: dict[str, str] = {}


class Patterns:
    """The patterns that are read.

    Attributes:
        count: how many they are; each change of the store asks.
    """

    def __init__(self) -> None:
        self.count = 0
        self._index: PatternIndex[Watch] = PatternIndex()
        self._fresh: dict[str, list[Watch]] = {}
        self._news = News()

    def watch(self, pattern: str, listener: Listener) -> None:
        """Tell it of every stream that is made from now on and matches."""
        watch = self._index.get(pattern)
        if watch is None:
            watch = Watch()
            self._index.put(pattern, watch)
            self.count += 1
        watch.listeners[listener] = None

    def unwatch(self, pattern: str, listener: Listener) -> None:
        """Tell it no more."""
        watch = self._index.get(pattern)
        if watch is None or listener not in watch.listeners:
            return
        del watch.listeners[listener]
        self._news.leave(listener)
        if not watch.listeners:
            self._index.remove(pattern)
            self.count -= 1
            for path in watch.fresh:
                self._drop(path, watch)

    def fresh(self, pattern: str) -> Mapping[str, str]:
        """Streams of a pattern that were made and have nothing to tell yet, and where each begins."""
        watch = self._index.get(pattern)
        return {} if watch is None else watch.fresh

    def untold(self, listener: Listener) -> list[int]:
        """The incarnations of streams that have something to tell, of which a read is still to be told."""
        return self._news.untold(listener)

    def note(self, pattern: str, path: str, start: str) -> None:
        """A stream was found that has nothing to tell yet.

        Args:
            pattern: that is watched, and that it matches.
            path: of the stream.
            start: where it begins. Who notes it looks again whether that still holds.
        """
        watch = self._index.get(pattern)
        if watch is not None and path not in watch.fresh:
            watch.fresh[path] = start
            self._fresh.setdefault(path, []).append(watch)

    def apply(self, change: Change) -> list[Watch]:
        """Take a store's notification; gives the patterns whose reads are to be told of the stream."""
        path = change.path
        if change.created or change.deleted:
            self._news.forget(path)
        if change.created:
            self._forget(path)
            found = list(self._index.matching(path))
            if not is_first(change.tail):
                return found  # a fork, with the records of its source
            if found:
                self._fresh[path] = found
                for watch in found:
                    watch.fresh[path] = change.tail
        elif path in self._fresh:
            found = self._forget(path)
            if not change.deleted:
                return found
        return []

    def tell(self, watches: Iterable[Watch], change: Change, done: Callable[[], None] | None) -> None:
        """Tell the reads of patterns of a stream that has something to tell.

        Args:
            watches: as `apply` gave them.
            change: that it was given.
            done: called when all were told, or the stream is gone; None: nothing is to be done then.
        """
        listeners = [listener for watch in watches for listener in watch.listeners]
        self._news.tell(Made(change.path, incarnation_of(change.tail), listeners, done))

    def _forget(self, path: str) -> list[Watch]:
        found = self._fresh.pop(path, [])
        for watch in found:
            watch.fresh.pop(path, None)
        return found

    def _drop(self, path: str, watch: Watch) -> None:
        others = [other for other in self._fresh.get(path, ()) if other is not watch]
        if others:
            self._fresh[path] = others
        else:
            self._fresh.pop(path, None)
