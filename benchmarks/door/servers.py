"""The servers that are compared: ours over SSE and over both doors, and others over WebSocket."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from benchmarks import servers
from benchmarks.fanout import servers as fanout
from benchmarks.fanout.servers import Broadcaster
from benchmarks.servers import Kind

#: A connection of many streams.
CONNECT: Final = "/v1/stream/-/connect"
STREAM: Final = "/v1/stream/load"

SSE: Final = replace(fanout.HEADWATER, kind=Kind("headwater SSE", servers.MEMORY.command))
DOOR: Final = Broadcaster(
    Kind("headwater", servers.MEMORY.command),
    STREAM,
    CONNECT,
    "array",
    reader="ws_readers",
    words=("door=1",),
    create=True,
)
BARE: Final = Broadcaster(
    Kind("headwater, own URL", servers.MEMORY.command),
    STREAM,
    f"{STREAM}?offset=now&raw=1",
    "array",
    reader="ws_readers",
    create=True,
)
NCHAN: Final = replace(fanout.NCHAN, events="/socket", reader="ws_readers", resume=None)
CENTRIFUGO: Final = replace(
    fanout.CENTRIFUGO, events="/connection/websocket", reader="ws_readers", words=("centrifugo",)
)
SERVERS: Final = (
    *(fanout.FLOOR, SSE, DOOR, BARE),
    *(NCHAN, CENTRIFUGO, fanout.WS, fanout.SOCKET_IO, fanout.WEBSOCKETS),
)
#: Those that carry many subscriptions on a connection here.
OURS: Final = (SSE, DOOR)
