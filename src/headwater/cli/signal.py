"""`headwater signal`."""

from __future__ import annotations

import os
import sys

import click

from headwater.cli.options import stream_argument, with_remote
from headwater.cli.paragraphs import Paragraphs
from headwater.cli.records import Shaper
from headwater.cli.remote import Remote
from headwater.model import JSON


@click.command(cls=Paragraphs)
@stream_argument
@click.argument("data")
@click.option("--from", "sender", metavar="NAME", help="Whose signal it is; of who is known by a header, that one.")
@click.option("--to", metavar="NAME", help="Tell only the readers of this name.")
@click.option("--topic", metavar="NAME", help="What it is about.")
@click.option(
    "--keep",
    type=click.IntRange(min=0),
    metavar="SECONDS",
    help="For so long it is the sender's state, which readers are told that come later; 0 ends it.",
)
@click.option("--string", "as_string", is_flag=True, help="Send DATA as a JSON string.")
@click.option("--type", "content_type", metavar="MIME", help=f"Send DATA as it is, as this type.  [default: {JSON}]")
@with_remote
def signal(
    remote: Remote,
    path: str,
    data: str,
    sender: str | None,
    to: str | None,
    topic: str | None,
    keep: int | None,
    as_string: bool,
    content_type: str | None,
) -> None:
    """Tell the live readers of a stream something that is not stored.

    DATA is a JSON value; - is stdin. Those are told who asked for signals, as `tail --signals` does, and are there: who
    is catching up or slow is not told.

    Examples:
      headwater signal rooms/7 '{"typing": true}' --from ada
      headwater signal rooms/7 '{"x": 4, "y": 2}' --from ada --topic cursor --keep 30
      headwater signal rooms/7 --string 'back in a minute'
    """
    kind = content_type or JSON
    body = sys.stdin.buffer.read() if data == "-" else os.fsencode(data)
    if content_type is None or as_string:
        body = Shaper(kind, as_string=as_string).shape(body, "DATA")
    named = {"from": sender, "to": to, "topic": topic, "keep": None if keep is None else str(keep)}
    query = {name: value for name, value in named.items() if value is not None}
    remote.ask("POST", f"{path}/-/signal", {"content-type": kind}, query=query, body=body)
