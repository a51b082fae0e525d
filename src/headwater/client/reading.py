"""What is asked of a read, and what it asks of its driver."""

from __future__ import annotations

from typing import Any

import msgspec

from headwater.client.items import Batch, Gap
from headwater.client.told import Heard
from headwater.client.transports import Transport
from headwater.protocol import names

#: What a read gives to its driver.
Given = Batch[Any] | Gap | Heard


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What is read.

    Attributes:
        start: an offset, `start` or `now`.
        live: go on at the tail.
        slow: what the reader gets when it was slow: `replay`, `latest`, `conflate:KEY`, `disconnect`; None: as the
            stream has it.
        gone: where to go on when the server no longer has the offset: `raise`, `earliest`, `now`.
        missing: of a stream that is not there: `raise`, `wait`.
        signals: tell signals, too.
        presence: tell who is there, too.
        envelope: tell when each record was appended, and by whom.
        pages: what there is, as whole pages, in place of record by record.
        transport: names of transports.
    """

    start: str = "start"
    live: bool = True
    slow: str | None = None
    gone: str = "raise"
    missing: str = "raise"
    signals: bool = False
    presence: bool = False
    envelope: bool = False
    pages: bool = False
    transport: Transport | tuple[Transport, ...] = "auto"

    def query(self) -> dict[str, str]:
        """The parameters of every request."""
        found = {names.QUERY_SLOW: self.slow} if self.slow else {}
        if self.missing == "wait":
            found[names.QUERY_MISSING] = "wait"
        if self.signals:
            found[names.QUERY_SIGNALS] = "1"
        if self.presence:
            found[names.QUERY_PRESENCE] = "1"
        if self.envelope:
            found[names.QUERY_ENVELOPE] = "1"
        return found


class Request(msgspec.Struct, frozen=True):
    """What to send.

    Attributes:
        method: GET, or HEAD to learn what the stream is.
        query: its parameters.
        headers: its own headers.
        first_byte: seconds that the first byte may take behind the head; None: as any other.
        hold: seconds that the server may hold the answer, beyond those that any head may take.
    """

    method: str
    query: dict[str, str]
    headers: dict[str, str]
    first_byte: float | None = None
    hold: float = 0.0
