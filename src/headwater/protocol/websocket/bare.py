"""One stream at its own URL as a WebSocket: each line of NDJSON is a text message, or each record one.

The close code says how it ended: 1000 behind the last record of a complete stream, or the one of the error.
"""

from __future__ import annotations

from headwater.model import Batch
from headwater.protocol.cursor import Data, Detached, Event, Failed
from headwater.protocol.framing import is_text
from headwater.protocol.ndjson import JsonLines
from headwater.protocol.spans import data_of
from headwater.protocol.websocket import frames
from headwater.protocol.websocket.closes import DETACHED, FAILED, GOING, NORMAL
from headwater.protocol.websocket.codec import Framing
from headwater.protocol.wire import Regrouper


class LineMessages(JsonLines):
    """The lines of NDJSON, each a message.

    Args:
        content_type: the stream's.
        envelope: see `JsonLines`.
        framing: makes a message of a line.
    """

    def __init__(self, content_type: str, *, envelope: bool = False, framing: Framing = frames.frame) -> None:
        super().__init__(content_type, envelope=envelope)
        self._framing = framing

    def encode(self, event: Event, now: float) -> bytes:
        """See `Encoder.encode`; whole frames."""
        data = super().encode(event, now)
        return b"".join([self._framing(frames.TEXT, line) for line in data.split(b"\n")[:-1]]) + last_frame(event)


class RawMessages:
    """Records alone: text messages of JSON and text, binary ones of all else.

    Args:
        content_type: the stream's.
        framing: makes a message of a record.
    """

    media_type = b""
    must_cut = False

    def __init__(self, content_type: str, *, framing: Framing = frames.frame) -> None:
        self._framing = framing
        self._kind = frames.TEXT if is_text(content_type) else frames.BINARY
        self._regrouper = Regrouper(content_type)

    def opening(self) -> bytes:
        """Nothing."""
        return b""

    def encode(self, event: Event, now: float) -> bytes:
        """See `Encoder.encode`; whole frames."""
        data = self._records(event.batch) if isinstance(event, Data) else b""
        return data + last_frame(event)

    def state(self) -> object:
        """See `Encoder.state`."""
        return self._regrouper.held

    def _records(self, batch: Batch) -> bytes:
        records, _ = self._regrouper.regroup(batch)
        return b"".join(map(self._framed, data_of(records)))

    def _framed(self, data: bytes) -> bytes:
        if self._kind == frames.TEXT and not data.isascii():
            # Bytes that are no UTF-8 would end the connection; readers see U+FFFD, as in event streams.
            data = data.decode(errors="replace").encode()
        return self._framing(self._kind, data)


def last_frame(event: Event) -> bytes:
    """The close frame behind an event; empty, if it is not the last one."""
    match event:
        case Data(batch) if batch.closed:
            failure = batch.failure
            return frames.close(NORMAL, "closed") if failure is None else frames.close(FAILED, failure.code)
        case Failed(_, error):
            return frames.close(error.ws_close, error.code)
        case Detached(_, _, why):
            return frames.close(GOING if why == "stopping" else DETACHED, why or "detached")
        case _:
            return b""
