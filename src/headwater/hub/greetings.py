"""First events that were told to one reader and are told to the next ones: of a crowd that comes to one place.

Rule 1: a greeting holds until its stream changes, for readers of its format who come at its offset, and only if it
        brought the first of them to the tail at once, into a feed that still stands there.
Rule 2: few and small ones are kept, of streams with some readers; they cost an idle stream nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from headwater.hub.describing import Peer
    from headwater.hub.feeds import Feed
    from headwater.model import SlowPolicy

#: Readers of a stream from which greetings are kept.
FROM_READERS: Final = 16
#: Greetings of a stream that are kept, and the bytes of one.
MAX_GREETINGS: Final = 64
MAX_BYTES: Final = 4096

Place = tuple[tuple[object, ...], str]


class Greeting(msgspec.Struct, frozen=True, gc=False):
    """What a reader was told when it came.

    Attributes:
        content_type: the stream's.
        slow: the stream's policy.
        feed: that it joined.
        data: the format's opening and the first event, framed.
    """

    content_type: str
    slow: SlowPolicy
    feed: Feed
    data: bytes


class Greeted(msgspec.Struct, gc=False):
    """Who is greeted; see `subscriptions.Arrival`."""

    number: int
    since: float
    slow: SlowPolicy
    peer: Peer


class Greetings:
    """Of one stream."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: dict[Place, Greeting] | None = None

    def get(self, place: Place) -> Greeting | None:
        """What readers of a format are told who come at an offset, as asked for; None: not known."""
        greeting = None if self._kept is None else self._kept.get(place)
        return greeting if greeting is not None and greeting.feed.members else None

    def keep(self, place: Place, greeting: Greeting) -> None:
        """Tell it again."""
        if len(greeting.data) > MAX_BYTES:
            return
        if self._kept is None:
            self._kept = {}
        if len(self._kept) < MAX_GREETINGS or place in self._kept:
            self._kept[place] = greeting

    def clear(self) -> None:
        """The stream has changed."""
        self._kept = None
