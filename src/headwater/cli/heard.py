"""Signals as `tail` shows them.

Rule: stdout has records, so that a pipe has nothing else; with `--json` it has lines of both, which say what they are.
"""

from __future__ import annotations

import click

from headwater.cli import output

_CONTROL = b'"control":"signal",'


def shown_as_json(line: bytes) -> None:
    """A signal on stdout, as the server's line.

    Raises:
        BrokenPipeError: nobody reads stdout any more.
    """
    output.write(line + b"\n")


def shown_apart(line: bytes) -> None:
    """A signal on stderr. Anybody may have sent it, so that nothing in it may move a terminal's cursor."""
    text = line.replace(_CONTROL, b"", 1).decode(errors="replace")
    shown = "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)
    click.echo(f"signal: {shown}", err=True)
