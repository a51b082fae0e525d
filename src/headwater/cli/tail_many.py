"""`headwater tail` with several paths, or a pattern.

Rule 1: what goes wrong with one stream is told on stderr, ends no other, and decides the exit code: the first one does.
Rule 2: records say whose they are: in JSON by name, else below a head line when the stream changes, as `tail` does it.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Collection, Iterable
from typing import Final

import click
import msgspec

from headwater.cli import output
from headwater.cli.failures import ExitCode, Failure
from headwater.cli.follow_many import ManyFollower
from headwater.cli.many_lines import Made, Over, RecordOf, Skipped, ToldOfMany, Trouble, Waiting
from headwater.cli.patience import Patience
from headwater.cli.remote import Remote, header
from headwater.cli.starts import Starts
from headwater.errors import BadRequest, StreamNotFound
from headwater.protocol import names
from headwater.protocol.framing import DEFAULT_CONTENT_TYPE, is_json

_QUOTE: Final = ord('"')
_LINE_END: Final = b"\n"


def tail_many(
    remote: Remote, starts: Starts, patience: Patience, *, as_json: bool, follow: bool, count: int | None
) -> int:
    """Print records of many streams until all have ended, `count` is reached, or, without following, at their tails.

    Args:
        remote: the server.
        starts: where each begins.
        patience: when to connect again.
        as_json: one object a record.
        follow: wait for what comes, and for streams that are not there.
        count: of records; None: all.

    Returns:
        the exit code.

    Raises:
        BrokenPipeError: nobody reads stdout any more; found out at the next heartbeat at the latest.
        Failure: the server refused, or patience is at its end.
    """
    follower = ManyFollower(remote, starts.by_name, patience, starts.cursor)
    notices = Notices(starts.by_name, waits=follow)
    printer = (JsonPrinter if as_json else PlainPrinter)(remote, starts.skips)
    left, shown = count, starts.cursor
    try:
        for step in follower.steps() if follow else follower.pages():
            left, shown = _show(step, printer, notices, left), follower.cursor
            if left == 0:
                break
    except KeyboardInterrupt:
        if shown is not None:
            output.note(f"stopped; go on with --from {shown}: what came in the last second may come again")
        raise
    finally:
        printer.end_line()
    return notices.exit_code


def _show(step: Iterable[ToldOfMany], printer: JsonPrinter, notices: Notices, left: int | None) -> int | None:
    parts: list[bytes] = []
    for item in step:
        if isinstance(item, RecordOf):
            if left == 0:
                break
            if data := printer.form(item):
                parts.append(data)
                left = None if left is None else left - 1
        else:
            printer.hear(item)
            notices.tell(item)
    if parts:
        output.write(b"".join(parts))
    elif output.stdout_is_gone():
        raise BrokenPipeError
    return left


class Notices:
    """What is told on stderr.

    Args:
        asked: paths and patterns.
        waits: a stream that is not there is waited for; else that is an error.

    Attributes:
        exit_code: of the first error.
    """

    def __init__(self, asked: Collection[str], *, waits: bool) -> None:
        self.exit_code = int(ExitCode.FINE)
        self._asked = asked
        self._waits = waits
        self._told: dict[str, str] = {}  # by stream: what was told last; a new connection says it again

    def tell(self, item: ToldOfMany) -> None:
        """Tell it, unless that was the last thing told of its stream."""
        match item:
            case Waiting(stream) if self._waits:
                if self._is_news(stream, "waiting"):
                    output.note(f"{stream}: waiting for the stream")
            case Waiting(stream):
                self._fail(stream, Failure(StreamNotFound.code, "there is no such stream", exit_code=_NOT_FOUND))
            case Made(stream) | Skipped(stream, _, True):
                self._told.pop(stream, None)
            case Skipped(stream, offset):
                what = f"records before {offset} are no longer kept"
                self._fail(stream, Failure("offset-gone", what, exit_code=_NOT_FOUND))
            case Over(stream, failure) if failure is not None:
                self._fail(stream, failure)
            case Trouble(stream, failure):
                self._fail(stream, self._explained(stream, failure))

    def _is_news(self, stream: str, what: str) -> bool:
        is_news = self._told.get(stream) != what
        self._told[stream] = what
        return is_news

    def _explained(self, stream: str, failure: Failure) -> Failure:
        if failure.code != BadRequest.code or stream in self._asked:
            return failure
        advice = "Where a pattern matches, -n counts records of JSON: name this stream to have its last lines."
        return Failure(failure.code, "it is left out: it is not of JSON", advice)

    def _fail(self, stream: str, failure: Failure) -> None:
        if self._is_news(stream, failure.code):
            self.exit_code = self.exit_code or failure.exit_code
            told = Failure(failure.code, f"{stream}: {failure.detail}", failure.advice)
            told.show()


_NOT_FOUND: Final = ExitCode.NOT_FOUND


class JsonPrinter:
    """One JSON object a record: `stream`, `offset` and `data`, or `base64`.

    Args:
        remote: the server.
        skips: by stream: bytes that come first and are not wanted.
    """

    def __init__(self, remote: Remote, skips: dict[str, int]) -> None:
        self._remote = remote
        self._skips = skips

    def form(self, record: RecordOf) -> bytes:
        """A record as it is printed; empty: it is not wanted."""
        if not self._skips.get(record.stream):
            return record.line + _LINE_END
        wanted = self._wanted(record.stream, _bytes_of(record))
        if not wanted:
            return b""
        fields: dict[str, str] = {"stream": record.stream, "offset": record.offset}
        try:
            fields["data"] = wanted.decode()
        except UnicodeDecodeError:
            fields["base64"] = b64encode(wanted).decode()
        return msgspec.json.encode(fields) + _LINE_END

    def _wanted(self, stream: str, data: bytes) -> bytes:
        skip = self._skips.get(stream, 0)
        if skip:
            self._skips[stream] = max(0, skip - len(data))
        return data[skip:]

    def hear(self, item: ToldOfMany) -> None:
        """What else is told of streams."""

    def end_line(self) -> None:
        """Leave a terminal's prompt on a line of its own."""


class PlainPrinter(JsonPrinter):
    """Records as they are, those of JSON on a line each; `==> PATH <==` above those of another stream."""

    def __init__(self, remote: Remote, skips: dict[str, int]) -> None:
        super().__init__(remote, skips)
        self._is_json: dict[str, bool] = {}
        self._stream = ""
        self._last = b""

    def form(self, record: RecordOf) -> bytes:
        """See `JsonPrinter.form`."""
        data = self._wanted(record.stream, self._data(record))
        if not data:
            return b""
        if record.stream != self._stream:
            data = self._head(record.stream) + data
        self._stream, self._last = record.stream, data[-1:]
        return data

    def _head(self, stream: str) -> bytes:
        end = _LINE_END if self._last not in (b"", _LINE_END) else b""
        space = _LINE_END if self._last else b""
        return b"%b%b==> %b <==\n" % (end, space, stream.encode())

    def _data(self, record: RecordOf) -> bytes:
        if record.data is None:
            return record.content
        # Only of a string it cannot be seen whether it is a text or a value.
        if record.data[:1] != b'"' or self._is_of_json(record.stream):
            return record.data + _LINE_END
        return _bytes_of(record)

    def _is_of_json(self, stream: str) -> bool:
        known = self._is_json.get(stream)
        if known is None:
            try:
                kind = header(self._remote.head(stream), names.CONTENT_TYPE) or DEFAULT_CONTENT_TYPE
            except Failure:  # it is gone, or may only be read: the line as it came
                return True
            known = self._is_json[stream] = is_json(kind)
        return known

    def hear(self, item: ToldOfMany) -> None:
        """See `JsonPrinter.hear`: another stream may have another type."""
        match item:
            case Made(stream, content_type):
                self._is_json[stream] = is_json(content_type)
            case Over(stream) | Trouble(stream) | Skipped(stream):
                self._is_json.pop(stream, None)

    def end_line(self) -> None:
        """See `JsonPrinter.end_line`."""
        if self._last not in (b"", _LINE_END) and output.on_terminal():
            click.echo()


def _bytes_of(record: RecordOf) -> bytes:
    return record.content if record.data is None else msgspec.json.decode(record.data, type=str).encode()
