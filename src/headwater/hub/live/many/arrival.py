"""A read of many streams that has come, and is not pushed yet."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from headwater.errors import HeadwaterError, StreamGone, StreamNotFound
from headwater.hub.live.connection import Connection
from headwater.hub.live.many.asked import Asked
from headwater.hub.live.many.reader import ManyReader
from headwater.hub.live.readers import LiveReaders
from headwater.hub.live.shared_connection import DistinctConnection
from headwater.hub.live.sinks import Sink
from headwater.hub.live.wire_format import WireFormat
from headwater.protocol.patterns import is_pattern
from headwater.protocol.vector import Stood
from headwater.stores import Store


class ManyArrival:
    """See `Comes`. Nothing is open yet: its streams are opened when it is pushed.

    Args:
        live: the hub's readers.
        asked: what is read.
    """

    def __init__(self, live: LiveReaders, asked: Asked) -> None:
        self._live = live
        self._asked = asked

    def push(self, form: WireFormat, to: Sink | Connection, head: bytes) -> ManyReader:
        """See `Comes.push`."""
        if isinstance(to, Connection):
            connection = to
        else:
            connection = DistinctConnection(self._live.runtime, to)
            if self._asked.peer is not None:
                connection.live_by(self._asked.peer.access)
        reader = ManyReader(self._live, self._asked, connection, form)
        reader.start(head)
        return reader

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        return None


async def is_over(store: Store, asked: Asked) -> bool:
    """Whether all that a reader asks for was told to its end before, so that a browser is to stay away.

    A name that the reader may not read does not count.
    """
    if asked.places is None or any(map(is_pattern, asked.names)):
        return False
    for name, stood in zip(asked.names, asked.places, strict=True):
        if name in asked.refused:
            continue
        if not isinstance(stood, Stood) or stood.offset is not None or not stood.incarnation:
            return False
        try:
            info = await store.info(name)
        except (StreamNotFound, StreamGone):
            continue  # what it had was told
        except HeadwaterError:
            return False
        if info.incarnation != stood.incarnation:
            return False
    return True
