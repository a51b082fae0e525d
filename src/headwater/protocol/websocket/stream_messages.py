"""The encoder of a stream's messages, for all who read it in one subprotocol.

Rule: what a connection as a whole is told, its keep-alives and its end, is not told by its streams.
"""

from __future__ import annotations

from headwater.errors import HeadwaterError, NotAuthorized, OffsetGone, Refused, StreamGone, StreamNotFound
from headwater.model import BEGINNING, NOW, Batch
from headwater.protocol.cursor import Data, Detached, Event, Failed, Gap, Idle, Made, Missing
from headwater.protocol.websocket import messages as m
from headwater.protocol.websocket.codec import Codec
from headwater.protocol.websocket.messages import Problem
from headwater.protocol.wire import Regrouper


class StreamMessages:
    """See `Encoder`.

    Args:
        content_type: the stream's.
        codec: of the subprotocol.
        number: of the stream.
        envelope: records have the time of their append, and who appended them.

    Attributes:
        error: with which reading ended; None: it did not, or the stream is over.
    """

    media_type = b""
    must_cut = False

    def __init__(self, content_type: str, *, codec: Codec, number: int, envelope: bool = False) -> None:
        self._content_type = content_type
        self._codec = codec
        self._number = number
        self._envelope = envelope
        self._regrouper = Regrouper(content_type)
        self._told_live = False
        self.error: HeadwaterError | None = None

    def opening(self) -> bytes:
        """Nothing: the subscription is told by itself."""
        return b""

    def encode(self, event: Event, now: float) -> bytes:
        """See `Encoder.encode`; whole frames."""
        match event:
            case Data(batch):
                return self._encode_batch(batch)
            case Idle() | Missing() | Made():
                return b""
            case Gap(start, end, offset, why):
                self._told_live = False
                return self._tell(m.Gap(self._number, self._regrouper.skip(start), end, offset, why or "slow"))
            case Detached(offset, retry_after, why):
                end_ = m.End(self._number, self.told(offset), "detached", code=why, after=round(retry_after, 3))
                return self._tell(end_)
            case Failed(offset, error):  # pragma: no branch - there is no other event
                self.error = error
                if isinstance(error, OffsetGone) and offset not in (BEGINNING, NOW):
                    return b""  # it goes on behind a gap
                return self._tell(ended(self._number, self.told(offset), error))

    def state(self) -> object:
        """See `Encoder.state`."""
        return self._regrouper.held, self._told_live

    def told(self, offset: str) -> str:
        """The offset to tell for a reader that stands at `offset`: before what is held back."""
        return self._regrouper.told(offset)

    def _encode_batch(self, batch: Batch) -> bytes:
        records, next_offset = self._regrouper.regroup(batch)
        data = b""
        if records:
            data = self._codec.data(self._number, self._content_type, records, envelope=self._envelope)
        if batch.closed:
            failure = batch.failure
            if failure is None:
                return data + self._tell(m.End(self._number, next_offset, "closed"))
            return data + self._tell(m.End(self._number, next_offset, "failed", failure.code, failure.message))
        if batch.up_to_date and not self._told_live:
            data += self._tell(m.Live(self._number, next_offset))
        self._told_live = batch.up_to_date
        return data

    def _tell(self, message: m.ServerMessage) -> bytes:
        return self._codec.encode(message)


def ended(number: int, offset: str, error: HeadwaterError) -> m.End:
    """The end of a subscription whose stream cannot be read any more.

    Args:
        number: of the stream.
        offset: where the reader stood.
        error: why.
    """
    if isinstance(error, StreamNotFound | StreamGone):
        why = "deleted"
    elif isinstance(error, Refused | NotAuthorized):
        why = "forbidden"
    else:
        why = "error"
    return m.End(number, offset, why, error.code, error.message)


class WaitingMessages:
    """What is told of a stream that is not there yet; see `Encoder`.

    Args:
        content_type: of no meaning.
        codec: of the subprotocol.
        id: of the `sub`.
        path: the stream.
    """

    media_type = b""
    must_cut = False

    def __init__(self, content_type: str, *, codec: Codec, id: int, path: str) -> None:
        self._codec = codec
        self._id = id
        self._path = path

    def opening(self) -> bytes:
        """Nothing."""
        return b""

    def encode(self, event: Event, now: float) -> bytes:
        """See `Encoder.encode`. That the stream is there, and what is left out, its subscription tells."""
        match event:
            case Missing(offset):
                return self._codec.encode(m.Waiting(self._id, self._path, offset))
            case Failed(_, error):
                return self._codec.encode(problem(error, id=self._id))
            case _:
                return b""

    def state(self) -> object:
        """See `Encoder.state`."""
        return None


def problem(error: HeadwaterError, *, id: int | None = None, s: int | None = None, path: str | None = None) -> Problem:
    """An error as a message.

    Args:
        error: what is wrong.
        id: of the message it answers.
        s: of the stream, for a message without one.
        path: of the stream, where it has no number.
    """
    facts = dict(error.details)
    given = facts.pop("id", None)
    if id is None and isinstance(given, int):
        id = given
    told = Problem(error.code, error.status, error.message, error.advice, id=id, s=s, path=path, facts=facts)
    told.after = None if error.retry_after is None else int(error.retry_after)
    return told
