"""What a read of many streams asks for, and who asks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

from headwater.errors import HeadwaterError
from headwater.hub.peers import Peer
from headwater.model import SlowPolicy
from headwater.protocol.many import MAX_STREAMS, ReadMany, Wanted
from headwater.protocol.many_events import EventsOfMany, LinesOfMany, StreamOfMany, Whole, WholeEvents, WholeLines
from headwater.protocol.paths import NOTHING_PRIVATE, PrivatePaths
from headwater.protocol.vector import Vector

#: Who reads a stream; may be waited for, and raises `HeadwaterError` for one that may not be read.
AccessOf = Callable[[str], Peer | Awaitable[Peer]]


class Asked:
    """One read.

    Args:
        command: of the request.
        peer: who reads, and with whose access the read as a whole ends; of each stream `access` says it.
        access: asked for each stream by itself.
        refused: names that may not be read, and why.
        private: streams that no pattern matches.
        max_streams: on the read at a time.

    Attributes:
        wanted: names in their order, and where each begins.
        names: the same without where.
        places: where the reader was before; None: it is new.
        slow: what the reader gets when it was slow; None: as each stream says.
        whole: how the read as a whole is told.
        refused: as given.
        who: the peer.
        private: as given.
        max_streams: as given.
    """

    def __init__(
        self,
        command: ReadMany,
        peer: Peer,
        *,
        access: AccessOf | None = None,
        refused: Mapping[str, HeadwaterError] | None = None,
        private: PrivatePaths = NOTHING_PRIVATE,
        max_streams: int = MAX_STREAMS,
    ) -> None:
        self.wanted: Final[tuple[Wanted, ...]] = command.wanted
        self.names: Final[tuple[str, ...]] = command.names
        self.places: Final[Vector | None] = command.places
        self.slow: Final[SlowPolicy | None] = command.slow
        self.whole: Final[Whole] = WholeEvents() if command.as_events else WholeLines()
        self.refused: Final[Mapping[str, HeadwaterError]] = refused or {}
        self.private: Final[PrivatePaths] = private
        self.max_streams: Final[int] = max_streams
        self._encoder: type[StreamOfMany] = EventsOfMany if command.as_events else LinesOfMany
        self._envelope = command.envelope
        self.who: Final = peer
        self._access = access

    def encoder(self, path: str) -> Callable[[str], StreamOfMany]:
        """Makes the encoder of a stream, for its content type."""
        return partial(self._encoder, stream=path, envelope=self._envelope)

    @property
    def peer(self) -> Peer | None:
        """Who reads any stream; None: `access` says of each."""
        return self.who if self._access is None else None

    async def access(self, path: str) -> Peer:
        """Who reads a stream.

        Raises:
            HeadwaterError: it may not be read.
        """
        found = self.who if self._access is None else self._access(path)
        return found if isinstance(found, Peer) else await found
