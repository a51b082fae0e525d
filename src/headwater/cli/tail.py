"""`headwater tail`."""

from __future__ import annotations

import sys
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

import click
import msgspec

from headwater.cli import output
from headwater.cli.follow import Follower
from headwater.cli.newest import Beginning, newest
from headwater.cli.options import below, json_option, parse_name, with_remote
from headwater.cli.paragraphs import Paragraphs
from headwater.cli.patience import Patience
from headwater.cli.remote import Remote, header
from headwater.cli.starts import starts_from, starts_of_last
from headwater.cli.tail_many import tail_many
from headwater.cli.wires import EventsWire, JsonLinesWire
from headwater.errors import InvalidOffset
from headwater.model import BEGINNING, NOW, Record
from headwater.protocol import names
from headwater.protocol.framing import DEFAULT_CONTENT_TYPE, is_json, is_text
from headwater.protocol.offsets import check_offset
from headwater.protocol.patterns import is_pattern

Format = Callable[[Record], bytes]


@click.command(cls=Paragraphs)
@click.argument("paths", nargs=-1, required=True, callback=below(parse_name), metavar="PATH...")
@click.option(
    "--from",
    "offset",
    metavar="OFFSET",
    help="Where to begin: an offset, -1 for the start, now for what comes next; of several streams -1, now, or the "
    "cursor that an interrupted `tail` told.  [default: -1]",
)
@click.option(
    "-n",
    "--last",
    type=click.IntRange(min=0),
    metavar="N",
    help="Begin with the last N records of a JSON stream, or the last N lines of any other one. Of what a pattern "
    "matches, with the last N records (at most 1000) of streams of JSON; others are left out.",
)
@json_option(
    "One JSON object a record, with its offset and data (base64, if it is bytes); of several streams, its stream, too."
)
@click.option("--sse", is_flag=True, help="Read an event stream instead of NDJSON.")
@click.option("--compressed", is_flag=True, help="Ask for a compressed answer; without it the server sends none.")
@click.option("--no-follow", is_flag=True, help="Stop at the tail.")
@click.option("--count", type=click.IntRange(min=1), metavar="N", help="Stop after so many records.")
@click.option(
    "--retry-for",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="How long to try again when the server is lost.  [default: for ever]",
)
@with_remote
def tail(
    remote: Remote,
    paths: tuple[str, ...],
    offset: str | None,
    last: int | None,
    as_json: bool,
    sse: bool,
    compressed: bool,
    no_follow: bool,
    count: int | None,
    retry_for: float | None,
) -> None:
    """Print the records of streams, and follow them until they are closed.

    A record of a JSON stream is printed on one line; text and bytes are printed as they are. After a cut it goes on
    by itself where it was; nothing is lost or repeated.

    Several paths, and patterns, are read over one connection: in a pattern `*` stands for one segment of a path, and
    `**` for one or more, at the end. `==> PATH <==` is printed above the records of another stream. A path that is no
    stream yet is waited for, and what matches later comes from its start. What goes wrong with one stream is told on
    stderr and ends no other; the exit code is that of the first such error. It ends when all streams are closed, and
    with a pattern never.

    Examples:
      headwater tail jobs/7
      headwater tail jobs/7 jobs/8 'rooms/*'
      headwater tail jobs/7 --from now --json | jq .data
      headwater tail log -n 20
      headwater tail log --no-follow > log.txt
    """
    if sse and no_follow:
        raise click.UsageError("--sse only follows: an event stream does not say where the tail is.")
    if last is not None and offset is not None:
        raise click.UsageError("give --from or --last: each says where to begin.")
    patience = Patience(retry_for)
    if len(paths) > 1 or is_pattern(paths[0]):
        _check_several(paths, sse=sse, compressed=compressed)
        starts = starts_from(paths, offset) if last is None else starts_of_last(remote, patience, paths, last)
        code = tail_many(remote, starts, patience, as_json=as_json, follow=not no_follow, count=count)
        click.get_current_context().exit(code)
    path = paths[0]
    if offset is not None:
        _check_offset(offset)
    head = patience.ask(lambda: remote.head(path))
    kind = header(head, names.CONTENT_TYPE) or DEFAULT_CONTENT_TYPE
    if last:
        begin = newest(remote, patience, path, kind, last)
    elif last == 0 or offset == NOW:
        begin = Beginning(header(head, names.STREAM_NEXT_OFFSET) or NOW)
    else:
        begin = Beginning(offset or BEGINNING)
    wire = EventsWire if sse else JsonLinesWire
    follower = Follower(remote, path, kind, wire, begin.offset, patience, compressed=compressed)
    printer = Printer(_format(kind, as_json=as_json), begin)
    try:
        printer.print_all(follower, count, no_follow=no_follow)
    except KeyboardInterrupt:
        output.note(f"stopped; go on with --from {printer.offset}")
        raise
    finally:
        printer.end_line()


def _check_several(paths: Sequence[str], *, sse: bool, compressed: bool) -> None:
    if sse or compressed:
        raise click.UsageError("--sse and --compressed are for one stream: many come in NDJSON, as they are.")
    if twice := [path for path, times in Counter(paths).items() if times > 1]:
        raise click.UsageError(f"{twice[0]} is given twice.")


def _check_offset(offset: str) -> None:
    try:
        check_offset(offset)
    except InvalidOffset as error:
        raise click.BadParameter(f"{error.message}. {error.advice}", param_hint="'--from'") from None


class Printer:
    """Prints what a follower gives.

    Args:
        form: a record as bytes.
        begin: where the follower begins, and what it gives first that is not printed.

    Attributes:
        offset: where to go on, after what was printed.
    """

    def __init__(self, form: Format, begin: Beginning) -> None:
        self.offset = begin.offset
        self._skip = begin.skip
        self._form: Final = form
        self._last = b"\n"

    def print_all(self, follower: Follower, count: int | None, *, no_follow: bool) -> None:
        """Print until the stream is closed, `count` is reached, or, without following, at the tail.

        Raises:
            BrokenPipeError: nobody reads stdout any more; found out at the next heartbeat at the latest.
        """
        left = count
        for step in follower.steps():
            records = self._wanted(step.records)[:left]
            if records:
                self._print(records)
            elif output.stdout_is_gone():
                raise BrokenPipeError
            if left is not None:
                left -= len(records)
            if left == 0 or (no_follow and step.up_to_date):
                return

    def _wanted(self, records: tuple[Record, ...]) -> tuple[Record, ...]:
        """The records without the first bytes that are to be skipped."""
        while records and self._skip:
            first, *rest = records
            cut = min(self._skip, len(first.data))
            self._skip -= cut
            if cut < len(first.data):
                return (Record(first.offset, first.data[cut:]), *rest)
            records = tuple(rest)
        return records

    def _print(self, records: tuple[Record, ...]) -> None:
        data = b"".join(map(self._form, records))
        output.write(data)
        self._last = data[-1:]
        self.offset = records[-1].offset

    def end_line(self) -> None:
        """Leave a terminal's prompt on a line of its own."""
        if self._last != b"\n" and output.on_terminal() and sys.exc_info()[0] is not BrokenPipeError:
            click.echo()


def _format(content_type: str, *, as_json: bool) -> Format:
    if is_json(content_type):
        return (lambda record: _json_line(record, b"data", record.data)) if as_json else (lambda r: r.data + b"\n")
    if not as_json:
        return lambda record: record.data
    if is_text(content_type):
        return lambda record: _json_line(record, b"data", msgspec.json.encode(record.data.decode(errors="replace")))
    return lambda record: _json_line(record, b"base64", b'"' + b64encode(record.data) + b'"')


def _json_line(record: Record, key: bytes, value: bytes) -> bytes:
    return b'{"offset":"%b","%b":%b}\n' % (record.offset.encode(), key, value)
