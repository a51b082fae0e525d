"""The client's way to a server, as commands use it.

Rule 1: a server that was never reached is a wrong address, and fails at once; one that was is waited for.
Rule 2: on a terminal each wait is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from headwater.cli import output
from headwater.client.errors import NetworkError
from headwater.client.sync.clock import Clock, Pause
from headwater.client.sync.connection import Connection
from headwater.client.sync.http import Answer, Headers, Http


class TellingPause(Pause):
    """A wait that is told."""

    def wait(self, seconds: float) -> None:
        """See `Pause.wait`."""
        if seconds > 0:
            output.note(f"the connection was lost; again in {seconds:.1f} s")
        super().wait(seconds)


class TellingClock(Clock):
    """A clock whose waits are told."""

    def pause(self) -> Pause:
        """See `Clock.pause`."""
        return TellingPause()


class TellingHttp(Http):
    """HTTP to one server."""

    clock = TellingClock()
    _is_reached = False

    def compressed(self, url: str) -> TellingHttp:
        """The same, for answers in every coding that the HTTP client decodes.

        Args:
            url: that is asked.
        """
        client = self._of(url)
        codings = {"accept-encoding": client.headers["accept-encoding"]}
        found = TellingHttp({**self.headers(), **codings}, client, self._connect)
        found._is_reached = self._is_reached
        return found

    @contextmanager
    def open(
        self,
        method: str,
        url: str,
        query: Mapping[str, str],
        headers: Headers,
        body: bytes | None = None,
        *,
        hold: float = 0.0,
    ) -> Iterator[Answer]:
        """See `Http.open`."""
        try:
            with super().open(method, url, query, headers, body, hold=hold) as answer:
                self._is_reached = True
                yield answer
        except NetworkError as error:
            if not self._is_reached:
                error.retry_after = None
            raise


class TellingConnection(Connection):
    """A connection whose waits are told."""

    clock = TellingClock()
