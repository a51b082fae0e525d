"""`headwater top`."""

from __future__ import annotations

import shutil
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import click

from headwater.cli import output
from headwater.cli.options import json_option, with_remote
from headwater.cli.paragraphs import Paragraphs
from headwater.cli.rates import Rates, rates
from headwater.cli.remote import Remote
from headwater.client.errors import NetworkError

#: Of a terminal (ECMA-48, and xterm's second screen): begin, draw from the upper left corner, end.
_BEGIN, _HOME, _CLEAR_LINE, _CLEAR_REST, _END = (
    "\x1b[?1049h\x1b[?25l",
    "\x1b[H",
    "\x1b[K",
    "\x1b[J",
    "\x1b[?25h\x1b[?1049l",
)
_STATES: Final = ("live", "catching-up", "paused")


@click.command(cls=Paragraphs)
@click.option(
    "--interval", type=click.FloatRange(0.1, 3600), default=1.0, show_default=True, help="Seconds between two looks."
)
@click.option("--count", type=click.IntRange(1), help="End after so many looks; in a pipe 2, so that there are rates.")
@json_option("One JSON object a look, as /-/overview has it.")
@with_remote
def top(remote: Remote, interval: float, count: int | None, as_json: bool) -> None:
    """Watch a server's figures: throughput, lag, memory, readers by wire format, the slowest, the busiest streams.

    On a terminal until Ctrl-C. A server that does not answer for a while is waited for.

    Examples:
      headwater top
      headwater top --count 2 --interval 10 >> figures.txt
      headwater top --json --count 1 | jq .stats.process
    """
    if as_json:
        for overview, _ in looks(remote, interval, count or 1):
            output.json_line(overview)
    elif output.on_terminal():
        with second_screen():
            for overview, between in looks(remote, interval, count):
                draw(screen(overview, between), sys.stdout)
    else:
        *_, (overview, between) = looks(remote, interval, count or 2)
        click.echo("\n".join(screen(overview, between)))


def looks(remote: Remote, interval: float, count: int | None) -> Iterator[tuple[dict[str, Any], Rates]]:
    """Overviews, and what happened since the one before; None: without end."""
    before: dict[str, Any] | None = None
    number = 0
    while True:
        try:
            overview = remote.introspect("overview", {})
        except NetworkError:
            if before is None:
                raise
        else:
            yield overview, rates(overview, before)
            before = overview
        number += 1
        if number == count:
            return
        time.sleep(interval)


@contextmanager
def second_screen() -> Iterator[None]:
    """The terminal's second screen, so that the first one is as before afterwards."""
    sys.stdout.write(_BEGIN)
    try:
        yield
    finally:
        sys.stdout.write(_END)
        sys.stdout.flush()


def draw(lines: Sequence[str], terminal: Any) -> None:
    """Show lines from the upper left corner, cut to what fits."""
    width, height = shutil.get_terminal_size()
    shown = [line[:width] + _CLEAR_LINE for line in lines[: height - 1]]
    terminal.write(_HOME + "\n".join(shown) + "\n" + _CLEAR_REST)
    terminal.flush()


def screen(overview: dict[str, Any], between: Rates) -> list[str]:
    """An overview in lines."""
    stats, readers = overview["stats"], overview["readers"]
    process, store = stats["process"], stats["store"]
    lines = [
        f"up {lasting(overview['uptime_seconds'])}   {stats['streams']:,} streams   {readers['total']:,} readers",
        f"appends {each(between.appends)}   deliveries {each(between.deliveries)}   "
        f"lag p50 {short(between.lag50)}, p99 {short(between.lag99)}",
        f"buffered {size(readers['held_bytes'])}   memory {size(process['memory_bytes'])}   cpu {share(between.cpu)}   "
        f"event loop p99 {short(between.delay99)}   "
        f"files {process['open_files'] or '-'} of {process['max_files'] or '-'}",
    ]
    if store is not None:
        one = "-" if between.commit_size is None else f"{between.commit_size:.1f}"
        lines.append(
            f"commits {each(between.commits)}, {one} in one, p99 {short(between.commit99)}   "
            f"waiting {size(store['queue_bytes'])}   log {size(store['wal_bytes'])}   file {size(store['file_bytes'])}"
        )
    if stats.get("websockets"):
        credit = readers["credit"]
        lines.append(
            f"websockets {stats['websockets']:,}   messages {each(between.messages)}   "
            f"unacknowledged {size(credit['unacknowledged'])} of {size(credit['window'])}   "
            f"out of credit {credit['out_of_credit']:,}"
        )
    by: dict[str, dict[str, int]] = defaultdict(dict)
    for found in readers["by"]:
        by[found["wire"]][found["state"]] = found["readers"]
    wires = [(wire, *(f"{states.get(state, 0):,}" for state in _STATES)) for wire, states in by.items()]
    slow = [_row(info) for info in readers["behind"]]
    busy = [(found["path"], f"{found['readers']:,}") for found in overview["busiest"]]
    lines += aligned(("WIRE", "LIVE", "BEHIND", "PAUSED"), wires)
    lines += aligned(("SLOWEST READERS", "STREAM", "STATE", "BEHIND", "UNACKED", "HOLDS", "FULL FOR"), slow)
    lines += aligned(("STREAMS WITH MOST READERS", "READERS"), busy)
    return lines


def _row(info: dict[str, Any]) -> tuple[str, ...]:
    behind = size(info["lag_bytes"]) if info["lag_records"] is None else f"{info['lag_records']:,} records"
    name = info["name"] or info["address"] or f"{info['wire']} {info['number']}"
    full = lasting(info["full_seconds"]) if info["full_seconds"] else "-"
    return name, info["path"], info["state"], behind, size(info.get("unacknowledged")), size(info["held"]), full


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table behind an empty line; nothing without rows."""
    if not rows:
        return []
    # What clients call themselves goes to a terminal: no control characters.
    table = [header, *([printable(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    cells = (zip(row, widths, strict=True) for row in table)
    return ["", *("  ".join(cell.ljust(width) for cell, width in row).rstrip() for row in cells)]


def printable(text: str) -> str:
    """A text of one line, with what a terminal would obey replaced."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def size(count: int | None) -> str:
    """Bytes for people."""
    return "-" if count is None else output.decimal_size(count)


def each(rate: float | None) -> str:
    """So many a second."""
    return "-" if rate is None else f"{rate:,.1f}/s" if rate < 10 else f"{rate:,.0f}/s"


def share(part: float | None) -> str:
    """A share as percent."""
    return "-" if part is None else f"{part:.1%}"


def short(seconds: float | None) -> str:
    """A short time."""
    return "-" if seconds is None else f"{seconds * 1000:.3g} ms" if seconds < 1 else f"{seconds:.1f} s"


def lasting(seconds: float) -> str:
    """A long time, in its two largest units."""
    minutes, hours, days = int(seconds) // 60, int(seconds) // 3600, int(seconds) // 86400
    if days:
        return f"{days} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min {int(seconds) % 60} s" if minutes else f"{int(seconds)} s"
