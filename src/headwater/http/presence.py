"""`{path}/-/presence`, and live readers that are members while they read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec
from msgspec.structs import replace

from headwater.errors import StateTooLarge
from headwater.http.exchange import Exchange, Opening, Work, body_of
from headwater.hub import Engine, Peer
from headwater.hub.live.attended import MemberPeer
from headwater.hub.peers import address_of, client_of
from headwater.hub.presence.rooms import Joined
from headwater.protocol import responses
from headwater.protocol.access.identity import Access
from headwater.protocol.commands import Attend, Joins, ListMembers
from headwater.protocol.presence.requests import MAX_OTHER_BYTES, Entering, Leaving, parse_join, parse_post
from headwater.protocol.presence.room import Page


def serve(
    hub: Engine,
    exchange: Exchange,
    command: Attend | ListMembers,
    access: Access,
    check: Callable[[Access, Exchange], None],
) -> Work:
    """Do what a request asks of a room.

    Args:
        hub: whose streams they are.
        exchange: the request.
        command: what it says.
        access: with which it was allowed.
        check: looks at that again, when the body is whole.
    """
    if isinstance(command, Attend):
        return _attend(hub, exchange, command, access, check)
    return _list(hub, exchange, command)


async def _attend(
    hub: Engine, exchange: Exchange, command: Attend, access: Access, check: Callable[[Access, Exchange], None]
) -> None:
    limit = hub.limits.max_presence_state_bytes
    if command.size is not None and command.size > limit + MAX_OTHER_BYTES:
        raise StateTooLarge(
            f"the body has {command.size} bytes: a state of max_presence_state_bytes={limit}, and {MAX_OTHER_BYTES} "
            "for all else"
        )
    if not exchange.is_asked:
        await check_stream(hub, command.path)
    asked = parse_post(await body_of(exchange), access.principal)
    check(access, exchange)
    if isinstance(asked, Entering):
        asked = replace(asked, by=client_of(access, address_of(exchange.client)))
    await check_stream(hub, command.path)
    if isinstance(asked, Leaving):
        hub.rooms.leave(command.path, asked.claim, asked.connection)
        exchange.respond(responses.nothing())
    else:
        exchange.respond(responses.json_answer(_told(hub, hub.rooms.enter(command.path, asked))))


def _told(hub: Engine, joined: Joined) -> dict[str, object]:
    return {**msgspec.structs.asdict(joined), "lease": hub.rooms.lease, "grace": hub.rooms.grace}


async def _list(hub: Engine, exchange: Exchange, command: ListMembers) -> None:
    await check_stream(hub, command.path)
    exchange.respond(responses.json_answer(_page(hub.rooms.page(command.path, command.after, command.limit))))


def _page(page: Page) -> dict[str, object]:
    found: dict[str, object] = {"version": page.version, "count": page.count}
    found["members"] = [msgspec.Raw(entry) for entry in page.entries]
    return found if page.after is None else {**found, "after": page.after}


async def check_stream(hub: Engine, path: str) -> None:
    """Let a request be of a stream that is there; who reads it live has asked the store before."""
    hub.runtime.gate.check()
    stream = hub.live.stream(path)
    if stream is None or not stream.window.is_known or stream.window.deleted:
        await hub.info(path)


# Live readers.


def member_peer(hub: Engine, path: str, joins: Joins, peer: Peer) -> MemberPeer:
    """Who reads, if it is a member while it reads; it joins with `joined`.

    Args:
        hub: whose stream is read.
        path: of the stream.
        joins: as asked for.
        peer: who reads.

    Raises:
        BadRequest, InvalidBody, Refused: see `parse_join`.
    """
    limits = hub.limits
    entering = replace(parse_join(joins, peer.access.principal), by=client_of(peer.access, peer.address))
    attends = hub.rooms.attend(path, entering, leased=False)
    # A heartbeat is sent first, and the grace follows: so a machine that is gone is noticed within the lease.
    silence = max(1.0, limits.presence_lease - limits.heartbeat_seconds - limits.presence_grace)
    return MemberPeer(peer.wire, peer.name, peer.address, peer.access, attends=attends, silence=silence)


async def push(exchange: Exchange, opening: Opening, peer: MemberPeer) -> None:
    """Push to a reader that is a member, from now on.

    Args:
        exchange: the request.
        opening: of the response.
        peer: who reads.

    Raises:
        MemberTaken, StateTooLarge, LimitReached, RateLimited: see `Room.join`.
    """
    with joined(peer):
        work = exchange.push(opening)
        if work is not None:
            await work


@contextmanager
def joined(peer: MemberPeer) -> Iterator[None]:
    """Have a member join, for a reader to which something is pushed meanwhile; if nothing is, its connection is lost.

    Raises:
        MemberTaken, StateTooLarge, LimitReached, RateLimited: see `Room.join`.
    """
    attends = peer.attends
    attends.join()
    try:
        yield
    finally:
        if not attends.is_owned:
            attends.lost()
