"""Newline-delimited JSON for `fetch` readers, `curl` and pipes: one line a record, and lines that say what happens.

A record's line is `{"offset": …, "data": …}`: a JSON value, a string of text, or, as `base64`, bytes, also those of a
text stream that are no UTF-8. All other lines have `control`: `up-to-date`, `keepalive`, `gap`, `waiting`, `created`,
`closed`, `failed`, `detached` or `error`. A body that ends without one of the last four was cut.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from headwater.model import Batch, Record
from headwater.protocol.cursor import Data, Detached, Event, Failed, Gap, Idle, Made, Missing
from headwater.protocol.envelope import enveloped, fields_of, made
from headwater.protocol.framing import is_json
from headwater.protocol.spans import data_of, offsets_of
from headwater.protocol.wire import Regrouper, problem, reason


class JsonLines:
    """Encoder of NDJSON.

    Args:
        content_type: the stream's; decides how a record is written.
        envelope: a record's line has `at`, too: when it was appended.
    """

    media_type = b"application/x-ndjson"
    must_cut = False

    def __init__(self, content_type: str, *, envelope: bool = False) -> None:
        self._content_type = content_type
        self._json = is_json(content_type)
        self._envelope = envelope
        self._regrouper = Regrouper(content_type)
        self._told_up_to_date = False

    def opening(self) -> bytes:
        """Nothing."""
        return b""

    def encode(self, event: Event, now: float) -> bytes:
        """See `Encoder.encode`."""
        match event:
            case Data(batch):
                return self._encode_batch(batch)
            case Idle(offset):
                return _control("keepalive", offset=self._regrouper.told(offset))
            case Failed(offset, error):
                return _control("error", offset=self._regrouper.told(offset), **problem(error))
            case Gap(start, end, offset, why):
                self._told_up_to_date = False
                told = {"from": self._regrouper.skip(start), "to": end}
                return _control("gap", offset=offset, **told, **({"reason": why} if why else {}))
            case Missing(offset):
                return _control("waiting", offset=offset)
            case Made(content_type, offset):
                return _control("created", **made(content_type, offset))
            case Detached(offset, retry_after, why):  # pragma: no branch - there is no other event
                at = self._regrouper.told(offset)
                reasons = {"reason": why} if why else {}
                return _control("detached", offset=at, retry_after=round(retry_after, 3), **reasons)

    def state(self) -> object:
        """See `Encoder.state`."""
        return self._regrouper.held, self._told_up_to_date

    def _encode_batch(self, batch: Batch) -> bytes:
        records, next_offset = self._regrouper.regroup(batch)
        lines = [self._encode_records(records)] if records else []
        if batch.closed:
            kind = "closed" if batch.failure is None else "failed"
            lines.append(_control(kind, offset=next_offset, **reason(batch.failure)))
        elif batch.up_to_date and not self._told_up_to_date:
            lines.append(_control("up-to-date", offset=next_offset))
        self._told_up_to_date = batch.up_to_date
        return b"".join(lines)

    def _encode_records(self, records: Sequence[Record]) -> bytes:
        if self._envelope:
            return b"\n".join(enveloped(self._content_type, records)) + b"\n"
        between, values = b'","data":', data_of(records)
        if not self._json:
            between, values = b'",', fields_of(self._content_type, values)
        # No loop in Python: the history of a stream is encoded so, for each who joins.
        lines = map(between.join, zip(offsets_of(records), values, strict=True))
        return b'{"offset":"' + b'}\n{"offset":"'.join(lines) + b"}\n"


def _control(kind: str, **fields: str | float | bool) -> bytes:
    return msgspec.json.encode({"control": kind, **fields}) + b"\n"
