"""What a read does when an attempt is over: wait, take another transport, or give up. No I/O, no clock.

Rule 1: 401 asks for headers once more, if they come from a function.
Rule 2: what the server refuses for good ends the read; what passes is tried again.
Rule 3: an answer that is something else is tried three times by each transport.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from headwater.client.errors import BadAnswer, ConnectTimeout, NetworkError, Silent, Truncated
from headwater.client.retry import Backoff, Retry
from headwater.client.told import Detached
from headwater.client.transports import Choice
from headwater.errors import HeadwaterError, NotAuthorized, StreamGone, StreamNotFound

#: A stream that was made a moment ago may not be seen everywhere yet: so many times 404 is no answer.
_NOT_YET: Final = 3
_LIVE: Final = ("sse", "ndjson", "live-sse", "websocket")


class Trouble:
    """The attempts of one read.

    Args:
        retry: the rules.
        draw: a number from 0 up to 1.
        choice: of the transport.
        can_refresh: headers come from a function.
        is_new: the stream was made a moment ago by this client.
        waits: a stream that is not there is waited for.
    """

    def __init__(
        self,
        retry: Retry,
        draw: Callable[[], float],
        choice: Choice,
        *,
        can_refresh: bool,
        is_new: bool,
        waits: bool,
    ) -> None:
        self.moved = self.heard = False
        self._backoff: Final = Backoff(retry, draw)
        self._choice: Final = choice
        self._can_refresh: Final = can_refresh
        self._refreshed = False
        self._not_yet = _NOT_YET if is_new else 0
        self._waits: Final = waits
        self._elsewhere = False  # it began again at another place, and got nothing there yet
        self._opened: float | None = None

    @property
    def attempt(self) -> int:
        """Attempts without progress since the last that made some."""
        return self._backoff.attempt

    def begin(self, now: float) -> None:
        """An attempt begins."""
        self._backoff.begin(now)
        self._opened = None
        self.moved = self.heard = False

    def opened(self, now: float) -> None:
        """The head of an answer is there."""
        self._opened = now

    def accepted(self) -> None:
        """The server takes the request."""
        self._refreshed = False

    def hears(self) -> None:
        """Bytes came."""
        self.heard = True
        self._backoff.heard()

    def moves(self) -> None:
        """The read went forward."""
        self.moved = True
        self._elsewhere = False
        self._backoff.moved()
        self._choice.worked()

    def after_end(self, name: str, planned: Detached | None, now: float) -> float | None:
        """Seconds until the next attempt, when an answer ended as it should; None: there is none.

        Args:
            name: of the transport.
            planned: what the server said of it.
            now: the moment.
        """
        if self.moved and name not in _LIVE:
            self._backoff.whole()
            return 0.0
        if planned is not None and (planned.retry_after or planned.why):
            return self._backoff.wait(now, planned.retry_after, own=True)
        if name == "live-sse" and not self.heard:
            self._choice.failed(None, self._up(now), now)
        return self._backoff.planned(now)

    def after(self, error: HeadwaterError, now: float) -> float | None:
        """Seconds until the next attempt; None: there is none, and the error is the read's end."""
        if isinstance(error, NotAuthorized):
            if not self._can_refresh or self._refreshed:
                return None
            self._refreshed = True
            return 0.0
        if isinstance(error, StreamNotFound | StreamGone):
            self._not_yet -= 1
            return self._backoff.wait(now, error.retry_after) if self._waits or self._not_yet >= 0 else None
        if not error.retryable:
            return None
        if not self.moved:
            self._change_way(error, now)
            if isinstance(error, BadAnswer) and self._choice.is_hopeless:
                return None
        hint = None if isinstance(error, NetworkError | BadAnswer) else error.retry_after
        return self._backoff.wait(now, hint or None)

    def once_more(self, now: float) -> float | None:
        """Seconds until an attempt from another place."""
        is_first, self._elsewhere = not self._elsewhere, True
        return 0.0 if is_first else self._backoff.wait(now)

    def _change_way(self, error: HeadwaterError, now: float) -> None:
        """A server that cannot be reached, or fell silent behind some bytes, would be no better by another way."""
        is_far = isinstance(error, NetworkError) and not isinstance(error, Silent | Truncated | ConnectTimeout)
        if not is_far and not (isinstance(error, Silent) and self.heard):
            self._choice.failed(error, self._up(now), now)

    def _up(self, now: float) -> float:
        return 0.0 if self._opened is None else now - self._opened
