"""Counters of the hub: plain integers, added up where things happen and shown under `/-/stats`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from headwater.histogram import Histogram
from headwater.model import Appended

#: Upper bounds of the histograms: seconds, and records in one write.
LAG_BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
RECORD_BOUNDS: Final = (0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
WAIT_BOUNDS: Final = (0.0, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25)
DELAY_BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)

#: Close codes that are counted each: those of RFC 6455, and those of errors. A client may send two thousand others.
_CLOSES: Final = {code: str(code) for codes in (range(1000, 1016), range(4400, 4600)) for code in codes}


# No `msgspec.Struct`: to set a field of one takes ten times as long.
@dataclass(slots=True, kw_only=True)
class Stats:
    """What happened since the hub was made.

    Attributes:
        appends: appends and closes that were acknowledged, duplicates included.
        duplicates: of those, retries of idempotent producers.
        bytes_in: bytes of bodies acknowledged.
        reads: catch-up and long-poll answers.
        readers: live readers now, long-polls included.
        pushed: of those, readers whose connection was handed over to the hub.
        readers_total: live readers ever opened.
        resumes: readers that came back with an event id.
        window_reads: live batches served from memory.
        store_reads: batches read from the store.
        deliveries: times a live reader's sink was written to by a group; one write may hold many records.
        bytes_out: bytes written to the sinks of pushed readers, as they go out.
        uncompressed: of answers with a content coding: the bytes before it, by the coding.
        compressed: the same bytes as they go out.
        coalesced: deliveries of records by how many records were put together in one write.
        flushes: turns of the event loop in which groups were flushed.
        pauses: times a sink was full, and its reader fell behind.
        gaps: times records were left out for a slow reader, and it was told so, by its policy.
        stalls: readers cut because they took nothing for `limits.write_seconds`.
        sheds: readers let go because all together held more than `limits.max_buffered_bytes`.
        cuts: catch-up answers cut because what their head promised could not be read, by error code.
        unasked: readers cut because their client went on sending.
        linger_cuts: connections closed because the rest of a request that was answered before its end did not end
            within `limits.linger_bytes` and `limits.linger_seconds`.
        signals: signals that were sent, whoever was told.
        signals_told: times a live reader was told one.
        signals_dropped: times a reader who asked for signals was not told one, because it was catching up or full.
        members: of all streams, now.
        members_joined: members that came, whatever the number of their connections.
        presence_frames: times that readers of a stream were told who is there.
        websockets: connections of WebSockets, now; streams at their own URLs included.
        websockets_total: of the same, ever opened.
        websocket_messages: what came on `-/connect`, by the kind of message; at a stream's own URL it is `record`.
        websocket_closes: connections of WebSockets that ended, by the code of whoever closed first; 1006 for none,
            `other` for those that a client made up.
        disconnects: requests whose client went away before the answer or the end.
        lag: deliveries to live readers by the seconds from the commit to the socket.
        flush_waits: flushes by the seconds they were put off under load, so that records go out together.
        loop_delay: how many seconds later than asked for the event loop called, sampled four times a second.
        errors: answers by error code.
        access_refused: what was refused by who may do what and how often, by the error's code.
        access_ended: readers and connections that ended with their proof: `expired`, `revoked`, `kicked`, `changed`.
        access_tickets: tickets that were `made`, and those of them that were `redeemed`; a worthless one is refused.
        left_out: what of runs was not told because the reader's dialect has no place for it, as `DIALECT: KIND`.
    """

    appends: int = 0
    duplicates: int = 0
    bytes_in: int = 0
    reads: int = 0
    readers: int = 0
    pushed: int = 0
    readers_total: int = 0
    resumes: int = 0
    window_reads: int = 0
    store_reads: int = 0
    deliveries: int = 0
    bytes_out: int = 0
    uncompressed: Counter[str] = field(default_factory=Counter)
    compressed: Counter[str] = field(default_factory=Counter)
    coalesced: Histogram = field(default_factory=partial(Histogram, bounds=RECORD_BOUNDS))
    flushes: int = 0
    pauses: int = 0
    gaps: Counter[str] = field(default_factory=Counter)
    stalls: int = 0
    sheds: int = 0
    cuts: Counter[str] = field(default_factory=Counter)
    unasked: int = 0
    linger_cuts: int = 0
    signals: int = 0
    signals_told: int = 0
    signals_dropped: int = 0
    members: int = 0
    members_joined: int = 0
    presence_frames: int = 0
    websockets: int = 0
    websockets_total: int = 0
    websocket_messages: Counter[str] = field(default_factory=Counter)
    websocket_closes: Counter[str] = field(default_factory=Counter)
    disconnects: int = 0
    lag: Histogram = field(default_factory=partial(Histogram, bounds=LAG_BOUNDS))
    flush_waits: Histogram = field(default_factory=partial(Histogram, bounds=WAIT_BOUNDS))
    loop_delay: Histogram = field(default_factory=partial(Histogram, bounds=DELAY_BOUNDS))
    errors: Counter[str] = field(default_factory=Counter)
    access_refused: Counter[str] = field(default_factory=Counter)
    access_ended: Counter[str] = field(default_factory=Counter)
    access_tickets: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)

    def acknowledged(self, size: int, answer: Appended) -> None:
        """Count the answer to an append with a body of this size."""
        self.appends += 1
        self.bytes_in += size
        if answer.duplicate:
            self.duplicates += 1

    def websocket_ended(self, code: int) -> None:
        """Count its end."""
        self.websockets -= 1
        self.websocket_closes[_CLOSES.get(code, "other")] += 1

    def sent(self, coding: str, before: int, after: int, times: int = 1) -> None:
        """Count bytes written to sinks: before and after their content coding, which is empty for none."""
        self.bytes_out += after * times
        if coding:
            self.uncompressed[coding] += before * times
            self.compressed[coding] += after * times

    def delivered(self, count: int, lag: float) -> None:
        """Count deliveries that all had the same lag, in seconds."""
        self.deliveries += count
        self.lag.add(lag, count)
