"""A channel that is in no group: it waits for a stream, or stands for the connection as a whole."""

from __future__ import annotations


class Groupless:
    """The part of such a channel that has nothing to do; see `Channel`."""

    __slots__ = ()

    def hold_back(self) -> None:
        """See `Channel.hold_back`; it has no group."""

    def shares_group(self, other: object) -> bool:
        """See `Channel.shares_group`."""
        return False
