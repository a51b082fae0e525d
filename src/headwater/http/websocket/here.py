"""What `here` does: be at a stream as a member, change the state, leave.

Rule: a connection is one member of a stream at most. Its first `here` joins; those behind it need no key.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from msgspec import UnsetType

from headwater.errors import BadRequest, LimitReached, MemberTaken
from headwater.http.presence import check_stream
from headwater.http.websocket.arguments import path_of
from headwater.http.websocket.session import Session
from headwater.hub.peers import client_of
from headwater.protocol.access.identity import Access
from headwater.protocol.asks import Ask, Operation
from headwater.protocol.presence.claim import Claim
from headwater.protocol.presence.keys import same_key
from headwater.protocol.presence.members import check_connection
from headwater.protocol.presence.requests import Entering, claim_of, state_of
from headwater.protocol.websocket import messages as m

_NULL: Final = b"null"


def here(session: Session, message: m.Here, size: int) -> None:
    """Join, change the state, or leave."""
    path = path_of(session, message.path, message.s)
    asks = (Ask(Operation.PRESENCE, path),)
    session.perform(message.id, size, asks, partial(_begin, session, message, size, path), message.s)


def _begin(session: Session, message: m.Here, size: int, path: str, access: Access) -> None:
    if not isinstance(message.state, UnsetType) and bytes(message.state) == _NULL:
        session.stay.leave(path)
        session.answer(message.id, size, b"" if message.id is None else session.codec.encode(m.Ok(message.id)))
        return
    state = None if isinstance(message.state, UnsetType) else state_of(bytes(message.state))
    there = session.stay.members.get(path)
    id = message.member
    if id is None and access.subject is None:
        id = session.peer.name if there is None else there.id
    claim = claim_of(id, message.key, access.principal)
    by = client_of(access, session.address)
    entering = Entering(claim, check_connection(message.connection or ""), state, by=by)
    session.run(message.id, size, _enter(session, message, path, entering, access), message.s)


async def _enter(session: Session, message: m.Here, path: str, entering: Entering, access: Access) -> bytes:
    hub, stay = session.hub, session.stay
    await check_stream(hub, path)
    if session.is_over:
        return b""
    there = stay.members.get(path)
    if there is not None and there.is_there:
        if there.id != entering.claim.id:
            raise BadRequest(f"this connection is here as {there.id!r}; leave first, with the state null")
        _check_key(entering.claim, there.key)
        if entering.state is not None:
            there.change(entering.state)
    else:
        most = hub.limits.connection_subscriptions
        if there is None and len(stay.members) >= most:
            raise LimitReached(f"this connection is a member of connection_subscriptions={most} streams already")
        there = hub.rooms.attend(path, entering, leased=True)
        there.join()
        there.is_owned = True
        stay.members[path] = there
        session.rights.note(access)
        session.watch()
    if message.id is None:
        return b""
    return session.codec.encode(m.Attending(message.id, there.id, there.key, hub.rooms.count(path)))


def _check_key(claim: Claim, key: str) -> None:
    """Refuse another key than the one with which this connection is here, so that nobody goes on with a wrong one."""
    if claim.key is not None and not claim.proven and not same_key(claim.key, key):
        raise MemberTaken("the key is not the one of this member")
