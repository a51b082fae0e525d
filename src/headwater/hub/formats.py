"""The wire formats by name, for readers in this process: encoded, and framed by nothing."""

from __future__ import annotations

import random
from functools import partial
from typing import Final

from headwater.errors import BadRequest
from headwater.hub.live.wire_format import WireFormat
from headwater.protocol.caching import MAX_JITTER
from headwater.protocol.ndjson import JsonLines
from headwater.protocol.sse_control import ControlEvents
from headwater.protocol.sse_plain import PlainEvents

#: As introspection names them.
WIRES: Final = ("ndjson", "events", "sse")


def wire_format(wire: str) -> WireFormat:
    """A live wire format.

    Raises:
        BadRequest: there is none of this name.
    """
    match wire:
        case "ndjson":
            return WireFormat(("in-process", wire), JsonLines, bytes)
        case "events":
            return WireFormat(("in-process", wire), PlainEvents, bytes)
        case "sse":
            encoder = partial(ControlEvents, cursor=None, jitter=random.randint(1, MAX_JITTER))
            return WireFormat(("in-process", wire), encoder, bytes)
    raise BadRequest(f"there is no wire format {wire[:40]!r}; there are {', '.join(WIRES)}")
