"""What others see of a connection while it lives: states that it keeps, and members that it is.

Rule 1: most connections have nothing of it, and no object for it.
Rule 2: with the connection its states are over, and its members are lost: they have their grace to come back.
Rule 3: a member is heard when its connection is: at what time the socket knows, and the room is told at each beat.
"""

from __future__ import annotations

from typing import Final

from headwater.errors import HeadwaterError
from headwater.http.presence import check_stream
from headwater.hub import Engine
from headwater.hub.presence.attendance import Attendance
from headwater.hub.presence.rooms import OpenRoom

#: Beats of a connection in the time for which its members may be silent.
_BEATS: Final = 3


class Stay:
    """That of one connection.

    Args:
        hub: where it is.

    Attributes:
        by: its name as a sender of signals.
        members: that it is, by their streams.
    """

    __slots__ = ("_hub", "_kept_at", "by", "members")

    def __init__(self, hub: Engine) -> None:
        self.by: Final = ("connection", object())
        self.members: Final[dict[str, Attendance[OpenRoom]]] = {}
        self._hub = hub
        self._kept_at: set[str] = set()

    def keeps(self, path: str) -> None:
        """It has a state at a stream, which is over with it."""
        self._kept_at.add(path)

    def heard(self, at: float) -> list[str]:
        """Its client was heard then; gives the streams where it was silent for too long, or which are no more."""
        for attendance in self.members.values():
            if attendance.is_there:
                attendance.heard(at)
        return [path for path, attendance in self.members.items() if not attendance.is_there]

    async def come_back(self, path: str) -> None:
        """Be a member again that was silent for too long.

        Raises:
            StreamNotFound, StreamGone, StoreUnavailable, MemberTaken, LimitReached: it cannot, and is none any more.
        """
        attendance = self.members[path]
        try:
            await check_stream(self._hub, path)
            if self.members.get(path) is attendance and not attendance.is_there:
                attendance.join()
        except HeadwaterError:
            self.members.pop(path, None)
            raise

    def leave(self, path: str) -> None:
        """It is no member of a stream any more, and this is told; nothing, if it was none."""
        attendance = self.members.pop(path, None)
        if attendance is not None:
            attendance.leave()

    def end(self) -> None:
        """The connection is over."""
        for path in self._kept_at:
            self._hub.signal_sender.end(path, self.by)
        for attendance in self.members.values():
            attendance.lost()
        self.members.clear()


def interval(stay: Stay | None, hub: Engine) -> float:
    """Seconds between two beats of a connection; a member's must be heard before its lease is over."""
    heartbeat = hub.limits.heartbeat_seconds
    return min(heartbeat, hub.rooms.lease / _BEATS) if stay is not None and stay.members else heartbeat
