"""Signals, and who is there, as `tail` shows them.

Rule: stdout has records, so that a pipe has nothing else; with `--json` it has lines of both, which say what they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import click
import msgspec

from headwater.cli import output
from headwater.surrogates import json_value

_SIGNAL = b'"control":"signal",'


class _Kind(msgspec.Struct):
    control: str


_kind: Final = msgspec.json.Decoder(_Kind).decode


def shown_as_json(line: bytes) -> None:
    """One on stdout, as the server's line.

    Raises:
        BrokenPipeError: nobody reads stdout any more.
    """
    output.write(line + b"\n")


def shown_apart(line: bytes) -> None:
    """One on stderr. Anybody may have sent it, so that nothing in it may move a terminal's cursor."""
    if _kind(line).control == "presence":
        for text in _news(json_value(line)):
            click.echo(f"presence: {_printable(text)}", err=True)
    else:
        click.echo(f"signal: {_printable(line.replace(_SIGNAL, b'', 1).decode(errors='replace'))}", err=True)


def _news(fields: dict[str, Any]) -> Iterator[str]:
    """What a line tells of members, each in a line of its own."""
    of = f"{fields['stream']}: " if "stream" in fields else ""
    if "members" in fields:
        names = ", ".join(map(_shown, fields["members"] or ()))
        yield f"{of}{fields['count']} there{': ' if names else ''}{names}"
    for what in ("joined", "changed"):
        for member in fields.get(what, ()):
            yield f"{of}{_shown(member)} {what}"
    for id in fields.get("left", ()):
        yield f"{of}{id} left"


def _shown(member: dict[str, Any]) -> str:
    state = member.get("state")
    return str(member["id"]) + ("" if state is None else f" {msgspec.json.encode(state).decode()}")


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)
