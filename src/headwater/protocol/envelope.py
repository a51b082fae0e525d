"""Records with what is known of them: where they end, when they were appended, and by whom.

Rule: the protocol carries records as they are; who wants to know more asks for it (`?envelope=1`).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from headwater.model import Record
from headwater.protocol.framing import is_json, is_text, payloads
from headwater.protocol.principals import told
from headwater.protocol.spans import data_of, offsets_of
from headwater.protocol.wire import base64_of


def fields_of(content_type: str, data: list[bytes]) -> list[bytes]:
    """The data of records as a field of a JSON object each: a value, a string of text, or `base64`.

    Args:
        content_type: the stream's.
        data: of the records; of a text with whole characters.
    """
    if is_json(content_type):
        return [b'"data":' + each for each in data]
    if is_text(content_type):
        return [_text_field(each) for each in data]
    return [_bytes_field(each) for each in payloads(content_type, data)]


def enveloped(content_type: str, records: Sequence[Record]) -> list[bytes]:
    """Each record as a JSON object: `offset` behind it, `at` in seconds since the Unix epoch, `by`, and its data."""
    fields = fields_of(content_type, data_of(records))
    return [
        b'{"offset":"%b","at":%.3f,%b%b}' % (offset, record.at, _by_field(record), field)
        for offset, record, field in zip(offsets_of(records), records, fields, strict=True)
    ]


def _by_field(record: Record) -> bytes:
    by = record.by
    return b"" if by is None else b'"by":' + told(by) + b","


def _text_field(data: bytes) -> bytes:
    try:
        return b'"data":' + msgspec.json.encode(data.decode())
    except UnicodeDecodeError:
        return _bytes_field(data)


def _bytes_field(data: bytes) -> bytes:
    return b'"base64":"' + base64_of(data) + b'"'


def made(content_type: str, offset: str) -> dict[str, str]:
    """What a reader is told of a stream that it waited for: how its records come is in no header of the response."""
    return {"content_type": content_type, "encoding": "" if is_text(content_type) else "base64", "offset": offset}
