"""Streams made live: the in-process engine. No HTTP here.

engine                  the hub in process: open, close, drain
reads, writes           what it can be asked and told
typed                   records read as values of a type
arguments               those of callers in this process
lifespan                open, close, the lifespan of an application
threads                 calls from threads
writer, batching        a stream written from start to end, and a source in batches
backpressure            writers that wait for readers
many                    many streams in one loop
signals, kept_signals   messages to live readers that are not stored
signal_checks           the same, held to schemas that run code of an application
checked                 writes on their way to the store, held to schemas
checks, check_threads   before the store, where that runs code of an application
turns                   what comes to a stream goes on in the order in which it came
together                several appends that are one step
eager                   coroutines that begin at once
places                  how many streams there may be
intake                  request bodies that are under way
presence                who is at a stream
access                  who reads with which proof, and what ends with it
live                    the live readers
formats                 the wire formats for readers in this process
fair_turns              how much is read, or taken in, in one turn of the event loop
catch_up, outflow       a range read in pieces, and sent as it is taken
long_poll               a read that waits while there is nothing
wheel, timers           one timer wheel
rounds                  those that wait for the same time, with one timer
sweeper, loop_delay     what is done once a second, and how late the event loop is
peers                   who reads
limits, stats           what is allowed, and what was counted
"""

from headwater.hub.engine import Engine
from headwater.hub.limits import Limits
from headwater.hub.live.pulled import PulledReader
from headwater.hub.peers import Peer, ReaderInfo
from headwater.hub.stats import Stats

__all__ = ["Engine", "Limits", "Peer", "PulledReader", "ReaderInfo", "Stats"]
