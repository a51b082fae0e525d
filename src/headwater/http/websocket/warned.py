"""Connections that were told to send less, and whether they do.

Rule: a refused message is told with `rate-limited`, and when to come back. A client may have as many messages on their
      way as the server takes before it answers one; whoever has more than that refused, one behind the other, does not
      listen, and is closed with 4429.
"""

from __future__ import annotations

from collections.abc import Hashable

from headwater.errors import RateLimited


class Warned:
    """Those of a service.

    Attributes:
        counts: how many messages of a connection were refused, one behind the other; most have nothing here.
    """

    def __init__(self) -> None:
        self.counts: dict[Hashable, int] = {}

    def refused(self, connection: Hashable, error: BaseException, most: int) -> bool:
        """Note a refusal; True: the connection does not listen.

        Args:
            connection: whose message it was.
            error: why.
            most: messages that may be on their way.
        """
        if not isinstance(error, RateLimited):
            return False
        count = self.counts[connection] = self.counts.get(connection, 0) + 1
        return count > most

    def forget(self, connection: Hashable) -> None:
        """It was let in again, or has ended."""
        self.counts.pop(connection, None)
