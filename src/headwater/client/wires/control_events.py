"""`live=sse` of the protocol: a data event and a control event a batch (section 5.8).

Rule: what a data event holds counts when its control event is there, which says behind what it is; one may be for
several data events. Bytes of a batch whose control event was cut off are read again.
"""

from __future__ import annotations

from base64 import b64decode
from typing import Final, Generic, TypeVar

import msgspec

from headwater.client.codec import Codec
from headwater.client.errors import BadAnswer
from headwater.client.items import Gap
from headwater.client.problems import told_problem
from headwater.client.told import Alive, Closed, Detached, Failed, Refused, Told, UpToDate
from headwater.client.wires.bodies import split_page, together
from headwater.client.wires.lines import MAX_LINE
from headwater.errors import TooLarge
from headwater.protocol.sse import Parser, ServerEvent

T = TypeVar("T")


class _Reason(msgspec.Struct):
    code: str = ""
    message: str = ""
    reason: str = ""
    retry_after: float | None = None
    start: str = msgspec.field(default="", name="from")
    to: str = ""


class _Control(msgspec.Struct, rename="camel"):
    stream_next_offset: str = ""
    stream_cursor: str | None = None
    stream_closed: bool = False
    up_to_date: bool = False
    stream_failure: _Reason | None = None
    stream_gap: _Reason | None = None
    stream_error: msgspec.Raw = msgspec.Raw()
    stream_detached: _Reason | None = None


_control: Final = msgspec.json.Decoder(_Control).decode


class ControlEvents(Generic[T]):
    """One connection's events.

    Args:
        codec: makes values of records.
        offset: where the answer begins.
        base64: data is base64, as the answer's head says.

    Attributes:
        cursor: to send with the next request, so that caches can collapse readers.
    """

    media_type = "text/event-stream"

    def __init__(self, codec: Codec[T], offset: str, *, base64: bool) -> None:
        self.cursor: str | None = None
        self._codec = codec
        self._offset = offset
        self._base64 = base64
        self._parser = Parser(max_event_bytes=MAX_LINE)
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> list[Told]:
        """Take bytes and give what they complete; what is unfinished at a cut is never told.

        Raises:
            BadAnswer: the bytes are not of this format.
        """
        told: list[Told] = []
        try:
            for event in self._parser.feed(chunk):
                told += self._take(event)
        except TooLarge as error:
            raise BadAnswer(error.message) from None
        except (msgspec.DecodeError, ValueError, RecursionError):
            raise BadAnswer("the server sent an event that is not of the protocol") from None
        return told or [Alive()]

    def _take(self, event: ServerEvent) -> list[Told]:
        match event.event:
            case b"data":
                self._data.append(b64decode(event.data, validate=True) if self._base64 else event.data)
                return []
            case b"control":
                return self._told(_control(event.data))
            case _:
                return []

    def _told(self, control: _Control) -> list[Told]:
        told: list[Told] = []
        body, self._data = together(self._codec, self._data), []
        if body:
            told += split_page(self._codec, body, self._offset, control.stream_next_offset)
        self._offset = control.stream_next_offset or self._offset
        self.cursor = control.stream_cursor or self.cursor
        told += self._state(control)
        return told

    def _state(self, control: _Control) -> list[Told]:
        if (gap := control.stream_gap) is not None:
            return [Gap(gap.start, gap.to, self._offset, gap.reason or "slow")]
        if bytes(control.stream_error):
            return [Refused(told_problem(bytes(control.stream_error)))]
        if (why := control.stream_detached) is not None:
            return [Detached(why.retry_after, why.reason)]
        if (failure := control.stream_failure) is not None:
            return [Failed(self._offset, failure.code, failure.message)]
        if control.stream_closed:
            return [Closed(self._offset)]
        return [UpToDate(self._offset)] if control.up_to_date else [Alive()]
