"""Headwater: streams that survive.

A stream is an append-only log at a URL. Write it with `Hub.append` or HTTP POST; read it over Server-Sent Events,
long-poll, NDJSON or plain HTTP, and come back after a cut at the offset where you stopped.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from headwater.asgi.hub import Hub
    from headwater.errors import HeadwaterError
    from headwater.http.access.application import AccessRequest
    from headwater.http.authorize import Credential
    from headwater.hub.backpressure import Pause
    from headwater.hub.limits import Limits
    from headwater.hub.live.sinks import BufferSink, Sink
    from headwater.hub.presence.calls import Attending, Member, Presence, PresenceChange
    from headwater.hub.writer import Writer
    from headwater.model import (
        Appended,
        Batch,
        Entry,
        Expiry,
        Failure,
        Item,
        Page,
        Principal,
        Producer,
        Record,
        Retention,
        StreamConfig,
        StreamInfo,
    )
    from headwater.protocol.access.identity import Access
    from headwater.protocol.asks import Ask, Operation
    from headwater.protocol.compression import Compression
    from headwater.protocol.schemas.registry import StreamSchema
    from headwater.protocol.signals import Signal

__all__ = [
    "Access",
    "AccessRequest",
    "Appended",
    "Ask",
    "Attending",
    "Batch",
    "BufferSink",
    "Compression",
    "Credential",
    "Entry",
    "Expiry",
    "Failure",
    "HeadwaterError",
    "Hub",
    "Item",
    "Limits",
    "Member",
    "Operation",
    "Page",
    "Pause",
    "Presence",
    "PresenceChange",
    "Principal",
    "Producer",
    "Record",
    "Retention",
    "Signal",
    "Sink",
    "StreamConfig",
    "StreamInfo",
    "StreamSchema",
    "Writer",
]
__version__ = "0.1.0"

# Loaded when first used (PEP 562): the command line's clients need little of it.
_HOMES: Final = {
    "Access": "headwater.protocol.access.identity",
    "AccessRequest": "headwater.http.access.application",
    "Appended": "headwater.model",
    "Ask": "headwater.protocol.asks",
    "Attending": "headwater.hub.presence.calls",
    "Batch": "headwater.model",
    "BufferSink": "headwater.hub.live.sinks",
    "Compression": "headwater.protocol.compression",
    "Credential": "headwater.http.authorize",
    "Entry": "headwater.model",
    "Expiry": "headwater.model",
    "Failure": "headwater.model",
    "HeadwaterError": "headwater.errors",
    "Hub": "headwater.asgi.hub",
    "Item": "headwater.model",
    "Limits": "headwater.hub.limits",
    "Member": "headwater.hub.presence.calls",
    "Operation": "headwater.protocol.asks",
    "Page": "headwater.model",
    "Pause": "headwater.hub.backpressure",
    "Presence": "headwater.hub.presence.calls",
    "PresenceChange": "headwater.hub.presence.calls",
    "Principal": "headwater.model",
    "Producer": "headwater.model",
    "Record": "headwater.model",
    "Retention": "headwater.model",
    "Signal": "headwater.protocol.signals",
    "Sink": "headwater.hub.live.sinks",
    "StreamConfig": "headwater.model",
    "StreamInfo": "headwater.model",
    "StreamSchema": "headwater.protocol.schemas.registry",
    "Writer": "headwater.hub.writer",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(_HOMES[name]), name)
    globals()[name] = found
    return found
