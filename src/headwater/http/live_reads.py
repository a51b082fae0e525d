"""Live reads served: a read becomes a reader, at once where the exchange and the store can, and else in a task.

Rule: what follows from a head is made once of it (`LiveRead`), and so are the first words of its response. Who reads is
found out with each request.
"""

from __future__ import annotations

from typing import Final

from headwater.http import presence
from headwater.http.exchange import Exchange, LiveHead, Opening, Work, live_head
from headwater.http.live import end_of_closed, live_format, opened, opening, peer_of, waiting
from headwater.http.permission import Permission
from headwater.http.request import Request
from headwater.hub import Engine, Peer
from headwater.hub.live.arrival import Arrival, Prospect
from headwater.hub.live.attended import MemberPeer
from headwater.hub.live.waiting import Awaiting
from headwater.hub.live.wire_format import WireFormat
from headwater.model import Mode
from headwater.protocol import names, responses
from headwater.protocol.access.identity import ANYBODY, Access
from headwater.protocol.coding import IDENTITY
from headwater.protocol.commands import Read
from headwater.protocol.compression import Compressor


class LiveRead:
    """A live read, as its head asks for it.

    Args:
        command: what is asked for.
        form: its wire format; None: each response has one of its own.
        peer: who reads, where nobody is asked who that is; None: the address is to be looked for, too.

    Attributes:
        command: as given.
        form: as given.
        peer: as given.
        head: of the last response.
    """

    __slots__ = ("command", "form", "head", "peer")

    def __init__(self, command: Read, form: WireFormat | None, peer: Peer | None) -> None:
        self.command: Final = command
        self.form: Final = form
        self.peer: Final = peer
        self.head: LiveHead | None = None


class LiveReads:
    """Serves them.

    Args:
        hub: whose streams they are.
        compressor: of the responses.
        permission: counts who comes, where that is bounded.
    """

    def __init__(self, hub: Engine, compressor: Compressor, permission: Permission) -> None:
        self._permission: Final = permission
        self._hub: Final = hub
        self._live: Final = hub.live
        self._stats: Final = hub.stats
        self._heartbeat: Final = hub.limits.heartbeat_seconds
        self._compressor: Final = compressor
        self._varies: Final = bool(compressor.offered)

    def plan(self, command: Read, request: Request) -> LiveRead:
        """What follows from the head of a live read."""
        # Each cursor of `live=sse` is another one. Who came through proxies says from where with each head.
        form = None if command.mode is Mode.SSE else self._form(command)
        is_direct = names.X_FORWARDED_FOR not in request.headers and command.joins is None
        return LiveRead(command, form, peer_of(command, None, ANYBODY) if is_direct else None)

    def _form(self, command: Read) -> WireFormat:
        coding = self._compressor.live(command.accept_encoding) if self._varies else IDENTITY
        return live_format(command, coding)

    def listen(self, exchange: Exchange, read: LiveRead, access: Access) -> Work | None:
        """Open a live reader."""
        if self._permission.bounds is not None:
            self._permission.count_connect(access, exchange)
        command, form = read.command, read.form or self._form(read.command)
        if not exchange.pushes_at_once or command.last is not None or command.joins is not None:
            return self._open(exchange, command, form, access)
        # A connection of our own tells its reader's address when somebody asks.
        peer = read.peer
        if peer is None or access is not ANYBODY:
            peer = peer_of(command, exchange.client if peer is None else None, access)
        frames = self._live.first_frames(command.path, command.offset, form) if command.slow is None else None
        if frames is not None:
            content_type, head, own = frames.info.content_type, read.head, access is not ANYBODY
            if head is None or head.content_type != content_type or head.for_one != own:
                kind, beat = command.media_type or frames.group.encoder.media_type, form.heartbeat or self._heartbeat
                token, varies = form.coding.token, self._varies
                head = read.head = live_head(kind, content_type, beat, token, varies=varies, for_one=own)
            if command.resumed:
                self._stats.resumes += 1
            exchange.push_first(command.path, frames, peer, head)
            return None
        found = self._live.look(command.path, command.offset, slow=command.slow, peer=peer)
        if found is None:
            return self._open(exchange, command, form, access)
        self._stats.resumes += command.resumed
        return exchange.push(self._opening(found, command, form))

    async def _open(self, exchange: Exchange, command: Read, form: WireFormat, access: Access) -> None:
        exchange.may_be_cancelled = True
        peer = peer_of(command, exchange.client, access)
        if command.joins is not None:
            peer = presence.member_peer(self._hub, command.path, command.joins, peer)
        with await opened(self._live, command, peer) as arrival:
            if isinstance(arrival, Awaiting):
                found = waiting(arrival, command, self._heartbeat, varies=self._varies)
            else:
                self._stats.resumes += command.resumed
                if command.resumed and (end := end_of_closed(arrival)) is not None:
                    exchange.respond(responses.complete(end))
                    return
                found = self._opening(arrival, command, form)
            if isinstance(peer, MemberPeer):
                await presence.push(exchange, found, peer)
                return
            work = exchange.push(found)
            if work is not None:
                await work

    def _opening(self, arrival: Prospect | Arrival, command: Read, form: WireFormat) -> Opening:
        lasts = self._hub.limits.sse_seconds if command.mode is Mode.SSE else None
        return opening(arrival, form, lasts, command.media_type, self._heartbeat, varies=self._varies)
