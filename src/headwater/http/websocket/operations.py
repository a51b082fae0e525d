"""What each message of a connection does. Another kind of message is one more line of the table.

Rule: a message names what it needs (`asks`), and is begun when that is allowed; only then a store is touched.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from headwater.errors import HeadwaterError, InvalidMessage
from headwater.http.websocket.here import here
from headwater.http.websocket.reads import head, read
from headwater.http.websocket.rights import OPEN
from headwater.http.websocket.session import Session
from headwater.http.websocket.shared import Operations
from headwater.http.websocket.signals import signal
from headwater.http.websocket.subprotocol import AskedSub, Plan
from headwater.http.websocket.writes import append, close, create, delete, fail
from headwater.hub.live.subscriptions.wish import Wish
from headwater.protocol.access.identity import Access
from headwater.protocol.websocket import messages as m


def hello(session: Session, message: m.Hello, size: int) -> None:
    """There is one, the first message."""
    raise InvalidMessage("hello is the first message, and was sent already")


def pong(session: Session, message: m.Pong, size: int) -> None:
    """The client is there, which the socket knows already."""


def ping(session: Session, message: m.Ping, size: int) -> None:
    """Answer it."""
    session.tell(m.Answer(message.id))


def sub(session: Session, asked: AskedSub, size: int) -> None:
    """Read a stream, or a pattern."""
    plan = asked.plan or session.subprotocol.plan(asked)
    if plan.is_pattern:
        # Each stream that matches is asked about by itself; here it is who reads them.
        session.perform(asked.id, size, None, partial(_match, session, plan.wish, size))
    elif session.rights is OPEN:
        if session.has_requests:
            session.requests.check_id(asked.id)
        session.connection.read(plan.wish, session.peer, plan.form)
        if session.door.warned.counts:
            session.accepted()
    else:
        session.allow(asked.id, size, plan.asks, partial(_subscribe, session, plan))


def _subscribe(session: Session, plan: Plan, access: Access) -> None:
    session.rights.count_subscribe(access)
    session.connection.read(plan.wish, session.rights.peer_with(session.peer, access), plan.form)


def _match(session: Session, wish: Wish, size: int, access: Access) -> None:
    session.connection.check_pattern(wish)
    session.rights.count_subscribe(access)
    session.rights.note(access)
    session.answer(wish.id, size, session.codec.encode(m.Ok(wish.id)))
    session.connection.match(wish)


def unsub(session: Session, message: m.Unsub, size: int) -> None:
    """Read a stream no more."""
    whole = session.connection
    found = None
    if message.s is not None:
        found = whole.find(message.s)
    elif message.path is not None:
        found = whole.find(message.path)
    if found is None and message.path is not None and whole.leave(message.path):
        _left(session, message)
        return
    if found is None:
        what = message.s if message.path is None else repr(message.path[:80])
        raise InvalidMessage(f"this connection does not read {what}")
    found.leave("left")
    _left(session, message)


def _left(session: Session, message: m.Unsub) -> None:
    if message.id is not None:
        session.tell(m.Ok(message.id))


def ack(session: Session, message: m.Ack, size: int) -> None:
    """So much more may be sent."""
    found = session.connection.find(message.s)
    if found is None or found.channel is None:
        return  # it has ended, and the client will know
    try:
        found.channel.acknowledge(message.o)
    except HeadwaterError as error:
        session.refuse(error, s=message.s)


def auth(session: Session, message: m.Auth, size: int) -> None:
    """Ask with another token; what is read is asked about again."""
    session.rights.show(message.token, replaces=True)
    session.perform(
        message.id, size, (), lambda _: session.rights.recheck(partial(_authorized, session, message.id, size))
    )


def _authorized(session: Session, id: int | None, size: int) -> None:
    session.run(id, size, _proven(session, id))


async def _proven(session: Session, id: int | None) -> bytes:
    """The answer to a token that is worth something, also where nothing is read with it."""
    found = session.rights.proof()
    if not isinstance(found, Access):
        await found
    return b"" if id is None else session.codec.encode(m.Ok(id))


#: By the message.
OPERATIONS: Final[Operations] = {
    m.Hello: hello,
    AskedSub: sub,
    m.Unsub: unsub,
    m.Ack: ack,
    m.Append: append,
    m.Close: close,
    m.Fail: fail,
    m.Create: create,
    m.Head: head,
    m.Read: read,
    m.Delete: delete,
    m.SendSignal: signal,
    m.Here: here,
    m.Auth: auth,
    m.Ping: ping,
    m.Pong: pong,
}
