"""Ways to read a stream, and the one that is taken.

Rule 1: of a server that is Headwater, JSON is read as an event stream and all else as NDJSON; of another server of the
        protocol everything by `live=sse`. Behind both comes long-poll, which goes through what holds back or cuts.
Rule 2: who names a transport gets no other one.
Rule 3: a move keeps the offset. After `PROBE` seconds the first is tried once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, cast

from headwater.client.errors import BadAnswer, ConnectTimeout, Silent, Truncated, Unsupported

Transport = Literal["auto", "sse", "ndjson", "long-poll", "live-sse", "websocket"]

#: Seconds until the first byte of a live answer, where another transport could be taken.
FIRST_BYTE: Final = 3.0
#: Seconds for which a server may hold a long-poll, beyond those that any head may take: the reference server does 30.
HELD: Final = 60.0
#: Seconds after which a transport that was given up is tried again.
PROBE: Final = 1800.0
#: Ends without a record in less than `SHORT` seconds, and answers that are something else, until the next is taken.
ENDS: Final = 3
SHORT: Final = 1.0

#: Those over HTTP.
NAMES: Final = ("sse", "ndjson", "long-poll", "live-sse")
#: Those that are the only ones of their doors.
ALONE: Final = ("websocket",)


class Choice:
    """The transport of one reader, from attempt to attempt.

    Args:
        asked: what the caller wants.

    Raises:
        ValueError: there is none of this name.
    """

    def __init__(self, asked: Transport | Sequence[Transport]) -> None:
        names = [asked] if isinstance(asked, str) else list(asked)
        if unknown := [name for name in names if name not in (*NAMES, *ALONE, "auto")]:
            raise ValueError(f"there is no transport {unknown[0]!r}; there are auto, {', '.join(NAMES)}")
        self._asked: list[str] = [name for name in names if name != "auto"] if names != ["auto"] else []
        self._possible = self._asked
        self._at = 0
        self._bad = 0
        self._since = 0.0

    def learn(self, *, is_json: bool, is_headwater: bool) -> None:
        """What the server and the stream are."""
        if self._asked:
            return
        live = ("sse" if is_json else "ndjson") if is_headwater else "live-sse"
        possible = [live, "long-poll"]
        if possible != self._possible:
            self._possible, self._at, self._bad = possible, 0, 0

    def current(self, now: float) -> str:
        """The name of the one to take now."""
        if self._at and now - self._since >= PROBE:
            self._at = self._bad = 0
        return self._possible[self._at] if self._possible else "ndjson"

    @property
    def can_move(self) -> bool:
        """Whether there is another one behind."""
        return self._at + 1 < len(self._possible)

    def worked(self) -> None:
        """It gave a record."""
        self._bad = 0

    def failed(self, error: Exception | None, up: float, now: float) -> bool:
        """An attempt ended without a record; gives whether another transport is taken from now on.

        Args:
            error: why; None: the answer ended.
            up: seconds from its head to its end.
            now: the moment.
        """
        if isinstance(error, Silent | ConnectTimeout):
            self._bad = ENDS
        elif isinstance(error, BadAnswer) or ((error is None or isinstance(error, Truncated)) and up < SHORT):
            self._bad += 1
        if self._bad < ENDS or not self.can_move:
            return False
        self._at += 1
        self._bad = 0
        self._since = now
        return True

    @property
    def is_hopeless(self) -> bool:
        """Whether what answers is again and again something else, on the last transport too."""
        return self._bad >= ENDS and not self.can_move


def of_door(asked: Transport | Sequence[Transport], ways: Sequence[str]) -> Transport | tuple[Transport, ...]:
    """What is asked for, of a door that has these ways.

    Raises:
        ValueError: there is none of this name.
        Unsupported: another door has it.
    """
    Choice(asked)
    names = (asked,) if isinstance(asked, str) else tuple(asked)
    wanted = [name for name in names if name != "auto"]
    if missing := [name for name in wanted if name not in ways]:
        where = "Connection(url).stream(path)" if missing[0] in ALONE else "Stream(url)"
        raise Unsupported(f"this stream is not read by {missing[0]}: use {where}")
    if tuple(ways) == NAMES:
        return asked if isinstance(asked, str) else names
    return cast("tuple[Transport, ...]", tuple(ways))
