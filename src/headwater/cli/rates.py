"""What two looks at a server's counters say of the time between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

#: A histogram as `/-/stats` has it.
Buckets = Mapping[str, Any]


class Rates(NamedTuple):
    """The time between two overviews; each None where nothing happened that could tell.

    Attributes:
        appends: a second.
        deliveries: a second.
        messages: of WebSockets, that came in a second.
        cpu: seconds of processor time a second.
        lag50: median seconds from commit to socket.
        lag99: the same, of which 99 percent are below.
        delay99: seconds the event loop is late.
        commits: a second.
        commit_size: commands in one.
        commit99: seconds one takes.
    """

    appends: float | None = None
    deliveries: float | None = None
    messages: float | None = None
    cpu: float | None = None
    lag50: float | None = None
    lag99: float | None = None
    delay99: float | None = None
    commits: float | None = None
    commit_size: float | None = None
    commit99: float | None = None


def rates(now: dict[str, Any], before: dict[str, Any] | None) -> Rates:
    """The rates from one overview to the next; of another process, or at the same moment, there are none."""
    if before is None or now["instance"] != before["instance"]:
        return Rates()
    seconds = now["uptime_seconds"] - before["uptime_seconds"]
    if seconds <= 0:
        return Rates()
    new, old = now["stats"], before["stats"]
    lag, delay = gained(new["lag"], old["lag"]), gained(new["loop_delay"], old["loop_delay"])
    found = Rates(
        appends=(new["appends"] - old["appends"]) / seconds,
        deliveries=(new["deliveries"] - old["deliveries"]) / seconds,
        messages=(_messages(new) - _messages(old)) / seconds,
        cpu=(new["process"]["cpu_seconds"] - old["process"]["cpu_seconds"]) / seconds,
        lag50=quantile(0.5, new["lag"]["bounds"], lag),
        lag99=quantile(0.99, new["lag"]["bounds"], lag),
        delay99=quantile(0.99, new["loop_delay"]["bounds"], delay),
    )
    if new["store"] is None or old["store"] is None:
        return found
    times, sizes = (gained(new["store"][name], old["store"][name]) for name in ("commit_seconds", "commit_sizes"))
    commits = sum(sizes)
    commands = new["store"]["commit_sizes"]["sum"] - old["store"]["commit_sizes"]["sum"]
    return found._replace(
        commits=commits / seconds,
        commit_size=commands / commits if commits else None,
        commit99=quantile(0.99, new["store"]["commit_seconds"]["bounds"], times),
    )


def _messages(stats: dict[str, Any]) -> int:
    by_kind: dict[str, int] = stats.get("websocket_messages", {})
    return sum(by_kind.values())


def gained(now: Buckets, before: Buckets) -> list[int]:
    """What each bucket of a histogram gained."""
    return [new - old for new, old in zip(now["counts"], before["counts"], strict=True)]


def quantile(share: float, bounds: Sequence[float], counts: Sequence[int]) -> float | None:
    """The value that a share of what was counted is not above, interpolated in its bucket; None: nothing was counted.

    Above the last bound nothing is known but that; the last bound is given.
    """
    rest = share * sum(counts)
    if not rest:
        return None
    low = 0.0
    for bound, count in zip(bounds, counts, strict=False):
        if rest <= count:
            return low + (bound - low) * rest / count
        rest -= count
        low = bound
    return low
