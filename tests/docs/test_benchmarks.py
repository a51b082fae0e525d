"""The page of benchmarks shows the results that are kept, and its plots are pictures."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from benchmarks import page, svg
from benchmarks.turns import Column, Results, Runs, table


def test_the_page_is_fresh() -> None:
    """The tables and plots are those of the files beside them."""
    stale = [path.name for path, text in page.render().items() if not path.exists() or path.read_text() != text]
    assert stale == [], "run python -m benchmarks docs"


@pytest.mark.parametrize("values", [(1.0, 2.0), (0.0, 0.0), (0.001, 90_000.0), (0.0, 5.0)])
def test_bars_are_a_picture(values: tuple[float, ...]) -> None:
    """Whatever the values are, the bars lie within the picture, and text is escaped."""
    rows = [svg.Bar("a<b", value, value / 2, value * 2, f"{value:g}", ours=True) for value in values]
    root = ElementTree.fromstring(svg.bars("x & y", "unit", rows))
    widths = [float(bar.attrib["width"]) for bar in root.iter("{http://www.w3.org/2000/svg}rect")]
    assert all(0 <= width <= svg.WIDTH for width in widths)
    assert len(widths) == len(rows) + 1


def test_lines_are_a_picture() -> None:
    """A line for each series; one without points is left out."""
    root = ElementTree.fromstring(svg.lines("title", "MB", {"a": [(0, 1), (1, 30)], "b": []}))
    paths = [path for path in root.iter("{http://www.w3.org/2000/svg}path") if path.get("fill") == "none"]
    assert len(paths) == 1


def test_a_table_has_medians_and_ratios_of_the_same_turn() -> None:
    """A ratio is the median of the ratios, not the ratio of the medians; a failed server has its reason."""
    measured = [
        Runs("slow", "shape", [{"us": 4}, {"us": 9}, {"us": 100}]),
        Runs("floor", "shape", [{"us": 1}, {"us": 3}, {"us": 10}]),
        Runs("broken", "shape", [], "it|broke"),
    ]
    text = table(
        Results("b", "today", {}, {}, measured), lambda _: [Column("us", "us"), Column("x", "us", ".1f", over="floor")]
    )
    assert "| slow | 9 | 4.0 |" in text
    assert "| floor | 3 | 1.0 |" in text
    assert "| broken | failed: it\\|broke |" in text
