"""A reader on `-/connect`, by the client's connection.

Rule: what was printed is acknowledged, so a slow terminal holds the server back.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from headwater.cli.follow import Follower
from headwater.errors import MissingExtra


class SocketFollower(Follower):
    """See `Follower`; the wire and compression are not asked."""

    def _everything(self) -> Iterator[Any]:
        with self._remote.connection(self._retry) as connection:
            stream = connection.stream(self._path, type=bytes, content_type=self._content_type)
            yield from stream.read(self._offset, **self.asked()).everything()


def check_installed() -> None:
    """Refuse to begin without the library.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        import websockets.asyncio.client  # noqa: F401
    except ImportError:
        raise MissingExtra.of("--wire websocket", "websocket") from None
