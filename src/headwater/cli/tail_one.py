"""`headwater tail` with one path."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Final

import click
import msgspec
from msgspec import structs

from headwater.cli import output
from headwater.cli.follow import Follower
from headwater.cli.heard import shown_apart, shown_as_json
from headwater.cli.newest import Beginning, newest
from headwater.cli.progress import Meter
from headwater.cli.remote import Remote
from headwater.cli.shown import field_of, known_of, printed
from headwater.client.items import Progress
from headwater.client.retry import Retry
from headwater.client.transports import Transport
from headwater.model import BEGINNING, NOW, Record
from headwater.protocol.framing import is_json, is_text

Format = Callable[[Record], bytes]


def tail_one(
    remote: Remote,
    path: str,
    retry: Retry,
    offset: str | None,
    last: int | None,
    wire: Transport,
    *,
    as_json: bool,
    compressed: bool,
    follow: bool,
    count: int | None,
    kinds: Sequence[str],
    follower: type[Follower] = Follower,
) -> None:
    """Print a stream's records until it is closed, `count` is reached, or, without following, at its tail.

    Args:
        remote: the server.
        path: the stream.
        retry: when to connect again.
        offset: where to begin; None: at its start, or as `last` says.
        last: begin with so many records, or lines.
        wire: the transport.
        as_json: one object a record.
        compressed: ask for compressed answers.
        follow: wait for what comes.
        count: of records; None: all.
        kinds: what is shown beside records: `signals`, `presence`; and `envelope`, of records.
        follower: reads.

    Raises:
        BrokenPipeError: nobody reads stdout any more.
        HeadwaterError: the server refused, patience is at its end, or the stream ended before it was complete.
    """
    kind, begin = _beginning(remote, path, retry, offset, last)
    printer = Printer(_format(kind, as_json=as_json), begin, shown_as_json if as_json else shown_apart)
    meter = Meter(shown=sys.stderr.isatty() and not output.on_terminal())
    reader = follower(
        remote,
        path,
        kind,
        wire,
        begin.offset,
        retry,
        compressed=compressed,
        kinds=kinds,
        alive=watching(meter),
    )
    try:
        with meter:
            printer.print_all(reader, count, no_follow=not follow)
    except KeyboardInterrupt:
        output.note(f"stopped; go on with --from {printer.offset}")
        raise
    finally:
        printer.end_line()


def _beginning(remote: Remote, path: str, retry: Retry, offset: str | None, last: int | None) -> tuple[str, Beginning]:
    """The stream's content type, and where to begin."""
    head = remote.head(path, retry)
    kind = head.content_type
    if last:
        return kind, newest(remote, retry, path, kind, last)
    if last == 0 or offset == NOW:
        return kind, Beginning(head.tail)
    return kind, Beginning(offset or BEGINNING)


def watching(meter: Meter) -> Callable[[Progress], None]:
    """Shows how far a read is, and finds out with each piece whether somebody still reads stdout.

    Raises:
        BrokenPipeError: nobody does.
    """

    def told(progress: Progress) -> None:
        if output.stdout_is_gone():
            raise BrokenPipeError
        state = "up to date" if progress.up_to_date else "catching up"
        meter.set(progress.records, progress.bytes, state)

    return told


class Printer:
    """Prints what a follower gives.

    Args:
        form: a record as bytes.
        begin: where the follower begins, and what it gives first that is not printed.
        show: shows a signal, or who is there.

    Attributes:
        offset: where to go on, after what was printed.
    """

    def __init__(self, form: Format, begin: Beginning, show: Callable[[bytes], None]) -> None:
        self._show: Final = show
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
            for line in step.heard:
                self._show(line)
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
                return (structs.replace(first, data=first.data[cut:]), *rest)
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
        return lambda record: printed(content_type, record.data)
    if is_text(content_type):
        return lambda record: _json_line(record, b"data", msgspec.json.encode(record.data.decode(errors="replace")))
    return lambda record: _json_line(record, *field_of(content_type, record.data))


def _json_line(record: Record, key: bytes, value: bytes) -> bytes:
    known = known_of(record.at or None, record.by)
    return b'{"offset":"%b",%b"%b":%b}\n' % (record.offset.encode(), known, key, value)
