"""A read of many streams that does not go on: one page of all, in the order of their names, and a cursor behind it."""

from __future__ import annotations

import time

import msgspec

from headwater.errors import HeadwaterError, OffsetGone, StreamGone, StreamNotFound, TooManyStreams
from headwater.hub.fair_turns import PER_RECORD
from headwater.hub.live.many.asked import Asked
from headwater.hub.live.many.matches import is_told, start_of
from headwater.hub.live.readers import LiveReaders
from headwater.model import BEGINNING, Last
from headwater.protocol import vector
from headwater.protocol.batches import MAX_READ_RECORDS
from headwater.protocol.cursor import Data, Failed, Gap, Missing
from headwater.protocol.framing import DEFAULT_CONTENT_TYPE
from headwater.protocol.many_events import StreamOfMany, WholeLines
from headwater.protocol.offsets import ZERO, incarnation_of, is_offset, same_stream
from headwater.protocol.patterns import is_pattern, literal_prefix, matches
from headwater.protocol.spans import data_of
from headwater.protocol.vector import Matched, Stood
from headwater.protocol.wire import problem

_LISTED = 200


class _Told(msgspec.Struct, frozen=True):
    offset: str
    incarnation: int
    closed: bool


class ManyPage:
    """One page.

    Args:
        live: the hub's readers.
        asked: what is read, in NDJSON.
        size: bytes of records in it, or one record more. When it has `MAX_READ_RECORDS`, no stream follows.
    """

    def __init__(self, live: LiveReaders, asked: Asked, size: int) -> None:
        self._live = live
        self._store = live.runtime.store
        self._asked = asked
        self._whole = WholeLines()
        self._left = size
        self._records = MAX_READ_RECORDS
        self._parts: list[bytes] = []
        self._seen: set[str] = {name for name in asked.names if not is_pattern(name)}
        self._missing: set[str] = set()
        self._is_whole = True

    async def read(self) -> bytes:
        """The body."""
        asked, pieces = self._asked, []
        for index, each in enumerate(asked.wanted):
            stood = None if asked.places is None else asked.places[index]
            if is_pattern(each.name):
                assert stood is None or isinstance(stood, Matched)
                pieces.append(await self._pattern(each.name, each.start, stood))
            else:
                assert stood is None or isinstance(stood, Stood)
                pieces.append(await self._named(each.name, each.start, stood))
        told = vector.encode_vector(vector.head_of(asked.names), pieces)
        self._parts.append(self._whole.page_end(told, up_to_date=self._is_whole))
        return b"".join(self._parts)

    async def _named(self, name: str, start: str | Last, stood: Stood | None) -> bytes:
        before = vector.NOT_BEGUN if stood is None else _piece(stood)
        if name in self._asked.refused:
            self._refuse(name, self._asked.refused[name])
            return before
        begin = start
        if stood is not None and stood.offset is not None:
            begin = stood.offset
        elif stood is not None:
            if stood.incarnation and not await self._is_new(name, stood.incarnation):
                return before
            begin = BEGINNING
        told = await self._read(name, begin)
        if told is None:
            return vector.WAITED_FOR if stood is None and name in self._missing else before
        return vector.ended(told.incarnation) if told.closed else vector.begun(told.offset)

    async def _is_new(self, name: str, incarnation: int) -> bool:
        """Whether another stream is at the path than the one that was told to its end."""
        try:
            return (await self._store.info(name)).incarnation != incarnation
        except (StreamNotFound, StreamGone):
            return False

    async def _pattern(self, pattern: str, start: str | Last, stood: Matched | None) -> bytes:
        stood = stood or Matched(0, {}, is_listed=False)
        highest, offsets, after = stood.highest, dict[int, str](), ""
        ended, is_listed = dict[int, str](), True
        while True:
            await self._live.runtime.reads.come(PER_RECORD * _LISTED)
            page = await self._store.list(prefix=literal_prefix(pattern), after=after, limit=_LISTED)
            for info in page:
                if not matches(pattern, info.path) or info.path in self._asked.private:
                    continue
                # Also of a stream that another name has: it must not be new to this one when it has ended there.
                highest = max(highest, info.incarnation)
                if info.path in self._seen or is_told(info, stood) or not await self._may(info.path):
                    continue
                if self._left <= 0:
                    self._is_whole = is_listed = False
                    continue
                if len(self._seen) >= self._asked.max_streams:
                    self._refuse(pattern, TooManyStreams(f"one read gives {self._asked.max_streams} streams"))
                    return vector.matched(Matched(highest, offsets))
                self._seen.add(info.path)
                begin = start_of(info, stood, start)
                told = await self._read(info.path, begin)
                if told is not None:
                    (ended if told.closed else offsets)[info.incarnation] = told.offset
                elif isinstance(begin, str):
                    offsets[info.incarnation] = begin if is_offset(begin) else ZERO
            if len(page) < _LISTED:
                break
            after = page[-1].path
        if not is_listed:  # what has ended here would be new to the next page without a place
            return vector.matched(Matched(stood.highest, {**stood.offsets, **offsets, **ended}, stood.is_listed))
        return vector.matched(Matched(highest, offsets))

    async def _may(self, path: str) -> bool:
        try:
            await self._asked.access(path)
        except HeadwaterError:
            return False
        return True

    async def _read(self, path: str, start: str | Last, *, skipped: bool = False) -> _Told | None:
        """What was told of a stream; None: nothing, and where it stood is where it stands."""
        if self._left <= 0:
            self._is_whole = False
            return None
        encoder = self._asked.encoder(path)(DEFAULT_CONTENT_TYPE)
        try:
            if isinstance(start, Last):
                batch = (await self._store.page(path, start, limit=self._left)).batch
            else:
                batch = await self._store.read(path, start, limit=self._left)
        except (StreamNotFound, StreamGone):
            self._missing.add(path)
            self._tell(encoder, Missing())
            return None
        except OffsetGone as error:
            earliest = error.details.get("earliest")
            if skipped or not isinstance(earliest, str) or not isinstance(start, str):
                self._tell(encoder, Failed(str(start), error))
                return None
            why = "retention" if same_stream(start, earliest) else "recreated"
            self._tell(encoder, Gap(start, earliest, earliest, why))
            return await self._read(path, earliest, skipped=True)
        except HeadwaterError as error:
            self._tell(encoder, Failed(start if isinstance(start, str) else BEGINNING, error))
            return None
        await self._live.runtime.reads.come_with(batch)
        self._is_whole &= batch.up_to_date
        count, size = len(batch.records), sum(map(len, data_of(batch.records)))
        self._records -= count
        self._left = self._left - size if self._records > 0 else 0
        encoder = self._asked.encoder(path)(batch.content_type)
        self._tell(encoder, Data(batch))
        # At the end of a closed stream the offset is of its own incarnation.
        return _Told(encoder.told(batch.next_offset), incarnation_of(batch.next_offset), batch.closed)

    def _tell(self, encoder: StreamOfMany, event: Data | Failed | Gap | Missing) -> None:
        self._parts.append(encoder.encode(event, time.time()))

    def _refuse(self, name: str, error: HeadwaterError) -> None:
        self._live.runtime.stats.errors[error.code] += 1
        self._parts.append(self._whole.refused(name, problem(error)))


def _piece(stood: Stood) -> bytes:
    return vector.ended(stood.incarnation) if stood.offset is None else vector.begun(stood.offset)
