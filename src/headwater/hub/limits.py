"""Every limit of the hub, with its reason. Settings of the server have the same names."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Final

import msgspec

from headwater.protocol.cursor import HEARTBEAT_SECONDS
from headwater.protocol.framing import MAX_RECORDS
from headwater.protocol.paths import MAX_PATH_BYTES

#: Limits whose zero has a meaning: at once.
_MAY_BE_ZERO: Final = frozenset(
    {"flush_seconds", "slow_seconds", "drain_seconds", "presence_grace", "linger_bytes", "linger_seconds"}
    | {"max_readers_per_principal", "max_streams_per_principal"}
    | {f"principal_{doing}_rate" for doing in ("connect", "subscribe", "append", "byte", "create")}
    | {f"address_{doing}_rate" for doing in ("connect", "subscribe", "append", "byte", "create", "signal")}
)


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What the hub allows, and how long it waits. All sizes in bytes, all times in seconds.

    Attributes:
        max_body_bytes: a request's body, and so an append.
        max_inflight_bytes: what has arrived of request bodies that are not whole yet, all together; never less than
            eight times `max_body_bytes`. A quarter is kept for bodies of up to 64 KiB, and one address has an eighth.
            Above it the slowest large body is refused with 503. As much again may wait for a slow check of a schema.
        max_append_records: records of one append or create, such as JSON values; more would hold up all other writes.
        max_path_bytes: a stream's path in UTF-8.
        max_streams: streams in the store; one more is refused with 429.
        max_readers: live readers at the same time; one more is refused with 429.
        read_bytes: data in one piece of a catch-up response, one long-poll response or one live batch; a larger JSON
            record comes alone. None of them has more than 4,096 records.
        window_bytes: newest records of a stream with live readers that are kept in memory, for all of them.
        buffer_bytes: what this process may hold unsent for a reader; at more it is given nothing until it has drained.
        kernel_bytes: what the kernel may hold unsent for a reader before it takes no more; it may exceed this by one
            segment of up to 64 KiB.
        max_buffered_bytes: what all full readers together may hold; above it those who hold most are let go. At least
            `buffer_bytes` and `read_bytes`: a reader that is given one piece must not be let go for it.
        flush_seconds: longest wait between two deliveries under load, in which records are put together.
        slow_seconds: how long one write to a reader may take that is not pushed before the reader counts as slow; how
            long a full reader with the policy `disconnect` may stay.
        write_seconds: how long a reader to whom something was sent may take nothing before it is cut.
        heartbeat_seconds: silence after which a live reader gets a comment, so that no proxy cuts it.
        long_poll_seconds: how long a long-poll waits before it answers 204.
        sse_seconds: life of a `live=sse` response, so that caches can collapse readers; plain SSE has no end.
        body_seconds: how long a request's body may take to arrive.
        linger_bytes: what is read and thrown away of a request's body behind a response that came before its end; with
            more the connection is closed.
        linger_seconds: how long that may take; then the connection is closed.
        max_signal_bytes: data of a signal; more is refused with 413.
        signal_rate: signals a second that one sender may send to all streams, a second's worth at once; one more is
            refused with 429. A sender is the subject of its access, else the address it sends from.
        stream_signal_rate: signals a second to one stream, from all senders; each is told to all of its readers.
        signal_keep_seconds: how long a signal may ask to be kept for readers that come later.
        max_kept_signals: kept signals of one stream; one more is refused with 429.
        max_sender_kept_signals: of those, the signals of one sender.
        kept_signal_bytes: kept signals of one stream, all together: a reader is told all of them when it comes.
        max_kept_signal_bytes: kept signals of all streams.
        presence_grace: how long a member of a stream whose last connection was lost is there still, so that a reload is
            no leave.
        presence_lease: how long a member may be silent that is kept by requests or messages.
        presence_listed: members of a stream up to which its readers are told the list; above it, only how many.
        presence_changes: of a member's state, a second, a second's worth at once; one more is refused with 429.
        presence_joins: members that one client may add to all streams, a second, a second's worth at once; one more is
            refused with 429. One that comes back within `presence_grace` is not counted. A client is the subject of its
            access, else the address it comes from.
        max_presence_members: of one stream; one more is refused with 429.
        max_presence_total: members of all streams; one more is refused with 429.
        max_presence_connections: of one member; one more is refused with 429.
        max_presence_state_bytes: of a member's state; more is refused with 413.
        drain_seconds: window over which readers are told to come back when the server stops.
        connection_subscriptions: streams that one WebSocket connection may read; one more is refused with 429.
        connection_requests: messages of a WebSocket connection that wait for their answer; above it the server reads no
            more of it until one is answered.
        connection_bytes: bytes of these messages; one larger than that is taken by itself.
        reader_window_bytes: records that a subscription of a WebSocket connection is told before it acknowledges them,
            unless it says how many itself.
        max_window_bytes: the largest window that one may ask for; 0 asks for none.
        hello_seconds: how long the first message of a WebSocket connection may take to arrive.
        max_readers_per_principal: responses that go on and WebSocket connections with which one principal, that is an
            issuer and a subject, reads at the same time; one more is refused with 429. 0, here and below: no limit.
        max_streams_per_principal: streams that one principal has made since this process began, and that are still
            there; one more is refused with 429. A store does not keep who made a stream, so that a restart forgets it:
            what there is at most over restarts is `max_streams` for all, and its bytes are the store's `max_bytes`.
        principal_connect_rate: responses that go on and WebSocket connections that one principal may begin a second, a
            second's worth at once, as with all rates; one more is refused with 429, on a WebSocket with an error, and
            with 4429 who goes on regardless.
        principal_subscribe_rate: streams that it may begin to read on WebSockets and in reads of many streams, a
            second; a pattern is one.
        principal_append_rate: appends and closes a second, over HTTP and as messages.
        principal_byte_rate: bytes of bodies a second; a body that is larger is taken, and paid for by waiting.
        principal_create_rate: requests a second that may make a stream.
        address_connect_rate: the same as `principal_connect_rate` from one address, and of IPv6 from one /64, whoever
            asks; behind a proxy only with `trusted_proxies`. Where no address is known, nobody is counted.
        address_subscribe_rate: the same as `principal_subscribe_rate`.
        address_append_rate: the same as `principal_append_rate`.
        address_byte_rate: the same as `principal_byte_rate`.
        address_create_rate: the same as `principal_create_rate`.
        address_signal_rate: signals a second; those of one sender are limited by `signal_rate`.
    """

    max_body_bytes: int = 16 * 1024 * 1024
    max_inflight_bytes: int = 256 * 1024 * 1024
    max_append_records: int = MAX_RECORDS
    max_path_bytes: int = MAX_PATH_BYTES
    max_streams: int = 1_000_000
    max_readers: int = 50_000
    read_bytes: int = 1024 * 1024
    window_bytes: int = 1024 * 1024
    buffer_bytes: int = 8 * 1024
    kernel_bytes: int = 16 * 1024
    max_buffered_bytes: int = 256 * 1024 * 1024
    flush_seconds: float = 0.05
    slow_seconds: float = 2.0
    write_seconds: float = 60.0
    heartbeat_seconds: float = HEARTBEAT_SECONDS
    long_poll_seconds: float = 25.0
    sse_seconds: float = 60.0
    body_seconds: float = 30.0
    linger_bytes: int = 64 * 1024 * 1024
    linger_seconds: float = 10.0
    max_signal_bytes: int = 4 * 1024
    signal_rate: int = 50
    stream_signal_rate: int = 500
    signal_keep_seconds: int = 60
    max_kept_signals: int = 500
    max_sender_kept_signals: int = 100
    kept_signal_bytes: int = 64 * 1024
    max_kept_signal_bytes: int = 64 * 1024 * 1024
    presence_grace: float = 5.0
    presence_lease: float = 30.0
    presence_listed: int = 500
    presence_changes: int = 10
    presence_joins: int = 100
    max_presence_members: int = 10_000
    max_presence_total: int = 100_000
    max_presence_connections: int = 32
    max_presence_state_bytes: int = 1024
    drain_seconds: float = 5.0
    connection_subscriptions: int = 1000
    connection_requests: int = 64
    connection_bytes: int = 1024 * 1024
    reader_window_bytes: int = 256 * 1024
    max_window_bytes: int = 16 * 1024 * 1024
    hello_seconds: float = 5.0
    max_readers_per_principal: int = 0
    max_streams_per_principal: int = 0
    principal_connect_rate: int = 0
    principal_subscribe_rate: int = 0
    principal_append_rate: int = 0
    principal_byte_rate: int = 0
    principal_create_rate: int = 0
    address_connect_rate: int = 0
    address_subscribe_rate: int = 0
    address_append_rate: int = 0
    address_byte_rate: int = 0
    address_create_rate: int = 0
    address_signal_rate: int = 0

    def __post_init__(self) -> None:
        """Refuse limits that nothing could work with.

        Raises:
            ValueError: names the limit.
        """
        check_numbers(self, Limits.__struct_fields__, _MAY_BE_ZERO)
        for name in ("buffer_bytes", "read_bytes"):
            if self.max_buffered_bytes < getattr(self, name):
                raise ValueError(
                    f"max_buffered_bytes={self.max_buffered_bytes} must be at least {name}={getattr(self, name)}: "
                    "a reader would be let go for the first piece it is given, come back, and be let go again"
                )


def check_numbers(limits: msgspec.Struct, names: Collection[str], may_be_zero: Collection[str] = ()) -> None:
    """Refuse numbers that are no limits.

    Args:
        limits: has fields of these names; None and what is no number is not looked at.
        names: of the fields.
        may_be_zero: those whose zero means something.

    Raises:
        ValueError: one is not finite, negative, or zero; the message names it.
    """
    for name in names:
        value = getattr(limits, name)
        if not isinstance(value, int | float) or isinstance(value, bool):
            continue
        if not math.isfinite(value):
            raise ValueError(f"{name} must be a finite number, not {value}")
        if value < 0 or (value == 0 and name not in may_be_zero):
            least = "0 or greater" if name in may_be_zero else "greater than 0"
            raise ValueError(f"{name} must be {least}, not {value}")
