"""Plain event streams for a browser's `EventSource`: one event a record, its offset as the id.

How a stream ends here: `stream-closed` says that it is complete, `stream-failed` that it ended before it was, and a
reconnect then gets 204, on which browsers stop; `stream-detached` says to come back; `stream-error` carries the
problem. `onmessage` sees none of them.

Rule: an event stream is UTF-8 and has one line end (WHATWG HTML section 9.2.5), so a text that is not, or has others,
arrives changed, and the reader is told. CR and CR LF arrive as LF; a comment says so. Before a record that is not UTF-8
`stream-replaced` says where it is. With `as_json` nothing is changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from headwater.model import JSON, Batch, Record
from headwater.protocol.cursor import Data, Detached, Event, Failed, Gap, Idle, Made, Missing
from headwater.protocol.envelope import enveloped, made
from headwater.protocol.framing import is_delimited, is_json, is_text, payloads
from headwater.protocol.names import (
    EVENT_CLOSED,
    EVENT_CREATED,
    EVENT_DETACHED,
    EVENT_ERROR,
    EVENT_FAILED,
    EVENT_GAP,
    EVENT_REPLACED,
    EVENT_WAITING,
    RESERVED_EVENTS,
)
from headwater.protocol.spans import data_of, offsets_of
from headwater.protocol.sse import encode_comment, encode_event, encode_events, encode_retry
from headwater.protocol.wire import Regrouper, base64_of, is_plain_text, is_utf8, problem, reason
from headwater.surrogates import json_value

#: How long a browser waits before it connects again: short, because a lost connection is usually a passing thing.
RETRY_MILLISECONDS: Final = 1000
_RETRY: Final = encode_retry(RETRY_MILLISECONDS)
#: Of what is no text, which leaves every batch as it is.
_AS_IT_IS: Final = Regrouper(JSON)
#: What a comment says before records that have other line ends.
LINE_ENDS: Final = b" line ends are sent as LF; data=json keeps them"


class PlainEvents:
    """Encoder of plain SSE.

    Args:
        content_type: the stream's; binary records are base64.
        event_key: key of a JSON record whose string value names the event; None: all are `message`.
        as_json: each event's data is a JSON value: the record of a JSON stream, a string of text, or, for bytes that
            are no text, an object whose `base64` has them.
        envelope: each event's data is a JSON object, which says when the record was appended, too; see `enveloped`.
        retry: milliseconds for the `retry:` field.
    """

    media_type = b"text/event-stream"
    must_cut = False

    def __init__(
        self,
        content_type: str,
        event_key: str | None = None,
        *,
        as_json: bool = False,
        envelope: bool = False,
        retry: int = RETRY_MILLISECONDS,
    ) -> None:
        self._base64 = not is_text(content_type)
        self._event_key = event_key if is_json(content_type) else None
        self._content_type = content_type
        self._envelope = envelope
        self._as_json = as_json and not is_json(content_type)
        self._is_plain_text = is_plain_text(content_type)
        self._is_delimited = is_delimited(content_type)
        self._regrouper = (
            Regrouper(content_type, whole_lines=not (as_json or envelope)) if self._is_plain_text else _AS_IT_IS
        )
        self._retry = retry
        self._positioned = False

    def opening(self) -> bytes:
        """The reconnection time; also makes the browser fire `open` at once behind a buffering proxy."""
        return _RETRY if self._retry == RETRY_MILLISECONDS else encode_retry(self._retry)

    def encode(self, event: Event, now: float) -> bytes:
        """See `Encoder.encode`."""
        match event:
            case Data(batch):
                return self._encode_batch(batch)
            case Idle():
                return encode_comment()
            case Failed(offset, error):
                body = msgspec.json.encode({**problem(error), "offset": self._regrouper.told(offset)})
                return encode_event(body, event=EVENT_ERROR)
            case Gap(start, end, offset, why):
                told = {"from": self._regrouper.skip(start), "to": end}
                body = msgspec.json.encode({**told, "reason": why} if why else told)
                return encode_event(body, event=EVENT_GAP, event_id=offset.encode())
            case Missing(offset):
                return encode_event(b"{}", event=EVENT_WAITING, event_id=offset.encode())
            case Made(content_type, offset):
                return encode_event(msgspec.json.encode(made(content_type, offset)), event=EVENT_CREATED)
            case Detached(offset, retry_after, why):  # pragma: no branch - there is no other event
                let_go = {"offset": self._regrouper.told(offset), "retry_after": round(retry_after, 3)}
                body = msgspec.json.encode({**let_go, "reason": why} if why else let_go)
                return encode_retry(self._retry + int(retry_after * 1000)) + encode_event(body, event=EVENT_DETACHED)

    def state(self) -> object:
        """See `Encoder.state`."""
        return self._regrouper.held

    def _encode_batch(self, batch: Batch) -> bytes:
        start, records, next_offset = batch.offset, batch.records, batch.next_offset
        if self._is_plain_text:
            start = self._regrouper.told(start)
            records, next_offset = self._regrouper.regroup(batch)
        parts = [self._encode_records(records, start)] if records else []
        if not parts and not batch.closed and not self._positioned:
            # Without data nothing is dispatched, but the browser comes back here: `now` is not a new now then.
            parts.append(b"id:" + next_offset.encode() + b"\n\n")
        self._positioned = True
        if batch.closed:
            body = msgspec.json.encode({"offset": next_offset, **reason(batch.failure)})
            name = EVENT_CLOSED if batch.failure is None else EVENT_FAILED
            parts.append(encode_event(body, event=name, event_id=next_offset.encode()))
        return b"".join(parts)

    def _encode_records(self, records: Sequence[Record], start: str) -> bytes:
        data = data_of(records)
        shown = enveloped(self._content_type, records) if self._envelope else data
        if (key := self._event_key) is not None:
            names = [event_name(each, key) for each in data]
            ids = offsets_of(records)
            events = zip(shown, names, ids, strict=True)
            return b"".join([encode_event(each, event=name, event_id=id) for each, name, id in events])
        if self._envelope:
            return encode_events(shown, offsets_of(records))
        if self._is_delimited:
            data = payloads(self._content_type, data)
        if self._as_json:
            return encode_events([self._json_of(piece) for piece in data], offsets_of(records))
        if self._is_plain_text:
            return self._encode_text(records, data, start)
        return encode_events(list(map(base64_of, data)) if self._base64 else data, offsets_of(records))

    def _encode_text(self, records: Sequence[Record], data: list[bytes], start: str) -> bytes:
        text = b"\0".join(data)
        told = encode_comment(LINE_ENDS) if b"\r" in text else b""
        if is_utf8(text):
            return told + encode_events(data, offsets_of(records))
        parts = [told]
        for record in records:
            if not is_utf8(record.data):
                body = msgspec.json.encode({"from": start, "to": record.offset})
                parts.append(encode_event(body, event=EVENT_REPLACED))
            parts.append(encode_event(record.data, event_id=record.offset.encode()))
            start = record.offset
        return b"".join(parts)

    def _json_of(self, data: bytes) -> bytes:
        if self._is_plain_text and is_utf8(data):
            return msgspec.json.encode(data.decode())
        return msgspec.json.encode({"base64": base64_of(data).decode()})


def event_name(record: bytes, key: str) -> bytes:
    """The name a JSON record gives to its event; empty when it has none that an event can have.

    Not usable: no object, no such key, no string, empty, a line break in it, or one of our own names.
    """
    try:
        value = json_value(record)
    except (msgspec.DecodeError, RecursionError):  # valid JSON that has no Python value here: 1e999, deep nesting
        return b""
    name = value.get(key) if isinstance(value, dict) else None
    if not isinstance(name, str) or not name.isprintable() or name in RESERVED_EVENTS:
        return b""
    return name.encode()
