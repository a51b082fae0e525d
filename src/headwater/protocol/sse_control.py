"""The protocol's own event stream: `live=sse`, a data event and a control event a batch (section 5.8)."""

from __future__ import annotations

import msgspec

from headwater.model import Batch
from headwater.protocol.cache_headers import next_cursor
from headwater.protocol.cursor import Data, Detached, Event, Failed, Gap, Idle
from headwater.protocol.framing import is_text
from headwater.protocol.spans import body_of
from headwater.protocol.sse import encode_comment, encode_event
from headwater.protocol.wire import Regrouper, base64_of, is_plain_text, is_utf8, problem, reason


class ControlEvents:
    """Encoder of `live=sse`.

    The protocol has no error event and no word for "come back": the connection ends, the client connects again, and the
    response to that request tells. Why it ends is said in fields of a last control event, which other clients ignore
    (section 11.1).

    Args:
        content_type: the stream's; decides between text and base64.
        cursor: the cursor the client echoed, if it did.
        jitter: 1 to 3600, for `cache_headers.next_cursor`.
    """

    media_type = b"text/event-stream"
    must_cut = False

    def __init__(self, content_type: str, cursor: str | None, jitter: int) -> None:
        self._content_type = content_type
        self._base64 = not is_text(content_type)
        self._is_plain_text = is_plain_text(content_type)
        self._regrouper = Regrouper(content_type, whole_lines=True)
        self._cursor = cursor
        self._jitter = jitter
        self._told_cursor: int | None = None
        self._ahead = False

    def opening(self) -> bytes:
        """Nothing: the first control event follows at once."""
        return b""

    def encode(self, event: Event, now: float) -> bytes:
        """See `Encoder.encode`."""
        if isinstance(event, Data):
            return self._encode_batch(event.batch, now)
        match event:
            case Gap(start, end, offset):
                return self._encode_ours(offset, now, streamGap={"from": self._regrouper.skip(start), "to": end})
            case Failed(offset, error):
                return self._encode_ours(self._regrouper.told(offset), now, streamError=problem(error))
            case Detached(offset, retry_after, why) if why:
                told = {"reason": why, "retry_after": round(retry_after, 3)}
                return self._encode_ours(self._regrouper.told(offset), now, streamDetached=told)
            case Idle():
                return encode_comment()
            case _:  # its time is over: the protocol has it so (section 10.2)
                return b""

    def _encode_ours(self, offset: str, now: float, **field: object) -> bytes:
        """Beyond the protocol: a control event with one more field, which other clients ignore (section 11.1)."""
        control = {"streamNextOffset": offset, "streamCursor": self._next_cursor(now), **field}
        return encode_event(msgspec.json.encode(control), event=b"control")

    def state(self) -> object:
        """See `Encoder.state`; a cursor beyond the clock's belongs to one reader alone."""
        return self._regrouper.held, self._told_cursor if self._ahead else None

    def _encode_batch(self, batch: Batch, now: float) -> bytes:
        start = self._regrouper.told(batch.offset)
        records, next_offset = self._regrouper.regroup(batch)
        control: dict[str, str | bool | dict[str, str]] = {"streamNextOffset": next_offset}
        if batch.closed:
            control["streamClosed"] = True
            if batch.failure is not None:  # beyond the protocol, as in `_encode_ours`
                control["streamFailure"] = reason(batch.failure)
        else:
            control["streamCursor"] = self._next_cursor(now)
        if batch.up_to_date:
            control["upToDate"] = True
        payload = body_of(self._content_type, records) if records else b""
        if self._is_plain_text and not is_utf8(payload):
            control["streamReplaced"] = {"from": start, "to": next_offset}
        encoded = encode_event(msgspec.json.encode(control), event=b"control")
        if not records:
            return encoded
        return encode_event(base64_of(payload) if self._base64 else payload, event=b"data") + encoded

    def _next_cursor(self, now: float) -> str:
        """The client's cursor is beaten once; from then on the interval's number counts when it is greater."""
        if self._told_cursor is None:
            self._told_cursor = int(next_cursor(now, self._cursor, self._jitter))
        current = int(next_cursor(now, None, self._jitter))
        self._ahead = self._told_cursor > current
        self._told_cursor = max(self._told_cursor, current)
        return str(self._told_cursor)
