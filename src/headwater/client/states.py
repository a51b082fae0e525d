"""The states of a reader on the client's side."""

from __future__ import annotations

from enum import Enum


class ReaderState(Enum):
    """Where a reader is."""

    IDLE = "idle"  # nobody has asked for a record yet
    CONNECTING = "connecting"  # a request is sent, and no answer is there
    CATCHING_UP = "catching-up"  # what there is comes in
    LIVE = "live"  # everything there is was read; what follows comes as it is written
    ABSENT = "absent"  # there is no stream yet
    WAITING = "waiting"  # for the time of the next attempt
    ENDED = "ended"  # see `end`
