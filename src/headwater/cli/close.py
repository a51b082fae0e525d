"""`headwater close`."""

from __future__ import annotations

import click

from headwater.cli import output
from headwater.cli.options import stream_argument, with_remote
from headwater.cli.paragraphs import Paragraphs
from headwater.cli.remote import Remote
from headwater.errors import BadRequest
from headwater.model import Failure
from headwater.protocol.failure import check_failure


@click.command(cls=Paragraphs)
@stream_argument
@click.option("--failed", metavar="CODE", help="It is not complete; a code for programs, such as timeout.")
@click.option("--message", metavar="TEXT", help="With --failed: why, in a line for people.")
@with_remote
def close(remote: Remote, path: str, failed: str | None, message: str | None) -> None:
    """Close a stream for good: it takes no more records, and its readers are told that it is complete.

    With --failed they are told that it is not. Closing a closed stream is fine. In a pipe, prints the final offset.

    Examples:
      headwater close jobs/7
      headwater close jobs/7 --failed timeout --message "no answer within 60 s"
    """
    if message is not None and failed is None:
        raise click.UsageError("--message needs --failed.")
    try:
        failure = None if failed is None else check_failure(Failure(failed, message or ""))
    except BadRequest as error:
        raise click.UsageError(f"{error.message}.") from error
    stream = remote.stream(path)
    final = stream.close_stream() if failure is None else stream.fail(failure.code, failure.message)
    how = "closed" if failure is None else "closed as failed:"
    output.result(final, f"{how} {click.style(path, bold=True)} at {final}")
