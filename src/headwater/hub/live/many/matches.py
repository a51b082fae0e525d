"""The streams that match one pattern of a read.

Rule 1: watching begins before listing, so that no stream is missed; one that both tell of is taken once.
Rule 2: a stream that is made while the read lives, or was made while it was away, is read from its start. One that was
        there when the read began, begins where the read says.
Rule 3: what does not fit into the read is told once, with the pattern, until there is room again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final, Protocol

from headwater.hub.live.many.slot import Slot
from headwater.hub.live.patterns import Patterns
from headwater.hub.live.readers import LiveReaders
from headwater.model import BEGINNING, Last, StreamInfo
from headwater.protocol import vector
from headwater.protocol.offsets import incarnation_of
from headwater.protocol.paths import PrivatePaths
from headwater.protocol.patterns import literal_prefix, matches

#: Streams that are listed at a time.
_PAGE: Final = 200


class TakesStreams(Protocol):
    """The read that a pattern is of."""

    def place(self, matches: Matches, path: str, start: str | Last, incarnation: int) -> Slot | None:
        """Make a place for a stream; None: another name has it, or there is no room."""
        ...

    def came(self, slot: Slot) -> None:
        """A stream was made, and has this place."""
        ...


class Matches:
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
        self, pattern: str, start: str | Last, read: TakesStreams, patterns: Patterns, private: PrivatePaths
    ) -> None:
        self.pattern = pattern
        self.slots: dict[str, Slot] = {}
        self.was_full = False
        self._start = start
        self._read = read
        self._patterns = patterns
        self._private = private
        self._stood: vector.Matched | None = None
        self._highest = 0

    def resume(self, stood: vector.Matched) -> None:
        """Go on where a cursor says."""
        self._stood = stood
        self._highest = stood.highest

    async def list(self, live: LiveReaders) -> AsyncIterator[Slot]:
        """The places of the streams that are there."""
        prefix, after = literal_prefix(self.pattern), ""
        while True:
            page = await live.runtime.store.list(prefix=prefix, after=after, limit=_PAGE)
            for info in page:
                if matches(self.pattern, info.path) and (slot := self._found(info)) is not None:
                    yield slot
            if len(page) < _PAGE:
                return
            after = page[-1].path

    def _found(self, info: StreamInfo) -> Slot | None:
        start, stood = self._start, self._stood
        if stood is not None:
            if info.incarnation <= stood.highest and info.incarnation not in stood.offsets:
                return None  # told to its end
            start = stood.offsets.get(info.incarnation, BEGINNING)
        return self._take(info.path, start, info.incarnation)

    def made(self, path: str, incarnation: int) -> None:
        """See `Listener.made`. A stream of before at the path is over, or will be in a moment."""
        slot = self._take(path, BEGINNING, incarnation)
        if slot is not None:
            self._read.came(slot)

    def _take(self, path: str, start: str | Last, incarnation: int) -> Slot | None:
        # Also of a stream that another name has: it must not be new to this one when it has ended there.
        self._highest = max(self._highest, incarnation)
        if path in self._private:
            return None
        slot = self._read.place(self, path, start, incarnation)
        if slot is not None:
            self.slots[path] = slot
        return slot

    def forget(self, slot: Slot) -> None:
        """It is over: there is room for another one."""
        if self.slots.get(slot.path) is slot:
            del self.slots[slot.path]
            self.was_full = False
            self._highest = max(self._highest, slot.incarnation)

    def piece(self) -> bytes:
        """Of the read's cursor."""
        highest, offsets, unknown = self._highest, dict[int, str](), []
        # What has nothing to tell yet has a place of its own, or it would count as told to its end.
        for path, start in self._patterns.fresh(self.pattern).items():
            if path not in self._private:
                offsets[incarnation_of(start)] = start
                highest = max(highest, incarnation_of(start))
        for slot in self.slots.values():
            offset, incarnation = slot.offset, slot.incarnation
            if offset is not None:
                offsets[incarnation] = offset
                highest = max(highest, incarnation)
            elif incarnation:
                unknown.append(incarnation)
        # What was not told yet comes from its start; so does what came after it, if it has no offset here.
        return vector.matched(vector.Matched(min([highest, *(each - 1 for each in unknown)]), offsets))
