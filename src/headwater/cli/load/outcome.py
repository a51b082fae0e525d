"""The figures of a run, and whether to trust them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

import msgspec

from headwater.cli.load.histogram import Histogram
from headwater.cli.load.messages import Published, Received
from headwater.cli.load.plan import Plan

#: Share of a core above which a process of the load is taken for the bottleneck.
BUSY: Final = 0.8
#: Milliseconds; an event loop that is later than this one time in a hundred adds to the lags.
LATE_MS: Final = 10.0
#: Share of the records that were due above which the pace was kept.
KEPT: Final = 0.98


class Times(msgspec.Struct, frozen=True):
    """Percentiles of times, in milliseconds."""

    p50: float
    p99: float
    p999: float
    max: float

    @classmethod
    def of(cls, histogram: Histogram) -> Times:
        """Those of a histogram, to the microsecond."""
        found = [histogram.percentile(share) for share in (0.5, 0.99, 0.999)]
        return cls(*(round(time, 3) for time in (*found, histogram.longest / 1000)))


class Generator(msgspec.Struct, frozen=True):
    """The load itself.

    Attributes:
        processes: of readers; one more publishes.
        cpu: share of a core that the busiest of all used.
        late: how late the event loop of the worst one was.
    """

    processes: int
    cpu: float
    late: Times


class Outcome(msgspec.Struct, frozen=True):
    """A run.

    Attributes:
        due: records that the pace asked for; `published` are those the server took.
        lost: deliveries that were passed over, or had not come in time.
        repeated: deliveries that came again.
        cuts: connections that ended by themselves; their readers came back.
        lag_ms: from when a record was due to when a reader had it.
        append_ms: from an append to its answer.
        warnings: what is to be known before the figures are believed.
    """

    url: str
    readers: int
    streams: int
    record_bytes: int
    seconds: float
    due: int
    published: int
    deliveries: int
    deliveries_per_second: float
    lost: int
    repeated: int
    cuts: int
    connect_seconds: float
    connects_per_second: float
    lag_ms: Times
    append_ms: Times
    generator: Generator
    warnings: list[str]


def outcome(plan: Plan, connect_seconds: float, published: Published, received: Sequence[Received]) -> Outcome:
    """The figures, from what the processes told."""
    lags = Histogram()
    for part in received:
        lags.merge(part.lags)
    delivered = sum(part.delivered for part in received)
    last_ns = max(part.last_ns for part in received)
    seconds = max(1e-9, (last_ns - published.began_ns) / 1e9) if delivered else plan.seconds
    strains = [published.strain, *(part.strain for part in received)]
    late = max((Times.of(strain.delays) for strain in strains), key=lambda times: times.p99)
    generator = Generator(len(received), round(max(strain.cpu for strain in strains), 3), late)
    due, count = round(plan.rate * plan.seconds), sum(published.counts)
    return Outcome(
        url=plan.url,
        readers=plan.readers,
        streams=len(plan.targets),
        record_bytes=plan.size,
        seconds=round(seconds, 3),
        due=due,
        published=count,
        deliveries=delivered,
        deliveries_per_second=round(delivered / seconds, 1),
        lost=sum(part.lost for part in received),
        repeated=sum(part.repeated for part in received),
        cuts=sum(part.cuts for part in received),
        connect_seconds=round(connect_seconds, 3),
        connects_per_second=round(plan.readers / connect_seconds, 1),
        lag_ms=Times.of(lags),
        append_ms=Times.of(published.appends),
        generator=generator,
        warnings=warnings(generator, due, count, os.cpu_count() or 1),
    )


def warnings(generator: Generator, due: int, published: int, cores: int) -> list[str]:
    """What is to be known before the figures are believed."""
    found = []
    if generator.cpu > BUSY:
        found.append(
            f"The load generator was the bottleneck: a process of it used {generator.cpu:.0%} of a core. "
            "Give more --processes or less load, or run it on another machine."
        )
    if generator.late.p99 > LATE_MS:
        found.append(
            f"The load generator was late: an event loop of it by {generator.late.p99:.1f} ms (p99), which is part of "
            "the lags. Give less load, or run it on another machine than the server."
        )
    if generator.processes + 1 > cores:
        found.append(f"The load has {generator.processes + 1} processes, and this machine {cores} cores.")
    if published < due * KEPT:
        found.append(f"The pace was not kept: {published:,} of {due:,} records were published in time.")
    return found
