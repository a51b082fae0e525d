"""The messages of a WebSocket connection: one table, whatever the subprotocol encodes them with.

A message is an object whose `t` says what it is. Offsets are those of HTTP; paths are those of URLs, decoded.

Rule 1: what is not known is let through: a client may send fields that a later server reads, and the other way round.
        A `t` that is not known is refused by itself.
Rule 2: records are never coded again. `r` has JSON values as they are stored, or strings of a text; `b` has bytes.
Rule 3: what every live reader of a stream is told is the same for all: `data` has the server's number of the stream and
        nothing of a connection.
"""

from __future__ import annotations

from typing import Final

from headwater.protocol.websocket.client_messages import (
    Ack,
    Append,
    Auth,
    ClientStruct,
    Close,
    Create,
    Delete,
    Fail,
    Head,
    Hello,
    Here,
    Ping,
    Pong,
    Read,
    SendSignal,
    Sub,
    Unsub,
)
from headwater.protocol.websocket.server_messages import (
    Answer,
    Attending,
    Beat,
    Data,
    Drain,
    End,
    Expiring,
    Gap,
    Info,
    Live,
    Ok,
    Page,
    Presence,
    Problem,
    ServerStruct,
    Signal,
    Subscribed,
    Waiting,
    Welcome,
)

__all__ = [
    "CLIENT",
    "KINDS",
    "SERVER",
    "Ack",
    "Answer",
    "Append",
    "Attending",
    "Auth",
    "Beat",
    "ClientMessage",
    "Close",
    "Create",
    "Data",
    "Delete",
    "Drain",
    "End",
    "Expiring",
    "Fail",
    "Gap",
    "Head",
    "Hello",
    "Here",
    "Info",
    "Live",
    "Ok",
    "Page",
    "Ping",
    "Pong",
    "Presence",
    "Problem",
    "Read",
    "SendSignal",
    "ServerMessage",
    "Signal",
    "Sub",
    "Subscribed",
    "Unsub",
    "Waiting",
    "Welcome",
]

#: All that a client may send.
CLIENT: Final[tuple[type[ClientStruct], ...]] = (
    Hello,
    Sub,
    Unsub,
    Ack,
    Append,
    Close,
    Fail,
    Create,
    Head,
    Read,
    Delete,
    SendSignal,
    Here,
    Auth,
    Ping,
    Pong,
)
#: What `t` says of each.
KINDS: Final[dict[type[ClientStruct], str]] = {cls: str(cls.__struct_config__.tag) for cls in CLIENT}
ClientMessage = (
    Hello
    | Sub
    | Unsub
    | Ack
    | Append
    | Close
    | Fail
    | Create
    | Head
    | Read
    | Delete
    | SendSignal
    | Here
    | Auth
    | Ping
    | Pong
)

#: All that the server may send.
SERVER: Final[tuple[type[ServerStruct], ...]] = (
    Welcome,
    Subscribed,
    Waiting,
    Data,
    Live,
    Gap,
    Signal,
    Presence,
    Attending,
    End,
    Ok,
    Info,
    Page,
    Problem,
    Expiring,
    Drain,
    Beat,
    Answer,
)
ServerMessage = (
    Welcome
    | Subscribed
    | Waiting
    | Data
    | Live
    | Gap
    | Signal
    | Presence
    | Attending
    | End
    | Ok
    | Info
    | Page
    | Problem
    | Expiring
    | Drain
    | Beat
    | Answer
)
