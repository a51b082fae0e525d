"""Who is at a stream, and being there, for programs that are not asynchronous.

Rule: it is `headwater.client.Presence`, in the thread of the connection.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from headwater.client.presence import Member
    from headwater.client.presence import Presence as AsyncPresence
    from headwater.client.sync.portal import Portal


class Presence:
    """See `Stream.presence`. Iterate over it for the list each time it changes."""

    def __init__(self, portal: Portal, core: AsyncPresence) -> None:
        self._portal: Final = portal
        self._core: Final = core

    @property
    def count(self) -> int:
        """How many are there, also where they are too many for a list."""
        return self._core.count

    @property
    def members(self) -> list[Member]:
        """Who is there now."""
        return self._core.members

    def __enter__(self) -> Self:
        self._portal.run(self._core.__aenter__())
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def set(self, state: Any) -> None:
        """Be there with this state.

        Raises:
            HeadwaterError: it is refused.
        """
        self._portal.run(self._core.set(state))

    def leave(self) -> None:
        """Leave at once, and look no more."""
        self._portal.run(self._core.leave())

    def __iter__(self) -> Iterator[list[Member]]:
        lists = self._core.__aiter__()

        async def following() -> list[Member] | None:
            return await anext(lists, None)

        while (members := self._portal.run(following())) is not None:
            yield members
