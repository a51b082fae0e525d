"""What all connections of a service share."""

from __future__ import annotations

from importlib.metadata import version
from typing import Final

import msgspec

from headwater.http.permission import Permission
from headwater.http.websocket.warned import Warned
from headwater.hub import Engine
from headwater.protocol.many import Names
from headwater.protocol.websocket.codecs import CODECS
from headwater.protocol.websocket.messages import Welcome


class Door(msgspec.Struct, frozen=True):
    """What all connections of a service share.

    Attributes:
        hub: behind it.
        permission: asked about each stream.
        names: what a name may be.
        welcomes: the message of each subprotocol, framed.
        warned: connections that were told to send less.
    """

    hub: Engine
    permission: Permission
    names: Names
    welcomes: dict[str, bytes]
    warned: Warned


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


def door_of(hub: Engine, permission: Permission, names: Names) -> Door:
    """The door of a service."""
    limits = hub.limits
    told = {name: getattr(limits, name) for name in _TOLD}
    server = f"headwater/{version('headwater')}"
    welcome = Welcome(server, limits.heartbeat_seconds, limits.reader_window_bytes, told)
    return Door(hub, permission, names, {name: codec.encode(welcome) for name, codec in CODECS.items()}, Warned())
