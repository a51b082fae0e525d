"""Records of many streams as they are printed.

Rule: they say whose they are: in JSON by name, else below a head line when the stream changes, as `tail` does it.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Final

import click
import msgspec

from headwater.cli import output
from headwater.cli.many_lines import Made, Over, RecordOf, Skipped, ToldOfMany, Trouble
from headwater.cli.remote import Remote
from headwater.cli.shown import field_of, known_of, printed
from headwater.errors import HeadwaterError
from headwater.protocol.framing import DEFAULT_CONTENT_TYPE, is_json

_LINE_END: Final = b"\n"


class JsonPrinter:
    """One JSON object a record: `stream`, `offset` and `data`, or `base64`.

    Args:
        remote: the server.
        skips: by stream: bytes that come first and are not wanted.
    """

    def __init__(self, remote: Remote, skips: dict[str, int]) -> None:
        self._remote = remote
        self._skips = skips
        self._kinds: dict[str, str] = {}

    def form(self, record: RecordOf) -> bytes:
        """A record as it is printed; empty: it is not wanted."""
        if not self._skips.get(record.stream):
            return (record.line if record.data is not None else self._of_bytes(record)) + _LINE_END
        wanted = self._wanted(record.stream, _bytes_of(record))
        if not wanted:
            return b""
        try:
            return _line(record, b"data", msgspec.json.encode(wanted.decode())) + _LINE_END
        except UnicodeDecodeError:
            return _line(record, b"base64", b'"' + b64encode(wanted) + b'"') + _LINE_END

    def _of_bytes(self, record: RecordOf) -> bytes:
        name, value = field_of(self._kind_of(record.stream), record.content)
        return record.line if name == b"base64" else _line(record, name, value)

    def _kind_of(self, stream: str) -> str:
        """The stream's type; that of bytes, if it cannot be told any more."""
        known = self._kinds.get(stream)
        if known is None:
            try:
                known = self._remote.head(stream).content_type
            except HeadwaterError:  # it is gone, or may only be read
                return DEFAULT_CONTENT_TYPE
            self._kinds[stream] = known
        return known

    def _wanted(self, stream: str, data: bytes) -> bytes:
        skip = self._skips.get(stream, 0)
        if skip:
            self._skips[stream] = max(0, skip - len(data))
        return data[skip:]

    def hear(self, item: ToldOfMany) -> None:
        """What else is told of streams: another one may have another type."""
        match item:
            case Made(stream, content_type):
                self._kinds[stream] = content_type
            case Over(stream) | Trouble(stream) | Skipped(stream):
                self._kinds.pop(stream, None)

    def end_line(self) -> None:
        """Leave a terminal's prompt on a line of its own."""


def _line(record: RecordOf, name: bytes, value: bytes) -> bytes:
    stream, known = msgspec.json.encode(record.stream), known_of(record.at, record.by)
    return b'{"stream":%b,"offset":"%b",%b"%b":%b}' % (stream, record.offset.encode(), known, name, value)


class PlainPrinter(JsonPrinter):
    """Records as they are, those of JSON on a line each; `==> PATH <==` above those of another stream."""

    def __init__(self, remote: Remote, skips: dict[str, int]) -> None:
        super().__init__(remote, skips)
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
            return printed(self._kind_of(record.stream), record.content)
        # Only of a string it cannot be seen whether it is a text or a value.
        if record.data[:1] != b'"' or self._is_of_json(record.stream):
            return record.data + _LINE_END
        return _bytes_of(record)

    def _is_of_json(self, stream: str) -> bool:
        # One that is gone, or may only be read: the line as it came.
        return is_json(self._kind_of(stream)) or stream not in self._kinds

    def end_line(self) -> None:
        """See `JsonPrinter.end_line`."""
        if self._last not in (b"", _LINE_END) and output.on_terminal():
            click.echo()


def _bytes_of(record: RecordOf) -> bytes:
    return record.content if record.data is None else msgspec.json.decode(record.data, type=str).encode()
