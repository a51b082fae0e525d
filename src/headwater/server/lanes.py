"""uvicorn's HTTP protocol with the fast lane: a request whose head came whole, between two others, may take it.

Rule 1: while a request is under way in the lane, uvicorn sees a cycle that is not complete; one at a time.
Rule 2: what a client pipelines behind it is kept unparsed, and no more is read, until it is answered; the next one has
        its turn in another turn of the loop, so that a flood on one connection does not hold up the others.
Rule 3: no timer is set or cancelled for a request that came whole. The time of silence is looked at when it is over.
"""

from __future__ import annotations

import asyncio
from os import write
from typing import Any, cast

from headwater.asgi.handover import descriptor_of
from headwater.model import Appended
from headwater.protocol.requests import Write
from headwater.protocol.responses import Answer
from headwater.server.connections import LimitedProtocol
from headwater.server.fastlane import FastLane, Plan

#: An empty line behind the last header.
END_OF_HEAD = b"\r\n\r\n"


class Turn:
    """Stands for uvicorn's request cycle while a request is under way in the lane; one for each connection.

    Attributes:
        response_complete: the answer is written.
        disconnected: the client is gone.
        keep_alive: the connection may go on; a stop of the server clears it.
        message_event: set when the connection is lost; nobody waits for it.
    """

    __slots__ = ("disconnected", "keep_alive", "message_event", "response_complete")

    def __init__(self) -> None:
        self.response_complete = False
        self.disconnected = False
        self.keep_alive = True
        self.message_event = self

    def set(self) -> None:
        """Nobody waits."""


class LaneProtocol(LimitedProtocol):
    """One connection. Subclassed by `lane_protocol`, which sets these.

    Attributes:
        body_seconds: time for the body of a request in the fast lane.
        lane: what takes the requests.
    """

    body_seconds: float
    lane: FastLane

    #: The parser stands between two messages.
    _between = True
    _turn: Turn
    #: Of the request under way, or of the last one.
    _plan: Plan
    #: The body so far, while a part of it is missing.
    _body: bytearray | None = None
    _quiet_since = 0.0
    _descriptor: int | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is there."""
        self._turn = Turn()
        self._descriptor = descriptor_of(transport, transport.get_extra_info("socket"))
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget half a request."""
        if self._body is not None:
            self._body = None
            self.stats.disconnects += 1
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take a plain request out; feed the parser with everything else."""
        if self._body is not None:
            self._collect(self._body, data)
            return
        if (
            self._between
            and not self.lingers
            and not self._rest
            and (self.cycle is None or self.cycle.response_complete)
        ):
            end = data.find(END_OF_HEAD) + 4
            # A client that does not read its answers has to wait, which only ASGI's `send` can.
            if 4 <= end <= self.max_header_bytes and not self.flow.write_paused:
                plan = self.lane.plan(data[:end])
                if plan is not None and not plan.live:
                    self._admit(plan, data, end)
                    return
        super().data_received(data)

    def _admit(self, plan: Plan, data: bytes, end: int) -> None:
        self._turn.response_complete = False
        self.cycle = cast("Any", self._turn)
        self._plan = plan
        if self._timer is not None:
            self._in_head = False
            self._stop_timer()
        missing = end + plan.length - len(data)
        if missing > 0:
            self._body = bytearray(data[end:])
            self._start_timer(self.body_seconds, "body")
            return
        self._begin(data[end : end + plan.length], data[end + plan.length :] if missing else b"")

    def _collect(self, body: bytearray, data: bytes) -> None:
        missing = self._plan.length - len(body)
        body += data[:missing]
        if len(data) >= missing:
            self._body = None
            self._stop_timer()
            self._begin(bytes(body), data[missing:])

    def _begin(self, body: bytes, rest: bytes) -> None:
        if rest:
            self._rest = rest
            self.flow.hold()
        command = self._plan.command
        if isinstance(command, Write):
            self.lane.append(command, body, self._appended)
        else:
            task = self.loop.create_task(self.lane.read(command))
            self.tasks.add(cast("Any", task))
            task.add_done_callback(self._read)

    def _appended(self, outcome: Appended | Exception) -> None:
        turn = self._turn
        date = self.server_state.default_headers
        self._answer(turn, self.lane.appended(outcome, self._plan, date, keep_alive=turn.keep_alive))

    def _read(self, task: asyncio.Task[Answer]) -> None:
        self.tasks.discard(cast("Any", task))
        turn, lane = self._turn, self.lane
        if task.cancelled():
            self.transport.close()
            return
        error, date = task.exception(), self.server_state.default_headers
        if error is None:
            data = lane.to_bytes(task.result(), self._plan, date, keep_alive=turn.keep_alive)
        else:
            data = lane.failed(error, self._plan, date, keep_alive=turn.keep_alive)
        self._answer(turn, data)

    def _answer(self, turn: Turn, data: bytes) -> None:
        turn.response_complete = True
        self.server_state.total_requests += 1
        transport = self.transport
        if self.is_closing:
            return
        self._put(data)
        if not turn.keep_alive:
            transport.close()
            return
        self._quiet_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._wait_for_silence(self.timeout_keep_alive)
        if self.flow.held:
            self._take_rest()

    def _put(self, data: bytes) -> None:
        """Write past the transport, unless it holds something: uvloop's keeps the interpreter lock in `write(2)`."""
        transport, descriptor = self.transport, self._descriptor
        if descriptor is None or transport.get_write_buffer_size():
            transport.write(data)
            return
        try:
            sent = write(descriptor, data)
        except OSError:
            sent = 0  # it is the transport's to find out
        if sent < len(data):
            transport.write(data[sent:])

    def _wait_for_silence(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection, if it was silent for so long; requests in the lane do not set the timer again."""
        self.timeout_keep_alive_task = None
        if cast("Any", self.cycle) is self._turn:
            if not self._turn.response_complete:
                return  # set again after the answer
            left = self._quiet_since + self.timeout_keep_alive - self.loop.time()
            if left > 0:
                self._wait_for_silence(left)
                return
        super().timeout_keep_alive_handler()

    def on_message_begin(self) -> None:
        """A request begins."""
        self._between = False
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """A request is there; behind an upgrade there may be another protocol."""
        self._between = not self.parser.should_upgrade()
        super().on_message_complete()

    def _timed_out(self, seconds: float, what: str) -> None:
        if self._body is not None:
            self._body = None
            self._turn.response_complete = True
        super()._timed_out(seconds, what)


def lane_protocol(limited: type[LimitedProtocol], *, body_seconds: float, lane: FastLane) -> type[LaneProtocol]:
    """A limited protocol class with the fast lane."""
    return type("ConfiguredProtocol", (LaneProtocol, limited), {"body_seconds": body_seconds, "lane": lane})
