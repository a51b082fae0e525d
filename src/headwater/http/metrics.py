"""`/-/metrics`: the hub's figures for Prometheus (exposition format 0.0.4), through `prometheus-client`.

Rule 1: nothing is counted here. The hub and the store add plain integers where things happen; a scrape reads them.
Rule 2: names and units follow https://prometheus.io/docs/practices/naming: base units, `_total` for what only grows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from headwater.errors import MissingExtra
from headwater.histogram import Histogram
from headwater.hub import Engine
from headwater.hub.live.introspection import ReaderSummary
from headwater.protocol.responses import Answer
from headwater.stores import Measured, StoreFigures

if TYPE_CHECKING:
    from prometheus_client.core import Metric

#: What only grows: its name, the field of `Stats`, and what it is.
_COUNTERS: Final = (
    ("appends", "appends", "Appends and closes acknowledged, duplicates included."),
    ("duplicates", "duplicates", "Retries of idempotent producers."),
    ("received_bytes", "bytes_in", "Bytes of bodies acknowledged."),
    ("sent_bytes", "bytes_out", "Bytes written to readers whose connection was handed over, as they go out."),
    ("reads", "reads", "Catch-up and long-poll answers."),
    ("readers_opened", "readers_total", "Live readers ever opened, long-polls included."),
    ("resumes", "resumes", "Readers that came back with an event id."),
    ("deliveries", "deliveries", "Times a live reader's sink was written to by a group."),
    ("flushes", "flushes", "Turns of the event loop in which groups were flushed."),
    ("pauses", "pauses", "Times a sink was full, and its reader fell behind."),
    ("stalls", "stalls", "Readers cut because they took nothing for too long."),
    ("sheds", "sheds", "Readers let go because all together held too many bytes."),
    ("unasked", "unasked", "Readers cut because their client went on sending."),
    ("linger_cuts", "linger_cuts", "Connections closed because the rest of an answered request did not end."),
    ("signals", "signals", "Signals that were sent."),
    ("signals_told", "signals_told", "Times a live reader was told a signal."),
    ("signals_dropped", "signals_dropped", "Times a reader who asked was not told one: it was catching up or full."),
    ("members_joined", "members_joined", "Members that came to streams, whatever the number of their connections."),
    ("presence_frames", "presence_frames", "Times readers of a stream were told who is there."),
    ("websocket_connections", "websockets_total", "WebSockets ever opened."),
    ("disconnects", "disconnects", "Clients that went away before the end."),
)
#: The same, with a label: its name, the field, the label, and what it is.
_LABELLED: Final = (
    ("gaps", "gaps", "policy", "Times records were left out for a slow reader, by its policy."),
    ("websocket_messages", "websocket_messages", "kind", "Messages that came on WebSockets, by kind."),
    (
        "websocket_closes",
        "websocket_closes",
        "code",
        "WebSockets that ended, by close code; 1006 for none.",
    ),
    ("cuts", "cuts", "code", "Catch-up answers cut because they could not be finished, by error code."),
    ("errors", "errors", "code", "Answers by error code."),
    ("access_refused", "access_refused", "reason", "What was refused by who may do what, and how often."),
    ("access_ended", "access_ended", "reason", "Readers and connections that ended with their proof."),
    ("access_tickets", "access_tickets", "what", "Tickets that were made, and those of them that were redeemed."),
    ("left_out_parts", "left_out", "what", "Parts of runs that a reader's dialect has no place for."),
    ("uncompressed_bytes", "uncompressed", "coding", "Bytes of live answers before their content coding."),
    ("compressed_bytes", "compressed", "coding", "The same bytes as they go out."),
)
_HISTOGRAMS: Final = (
    ("lag_seconds", "lag", "Deliveries by the time from a record's commit to its reader's socket."),
    ("write_records", "coalesced", "Deliveries by the records that were put together in one write."),
    ("flush_wait_seconds", "flush_waits", "Flushes by the time they were put off under load."),
    ("loop_delay_seconds", "loop_delay", "How late the event loop calls, sampled four times a second."),
)
_STORE_HISTOGRAMS: Final = (
    ("commit_seconds", "commit_seconds", "Commits by the time they took, the wait for the disk included."),
    ("commit_commands", "commit_sizes", "Commits by the commands put together in one."),
)
_STORE_GAUGES: Final = (
    ("queue_bytes", "queue_bytes", "What waits to be written."),
    ("file_bytes", "file_bytes", "Size of the database file."),
    ("wal_bytes", "wal_bytes", "Size of the write-ahead log."),
)


class HubCollector:
    """A collector for `prometheus_client`: register it to have a hub's figures in your application's own registry.

    The figures of the process (`process_…`) are those of the client's own `ProcessCollector`.

    Args:
        hub: whose figures.
        summary: its readers, counted; None: they are counted at each scrape, in one step of the event loop.
    """

    def __init__(self, hub: Engine, summary: ReaderSummary | None = None) -> None:
        self._hub = hub
        self._summary = summary

    def collect(self) -> Iterator[Metric]:
        """The metrics, as `prometheus_client` asks for them."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        stats = self._hub.stats
        yield GaugeMetricFamily("headwater_streams", "Streams in the store.", self._hub.stream_count)
        intake = self._hub.intake
        yield GaugeMetricFamily("headwater_inflight_bodies", "Request bodies of which a part is missing.", len(intake))
        yield GaugeMetricFamily("headwater_inflight_bytes", "What has arrived of them.", intake.held)
        kept = self._hub.signal_sender.kept
        yield GaugeMetricFamily("headwater_kept_signals", "Signals kept for readers that come later.", len(kept))
        yield GaugeMetricFamily("headwater_kept_signal_bytes", "Their bytes.", kept.size)
        yield from self._readers()
        yield GaugeMetricFamily("headwater_members", "Members of all streams.", stats.members)
        for name, field, text in _COUNTERS:
            yield CounterMetricFamily(f"headwater_{name}", text, getattr(stats, field))
        for name, field, label, text in _LABELLED:
            family = CounterMetricFamily(f"headwater_{name}", text, labels=[label])
            for key, count in sorted(getattr(stats, field).items()):
                family.add_metric([key], count)
            yield family
        batches = CounterMetricFamily("headwater_batches", "Batches read for live readers.", labels=["source"])
        batches.add_metric(["window"], stats.window_reads)
        batches.add_metric(["store"], stats.store_reads)
        yield batches
        for name, field, text in _HISTOGRAMS:
            yield _histogram(name, text, getattr(stats, field))
        if isinstance(self._hub.store, Measured):
            yield from _of_store(self._hub.store.figures())

    def _readers(self) -> Iterator[Metric]:
        from prometheus_client.core import GaugeMetricFamily

        summary = self._summary or self._hub.live.summary_now()
        readers = GaugeMetricFamily(
            "headwater_readers", "Live readers by wire format and state.", labels=["wire", "state"]
        )
        for (wire, state), count in sorted(summary.by.items()):
            readers.add_metric([wire, state], count)
        yield readers
        stats = self._hub.stats
        yield GaugeMetricFamily(
            "headwater_pushed_readers", "Live readers whose connection was handed over.", stats.pushed
        )
        yield GaugeMetricFamily(
            "headwater_held_bytes", "What the sinks of live readers hold unsent, as far as it is known.", summary.held
        )
        for name, text, value in (
            ("open_websockets", "WebSockets now.", stats.websockets),
            ("window_bytes", "Bytes of records that may be told and not acknowledged.", summary.window),
            ("unacknowledged_bytes", "Of those, bytes that were told.", summary.unacknowledged),
            ("out_of_credit_readers", "Readers that wait for an acknowledgement.", summary.out_of_credit),
        ):
            yield GaugeMetricFamily(f"headwater_{name}", text, value)


def _of_store(figures: StoreFigures) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    for name, field, text in _STORE_HISTOGRAMS:
        yield _histogram(f"store_{name}", text, getattr(figures, field))
    for name, field, text in _STORE_GAUGES:
        yield GaugeMetricFamily(f"headwater_store_{name}", text, getattr(figures, field))
    failed = "Transactions that the file or the disk refused."
    yield CounterMetricFamily("headwater_store_failed_commits", failed, figures.failed_commits)


def _histogram(name: str, text: str, histogram: Histogram) -> Metric:
    from prometheus_client.core import HistogramMetricFamily

    total, buckets = 0, []
    for bound, count in zip((*histogram.bounds, float("inf")), histogram.counts, strict=True):
        total += count
        buckets.append(("+Inf" if bound == float("inf") else str(float(bound)), float(total)))
    family = HistogramMetricFamily(f"headwater_{name}", text)
    family.add_metric([], buckets, histogram.sum)
    return family


async def metrics(hub: Engine) -> Answer:
    """The answer to a scrape: the hub's figures, and the process's as `process_…`.

    Raises:
        MissingExtra: `prometheus-client` is not installed.
    """
    try:
        from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
    except ImportError:
        raise MissingExtra.of("/-/metrics", "metrics") from None
    registry = CollectorRegistry(auto_describe=False)
    registry.register(HubCollector(hub, await hub.live.summary(0)))
    ProcessCollector(registry=registry)
    headers = [(b"content-type", CONTENT_TYPE_LATEST.encode()), (b"cache-control", b"no-store")]
    return Answer(200, headers, generate_latest(registry))
