"""`headwater close`."""

from __future__ import annotations

import click

from headwater.cli import output
from headwater.cli.options import stream_argument, with_remote
from headwater.cli.paragraphs import Paragraphs
from headwater.cli.remote import Remote, header
from headwater.protocol import names


@click.command(cls=Paragraphs)
@stream_argument
@with_remote
def close(remote: Remote, path: str) -> None:
    """Close a stream for good: it takes no more records, and its readers are told that it is complete.

    Closing a closed stream is fine. In a pipe, prints the final offset.

    Example:
      headwater close jobs/7
    """
    answer = remote.request("POST", path, {names.STREAM_CLOSED: b"true"})
    final = header(answer, names.STREAM_NEXT_OFFSET) or ""
    output.result(final, f"closed {click.style(path, bold=True)} at {final}")
