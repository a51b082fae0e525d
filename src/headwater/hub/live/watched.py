"""Streams that are read, and so are in use: a watched stream's TTL does not run out (protocol section 5.1)."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator

from headwater.hub.live.stream import LiveStream
from headwater.stores import Store


class Watched:
    """Who reads otherwise than live, and what the store is told of both.

    Args:
        store: that is told.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._in_pieces: Counter[str] = Counter()

    def __contains__(self, path: str) -> bool:
        """Whether a stream is read in pieces; any thread may ask."""
        return path in self._in_pieces

    @contextlib.contextmanager
    def reading(self, path: str) -> Iterator[None]:
        """A stream is read piece by piece meanwhile, as slowly as the reader takes it, and lives as if read live."""
        self._in_pieces[path] += 1
        try:
            yield
        finally:
            self._store.touch({path: self._store.time()})
            self._in_pieces[path] -= 1
            if not self._in_pieces[path]:
                del self._in_pieces[path]

    def use(self, streams: Iterable[LiveStream]) -> None:
        """Streams with live readers are in use, so that a crash does not take from their TTL."""
        paths = [stream.path for stream in streams if stream.window.ttl is not None and stream.is_watched]
        if paths:
            self._store.touch(dict.fromkeys(paths, self._store.time()))
