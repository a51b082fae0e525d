"""Headwater: streams that survive.

A stream is an append-only log at a URL. Write it with `Hub.append` or HTTP POST; read it over Server-Sent Events,
long-poll, NDJSON or plain HTTP, and come back after a cut at the offset where you stopped.
"""

from headwater.asgi import Hub
from headwater.errors import HeadwaterError
from headwater.hub import Limits
from headwater.model import Appended, Batch, Producer, Record, Retention, StreamInfo

__all__ = ["Appended", "Batch", "HeadwaterError", "Hub", "Limits", "Producer", "Record", "Retention", "StreamInfo"]
__version__ = "0.1.0"
