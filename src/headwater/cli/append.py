"""`headwater append`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import BinaryIO, Final

import click

from headwater.cli import output
from headwater.cli.failures import ExitCode, Failure
from headwater.cli.options import stream_argument, with_remote
from headwater.cli.paragraphs import Paragraphs
from headwater.cli.progress import Meter
from headwater.cli.records import Readable, Shaper, from_arguments, from_lines, from_whole
from headwater.cli.remote import Remote
from headwater.cli.stream_settings import StreamSettings, stream_settings
from headwater.client.retry import Retry
from headwater.client.sync import StreamWriter
from headwater.errors import StreamExists, StreamNotFound
from headwater.protocol.framing import MSGPACK

#: Of a stream that --create makes: what a line of a shell most often is.
CREATED_TYPE: Final = "text/plain; charset=utf-8"
STDIN: Final = "-"


@click.command(cls=Paragraphs)
@stream_argument
@click.argument("data", nargs=-1)
@click.option(
    "--file",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    help="Append a file; - is stdin. May be repeated.",
)
@click.option(
    "--lines/--whole",
    "by_line",
    default=None,
    help="Each line is a record, or all of it is one.  [default: stdin by lines, files whole]",
)
@click.option("--string", "as_string", is_flag=True, help="In a JSON stream: take text as JSON strings.")
@click.option(
    "--msgpack",
    "as_msgpack",
    is_flag=True,
    help="Take text as JSON, and append MessagePack. With --create: to a new stream of it.",
)
@click.option("--type", "content_type", metavar="MIME", help="The content type the stream must have, or gets.")
@click.option("--create", is_flag=True, help="Create the stream with its first record, if it is not there.")
@stream_settings
@click.option("--close", is_flag=True, help="Close the stream after the last record.")
@click.option(
    "--retry-for",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to try again when the server is lost or busy.",
)
@with_remote
def append(
    remote: Remote,
    path: str,
    data: tuple[str, ...],
    files: tuple[str, ...],
    by_line: bool | None,
    as_string: bool,
    as_msgpack: bool,
    content_type: str | None,
    create: bool,
    settings: StreamSettings,
    close: bool,
    retry_for: float,
) -> None:
    """Append records to a stream: the arguments DATA, each one record; or files; or stdin, line by line as it comes.

    Nothing is lost or repeated when the connection is cut: a request is sent again until it is acknowledged, and the
    server stores it once. In a pipe, prints the offset after the last record.

    In a JSON stream each record is one JSON value, and lines that have come meanwhile go in one request. In other
    streams a line keeps its line end and is a request of its own, and up to 128 requests are under way at once.
    With --msgpack each record is given as JSON, too, and goes to a stream of MessagePack.

    With --create, a stream that is not there is made together with its first record; it is text/plain unless --type
    says otherwise. One that is there is taken as it is.

    Examples:
      headwater append jobs/7 '{"done": 1}' '{"done": 2}'
      headwater append notes --string 'plain words in a JSON stream'
      journalctl -f -o json | headwater append journal
      headwater append report --create --type text/html --file report.html --close
    """
    if data and (files or by_line is not None):
        raise click.UsageError("DATA excludes --file, --lines and --whole.")
    retry = remote.patience(retry_for)
    if settings.config() and not create:
        raise click.UsageError("--ttl, --expires-at, --retention and --slow need --create.")
    if as_msgpack and create:
        content_type = content_type or MSGPACK[0]
    kind = _kind(remote, path, retry, content_type, create=create)
    shaper = Shaper(kind, as_string=as_string, as_msgpack=as_msgpack)
    stream = remote.stream(path, content_type=content_type or kind, retry=retry)
    with stream.writer(create=settings.config() if create else False) as writer:
        if data:
            _write(writer, from_arguments(data, shaper), close=close)
        else:
            with Meter(_size(files)) as meter:
                _write(writer, _batches(files or (STDIN,), shaper, by_line), close=close, meter=meter)
    if create and writer.tail is None:
        with suppress(StreamExists):  # with whatever configuration
            stream.create(**settings.config())
    if writer.tail is not None:
        output.result(writer.tail, f"{'closed' if close else 'appended'}; the tail is {writer.tail}")


def _write(
    writer: StreamWriter[bytes], batches: Iterator[list[bytes]], *, close: bool, meter: Meter | None = None
) -> None:
    """Append records as they come. Without a meter they are all there, and the last one closes the stream."""
    for batch in batches:
        if close and meter is None:
            writer.close(*batch)
            return
        writer.extend(batch)
        if meter is not None:
            meter.add(len(batch), sum(map(len, batch)))
    if close:
        writer.close()


def _size(files: tuple[str, ...]) -> int | None:
    """Bytes of all files; None: nobody knows."""
    return None if not files or STDIN in files else sum(Path(name).stat().st_size for name in files)


def _kind(remote: Remote, path: str, retry: Retry, content_type: str | None, *, create: bool) -> str:
    """The content type that the stream has or will have, which decides what a record is."""
    try:
        return remote.head(path, retry).content_type
    except StreamNotFound as error:
        if not create:
            advice = f"Create it with 'headwater create {path}', or add --create."
            raise Failure(error.code, error.message, advice, exit_code=ExitCode.NOT_FOUND) from None
        return content_type or CREATED_TYPE


def _batches(sources: tuple[str, ...], shaper: Shaper, by_line: bool | None) -> Iterator[list[bytes]]:
    for name in sources:
        is_stdin = name == STDIN
        if is_stdin and sys.stdin.isatty():
            output.note("reading from the terminal; Ctrl-D ends")
        with nullcontext(sys.stdin.buffer) if is_stdin else Path(name).open("rb") as file:
            label = "standard input" if is_stdin else name
            if is_stdin if by_line is None else by_line:
                yield from from_lines(label, _readable(file), shaper)
            else:
                yield from from_whole(label, file, shaper)


def _readable(file: BinaryIO) -> Readable:
    """The same file; binary files that Python opens are buffered, and so have `read1`."""
    assert hasattr(file, "read1")
    return file
