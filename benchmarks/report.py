"""The table of `appends`."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.load import Run, Shape
from benchmarks.results import Measured, Results
from benchmarks.servers import ASGI, BEFORE, NODE_FILES, NODE_MEMORY, NULL

_TIMES = ("x memory", "x files", "x ASGI", "x before")
_HEADINGS = ("server", "appends/s", "min to max", "p50 ms", "p99 ms", "CPU us", "load us", *_TIMES)


def table(results: Results) -> str:
    """The machine, then a table in Markdown for each shape."""
    lines = [f"- {name}: {value}" for name, value in results.machine.items()]
    for shape in dict.fromkeys(measured.shape for measured in results.measured):
        lines += ["", f"**{describe(shape)}**", "", *_rows(results, shape)]
    return "\n".join([*lines, "", *_head_room(results)])


def describe(shape: Shape) -> str:
    """A shape in words."""
    if shape.connections == 1:
        return f"1 connection, {shape.format}"
    streams = "one stream" if shape.layout == "shared" else "a stream each"
    return f"{shape.connections} connections, {shape.format}, {streams}"


def _rows(results: Results, shape: Shape) -> Iterator[str]:
    yield _row(_HEADINGS)
    yield _row(["---", *["---:"] * (len(_HEADINGS) - 1)])
    for measured in results.measured:
        if measured.shape == shape and measured.runs:
            yield _row(_cells(results, measured))
        elif measured.shape == shape and measured.failure:
            yield _row([measured.server, "failed", *[""] * (len(_HEADINGS) - 2)])


def _cells(results: Results, measured: Measured) -> list[str]:
    low, high = measured.spread(_rate)
    return [
        measured.server,
        f"{measured.median(_rate):,.0f}",
        f"{low:,.0f} to {high:,.0f}",
        f"{measured.median(lambda run: run.p50_us) / 1000:.2f}",
        f"{measured.median(lambda run: run.p99_us) / 1000:.2f}",
        f"{measured.median(lambda run: run.server_cpu_us):.0f}",
        f"{measured.median(lambda run: run.load_cpu_us):.0f}",
        _times(results.ratio(measured.server, NODE_MEMORY.name, measured.shape, _rate)),
        _times(results.ratio(measured.server, NODE_FILES.name, measured.shape, _rate)),
        _times(results.ratio(measured.server, ASGI.name, measured.shape, _rate)),
        _times(results.ratio(measured.server, measured.server + BEFORE, measured.shape, _rate)),
    ]


def _head_room(results: Results) -> Iterator[str]:
    """What the generator reaches against a server that does nothing, over what the fastest server took of it."""
    yield "Head-room of the load generator: its rate against the null server over that with the fastest server."
    yield ""
    for shape in dict.fromkeys(measured.shape for measured in results.measured):
        others = [run for run in results.measured if run.shape == shape and run.server != NULL.name and run.runs]
        ceiling = results.find(NULL.name, shape)
        if ceiling is not None and ceiling.runs and others:
            fastest = max(others, key=lambda measured: measured.median(_rate))
            room = ceiling.median(_rate) / fastest.median(_rate)
            yield f"- {describe(shape)}: {room:.1f} times ({fastest.server})"


def _rate(run: Run) -> float:
    return run.rate


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}"


def _row(cells: tuple[str, ...] | list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
