"""What a service makes of a head, once: what it asks for, and who does it. It follows from the head's bytes alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from headwater.http.exchange import Exchange, Work
from headwater.protocol.access.identity import Access
from headwater.protocol.asks import Ask

#: Does what a request asks for, which is allowed; raises, or gives what takes waiting.
Go = Callable[[Exchange, Any, Access], Work | None]


class Plan(msgspec.Struct, frozen=True):
    """How a request is served, and each other one with the same head. Whether it may be is asked each time.

    Attributes:
        command: what is asked for, as `go` takes it.
        go: does it.
        asks: what an application is asked; none: nobody is asked.
    """

    command: Any
    go: Go
    asks: tuple[Ask, ...] = ()
