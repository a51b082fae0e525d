"""`headwater doctor`: whether a store's file is whole.

Rule: the check runs in a thread, so that this one can say how far it is and be interrupted.
"""

from __future__ import annotations

from pathlib import Path
from threading import Thread
from typing import Final

import click
import msgspec

from headwater.cli import output
from headwater.cli.failures import ExitCode, Failure
from headwater.cli.options import json_option
from headwater.cli.paragraphs import Paragraphs
from headwater.cli.variables import refuse_misspelled
from headwater.stores.sqlite.checkup import Finding, NotAStore, Progress, Report, check_file

#: Seconds between two looks at how far it is.
_PAUSE: Final = 2.0
#: Readable stretches in one line.
_SHOWN: Final = 5


@click.command(cls=Paragraphs)
@click.option(
    "--check",
    "file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The SQLite file, such as headwater.db.",
)
@json_option("Print each damage as a JSON object on one line, and a last one with the counts.")
@click.pass_context
def doctor(ctx: click.Context, file: Path, as_json: bool) -> None:
    """Check a store's file: every page, every stream, every record.

    The file is not changed, and a server may have it open. Run this as the server's user. It reads the whole file, with
    little memory; until it is done, the log beside the file (-wal) of a server that writes only grows. Altered bytes
    inside a record are found where they make JSON invalid; records have no checksum.

    Each damage is a line: the stream, the offset, the problem, and what of the stream can still be read. In a pipe
    tabs are between, and a field is empty where there is nothing to say.

    Examples:
      headwater doctor --check headwater.db
      headwater doctor --check backup.db --json

    Exit codes: 0 whole, 7 damaged, 8 no file of Headwater or one of a newer release.
    """
    refuse_misspelled()
    report = _checked(str(file))
    for note in report.notes:
        click.echo(note, err=True)
    for finding in report.findings:
        _show(finding, as_json=as_json)
    _sum_up(file, report, as_json=as_json)
    ctx.exit(ExitCode.FINE if report.is_whole else ExitCode.DAMAGED)


def _checked(path: str) -> Report:
    progress, outcome = Progress(), list[Report | BaseException]()

    def work() -> None:
        try:
            outcome.append(check_file(path, progress=progress))
        except BaseException as error:
            outcome.append(error)

    thread = Thread(target=work, name="headwater-doctor", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_PAUSE)
        if thread.is_alive():
            output.note(_how_far(progress))
    [found] = outcome
    if isinstance(found, NotAStore):
        raise Failure("no-store", f"{path}: {found}", exit_code=ExitCode.NO_STORE)
    if isinstance(found, BaseException):
        raise found
    return found


def _how_far(progress: Progress) -> str:
    done, total = progress.done, progress.total
    if not total:
        return f"{progress.step} ..."
    return f"{progress.step}: {min(99, 100 * done // total)} % of {output.decimal_size(total)} ..."


def _show(finding: Finding, *, as_json: bool) -> None:
    if as_json:
        output.json_line(finding)
        return
    stretches = [f"{start}..{end}" for start, end in finding.readable]
    if not output.on_terminal():
        fields = (finding.stream or "", finding.offset or "", finding.problem, ",".join(stretches))
        output.write("\t".join(map(_one_line, fields)).encode() + b"\n")
        return
    place = " at ".join(part for part in (finding.stream, finding.offset) if part)
    click.echo(f"{click.style(_one_line(place), bold=True)}: " * bool(place) + _one_line(finding.problem))
    if finding.stream is not None:
        more = f" and {len(stretches) - _SHOWN} more" if len(stretches) > _SHOWN else ""
        click.echo(click.style(f"  still readable: {', '.join(stretches[:_SHOWN]) or 'nothing'}{more}", dim=True))


def _sum_up(path: Path, report: Report, *, as_json: bool) -> None:
    count = len(report.findings) + report.more
    if as_json:
        counts = {"damages": count, "streams": report.streams, "records": report.records, "bytes": report.size}
        output.write(msgspec.json.encode(counts) + b"\n")
        return
    looked_at = f"{report.streams} streams, {report.records} records, {report.size} bytes"
    if report.is_whole:
        output.result("", f"{path} is whole: {looked_at}.") if output.on_terminal() else None
        return
    shown = f", of which {len(report.findings)} are shown" if report.more else ""
    click.echo(f"{path} is damaged: {count} damages{shown}; {looked_at} were looked at.", err=True)
    click.echo("  Stop the server, keep a copy of the file, and restore a backup; see docs/howto/backup.md.", err=True)


def _one_line(text: str) -> str:
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
