"""Plots as SVG, without a library: bars with the spread of the runs, and lines over time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

WIDTH: Final = 760
_LABEL: Final = 150
_VALUE: Final = 90
_BAR: Final = 22
_GAP: Final = 8
_TOP: Final = 58
_OURS: Final = "#1f6feb"
_OTHERS: Final = "#9aa4b2"
_COLOURS: Final = ("#1f6feb", "#d1495b", "#edae49", "#2e933c", "#7b2d8b")
_INK: Final = "#24292f"
#: Values further apart than this are drawn on a logarithmic axis.
_LOGARITHMIC: Final = 50.0


@dataclass(frozen=True)
class Bar:
    """A bar.

    Attributes:
        value: the median.
        low: the smallest of the runs, as `high` is the largest.
        text: the value in words.
        ours: drawn in colour.
    """

    label: str
    value: float
    low: float
    high: float
    text: str
    ours: bool


def bars(title: str, unit: str, rows: Sequence[Bar]) -> str:
    """Horizontal bars, logarithmic where the values are far apart; the axis says so."""
    positive = [row.low for row in rows if row.low > 0]
    most, least = max(row.high for row in rows) or 1.0, min(positive, default=1.0)
    logarithmic = most / least > _LOGARITHMIC
    floor = 10 ** math.floor(math.log10(least)) if logarithmic else 0.0
    room = WIDTH - _LABEL - _VALUE

    def x(value: float) -> float:
        if not logarithmic:
            return _LABEL + room * value / most
        share = math.log(max(value, floor) / floor) / math.log(most / floor)
        return _LABEL + room * max(share, 0.004)

    lines = []
    for index, row in enumerate(rows):
        y = _TOP + index * (_BAR + _GAP)
        colour = _OURS if row.ours else _OTHERS
        middle = y + _BAR / 2
        lines += [
            _text(_LABEL - 8, middle + 4, row.label, anchor="end"),
            f'<rect x="{_LABEL}" y="{y}" width="{x(row.value) - _LABEL:.1f}" height="{_BAR}" fill="{colour}"/>',
            f'<path d="M{x(row.low):.1f} {middle}H{x(row.high):.1f}" stroke="{_INK}" stroke-width="1.5"/>',
            _text(max(x(row.high), x(row.value)) + 6, middle + 4, row.text),
        ]
    scale = f"{unit}; logarithmic axis from {floor:g}" if logarithmic else unit
    height = _TOP + len(rows) * (_BAR + _GAP) + 10
    return _document(title, f"{scale}; medians, lines: smallest to largest run", height, lines)


def lines(title: str, unit: str, series: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Values over seconds, a line for each name."""
    height, bottom, left, right = 380, 40, 70, 20
    most = _round_up(max((y for points in series.values() for _, y in points), default=1.0) or 1.0)
    last = max((x for points in series.values() for x, _ in points), default=1.0) or 1.0
    top = _TOP + 8 + 18 * len(series)

    def place(x: float, y: float) -> tuple[float, float]:
        wide, high = WIDTH - left - right, height - bottom - top
        return left + wide * x / last, height - bottom - high * y / most

    drawn: list[str] = []
    for index in range(5):
        x, y = place(last * index / 4, most * index / 4)
        drawn += [
            f'<path d="M{left} {y:.1f}H{WIDTH - right}" stroke="#d0d7de" stroke-width="1"/>',
            _text(left - 8, y + 4, f"{most * index / 4:g}", anchor="end"),
            _text(x, height - bottom + 18, f"{last * index / 4:.3g} s", anchor="middle"),
        ]
    for index, (name, points) in enumerate(series.items()):
        colour, y = _COLOURS[index % len(_COLOURS)], _TOP + 8 + 18 * index
        path = "L".join("{:.1f} {:.1f}".format(*place(*point)) for point in points)
        drawn += [
            f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>' if points else "",
            f'<rect x="{left}" y="{y - 9}" width="18" height="4" fill="{colour}"/>',
            _text(left + 26, y - 3, name),
        ]
    return _document(title, unit, height, drawn)


def _round_up(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 4, 6, 8, 10) if step * power >= value)


def _document(title: str, subtitle: str, height: float, lines: Sequence[str]) -> str:
    return "\n".join(_parts(title, subtitle, height, lines)) + "\n"


def _parts(title: str, subtitle: str, height: float, lines: Sequence[str]) -> Iterator[str]:
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" height="{height:g}" '
        f'role="img" font-family="system-ui, sans-serif" font-size="12" fill="{_INK}">'
    )
    yield f"<title>{escape(title)}</title>"
    yield f'<rect width="{WIDTH}" height="{height:g}" fill="#ffffff"/>'
    yield f'<text x="12" y="22" font-size="15" font-weight="600">{escape(title)}</text>'
    yield f'<text x="12" y="40" fill="#57606a">{escape(subtitle)}</text>'
    yield from filter(None, lines)
    yield "</svg>"


def _text(x: float, y: float, text: str, *, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
