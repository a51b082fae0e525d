"""What every live wire format shares: the encoder's interface, and text that is cut where it must not be.

Rule 1: an encoder turns the events of reading.py into bytes. It holds no data but what a text stream may not be cut
        in: the unfinished character, of three bytes at most, or a CR of which an LF may be the other half.
Rule 2: every offset it tells lies before the bytes it holds, so that a reader who comes back there misses nothing.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

from headwater.errors import HeadwaterError
from headwater.model import Batch, Failure, Principal, Record
from headwater.protocol.cursor import Event
from headwater.protocol.framing import complete_utf8, is_json, is_text
from headwater.protocol.offsets import step_into
from headwater.protocol.spans import data_of


class Encoder(Protocol):
    """One live wire format for one reader."""

    media_type: bytes

    @property
    def must_cut(self) -> bool:
        """The last event was an end that the format has no word for: the answer is to be cut, not completed."""
        ...

    def opening(self) -> bytes:
        """What the body starts with, before any event; may be empty."""
        ...

    def encode(self, event: Event, now: float) -> bytes:
        """An event as bytes; may be empty, if the format has no way or no need to say it."""
        ...

    def state(self) -> object:
        """What the reader was told that bears on what it is told next; equal for readers who may share an encoder."""
        ...


class TextRecords:
    """Records of a text stream, regrouped so that none ends inside a character.

    An append may split a character; the split bytes are held until the rest comes, and the offset told to the reader
    stays before them. Bytes that can never become UTF-8 pass through.

    Args:
        whole_lines: none ends inside a line end either. For formats that tell a CR as a line end: a CR LF that two
            appends split would be two.
    """

    def __init__(self, *, whole_lines: bool = False) -> None:
        self._complete = complete_text if whole_lines else complete_utf8
        self._held = b""
        self._held_from = ""
        self._held_at = 0.0
        self._held_by: Principal | None = None

    def regroup(self, batch: Batch) -> tuple[Sequence[Record], str]:
        """Whole records, and the offset after them.

        The stream's closing batch gives everything out, whole or not.
        """
        if not self._held and all(self._complete(data) == len(data) for data in data_of(batch.records)):
            return batch.records, batch.next_offset
        starts = (batch.offset, *(record.offset for record in batch.records))
        taken = map(self._take, starts, batch.records)
        whole = [record for record in taken if record is not None]
        if self._held and batch.closed:
            whole.append(Record(batch.next_offset, self._held, self._held_at, self._held_by))
            self._held = b""
        return tuple(whole), self.told(batch.next_offset)

    def told(self, offset: str) -> str:
        """The offset to tell for a reader that stands at `offset`: before the bytes that are held back."""
        return self._held_from if self._held else offset

    @property
    def held(self) -> bytes:
        """The bytes that are held back."""
        return self._held

    def _take(self, start: str, record: Record) -> Record | None:
        data = self._held + record.data
        end = self._complete(data)
        was_held, self._held = self._held, data[end:]
        if end or not was_held:
            self._held_from = step_into(start, len(record.data) - len(self._held)) if self._held else record.offset
        # What was held and what completes it may be of two, and then it is nobody's.
        by = record.by if not was_held or record.by == self._held_by else None
        self._held_at, self._held_by = record.at, by if was_held and not end else record.by
        return Record(self._held_from, data[:end], record.at, by) if end else None


class Regrouper:
    """`TextRecords` where the content type needs it, and the batch as it is elsewhere.

    Args:
        content_type: the stream's.
        whole_lines: see `TextRecords`.
    """

    def __init__(self, content_type: str, *, whole_lines: bool = False) -> None:
        self._whole_lines = whole_lines
        self._text = TextRecords(whole_lines=whole_lines) if is_plain_text(content_type) else None

    def regroup(self, batch: Batch) -> tuple[Sequence[Record], str]:
        """Records to encode, and the offset after them."""
        return (batch.records, batch.next_offset) if self._text is None else self._text.regroup(batch)

    def skip(self, offset: str) -> str:
        """The offset to tell for a gap that begins at `offset`; what was held back lies in the gap."""
        told = self.told(offset)
        if self._text is not None:
            self._text = TextRecords(whole_lines=self._whole_lines)
        return told

    def told(self, offset: str) -> str:
        """The offset to tell for a reader that stands at `offset`."""
        return offset if self._text is None else self._text.told(offset)

    @property
    def held(self) -> bytes:
        """The bytes that are held back."""
        return b"" if self._text is None else self._text.held


@lru_cache(128)
def is_plain_text(content_type: str) -> bool:
    """Whether the bytes are text that is no JSON."""
    return is_text(content_type) and not is_json(content_type)


def complete_text(data: bytes) -> int:
    """`complete_utf8`, and not between a CR and an LF that may follow."""
    end = complete_utf8(data)
    return end - 1 if end == len(data) and data[-1:] == b"\r" else end


def is_utf8(data: bytes) -> bool:
    """Whether the bytes are UTF-8: a client reads what is not as U+FFFD (WHATWG Encoding)."""
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def base64_of(data: bytes) -> bytes:
    """Standard base64 with padding (RFC 4648 section 4)."""
    return b64encode(data)


def reason(failure: Failure | None) -> dict[str, str]:
    """A failure as fields of JSON; none without one."""
    return {} if failure is None else {"code": failure.code, "message": failure.message}


def problem(error: HeadwaterError) -> dict[str, str | int | bool]:
    """An error as the JSON object that every transport carries (RFC 9457, with `code` and `advice`)."""
    return {
        "type": f"urn:headwater:error:{error.code}",
        "title": error.title(),
        "status": error.status,
        "code": error.code,
        "detail": error.message,
        "advice": error.advice,
        **error.details,
    }
