"""GET and POST `-/many`: reads of many streams in one response."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from inspect import isawaitable
from typing import Final

from msgspec import structs

from headwater.errors import HeadwaterError
from headwater.http.exchange import Exchange, Opening, body_of, live_head
from headwater.http.http1 import LAST_CHUNK, chunk
from headwater.http.live import kinds_of, with_kinds
from headwater.http.permission import Permission
from headwater.http.request import Request
from headwater.hub import Engine, Peer
from headwater.hub.live.many.arrival import ManyArrival, is_over
from headwater.hub.live.many.asked import Asked
from headwater.hub.live.many.page import ManyPage
from headwater.hub.live.wire_format import WireFormat
from headwater.hub.peers import address_of
from headwater.protocol import responses
from headwater.protocol.access.identity import Access
from headwater.protocol.asks import Ask, Operation
from headwater.protocol.ephemeral import as_event, as_line
from headwater.protocol.many import Names, ReadMany, parse_get, parse_post
from headwater.protocol.preconditions import check_unconditional
from headwater.protocol.requests import check_coding
from headwater.protocol.words import check_method

#: Below the root.
WORD: Final = "-/many"
#: Where a request names its streams.
WHERE: Final = "a read of several streams names them in its query or its body"
_METHODS: Final = "GET, POST, OPTIONS"

#: Asked for operations on one stream; raises, or gives None, where it is not allowed.
Allows = Callable[[tuple[Ask, ...]], Access | Awaitable[Access]]


def check_head(request: Request) -> None:
    """Refuse what cannot be such a request, before its body is read.

    Raises:
        MethodNotAllowed: it is neither GET nor POST.
        BadRequest: a POST has a condition.
        UnsupportedCoding: its body is coded.
    """
    check_method(request.method, WORD, _METHODS)
    if request.method == "POST":
        check_unconditional(request.headers, WORD)
    check_coding(request.headers)


class ManyReads:
    """Serves them.

    Args:
        hub: whose streams are read.
        names: what a name may be.
        permission: asked for each stream.
    """

    def __init__(self, hub: Engine, names: Names, permission: Permission) -> None:
        self._hub = hub
        self._names = names
        self._permission = permission

    async def serve(self, exchange: Exchange) -> None:
        """Respond to a request.

        Raises:
            HeadwaterError: refused.
        """
        request = exchange.request
        command = await self._command(exchange, request)
        exchange.may_be_cancelled = True
        wire = "events" if command.as_events else "ndjson"
        peer = Peer(wire, command.reader, address_of(exchange.client))
        peer = await self._counted(exchange, command, peer)
        allows = None if self._permission.is_open else partial(self._permission.access, exchange, by_pattern=True)
        asked = await self._asked(command, peer, allows, partial(self._permission.more, peer.access, exchange))
        if await is_over(self._hub.store, asked):
            exchange.respond(responses.nothing())
        elif command.live:
            work = exchange.push(self._opening(asked, command))
            if work is not None:
                await work
        else:
            self._hub.stats.reads += 1
            body = await ManyPage(self._hub.live, asked, self._hub.limits.read_bytes).read()
            found = responses.page_of_many(body)
            exchange.respond(found if self._permission.is_open else responses.for_one(found))

    async def _counted(self, exchange: Exchange, command: ReadMany, peer: Peer) -> Peer:
        """Who reads, who need not be somebody; a proof that is none is refused, also where it would not be needed."""
        permission = self._permission
        found = permission.proof(permission.credential(exchange), exchange.client)
        access = found if isinstance(found, Access) else await found
        if permission.bounds is not None:
            permission.count_subscribes(len(command.wanted), access, exchange)
            if command.live:
                permission.count_connect(access, exchange)
        return structs.replace(peer, access=access)

    async def _command(self, exchange: Exchange, request: Request) -> ReadMany:
        if request.method == "GET":
            return parse_get(request.query, request.headers, self._names)
        return parse_post(request.query, await body_of(exchange), request.headers, self._names)

    async def _asked(self, command: ReadMany, peer: Peer, allows: Allows | None, first: Allows) -> Asked:
        if allows is None:
            return Asked(command, peer, private=self._names.private)
        granted: dict[str, Peer] = {}
        refused: dict[str, HeadwaterError] = {}
        operations = _operations(command)
        access = partial(_peer_for, peer, allows, granted, operations)
        exact = [each.name for each in command.wanted if not each.is_pattern]
        for name in exact:
            try:
                found = first(tuple([Ask(operation, name) for operation in operations]))
                granted[name] = structs.replace(peer, access=found if isinstance(found, Access) else await found)
            except HeadwaterError as error:
                refused[name] = error
        if refused and len(refused) == len(command.wanted):
            raise refused[exact[0]]
        return Asked(command, peer, access=access, refused=refused, private=self._names.private)

    def _opening(self, asked: Asked, command: ReadMany) -> Opening:
        kind = ("many", command.as_events, command.envelope)
        # A stream's own encoder is made for it; this one is never asked.
        encoder = asked.encoder("")
        tell = as_event if command.as_events else as_line
        form = WireFormat(kind, encoder, chunk, LAST_CHUNK, timeless=True, timed=command.envelope, says=tell)
        form = with_kinds(form, tell, kinds_of(command), command.heartbeat)
        beat = command.heartbeat or self._hub.limits.heartbeat_seconds
        head = live_head(command.media_type, "text/plain", beat, varies=False, for_one=not self._permission.is_open)
        return Opening(ManyArrival(self._hub.live, asked), form, encoder(""), head)


def _operations(command: ReadMany) -> tuple[Operation, ...]:
    return (Operation.READ, Operation.PRESENCE) if command.presence else (Operation.READ,)


def _peer_for(
    peer: Peer, allows: Allows, granted: dict[str, Peer], operations: tuple[Operation, ...], path: str
) -> Peer | Awaitable[Peer]:
    if (first := granted.pop(path, None)) is not None:  # asked before the response; when it is opened again, anew
        return first
    found = allows(tuple([Ask(operation, path) for operation in operations]))
    return _awaited(peer, found) if isawaitable(found) else structs.replace(peer, access=found)


async def _awaited(peer: Peer, found: Awaitable[Access]) -> Peer:
    return structs.replace(peer, access=await found)
