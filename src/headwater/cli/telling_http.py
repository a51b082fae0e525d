"""The client's HTTP, which tells on a terminal when it tries again."""

from __future__ import annotations

from headwater.cli import output
from headwater.client.sync.http import Http, Pause


class TellingPause(Pause):
    """A wait that is told."""

    def wait(self, seconds: float) -> None:
        """See `Pause.wait`."""
        tell(seconds)
        super().wait(seconds)


class TellingHttp(Http):
    """HTTP whose waits are told."""

    pause = TellingPause


def tell(seconds: float) -> None:
    """Say when the next attempt is."""
    output.note(f"the connection was lost; again in {seconds:.1f} s")
