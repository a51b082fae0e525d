"""`headwater rm`."""

from __future__ import annotations

import click

from headwater.cli import output
from headwater.cli.failures import ExitCode, Failure, failure_of
from headwater.cli.options import below, parse_path, with_remote
from headwater.cli.paragraphs import Paragraphs
from headwater.cli.remote import Remote
from headwater.errors import HeadwaterError


@click.command(cls=Paragraphs)
@click.argument("paths", nargs=-1, required=True, callback=below(parse_path), metavar="PATH...")
@click.option("--force", "-f", is_flag=True, help="A stream that is not there is fine.")
@with_remote
def rm(remote: Remote, paths: tuple[str, ...], force: bool) -> None:
    """Delete streams and their records for good.

    What cannot be deleted does not keep the others from it; the exit code is that of the first failure.

    Examples:
      headwater rm jobs/7 jobs/8
      headwater rm --force tmp/1
    """
    failed: list[Failure] = []
    for path in paths:
        try:
            remote.stream(path).delete()
        except HeadwaterError as error:
            failure = failure_of(error, remote.origin)
            if failure.exit_code == ExitCode.UNREACHABLE:
                raise failure from None
            if not (force and failure.exit_code == ExitCode.NOT_FOUND):
                failure.show()
                failed.append(failure)
        else:
            if output.on_terminal():
                click.echo(f"deleted {click.style(path, bold=True)}")
    if failed:
        click.get_current_context().exit(failed[0].exit_code)
