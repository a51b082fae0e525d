"""What commands print: results on stdout, and what goes on, for people, on stderr.

Rule 1: stdout in a pipe is for programs: bare values, tabs, no colour. On a terminal it is for people.
Rule 2: stdout is flushed with every write; a closed one raises BrokenPipeError, which ends the command quietly.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import click
import msgspec

from headwater.cli.failures import Failure

_UNITS: Final = ("B", "kB", "MB", "GB", "TB")


def on_terminal() -> bool:
    """Whether a person reads stdout."""
    return sys.stdout.isatty()


def write(data: bytes) -> None:
    """Bytes to stdout as they are, at once.

    Raises:
        BrokenPipeError: who read it is gone.
        Failure: it cannot be written, as on a full disk.
    """
    stdout = sys.stdout.buffer
    try:
        stdout.write(data)
        stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Failure("output", f"cannot write to stdout: {error.strerror}") from error


def result(value: str, sentence: str) -> None:
    """The outcome of a command: the bare value in a pipe, a sentence on a terminal."""
    click.echo(sentence if on_terminal() else value)


def note(text: str) -> None:
    """What goes on meanwhile, on stderr; only if that is a terminal."""
    if sys.stderr.isatty():
        click.echo(click.style(text, dim=True), err=True)


def json_line(value: Any) -> None:
    """One JSON value on one line."""
    write(msgspec.json.encode(value) + b"\n")


def fields(values: Mapping[str, str]) -> None:
    """Names and values, one pair a line: aligned on a terminal, with a tab in a pipe."""
    width = max(map(len, values))
    for name, value in values.items():
        click.echo(f"{click.style(name.ljust(width), bold=True)}  {value}" if on_terminal() else f"{name}\t{value}")


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Rows under a header on a terminal, aligned; bare rows with tabs in a pipe."""
    if not on_terminal():
        write("".join("\t".join(row) + "\n" for row in rows).encode())
        return
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for index, row in enumerate([header, *rows]):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        click.echo(line if index else click.style(line, bold=True))


def size(count: int) -> str:
    """Bytes: with a decimal unit on a terminal, exact in a pipe."""
    return decimal_size(count) if on_terminal() else str(count)


def decimal_size(count: int) -> str:
    """Bytes with a decimal unit, in three digits."""
    amount, index = float(count), 0
    while amount >= 999.5 and index < len(_UNITS) - 1:
        amount, index = amount / 1000, index + 1
    return f"{amount:.3g} {_UNITS[index]}" if index else f"{count} B"


def moment(seconds: float) -> str:
    """A time as RFC 3339 in UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def stdout_is_gone() -> bool:
    """Whether the program that read stdout has ended; told without writing, where the system can."""
    try:
        watcher = select.poll()
        watcher.register(sys.stdout.fileno(), 0)
        return any(events & (select.POLLERR | select.POLLHUP) for _, events in watcher.poll(0))
    except (AttributeError, OSError, ValueError):  # no poll, as on Windows; or no file below stdout
        return False


def abandon_stdout() -> None:
    """Let what is still buffered for a closed stdout go nowhere, so that the interpreter's last flush is quiet."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
