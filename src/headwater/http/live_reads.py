"""Live reads served: a read becomes a reader, at once where the exchange and the store can, and else in a task.

Rule: what follows from a head is made once of it (`LiveRead`), and so are the first words of its response. Who reads is
found out with each request.
"""

from __future__ import annotations

from typing import Final

import msgspec

from headwater.http import presence
from headwater.http.exchange import Exchange, LiveHead, Opening, Work, live_head
from headwater.http.live import end_of_closed, live_format, opened, opening, peer_of, waiting
from headwater.http.permission import Permission
from headwater.http.request import Request
from headwater.hub import Engine, Peer
from headwater.hub.live.attended import MemberPeer
from headwater.hub.live.waiting import Awaiting
from headwater.hub.live.wire_format import WireFormat
from headwater.model import Mode
from headwater.protocol import names, responses
from headwater.protocol.access.identity import ANYBODY, Access
from headwater.protocol.coding import IDENTITY
from headwater.protocol.commands import Read
from headwater.protocol.compression import Compressor


class LiveRead(msgspec.Struct):
    """A live read, as its head asks for it.

    Attributes:
        command: what is asked for.
        form: its wire format; None: each response has one of its own.
        peer: who reads, where nobody is asked who that is; None: the address is to be looked for, too.
        lifetime: seconds before the reader is let go; None: no end.
        head: of the last response.
    """

    command: Read
    form: WireFormat | None
    peer: Peer | None
    lifetime: float | None
    head: LiveHead | None = None


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
        self._seconds: Final = hub.limits.sse_seconds
        self._compressor: Final = compressor
        self._varies: Final = bool(compressor.offered)

    def plan(self, command: Read, request: Request) -> LiveRead:
        """What follows from the head of a live read."""
        # Each cursor of `live=sse` is another one. Who came through proxies says from where with each head.
        form, lifetime = (None, self._seconds) if command.mode is Mode.SSE else (self._form(command), None)
        is_direct = names.X_FORWARDED_FOR not in request.headers and command.joins is None
        return LiveRead(command, form, peer_of(command, None, ANYBODY) if is_direct else None, lifetime)

    def _form(self, command: Read) -> WireFormat:
        coding = self._compressor.live(command.accept_encoding) if self._varies else IDENTITY
        return live_format(command, coding)

    def listen(self, exchange: Exchange, read: LiveRead, access: Access) -> Work | None:
        """Open a live reader."""
        if self._permission.bounds is not None:
            self._permission.count_connect(access, exchange)
        command, form = read.command, read.form or self._form(read.command)
        if not exchange.pushes_at_once or command.last is not None or command.joins is not None:
            return self._open(exchange, read, form, access)
        # A connection of our own tells its reader's address when somebody asks.
        peer = read.peer
        if peer is None or access is not ANYBODY:
            peer = peer_of(command, exchange.client if peer is None else None, access)
        found = self._live.look(command.path, command.offset, form, slow=command.slow, peer=peer)
        if found is None:
            return self._open(exchange, read, form, access)
        content_type, head, own = found.info.content_type, read.head, access is not ANYBODY
        if head is None or head.content_type != content_type or head.for_one != own:
            kind, beat = command.media_type or form.media_type, form.heartbeat or self._heartbeat
            token, varies = form.coding.token, self._varies
            head = read.head = live_head(kind, content_type, beat, token, varies=varies, for_one=own)
        self._stats.resumes += command.resumed
        return exchange.push(Opening(found, form, None, head, read.lifetime))

    async def _open(self, exchange: Exchange, read: LiveRead, form: WireFormat, access: Access) -> None:
        exchange.may_be_cancelled = True
        command, beat, varies = read.command, self._heartbeat, self._varies
        peer = peer_of(command, exchange.client, access)
        if command.joins is not None:
            peer = presence.member_peer(self._hub, command.path, command.joins, peer)
        with await opened(self._live, command, peer) as arrival:
            if isinstance(arrival, Awaiting):
                found = waiting(arrival, command, beat, varies=varies)
            else:
                self._stats.resumes += command.resumed
                if command.resumed and (end := end_of_closed(arrival)) is not None:
                    exchange.respond(responses.complete(end))
                    return
                found = opening(arrival, form, read.lifetime, command.media_type, beat, varies=varies)
            if isinstance(peer, MemberPeer):
                await presence.push(exchange, found, peer)
                return
            work = exchange.push(found)
            if work is not None:
                await work
