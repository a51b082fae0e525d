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
    from headwater.hub.limits import Limits
    from headwater.hub.pausing import Pause
    from headwater.hub.sinks import BufferSink, Sink
    from headwater.hub.writing import Writer
    from headwater.model import Appended, Batch, Failure, Producer, Record, Retention, StreamInfo
    from headwater.protocol.compression import Compression

__all__ = [
    "Appended",
    "Batch",
    "BufferSink",
    "Compression",
    "Failure",
    "HeadwaterError",
    "Hub",
    "Limits",
    "Pause",
    "Producer",
    "Record",
    "Retention",
    "Sink",
    "StreamInfo",
    "Writer",
]
__version__ = "0.1.0"

# Loaded when first used (PEP 562): the command line's clients need little of it.
_HOMES: Final = {
    "Appended": "headwater.model",
    "Batch": "headwater.model",
    "BufferSink": "headwater.hub.sinks",
    "Compression": "headwater.protocol.compression",
    "Failure": "headwater.model",
    "HeadwaterError": "headwater.errors",
    "Hub": "headwater.asgi.hub",
    "Limits": "headwater.hub.limits",
    "Pause": "headwater.hub.pausing",
    "Producer": "headwater.model",
    "Record": "headwater.model",
    "Retention": "headwater.model",
    "Sink": "headwater.hub.sinks",
    "StreamInfo": "headwater.model",
    "Writer": "headwater.hub.writing",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(_HOMES[name]), name)
    globals()[name] = found
    return found
