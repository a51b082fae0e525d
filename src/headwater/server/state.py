"""Where a connection stands."""

from __future__ import annotations

import enum
from typing import Final


class State(enum.Enum):
    """Where a connection stands."""

    HEAD = "head"  # a head is due: the first one, or one that has begun
    IDLE = "idle"  # between two requests
    REQUEST = "request"  # a request is under way
    SKIPPING = "skipping"  # its response is given, and the rest of its body is thrown away
    CLOSING = "closing"  # nothing is a request any more
    GONE = "gone"


# Those that are asked for with each request: to find a member of an enumeration takes a search through its class.
HEAD: Final = State.HEAD
IDLE: Final = State.IDLE
REQUEST: Final = State.REQUEST
CLOSING: Final = State.CLOSING
