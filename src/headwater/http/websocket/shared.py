"""What all connections of a service share."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any, Final

import msgspec

from headwater.http.permission import Permission
from headwater.http.websocket.subprotocol import Subprotocol
from headwater.http.websocket.telling import TELLINGS
from headwater.http.websocket.warned import Warned
from headwater.hub import Engine
from headwater.hub.rounds import Round
from headwater.protocol.many import Names
from headwater.protocol.websocket.codecs import CODECS
from headwater.protocol.websocket.messages import Welcome

#: What a message does: given the session, the message and its size.
Operations = dict[type[Any], Callable[[Any, Any, int], None]]


class Door(msgspec.Struct, frozen=True):
    """What all connections of a service share.

    Attributes:
        hub: behind it.
        permission: asked about each stream.
        names: what a name may be.
        subprotocols: as they are spoken where nothing is compressed.
        warned: connections that were told to send less.
        late: connections for whose `hello` the time is not over.
        is_patient: that time is longer than a heartbeat.
        operations: what messages do.
    """

    hub: Engine
    permission: Permission
    names: Names
    subprotocols: dict[str, Subprotocol]
    warned: Warned
    late: Round
    is_patient: bool
    operations: Operations


#: Limits that a client is told.
_TOLD: Final = (
    "max_body_bytes",
    "max_append_records",
    "max_window_bytes",
    "read_bytes",
    "connection_subscriptions",
    "connection_requests",
    "connection_bytes",
)


def door_of(hub: Engine, permission: Permission, names: Names, operations: Operations) -> Door:
    """The door of a service."""
    limits = hub.limits
    told = {name: getattr(limits, name) for name in _TOLD}
    server = f"headwater/{version('headwater')}"
    welcome = Welcome(server, limits.heartbeat_seconds, limits.reader_window_bytes, told)
    spoken = {}
    for name, codec in CODECS.items():
        spoken[name] = Subprotocol(codec, TELLINGS[name], codec.encode(welcome), hub.live, names)
    late, is_patient = hub.runtime.rounds.of(limits.hello_seconds), limits.hello_seconds > limits.heartbeat_seconds
    return Door(hub, permission, names, spoken, Warned(), late, is_patient, operations)
