"""Streams made live: the in-process engine. No HTTP here.

engine         create, append, read, drain        audience  all live readers of a hub
tails          a stream's newest records          readers   pulled: take events at their own pace
lifetime       open, close, lifespan
feeds          encode once for all who are live   subscriptions, sinks   pushed: written to
flushing       when feeds are flushed             describing  readers as introspection shows them
wheel, timers, heartbeats   one timer wheel       budget    bytes that full sinks hold
limits, stats
"""

from headwater.hub.describing import Peer, ReaderInfo
from headwater.hub.engine import Engine
from headwater.hub.limits import Limits
from headwater.hub.readers import LiveReader
from headwater.hub.stats import Stats

__all__ = ["Engine", "Limits", "LiveReader", "Peer", "ReaderInfo", "Stats"]
