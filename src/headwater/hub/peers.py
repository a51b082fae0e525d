"""Who reads, and what is shown of it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, Final

import msgspec

from headwater.protocol.access.identity import ANYBODY, Access


class Peer(msgspec.Struct, frozen=True, gc=False):
    """Who is at the other end.

    Attributes:
        wire: the wire format, such as `sse`, `events`, `ndjson` or `long-poll`; `in-process` for none.
        name: what the client calls itself with `?reader=`.
        address: `HOST:PORT` of the connection, as the server saw it.
        access: with which it was let in.
    """

    wire: str = "in-process"
    name: str | None = None
    address: str | None = None
    access: Access = ANYBODY

    def is_called(self, name: str) -> bool:
        """Whether a name stands for who reads: its subject, or, where nobody asks who it is, what it calls itself."""
        subject = self.access.subject
        return name == (self.name if subject is None else subject)


def address_of(client: Sequence[Any] | None) -> str | None:
    """`HOST:PORT` of the other end, an IPv6 host in brackets; None: not known.

    Args:
        client: host and port, as sockets and ASGI have them.
    """
    if not client:
        return None
    return f"[{client[0]}]:{client[1]}" if ":" in client[0] else f"{client[0]}:{client[1]}"


def client_at(address: str | None) -> tuple[str, int] | None:
    """Host and port of an address, as `address_of` writes it; None: not known."""
    if address is None:
        return None
    host, _, port = address.rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port)


def network_of(client: tuple[str, int] | None) -> str:
    """Where a client is, as it is counted: its address, or of IPv6 the network that one customer has; empty: unknown.

    Args:
        client: host and port.
    """
    if client is None:
        return ""
    try:
        address = ip_address(client[0].partition("%")[0])
    except ValueError:
        return client[0]
    return str(ip_network((address, 64), strict=False)) if isinstance(address, IPv6Address) else client[0]


def client_of(access: Access, address: str | None) -> Hashable:
    """Who a client is where its requests are counted: the principal of its access, or else where it is.

    Args:
        access: with which it was let in.
        address: see `Peer`.
    """
    if (principal := access.principal) is not None:
        return principal
    return ("address", None if address is None else address.rpartition(":")[0])


#: A reader in this process.
NOBODY: Final = Peer()
#: A long-poll of which no more is known.
POLLING: Final = Peer("long-poll")


class ReaderInfo(msgspec.Struct, frozen=True, gc=False):
    """A live reader at one moment.

    Attributes:
        number: counts the readers of this process, from 1.
        path: the stream.
        wire: the wire format: `sse`, `events`, `ndjson`, `long-poll`; `in-process` for none.
        state: `catching-up`, `live`, or `paused` while its sink is full or it has no credit.
        pushed: its sink is written to by the hub; False: it takes events at its own pace.
        name: what the client calls itself.
        address: `HOST:PORT`, if it is known.
        offset: where its next record is read.
        lag_records: records from there to the tail, if the stream's window reaches that far back; None: more than that.
        lag_bytes: bytes of record data from there to the tail; None: not known.
        held: bytes its sink holds unsent; None: not known, as of a server's own buffers.
        policy: what it gets when it was too slow: `replay`, `latest`, `conflate:KEY` or `disconnect`.
        connected_seconds: since it came.
        full_seconds: how long its sink is full, or how long it has not taken its last event; 0: it is not.
        window: bytes of records that it may be told and not acknowledge; None: it has none.
        unacknowledged: bytes of records that it was told and has not acknowledged; None: nobody counts.
        signals_told: signals that it was told; None: it did not ask for any.
        signals_dropped: signals that came while it was catching up or full, and that it was not told.
    """

    number: int
    path: str
    wire: str
    state: str
    pushed: bool
    name: str | None
    address: str | None
    offset: str
    lag_records: int | None
    lag_bytes: int | None
    held: int | None
    policy: str
    connected_seconds: float
    full_seconds: float
    window: int | None = None
    unacknowledged: int | None = None
    signals_told: int | None = None
    signals_dropped: int | None = None
