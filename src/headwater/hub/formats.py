"""The wire formats by name, for readers in this process: encoded, and framed by nothing."""

from __future__ import annotations

import random
from functools import partial
from typing import Final

from headwater.errors import BadRequest
from headwater.hub.live.wire_format import WireFormat, with_kind
from headwater.protocol.cache_headers import MAX_JITTER
from headwater.protocol.ephemeral import PRESENCE, SIGNAL, as_event, as_line
from headwater.protocol.ndjson import JsonLines
from headwater.protocol.sse_control import ControlEvents
from headwater.protocol.sse_plain import PlainEvents

#: As introspection names them.
WIRES: Final = ("ndjson", "events", "sse")
_TELL: Final = {"ndjson": as_line, "events": as_event}


def wire_format(wire: str, *, signals: bool = False, presence: bool = False) -> WireFormat:
    """A live wire format.

    Args:
        wire: its name.
        signals: tell signals, too.
        presence: tell who is there, too.

    Raises:
        BadRequest: there is none of this name, or it has no place for these.
    """
    form = _records(wire)
    for kind, is_asked in ((SIGNAL, signals), (PRESENCE, presence)):
        if is_asked and wire not in _TELL:
            raise BadRequest(f"the wire format {wire} has no place for signals and presence")
        if is_asked:
            form = with_kind(form, kind, _TELL[wire])
    return form


def _records(wire: str) -> WireFormat:
    match wire:
        case "ndjson":
            return WireFormat(("in-process", wire), JsonLines, bytes)
        case "events":
            return WireFormat(("in-process", wire), PlainEvents, bytes)
        case "sse":
            encoder = partial(ControlEvents, cursor=None, jitter=random.randint(1, MAX_JITTER))
            return WireFormat(("in-process", wire), encoder, bytes)
    raise BadRequest(f"there is no wire format {wire[:40]!r}; there are {', '.join(WIRES)}")
