"""What is in `contrib` fits the server: metrics and labels of the dashboard and the alerts, the units of systemd."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.docs.pages import block

from headwater import Hub
from headwater.asgi import App
from headwater.cli.serve import serve
from headwater.hub import Peer
from headwater.testing.asgi import AsgiClient

ROOT = Path(__file__).parents[2]
DASHBOARD = ROOT / "contrib" / "grafana" / "headwater.json"
ALERTS = ROOT / "contrib" / "prometheus" / "headwater-alerts.yml"
UNITS = ROOT / "contrib" / "systemd"
DEPLOY = ROOT / "docs" / "howto" / "deploy.md"
#: What Prometheus adds to every series.
OWN_LABELS = {"instance", "job", "le"}

_SELECTOR = re.compile(r"\b((?:headwater|process)_\w+)(?:\{([^}]*)\})?")
_GROWS = re.compile(r"(?:rate|increase)\(\s*(\w+)")


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return found


def alerts() -> dict[str, str]:
    return dict(re.findall(r"- alert: (\w+)\n +expr: (.+)\n", ALERTS.read_text()))


def queries() -> Iterator[str]:
    for panel in panels():
        yield from (target["expr"] for target in panel.get("targets", ()))
    yield from alerts().values()


async def _exposed(store: str) -> str:
    async with Hub(store) as hub:
        await hub.create("s", content_type="application/json")
        for counts in (hub.stats.gaps, hub.stats.errors, hub.stats.compressed, hub.stats.uncompressed):
            counts["some"] += 1
        with await hub.live.open_reader("s", "now", peer=Peer("events")):
            _, body = await AsgiClient(App(hub)).request("GET", "/-/metrics")
    return body.decode()


@pytest.fixture
def series(tmp_path: Path) -> dict[str, tuple[str, set[str]]]:
    """Every series of a server, with the type of its metric and its labels."""
    text = asyncio.run(_exposed(f"sqlite:{tmp_path}/log.db"))
    return {
        sample.name: (family.type, set(sample.labels))
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def objections(query: str, series: dict[str, tuple[str, set[str]]]) -> list[str]:
    """What is wrong with a query."""
    found = []
    growing = set(_GROWS.findall(query))
    for name, selected in _SELECTOR.findall(query):
        if name not in series:
            found.append(f"{name} does not exist")
            continue
        kind, labels = series[name]
        asked = set(re.findall(r"(\w+)\s*(?:=|!)", selected))
        found += [f"{name} has no label {label}" for label in asked - labels - OWN_LABELS]
        if (kind in ("counter", "histogram")) != (name in growing):
            found.append(f"{name} is a {kind}: {'' if name in growing else 'not '}rated")
    for by in re.findall(r"by \(([^)]*)\)", query):
        known = set().union(OWN_LABELS, *(series[name][1] for name, _ in _SELECTOR.findall(query) if name in series))
        found += [f"no label {label}" for label in re.split(r",\s*", by) if label not in known]
    return found


def test_every_query_asks_for_what_exists(series: dict[str, tuple[str, set[str]]]) -> None:
    """Metrics and labels exist; what only grows is asked for as a rate, what goes up and down is not."""
    asked = list(queries())
    assert len(asked) > 35
    assert [(query, wrong) for query in asked if (wrong := objections(query, series))] == []


def test_bad_queries_are_found(series: dict[str, tuple[str, set[str]]]) -> None:
    """The check above is not empty."""
    for query in (
        "headwater_nothing",
        "headwater_appends_total",
        "rate(headwater_streams[5m])",
        'headwater_readers{colour="blue"}',
        "sum by (colour) (headwater_readers)",
    ):
        assert objections(query, series), query


def test_the_dashboard_is_whole() -> None:
    """Every panel has its own id, a unit and a place of its own; it asks which Prometheus to use."""
    drawn = [panel for panel in panels() if panel["type"] != "row"]
    assert len({panel["id"] for panel in panels()}) == len(panels())
    assert all(panel["fieldConfig"]["defaults"]["unit"] for panel in drawn)
    places = [tuple(panel["gridPos"].values()) for panel in panels()]
    assert len(set(places)) == len(places)
    assert all(panel["datasource"]["uid"] == "${source}" for panel in drawn)


def test_every_alert_is_explained() -> None:
    """The howto says of each what it means, and names none that is not there."""
    text = (ROOT / "docs" / "howto" / "watch.md").read_text()
    assert len(alerts()) > 8
    assert sorted(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == sorted(alerts())


@pytest.mark.parametrize("mark", ["file: headwater.socket", "file: headwater.service"])
def test_the_units_are_the_ones_that_are_shown(mark: str) -> None:
    """Whole, as a block of the page."""
    assert block(DEPLOY, "ini", mark) == (UNITS / mark.removeprefix("file: ")).read_text()


def test_the_service_starts_a_server() -> None:
    """Its command line is one that `headwater serve` takes, and leaves where to listen to the socket."""
    [line] = re.findall(r"^ExecStart=(.+)$", (UNITS / "headwater.service").read_text(), re.MULTILINE)
    program, command, *arguments = shlex.split(line)
    assert (Path(program).name, command) == ("headwater", "serve")
    found = serve.make_context("serve", arguments).params
    assert found["store"] == "sqlite:/var/lib/headwater/streams.db"
    assert found["host"] is found["port"] is found["fd"] is None


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """Without a warning, with this Python in place of the installed program."""
    for path in UNITS.iterdir():
        (tmp_path / path.name).write_text(path.read_text().replace("/opt/headwater/bin/headwater", sys.executable))
    command = ["systemd-analyze", "verify", "--recursive-errors=no", *(str(path) for path in tmp_path.iterdir())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert [line for line in done.stderr.splitlines() if "headwater" in line] == []
    assert done.returncode == 0
