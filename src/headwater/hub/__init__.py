"""Streams made live: the in-process engine. No HTTP here.

engine   create, append, read, drain        readers  one cursor per live reader
tails    the newest records of a stream     limits   what is allowed
stats    what happened
"""

from headwater.hub.engine import Engine
from headwater.hub.limits import Limits
from headwater.hub.readers import LiveReader
from headwater.hub.stats import Stats

__all__ = ["Engine", "Limits", "LiveReader", "Stats"]
