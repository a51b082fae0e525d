"""`/-/metrics`: the hub's counters for Prometheus (exposition format 0.0.4), through `prometheus-client`.

Rule: nothing is counted here. The hub adds plain integers where things happen; a scrape reads them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from headwater.errors import MissingExtra
from headwater.hub import Engine, Stats
from headwater.hub.stats import LAG_BOUNDS
from headwater.protocol.responses import Answer

if TYPE_CHECKING:
    from prometheus_client.core import Metric

#: Name and help of each gauge and counter; the field of `Stats` has the name without what is before the colon.
_GAUGES: Final = {
    "readers": "Live readers now, long-polls included.",
    "pushed": "Live readers whose connection was handed over to the hub.",
}
_COUNTERS: Final = {
    "appends": "Appends and closes acknowledged, duplicates included.",
    "duplicates": "Retries of idempotent producers.",
    "bytes_in": "Bytes of bodies acknowledged.",
    "reads": "Catch-up and long-poll answers.",
    "readers_total": "Live readers ever opened.",
    "resumes": "Readers that came back with an event id.",
    "window_reads": "Live batches served from memory.",
    "store_reads": "Batches read from the store.",
    "deliveries": "Times a live reader's sink was written to by a feed.",
    "flushes": "Turns of the event loop in which feeds were flushed.",
    "pauses": "Times a sink was full, and its reader fell behind.",
    "gaps": "Times records were left out for a slow reader.",
    "stalls": "Readers cut because their sink did not drain.",
    "disconnects": "Clients that went away before the end.",
}


class HubCollector:
    """A collector for `prometheus_client`: register it to have a hub's figures in your application's own registry.

    Args:
        hub: whose figures.
    """

    def __init__(self, hub: Engine) -> None:
        self._hub = hub

    def collect(self) -> Iterator[Metric]:
        """The metrics, as `prometheus_client` asks for them."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

        stats = self._hub.stats
        yield GaugeMetricFamily("headwater_streams", "Streams in the store.", self._hub.stream_count)
        for name, text in _GAUGES.items():
            yield GaugeMetricFamily(f"headwater_{name}", text, getattr(stats, name))
        for name, text in _COUNTERS.items():
            yield CounterMetricFamily(f"headwater_{name.removesuffix('_total')}", text, getattr(stats, name))
        errors = CounterMetricFamily("headwater_errors", "Answers by error code.", labels=["code"])
        for code, count in sorted(stats.errors.items()):
            errors.add_metric([code], count)
        yield errors
        lag = HistogramMetricFamily("headwater_lag_seconds", "From a record's commit to its readers' sockets.")
        lag.add_metric([], _buckets(stats), stats.lag_seconds)
        yield lag


def _buckets(stats: Stats) -> list[tuple[str, float]]:
    """Cumulative, as Prometheus has them."""
    total, found = 0, []
    for bound, count in zip((*LAG_BOUNDS, float("inf")), stats.lag, strict=True):
        total += count
        found.append(("+Inf" if bound == float("inf") else str(bound), float(total)))
    return found


def metrics(hub: Engine) -> Answer:
    """The answer to a scrape.

    Raises:
        MissingExtra: `prometheus-client` is not installed.
    """
    try:
        from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
    except ImportError:
        raise MissingExtra.of("/-/metrics", "metrics") from None
    registry = CollectorRegistry(auto_describe=False)
    registry.register(HubCollector(hub))
    headers = [(b"content-type", CONTENT_TYPE_LATEST.encode()), (b"cache-control", b"no-store")]
    return Answer(200, headers, generate_latest(registry))
