"""The client's connection, which tells on a terminal when it tries again."""

from __future__ import annotations

from headwater.cli.telling_http import tell
from headwater.client import Connection
from headwater.client.doors import Waits
from headwater.client.pauses import Pause


class TellingPause(Pause):
    """A wait that is told."""

    async def wait(self, seconds: float) -> None:
        """See `Pause.wait`."""
        tell(seconds)
        await super().wait(seconds)


class TellingConnection(Connection):
    """A connection whose waits are told."""

    def pause(self) -> Waits:
        """See `Door.pause`."""
        return TellingPause()
