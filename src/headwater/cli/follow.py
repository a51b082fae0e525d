"""A reader that outlives its connections: after a cut it goes on behind the last record it gave out.

Rule: nothing is left out, however slow the terminal or the next program is, and whatever the stream's policy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import unquote

import httpx2
import msgspec

from headwater.cli.failures import FailedStream, Failure
from headwater.cli.patience import Patience
from headwater.cli.remote import Remote, header
from headwater.cli.wires import Closed, Ended, EventsWire, Failed, Heard, Told, UpToDate, Wire
from headwater.model import Policy, Record
from headwater.protocol import names


class Step(msgspec.Struct, frozen=True):
    """What one piece of a live answer told.

    Attributes:
        records: new records; may be none.
        heard: signals and news of members that came behind them, as lines of NDJSON.
        up_to_date: there are no more for now.
    """

    records: tuple[Record, ...]
    up_to_date: bool
    heard: tuple[bytes, ...] = ()


class Follower:
    """Follows a stream until it is closed.

    Args:
        remote: the server.
        path: the stream.
        content_type: the stream's.
        wire: the wire format.
        offset: where to begin; not `now`, which a reconnect would take for another moment.
        patience: when to connect again.
        compressed: ask for compressed answers.
        kinds: what is asked for beside records: `signals`, `presence`.

    Attributes:
        offset: where the next connection goes on.
    """

    def __init__(
        self,
        remote: Remote,
        path: str,
        content_type: str,
        wire: type[Wire],
        offset: str,
        patience: Patience,
        *,
        compressed: bool = False,
        kinds: Sequence[str] = (),
    ) -> None:
        self.offset = offset
        self._remote = remote
        self._path = path
        self._content_type = content_type
        self._wire = wire
        self._patience = patience
        self._compressed = compressed
        self._kinds = kinds
        self._started = False  # a record was received, so there is a Last-Event-ID
        self._closed = False

    def steps(self) -> Iterator[Step]:
        """Everything from the offset on; ends when the stream is closed and all of it was given out.

        Raises:
            Failure: the server refused, patience is at its end, or the stream ended before it was complete.
        """
        while not self._closed:
            try:
                yield from self._connection()
            except Failure as failure:
                self._patience.wait(failure)

    def _connection(self) -> Iterator[Step]:
        wire = self._wire(self._content_type)
        query = {names.QUERY_OFFSET: self.offset, names.QUERY_SLOW: Policy.REPLAY.value}
        query |= dict.fromkeys(self._kinds, "1")
        with self._remote.live(self._path, self._headers(), query, compressed=self._compressed) as answer:
            if answer.status_code == 204:  # to an event stream's reader that comes back to the end of a closed stream
                self._closed = True
                _check_complete(answer)
                return
            if not (header(answer, names.CONTENT_TYPE) or "").startswith(wire.media_type):
                raise Failure("malformed", f"the server does not answer with {wire.media_type}")
            for chunk in answer.iter_bytes():
                end: Failure | None = None
                told = wire.feed(chunk)
                if told:
                    self._patience.worked()
                    end = _end(told)
                for part in _in_order(told):
                    yield self._take(part)
                if end is not None:
                    raise end
                if self._closed:
                    return
        raise Failure("cut", "the connection was cut", passing=True)

    def _headers(self) -> dict[bytes, bytes]:
        headers = {names.ACCEPT: self._wire.media_type.encode()}
        if self._started and self._wire is EventsWire:
            headers[names.LAST_EVENT_ID] = self.offset.encode()
        return headers

    def _take(self, told: list[Told]) -> Step:
        up_to_date = False
        records: list[Record] = []
        for item in told:
            match item:
                case Record(offset):
                    records.append(item)
                    self.offset, self._started = offset, True
                case UpToDate(offset):
                    up_to_date = True
                    self.offset = offset
                case Closed(offset) | Failed(offset):
                    self._closed = True
                    self.offset = offset
        heard = tuple(item.line for item in told if isinstance(item, Heard))
        return Step(tuple(records), up_to_date, heard)


def _in_order(told: list[Told]) -> Iterator[list[Told]]:
    """Parts in which what is heard is behind all records; most often one."""
    begin = 0
    for index in range(1, len(told)):
        if isinstance(told[index - 1], Heard) and isinstance(told[index], Record):
            yield told[begin:index]
            begin = index
    yield told[begin:]


def _end(told: list[Told]) -> Failure | None:
    return next((item.failure for item in told if isinstance(item, Ended | Failed)), None)


def _check_complete(answer: httpx2.Response) -> None:
    code = header(answer, names.STREAM_FAILURE)
    if code is not None:
        raise FailedStream(code, unquote(header(answer, names.STREAM_FAILURE_MESSAGE) or ""))
