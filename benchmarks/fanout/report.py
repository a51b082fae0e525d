"""The table."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.fanout.results import Measured, Results, Value
from benchmarks.fanout.servers import FLOOR
from benchmarks.fanout.trial import Run

_LIVE = (
    "server",
    "CPU us",
    "x floor",
    "delivered/s",
    "x floor",
    "p50 ms",
    "p99 ms",
    "records",
    "lost",
    "readers us",
    "busy",
)
_IDLE = ("server", "bytes a reader", "x floor")


def table(results: Results) -> str:
    """The machine, then a table in Markdown for each shape."""
    lines = [f"- {name}: {value}" for name, value in results.machine.items()]
    lines += [f"- not measured: {name}, {reason}" for name, reason in results.skipped.items()]
    for shape in dict.fromkeys(measured.shape for measured in results.measured):
        lines += ["", f"**{shape.text}**", ""]
        headings = _LIVE if shape.rate else _IDLE
        lines += [_row(headings), _row(["---", *["---:"] * (len(headings) - 1)])]
        lines += _rows(results, results.of(shape))
    return "\n".join(lines)


def _rows(results: Results, all_measured: list[Measured]) -> Iterator[str]:
    for measured in all_measured:
        if measured.failure is not None or not measured.runs:
            yield _row([measured.server, f"failed: {measured.failure}"])
        elif measured.shape.rate:
            yield _row(_live(results, measured))
        else:
            yield _row([measured.server, f"{measured.median(_bytes):,.0f}", _times(results, measured, _bytes)])


def _live(results: Results, measured: Measured) -> list[str]:
    return [
        measured.server,
        f"{measured.median(_cpu):.2f}",
        _times(results, measured, _cpu),
        f"{measured.median(_rate):,.0f}",
        _times(results, measured, _rate),
        f"{measured.median(lambda run: run.received.p50_us if run.received else 0) / 1000:.2f}",
        f"{measured.median(lambda run: run.received.p99_us if run.received else 0) / 1000:.2f}",
        f"{measured.median(lambda run: run.published):,.0f}",
        f"{sum(run.lost for run in measured.runs):,}",
        f"{measured.median(lambda run: run.readers_cpu_us):.2f}",
        f"{measured.median(lambda run: run.readers_busy):.0%}",
    ]


def _cpu(run: Run) -> float:
    return run.cpu_us


def _rate(run: Run) -> float:
    return run.rate


def _bytes(run: Run) -> float:
    return run.reader_bytes or 0.0


def _times(results: Results, measured: Measured, value: Value) -> str:
    ratio = results.ratio(measured, FLOOR.name, value) if measured.median(value) else None
    return "" if ratio is None else f"{ratio:.2f}"


def _row(cells: tuple[str, ...] | list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
