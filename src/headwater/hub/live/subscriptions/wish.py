"""What a subscription asks for, and how its reader is told what is no record."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Protocol

import msgspec

from headwater.errors import HeadwaterError
from headwater.hub.live.wire_format import WireFormat
from headwater.model import Last, SlowPolicy, StreamInfo


class Terms(msgspec.Struct, frozen=True, gc=False):
    """How a stream is told; see `terms_of`.

    Attributes:
        window: bytes of records that may be told and not acknowledged; None: no limit.
        slow: what the reader gets when it was slow; None: as the stream says.
        waits: a stream that is not there is waited for.
        envelope: records come with the time of their append.
        kinds: of ephemeral events that are told, too.
    """

    window: int | None = None
    slow: SlowPolicy | None = None
    waits: bool = False
    envelope: bool = False
    kinds: tuple[str, ...] = ()


#: Terms that are kept, as one object for all subscriptions that have them: most ask for the same.
terms_of: Final = lru_cache(1024)(Terms)


class Wish(msgspec.Struct, frozen=True, gc=False):
    """What a subscription asks for.

    Attributes:
        id: by which its answer is known.
        path: the stream.
        start: where it begins.
        terms: how it is told.
        pattern: that it matches; empty: it was asked for by its path.
    """

    id: int
    path: str
    start: str | Last
    terms: Terms
    pattern: str = ""

    @property
    def waits(self) -> bool:
        """Whether a stream that is not there is waited for; one that matched a pattern was there."""
        return self.terms.waits and not self.pattern


class Tells(Protocol):
    """How a connection's reader is told what is no record, in its wire format."""

    def form(self, number: int, *, envelope: bool, kinds: tuple[str, ...] = ()) -> WireFormat:
        """In which a stream of this number is told."""
        ...

    def waiting_form(self, wish: Wish) -> WireFormat:
        """In which a stream is waited for."""
        ...

    def subscribed(self, wish: Wish, number: int, info: StreamInfo, start: str) -> bytes:
        """A subscription has come; `start` is where its records begin."""
        ...

    def ended(self, number: int, offset: str, why: str) -> bytes:
        """A subscription has ended, otherwise than with its stream."""
        ...

    def refused(self, wish: Wish, error: HeadwaterError) -> bytes:
        """A subscription cannot be had."""
        ...


def is_narrow(wish: Wish, buffer_bytes: int) -> bool:
    """Whether its window wants a smaller first batch than the one at hand."""
    window = wish.terms.window
    return window is not None and window < buffer_bytes


def form_again(tells: Tells, wish: Wish, start: str | Last, buffer_bytes: int) -> WireFormat | None:
    """The format of what others may have been told who came to the same place; None: this reader is told its own.

    Args:
        tells: of the connection.
        wish: what is asked for.
        start: where it begins.
        buffer_bytes: of a first batch.
    """
    terms = wish.terms
    if terms.slow is not None or not isinstance(start, str) or is_narrow(wish, buffer_bytes):
        return None
    return tells.form(0, envelope=terms.envelope, kinds=terms.kinds)
