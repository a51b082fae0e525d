"""What all connections of a service share."""

from __future__ import annotations

from importlib.metadata import version
from typing import Final

import msgspec

from headwater.http.permission import Permission
from headwater.hub import Engine
from headwater.protocol.many import Names


class Door(msgspec.Struct, frozen=True):
    """What all connections of a service share.

    Attributes:
        hub: behind it.
        permission: asked about each stream.
        names: what a name may be.
        server: as `welcome` says.
        limits: as `welcome` says.
    """

    hub: Engine
    permission: Permission
    names: Names
    server: str
    limits: dict[str, int]


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
    return Door(
        hub, permission, names, f"headwater/{version('headwater')}", {name: getattr(limits, name) for name in _TOLD}
    )
