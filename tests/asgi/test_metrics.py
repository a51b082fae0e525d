"""`/-/metrics`: what Prometheus gets, and that its names are as Prometheus wants them."""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

from headwater import Hub, Limits
from headwater.asgi import App
from headwater.histogram import Histogram
from headwater.http.metrics import HubCollector
from headwater.hub import Peer, Stats
from headwater.testing.asgi import AsgiClient

Run = Callable[[Coroutine[Any, Any, Any]], Any]
JSON = {"content-type": "application/json"}


async def scraped(hub: Hub) -> dict[str, Metric]:
    answer, body = await AsgiClient(App(hub)).request("GET", "/-/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return {family.name: family for family in text_string_to_metric_families(body.decode())}


def value(families: dict[str, Metric], name: str, **labels: str) -> float:
    [found] = [
        sample.value
        for family in families.values()
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    return float(found)


def test_what_happened_is_in_the_metrics(run: Run, tmp_path: Path) -> None:
    """Appends, readers by wire and state, errors by code, gaps by policy, histograms, the store and the process."""

    async def main() -> None:
        async with Hub(f"sqlite:{tmp_path}/log.db", limits=Limits(flush_seconds=0)) as hub:
            await hub.create("s", content_type="application/json")
            await hub.append("s", 1)
            await AsgiClient(App(hub)).request("GET", "/v1/stream/none")
            hub.stats.delivered(3, 0.002)
            hub.stats.gaps["latest"] += 2
            with await hub.live.open_reader("s", "now", peer=Peer("events")):
                found = await scraped(hub)
        assert value(found, "headwater_streams") == value(found, "headwater_appends_total") == 1
        assert value(found, "headwater_readers", wire="events", state="live") == 1
        assert value(found, "headwater_errors_total", code="stream-not-found") == 1
        assert value(found, "headwater_gaps_total", policy="latest") == 2
        assert value(found, "headwater_lag_seconds_bucket", le="0.001") == 0
        assert value(found, "headwater_lag_seconds_bucket", le="0.0025") == 3
        assert (
            value(found, "headwater_lag_seconds_bucket", le="+Inf") == value(found, "headwater_lag_seconds_count") == 3
        )
        assert value(found, "headwater_store_commit_commands_sum") == 2
        assert value(found, "headwater_store_wal_bytes") > 0
        assert value(found, "process_resident_memory_bytes") > 1e6
        assert value(found, "process_cpu_seconds_total") > 0
        assert value(found, "process_open_fds") > 0

    run(main())


def test_a_store_in_memory_has_no_commits(run: Run) -> None:
    """What a store cannot tell is not there, rather than 0."""

    async def main() -> None:
        async with Hub() as hub:
            assert not any(name.startswith("headwater_store_") for name in await scraped(hub))

    run(main())


#: Units that are not base units, abbreviations, and types in names: what `promtool check metrics` objects to.
_FOREIGN = re.compile(
    r"_(milliseconds|ms|microseconds|us|minutes|hours|days|sec|kilobytes|megabytes|kb|mb|percent|bits"
    r"|counter|gauge|histogram|summary)(_|$)"
)


def objections(families: Iterator[Metric] | list[Metric]) -> list[str]:
    """Against the names of metrics, by the rules of https://prometheus.io/docs/practices/naming."""
    found = []
    for family in families:
        name = family.name
        exposed = f"{name}_total" if family.type == "counter" else name
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or "__" in name:
            found.append(f"{name}: not snake case")
        if _FOREIGN.search(name):
            found.append(f"{name}: a unit that is not a base unit, or a type")
        if family.type != "counter" and exposed.endswith("_total"):
            found.append(f"{name}: ends in _total and is no counter")
        if name.endswith(("_count", "_sum", "_bucket", "_info")):
            found.append(f"{name}: ends as a part of a histogram")
        if not re.fullmatch(r"[A-Z].{10,}\.", family.documentation):
            found.append(f"{name}: no help")
        for sample in family.samples:
            found += [f"{name}: label {label}" for label in sample.labels if not re.fullmatch(r"[a-z][a-z_]*", label)]
    return found


def test_names_are_as_prometheus_wants_them(run: Run, tmp_path: Path) -> None:
    """Base units, `_total` for what only grows and nothing else, one family a name, help for each."""

    async def main() -> None:
        async with Hub(f"sqlite:{tmp_path}/log.db") as hub:
            _, body = await AsgiClient(App(hub)).request("GET", "/-/metrics")
            ours = [found for found in text_string_to_metric_families(body.decode()) if "headwater" in found.name]
            assert len(ours) >= 25
            assert objections(ours) == []
            names = [family.name for family in HubCollector(hub).collect()]
            assert sorted(names) == sorted(set(names))
            assert all(name.startswith("headwater_") for name in names)

    run(main())


def test_the_rules_object() -> None:
    """Bad names are found: the check above is not empty."""
    families = [
        Metric("headwater_lag_ms", "Milliseconds of something.", "histogram"),
        Metric("headwater_things_total", "Things that go up and down.", "gauge"),
        Metric("headwaterThings", "Camels are not snakes.", "gauge"),
        Metric("headwater_good_seconds", "", "gauge"),
        Metric("headwater_flush_count", "Ends as a histogram does.", "gauge"),
    ]
    assert [text.partition(":")[0] for text in objections(families)] == [
        "headwater_lag_ms",
        "headwater_things_total",
        "headwaterThings",
        "headwater_good_seconds",
        "headwater_flush_count",
    ]


def test_other_registries_can_have_them(run: Run) -> None:
    """An application registers the collector in its own registry, and OpenMetrics takes it as it is."""
    from prometheus_client import CollectorRegistry
    from prometheus_client.openmetrics import exposition, parser

    async def main() -> None:
        async with Hub() as hub:
            registry = CollectorRegistry()
            registry.register(HubCollector(hub))
            with await hub.live.open_reader((await hub.create("s")).path, "now", peer=Peer("sse")):
                text = exposition.generate_latest(registry).decode()  # type: ignore[no-untyped-call]
                found = {family.name: family for family in parser.text_string_to_metric_families(text)}  # type: ignore[no-untyped-call]
            assert value(found, "headwater_readers", wire="sse") == 1

    run(main())


def test_every_counter_of_the_hub_has_a_metric() -> None:
    """What `/-/stats` counts, Prometheus gets too: each field, raised, moves some metric."""
    hub = Hub()
    for field in dataclasses.fields(Stats):
        before = _values(hub)
        current = getattr(hub.stats, field.name)
        if isinstance(current, int):
            setattr(hub.stats, field.name, current + 1)
        elif isinstance(current, Histogram):
            current.add(0.5)
        else:
            current["something"] += 1
        # Live readers are counted one by one, so that their number cannot be raised alone.
        assert _values(hub) != before or field.name == "readers", field.name


def _values(hub: Hub) -> dict[tuple[str, str], float]:
    families = HubCollector(hub).collect()
    return {(sample.name, str(sample.labels)): sample.value for family in families for sample in family.samples}


def test_the_extra_is_named_when_it_is_missing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `prometheus-client` the answer says what to install."""

    async def main() -> None:
        async with Hub() as hub:
            monkeypatch.setitem(sys.modules, "prometheus_client", None)
            answer, body = await AsgiClient(App(hub)).request("GET", "/-/metrics")
            assert (answer.status, msgspec.json.decode(body)["code"]) == (501, "missing-extra")
            assert "pip install 'headwater[metrics]'" in msgspec.json.decode(body)["detail"]

    run(main())
