"""The benchmark of WebSockets: connections of many subscriptions lose nothing, and what it says of bytes is so."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from benchmarks.door import command, sizes
from benchmarks.turns import read
from tests.support.processes import required

from headwater.protocol.websocket.codecs import CODECS

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "websocket.md"


@pytest.mark.slow
def test_many_subscriptions_are_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With figures that can be; the subscription that is out of credit is told nothing, and its neighbours all."""
    required("cc", shutil.which("cc") is not None)
    output = tmp_path / "websocket.json"
    words = "--paced= --burst= --idle= --connections 3 --streams 4 --seconds 0.4 --starved-seconds 2.5 --repetitions 1"
    assert command.main([*words.split(), "--servers", "headwater", "--output", str(output)]) == 0
    results = read(output)
    of = {(runs.shape.partition(":")[0], runs.server): runs.runs[0] for runs in results.measured}
    for shape in ("subscriptions", "starved"):
        figures = of[shape, "headwater"]
        assert figures["lost"] == 0
        assert figures["delivered"] > 0
        assert 0 < figures["p50_us"] <= figures["p99_us"]
    assert of["subscriptions", "headwater"]["connect_cpu_us"] > 0
    assert of["starved", "headwater"]["p99_times"] > 0
    assert "**starved: one out of credit beside 3 on each of 3 connections**" in capsys.readouterr().out


def test_bytes_around_a_record() -> None:
    """They are those of the reference."""
    text = REFERENCE.read_text()
    for name in CODECS:
        one, ten, hundred = (sizes.around(name, count) for count in sizes.BATCHES)
        assert f"| `{name}` | {one:.0f} | {ten:.1f} | {hundred:.1f} |" in text
