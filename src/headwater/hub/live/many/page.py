"""A read of many streams that does not go on: one page of all, in the order of their names, and a cursor behind it."""

from __future__ import annotations

import time

from headwater.errors import HeadwaterError, OffsetGone, StreamGone, StreamNotFound, TooManyStreams
from headwater.hub.live.many.asked import Asked
from headwater.hub.live.readers import LiveReaders
from headwater.model import BEGINNING, Batch, Last, StreamInfo
from headwater.protocol import vector
from headwater.protocol.cursor import Data, Failed, Gap, Missing
from headwater.protocol.framing import DEFAULT_CONTENT_TYPE
from headwater.protocol.many_events import StreamOfMany, WholeLines
from headwater.protocol.patterns import is_pattern, literal_prefix, matches
from headwater.protocol.vector import Matched, Stood
from headwater.protocol.wire import problem

_LISTED = 200


class ManyPage:
    """One page.

    Args:
        live: the hub's readers.
        asked: what is read, in NDJSON.
        size: bytes of records in it, or a little more: one record of each stream that is come to.
    """

    def __init__(self, live: LiveReaders, asked: Asked, size: int) -> None:
        self._live = live
        self._store = live.runtime.store
        self._asked = asked
        self._whole = WholeLines()
        self._left = size
        self._parts: list[bytes] = []
        self._seen: set[str] = {name for name in asked.names if not is_pattern(name)}
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
        if name in self._asked.refused:
            self._refuse(name, self._asked.refused[name])
            return vector.NOT_BEGUN if stood is None else _piece(stood)
        if stood is not None and stood.offset is None:
            try:
                info = await self._store.info(name)
            except HeadwaterError:
                return _piece(stood)
            if info.incarnation == stood.incarnation:
                return _piece(stood)
            stood = None
            start = BEGINNING
        begin = start if stood is None or stood.offset is None else stood.offset
        batch = await self._read(name, begin)
        if batch is None:
            return vector.NOT_BEGUN if stood is None else _piece(stood)
        if batch.closed:
            return vector.ended((await self._store.info(name)).incarnation)
        return vector.begun(batch.next_offset)

    async def _pattern(self, pattern: str, start: str | Last, stood: Matched | None) -> bytes:
        highest, after = (0 if stood is None else stood.highest), ""
        offsets: dict[int, str] = {}
        before = {} if stood is None else stood.offsets
        while True:
            page = await self._store.list(prefix=literal_prefix(pattern), after=after, limit=_LISTED)
            for info in page:
                if not matches(pattern, info.path) or info.path in self._asked.private:
                    continue
                # Also of a stream that another name has: it must not be new to this one when it has ended there.
                highest = max(highest, info.incarnation)
                if info.path in self._seen:
                    continue
                if stood is not None and info.incarnation <= stood.highest and info.incarnation not in before:
                    continue
                if len(self._seen) >= self._asked.max_streams:
                    self._refuse(pattern, TooManyStreams(f"one read gives {self._asked.max_streams} streams"))
                    return vector.matched(Matched(highest, offsets))
                self._seen.add(info.path)
                begin = start if stood is None else before.get(info.incarnation, BEGINNING)
                if (offset := await self._one(info, begin)) is not None:
                    offsets[info.incarnation] = offset
            if len(page) < _LISTED:
                return vector.matched(Matched(highest, offsets))
            after = page[-1].path

    async def _one(self, info: StreamInfo, begin: str | Last) -> str | None:
        """Where the next page goes on; None: it is told to its end, or may not be read."""
        try:
            await self._asked.access(info.path)
        except HeadwaterError:
            return None
        batch = await self._read(info.path, begin)
        return None if batch is None or batch.closed else batch.next_offset

    async def _read(self, path: str, start: str | Last, *, skipped: bool = False) -> Batch | None:
        limit = max(self._left, 1)
        encoder = self._asked.encoder(path)(DEFAULT_CONTENT_TYPE)
        try:
            if isinstance(start, Last):
                batch = (await self._store.page(path, start, limit=limit)).batch
            else:
                batch = await self._store.read(path, start, limit=limit)
        except (StreamNotFound, StreamGone):
            self._tell(encoder, Missing())
            return None
        except OffsetGone as error:
            earliest = error.details.get("earliest")
            if skipped or not isinstance(earliest, str) or not isinstance(start, str):
                self._tell(encoder, Failed(str(start), error))
                return None
            self._tell(encoder, Gap(start, earliest, earliest, "retention"))
            return await self._read(path, earliest, skipped=True)
        except HeadwaterError as error:
            self._tell(encoder, Failed(start if isinstance(start, str) else BEGINNING, error))
            return None
        self._is_whole &= batch.up_to_date
        self._left -= sum(len(record.data) for record in batch.records)
        self._tell(self._asked.encoder(path)(batch.content_type), Data(batch))
        return batch

    def _tell(self, encoder: StreamOfMany, event: Data | Failed | Gap | Missing) -> None:
        self._parts.append(encoder.encode(event, time.time()))

    def _refuse(self, name: str, error: HeadwaterError) -> None:
        self._parts.append(self._whole.refused(name, problem(error)))


def _piece(stood: Stood) -> bytes:
    return vector.ended(stood.incarnation) if stood.offset is None else vector.begun(stood.offset)
