"""The streams that match one pattern of a read.

Rule 1: watching begins before listing, so that no stream is missed; one that both tell of is taken once.
Rule 2: a stream that is made while the read lives, or was made while it was away, is read from its start. One that was
        there when the read began, begins where the read says.
Rule 3: what does not fit into the read is told once, with the pattern, until there is room again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final, Generic, Protocol, TypeVar

from headwater.errors import HeadwaterError
from headwater.hub.live.patterns import Patterns
from headwater.hub.live.readers import LiveReaders
from headwater.model import BEGINNING, NOW, Last, StreamInfo
from headwater.protocol import vector
from headwater.protocol.offsets import ZERO, incarnation_of, is_first
from headwater.protocol.paths import PrivatePaths
from headwater.protocol.patterns import literal_prefix, matches

#: Streams that are listed at a time.
_PAGE: Final = 200


class Place(Protocol):
    """Where a stream stands that matches.

    Attributes:
        incarnation: of the stream that was told; 0: none was.
        next: of a later stream at the path, that the pattern it matched was told of meanwhile; 0: there is none.
    """

    incarnation: int
    next: int

    @property
    def path(self) -> str:
        """Of the stream."""
        ...

    @property
    def offset(self) -> str | None:
        """That was told last; None: nothing was."""
        ...

    @property
    def start(self) -> str | Last:
        """Where it begins, if nothing was told."""
        ...


P = TypeVar("P", bound=Place)


class TakesStreams(Protocol[P]):
    """The read that a pattern is of."""

    @property
    def max_streams(self) -> int:
        """On the read at a time."""
        ...

    def is_free(self, path: str) -> bool:
        """Whether no name has a stream at this path."""
        ...

    def place(self, matches: Matches[P], path: str, start: str | Last, incarnation: int) -> P | None:
        """Make a place for a stream; None: another name has it, or there is no room."""
        ...

    def came(self, slot: P) -> None:
        """A stream was made, and has this place."""
        ...


class Matches(Generic[P]):
    """Those of one pattern.

    Args:
        pattern: of paths.
        start: where streams begin that are there when the read begins.
        read: that it is of.
        patterns: of the hub.
        private: streams that never match.

    Attributes:
        pattern: as given.
        slots: by path.
        was_full: that something did not fit was told.
    """

    def __init__(
        self, pattern: str, start: str | Last, read: TakesStreams[P], patterns: Patterns, private: PrivatePaths
    ) -> None:
        self.pattern = pattern
        self.slots: dict[str, P] = {}
        self.was_full = False
        self._start = start
        self._read = read
        self._patterns = patterns
        self._private = private
        self._stood = vector.Matched(0, {}, is_listed=False)
        #: Of streams that are not looked at yet, or ended before all were: where the cursor has them.
        self._others: dict[int, str] = {}
        self._is_listed = False
        self._highest = 0

    def resume(self, stood: vector.Matched) -> None:
        """Go on where a cursor says."""
        self._stood = stood
        self._others = dict(stood.offsets)

    async def list(self, live: LiveReaders) -> AsyncIterator[P]:
        """The places of the streams that are there; those that were read before come first."""
        before = self._stood.offsets
        for are_new in (False, True) if before else (True,):
            async for info in self._infos(live):
                if (info.incarnation not in before) is are_new and (slot := await self._found(live, info)) is not None:
                    yield slot
        self._is_listed = True
        self._others.clear()

    async def _infos(self, live: LiveReaders) -> AsyncIterator[StreamInfo]:
        prefix, after = literal_prefix(self.pattern), ""
        while True:
            page = await live.runtime.store.list(prefix=prefix, after=after, limit=_PAGE)
            for info in page:
                if matches(self.pattern, info.path) and info.path not in self._private:
                    # Also of a stream that another name has: it must not be new to this one when it has ended there.
                    self._highest = max(self._highest, info.incarnation)
                    if not is_told(info, self._stood):
                        yield info
            if len(page) < _PAGE:
                return
            after = page[-1].path

    async def _found(self, live: LiveReaders, info: StreamInfo) -> P | None:
        if _is_fresh(info) and self._read.is_free(info.path):
            self._patterns.note(self.pattern, info.path, info.tail)
            try:
                info = await live.runtime.store.info(info.path)
            except HeadwaterError:
                return None
            if _is_fresh(info):
                return None
        return self._take(info.path, start_of(info, self._stood, self._start), info.incarnation)

    def made(self, path: str, incarnation: int) -> None:
        """See `Listener.made`."""
        slot = self._take(path, BEGINNING, incarnation)
        if slot is not None:
            self._read.came(slot)

    def _take(self, path: str, start: str | Last, incarnation: int) -> P | None:
        self._highest = max(self._highest, incarnation)
        if path in self._private:
            return None
        slot = self._read.place(self, path, start, incarnation)
        if slot is not None:
            self.slots[path] = slot
            self._others.pop(incarnation, None)
        return slot

    def forget(self, slot: P) -> None:
        """It is over: there is room for another one, such as a later one at its path."""
        if self.slots.get(slot.path) is not slot:
            return
        del self.slots[slot.path]
        self.was_full = False
        if not self._is_listed and slot.offset is not None:
            self._others[slot.incarnation] = slot.offset
        if slot.next > slot.incarnation:
            self.made(slot.path, slot.next)

    @property
    def seen(self) -> object:
        """What its part of the cursor follows from, beside where its streams stand; None: that is not all."""
        if not self._is_listed or self._others or self._patterns.untold(self):
            return None
        return (self._highest, self._is_listed)

    def piece(self) -> bytes:
        """Of the read's cursor."""
        offsets = dict(self._others)
        for slot in self.slots.values():
            offset = slot.offset
            if offset is not None or isinstance(slot.start, str):
                offsets[slot.incarnation] = offset or ZERO
        # What has nothing to tell yet has a place of its own, or it would count as told when it has ended.
        untold = self._patterns.untold(self)
        fresh = sorted({*map(incarnation_of, self._patterns.fresh(self.pattern).values()), *untold})
        for incarnation in fresh[: self._read.max_streams]:
            offsets.setdefault(incarnation, ZERO)
        if not self._is_listed:
            return vector.matched(vector.Matched(self._stood.highest, offsets, self._stood.is_listed))
        highest = min([max([self._highest, *offsets]), *(each - 1 for each in fresh[self._read.max_streams :][:1])])
        return vector.matched(vector.Matched(highest, offsets))


def is_told(info: StreamInfo, stood: vector.Matched) -> bool:
    """Whether a stream was told to its end. One that is open and has no place is new, or did not fit."""
    return info.closed and info.incarnation <= stood.highest and info.incarnation not in stood.offsets


def start_of(info: StreamInfo, stood: vector.Matched, start: str | Last) -> str | Last:
    """Where a stream begins.

    Args:
        info: that is not told.
        stood: where the read stood.
        start: where a new read begins.
    """
    if (offset := stood.offsets.get(info.incarnation)) is not None:
        return offset
    if stood.is_listed:
        return BEGINNING
    # A place, which the cursor can have before anything is told.
    return info.tail if start == NOW else start


def _is_fresh(info: StreamInfo) -> bool:
    return is_first(info.tail) and not info.closed
