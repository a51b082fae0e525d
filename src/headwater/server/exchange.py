"""One request on a connection as an exchange: the first driver of the service.

Rule: what can be written at once is. A response takes no task, no future and no timer of its own.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Final

from headwater.http.exchange import BodyDone, Exchange, LiveHead, Opening, Streamed, Upgrade
from headwater.http.http1 import CHUNKED, CLOSE, LAST_CHUNK, head_bytes, response_bytes
from headwater.http.live import unframed
from headwater.http.service import log_access
from headwater.http.socket_options import relax, restrain
from headwater.http.socket_sink import TransportSink
from headwater.http.websocket.sink import InflatingSink, MessageSink
from headwater.hub.outflow import Ending, Outflow
from headwater.model import Appended
from headwater.protocol import names, responses
from headwater.protocol.responses import Answer, HeaderList
from headwater.protocol.websocket import handshake
from headwater.server.head_cache import Head
from headwater.server.outbound import SocketOutlet
from headwater.server.shared import Shared
from headwater.server.wire import Wire

#: Stands for what differs in a response that is kept ready.
_MARK: Final = "\0"
_BODILESS: Final = (204, 304)
#: Until the service says which; not to be changed.
_NONE: Final[HeaderList] = []


class SocketExchange(Exchange):
    """See `Exchange`.

    Args:
        wire: the connection on which the request is under way.
        head: of the request.
    """

    __slots__ = ("_outflow", "_wire")

    request: Head

    def __init__(self, wire: Wire, head: Head) -> None:
        self.request = head
        self.extra = _NONE
        self.may_be_cancelled = self.is_live = False
        self.credential = None
        self._wire = wire
        self._outflow: Outflow | None = None

    @property
    def client(self) -> tuple[str, int] | None:
        """See `Exchange.client`."""
        peer = self._wire.peer()
        if names.X_FORWARDED_FOR not in self.request.headers:
            return peer
        address = None if peer is None else peer[0]
        found = self._wire.shared.proxies.client(address, self.request.headers)
        return peer if found is None or found == address else (found, 0)

    @property
    def is_forwarded(self) -> bool:
        """See `Exchange.is_forwarded`."""
        return names.X_FORWARDED_FOR in self.request.headers

    @property
    def scheme(self) -> str:
        """See `Exchange.scheme`."""
        shared, peer = self._wire.shared, self._wire.peer()
        return shared.proxies.scheme(None if peer is None else peer[0], self.request.headers, shared.scheme)

    @property
    def pushes_at_once(self) -> bool:
        """See `Exchange.pushes_at_once`."""
        return self.request.version == "1.1"

    @property
    def is_asked(self) -> bool:
        """See `Exchange.is_asked`."""
        return not self.request.expects or self._wire.has_asked

    def whole_body(self) -> bytes | None:
        """See `Exchange.whole_body`."""
        return None if self.request.expects else self._wire.inbound.whole_body()

    def read_body(self, done: BodyDone) -> None:
        """See `Exchange.read_body`."""
        self._wire.read_body(self, done)

    def respond(self, answer: Answer) -> None:
        """See `Exchange.respond`."""
        wire = self._wire
        if not wire.is_current(self):
            return
        keeps = not answer.unread and wire.keeps_alive(self)
        head_only = self.request.method == "HEAD"
        date = wire.shared.clock.line()
        wire.put(response_bytes(answer, date, self.extra, head_only=head_only, keep_alive=keeps))
        self._end(answer.status, closes=not keeps, unread=answer.unread)

    def acknowledge(self, appended: Appended, *, with_body: bool) -> None:
        """See `Exchange.acknowledge`. Of most responses only the offset and the closure differ."""
        wire = self._wire
        shared = wire.shared
        is_plain = with_body and appended.producer is None and appended.failure is None and not appended.created
        if is_plain and self.request.origin is None:
            clock, ready = shared.clock, shared.appended
            form = ready.found.get(appended.closed) if clock.holds(ready.second) else None
            if form is None:
                form = self._form_of(appended)
            if wire.give(self, appended.next_offset.encode().join(form)):
                if shared.limits.access_log:
                    log_access(self, 204)
                return
        super().acknowledge(appended, with_body=with_body)

    def _form_of(self, appended: Appended) -> list[bytes]:
        clock, ready = self._wire.shared.clock, self._wire.shared.appended
        answer = responses.appended(Appended(_MARK, appended.closed), with_body=True)
        form = response_bytes(answer, clock.line(), self.extra).split(_MARK.encode())
        ready.at(clock.second)[appended.closed] = form
        return form

    def stream(self, streamed: Streamed) -> Coroutine[Any, Any, None]:
        """See `Exchange.stream`."""
        return self._stream(streamed)

    async def _stream(self, streamed: Streamed) -> None:
        wire, head = self._wire, streamed.head
        if not wire.is_current(self):
            await streamed.pieces.aclose()
            return
        keeps = wire.keeps_alive(self)
        has_body = self.request.method != "HEAD" and head.status not in _BODILESS
        chunked = has_body and streamed.length is None and self.request.version == "1.1"
        # The end of the connection is the end of the body (RFC 9112 section 6.3), so that a cut one must be a reset.
        endless = has_body and streamed.length is None and not chunked
        keeps = keeps and not endless
        framing = (*([CHUNKED] if chunked else []), *([] if keeps else [CLOSE]))
        shared = wire.shared
        wire.put(head_bytes(head.status, shared.clock.line(), head.headers, self.extra, framing))
        if not has_body:
            await streamed.pieces.aclose()
            self._end(head.status, closes=not keeps)
            return
        self.may_be_cancelled = False  # from here on it is the outflow that is told, and counts it
        sock = wire.transport.get_extra_info("socket")
        if not shared.restrained:
            restrain(sock, shared.runtime.limits)
        outlet = SocketOutlet(wire, chunked=chunked)
        outflow = self._outflow = Outflow(shared.runtime, outlet, streamed.path, streamed.access)
        ending = await outflow.run(streamed.pieces)
        if ending is Ending.WHOLE and wire.is_current(self):
            if not shared.restrained:
                relax(sock)
            if chunked:
                wire.put(LAST_CHUNK)
            self._end(head.status, closes=not keeps)
        elif ending is not Ending.WHOLE and ending is not Ending.LOST:
            wire.cut(at_once=endless or ending is Ending.STALLED)

    def lost(self) -> None:
        """The client is gone: what is made for it ends, whatever it waits for."""
        if self._outflow is not None:
            self._outflow.lost()

    def push(self, opening: Opening) -> None:
        """See `Exchange.push`."""
        wire = self._wire
        if not wire.is_current(self):
            return
        form, shared = opening.form, wire.shared
        if self.request.version != "1.1":
            form = unframed(form, "1.0", b"")
        head = self._live_head(opening.head)
        wire.take()
        sink = TransportSink(wire.transport, shared.runtime, shared.restrained)
        shared.live.push(opening.arrival, form, sink, lifetime=opening.lifetime, encoder=opening.encoder, head=head)
        if shared.limits.access_log:
            log_access(self, 200)

    @property
    def websocket_key(self) -> bytes:
        """See `Exchange.websocket_key`."""
        return self._wire.inbound.key if self.request.is_keyed else super().websocket_key

    @property
    def is_websocket(self) -> bool:
        """See `Exchange.is_websocket`."""
        head = self.request
        return handshake.is_handshake(head.method, head.version, head.headers)

    def upgrade(self, upgrade: Upgrade, accept: bytes) -> None:
        """See `Exchange.upgrade`."""
        wire = self._wire
        if not wire.is_current(self):
            return
        shared = wire.shared
        head = self._upgrade_head(upgrade, accept, shared)
        wire.take()
        rest = wire.inbound.rest() if wire.inbound.buffer else b""
        intake, most, deflate = shared.service.intake, upgrade.max_bytes, upgrade.deflate
        if deflate is None:
            sink = MessageSink(wire.transport, shared.runtime, intake, most, shared.restrained)
        else:
            sink = InflatingSink(wire.transport, shared.runtime, intake, most, shared.restrained, deflate)
        sink.write_first(head)
        sink.begin(upgrade.open(self, sink, deflate), rest)
        if shared.limits.access_log:
            log_access(self, 101)

    def _upgrade_head(self, upgrade: Upgrade, accept: bytes, shared: Shared) -> bytes:
        """Of most of them only what they say of the key differs."""
        clock, ready = shared.clock, shared.upgrades
        date = clock.line()
        if self.request.origin is not None:
            return head_bytes(101, date, upgrade.headers(accept), self.extra)
        key = upgrade.subprotocol if upgrade.deflate is None else (upgrade.subprotocol, upgrade.deflate.header)
        form = ready.found.get(key) if ready.second == clock.second else None
        if form is None:
            whole = head_bytes(101, date, upgrade.headers(_MARK.encode()), self.extra)
            form = ready.at(clock.second)[key] = whole.split(_MARK.encode())
        return accept.join(form)

    def _live_head(self, head: LiveHead) -> bytes:
        clock, request = self._wire.shared.clock, self.request
        date = clock.line()
        # What pages are told of differs, and runs have names of their own.
        if request.origin is not None or head.more or request.version != "1.1":
            framing = [CHUNKED, CLOSE] if request.version == "1.1" else [CLOSE]
            answer = head.answer()
            return head_bytes(answer.status, date, answer.headers, self.extra, framing)
        ready = self._wire.shared.live_heads
        found = ready.found.get(head) if ready.second == clock.second else None
        if found is None:
            answer = head.answer()
            found = ready.at(clock.second)[head] = head_bytes(
                answer.status, date, answer.headers, self.extra, [CHUNKED, CLOSE]
            )
        return found

    def _end(self, status: int, *, closes: bool, unread: bool = False) -> None:
        if self._wire.shared.limits.access_log:
            log_access(self, status)
        self._wire.end_response(closes=closes, unread=unread)
