"""NDJSON of many streams into what it tells: the client's side of protocol/many_events.py.

Rule: what concerns a stream has its name; what has none concerns the read as a whole.
"""

from __future__ import annotations

from base64 import b64decode
from typing import Final

import msgspec

from headwater.cli.failures import Failure, failure_of, refusal
from headwater.client.errors import BadAnswer
from headwater.client.problems import stream_failed
from headwater.client.wires.lines import Blocks
from headwater.model import Principal
from headwater.surrogates import mended


class Alive(msgspec.Struct, frozen=True):
    """Nothing happened, and the connection is well."""


class Ended(msgspec.Struct, frozen=True):
    """The server lets its readers go, and asks to come back in so many seconds."""

    retry_after: float


class Heard(msgspec.Struct, frozen=True):
    """A signal, or who is there, as a line of NDJSON without its end."""

    line: bytes


class RecordOf(msgspec.Struct, frozen=True):
    """A record.

    Attributes:
        stream: whose.
        offset: behind it.
        line: as it was sent, without its end.
        data: a JSON value; of a text a string. None: it is bytes.
        content: the bytes, in their place.
        at: when it was appended; None: it came without an envelope.
        by: who appended it; None: not known.
    """

    stream: str
    offset: str
    line: bytes
    data: bytes | None = None
    content: bytes = b""
    at: float | None = None
    by: Principal | None = None


class Cursor(msgspec.Struct, frozen=True):
    """Where the read stands in all streams; `up_to_date`: at the end of a page, and none has more."""

    cursor: str
    up_to_date: bool = False


class Waiting(msgspec.Struct, frozen=True):
    """There is no such stream, for now."""

    stream: str


class Made(msgspec.Struct, frozen=True):
    """There is one now."""

    stream: str
    content_type: str


class Over(msgspec.Struct, frozen=True):
    """A stream is complete; with a failure: it ended before it was."""

    stream: str
    failure: Failure | None = None


class Trouble(msgspec.Struct, frozen=True):
    """A stream, or a pattern, cannot be read, or not any more."""

    stream: str
    failure: Failure


class Skipped(msgspec.Struct, frozen=True):
    """Records of a stream are not kept; `recreated`: of an earlier one at its path."""

    stream: str
    offset: str
    recreated: bool


ToldOfMany = RecordOf | Heard | Cursor | Waiting | Made | Over | Trouble | Skipped | Alive | Ended


class _Line(msgspec.Struct):
    stream: str = ""
    offset: str = ""
    to: str = ""
    content_type: str = ""
    base64: str | None = None
    control: str | None = None
    cursor: str = ""
    up_to_date: bool = False
    retry_after: float = 0.0
    reason: str = ""
    code: str = ""
    message: str = ""
    at: float | None = None
    by: Principal | None = None
    data: msgspec.Raw = msgspec.Raw(b"null")


_line: Final = msgspec.json.Decoder(_Line)


class ManyLines:
    """One connection, or one page."""

    def __init__(self) -> None:
        self._lines = Blocks(b"\n")

    def feed(self, chunk: bytes) -> list[ToldOfMany]:
        """See `Wire.feed`.

        Raises:
            BadAnswer: the bytes are not of this format.
        """
        try:
            return [told for line in self._lines.feed(chunk).split(b"\n") if line.strip() for told in _take(line)]
        except (msgspec.DecodeError, ValueError):
            raise BadAnswer("the server sent a line that is not of Headwater's NDJSON") from None


def _decoded(raw: bytes) -> _Line:
    """A line, with its data as it was sent, also where that has half of a surrogate pair."""
    try:
        return _line.decode(raw)
    except msgspec.DecodeError:
        whole = mended(raw)
        line = _line.decode(whole)
        at = whole.rindex(bytes(line.data))
        line.data = msgspec.Raw(raw[at : at + len(bytes(line.data))])
        return line


def _take(raw: bytes) -> list[ToldOfMany]:
    line = _decoded(raw)
    match line.control:
        case None if line.base64 is not None:
            content = b64decode(line.base64, validate=True)
            return [RecordOf(line.stream, line.offset, raw, None, content, line.at, line.by)]
        case None:
            return [RecordOf(line.stream, line.offset, raw, bytes(line.data), b"", line.at, line.by)]
        case "signal" | "presence":
            return [Heard(raw)]
        case "cursor":
            return [Cursor(line.cursor, line.up_to_date)]
        case "waiting":
            return [Waiting(line.stream)]
        case "created":
            return [Made(line.stream, line.content_type)]
        case "closed":
            return [Over(line.stream)]
        case "failed":
            return [Over(line.stream, failure_of(stream_failed(line.code, line.message)))]
        case "error":
            return [Trouble(line.stream, refusal(0, raw))]
        case "gap":
            return [Skipped(line.stream, line.to, line.reason == "recreated")]
        case "detached":
            return [Cursor(line.cursor), Ended(line.retry_after)]
        case _:
            return [Alive()]
