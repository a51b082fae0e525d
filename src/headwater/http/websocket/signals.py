"""Signals of a client: told to who reads the stream live, and stored nowhere.

Rule 1: a sender is its subject, whose rate is that of all its connections; where nobody says who it is, its connection.
Rule 2: a state of a sender without a subject is over with its connection; that of a subject holds for its time, and its
        owner may come back.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial

from headwater.errors import InvalidMessage
from headwater.http.signals import sent_by
from headwater.http.websocket.arguments import path_of
from headwater.http.websocket.session import Session
from headwater.model import JSON
from headwater.protocol.asks import Access, Ask, Operation
from headwater.protocol.framing import DEFAULT_CONTENT_TYPE
from headwater.protocol.signals import Addressed, Signal, make_signal
from headwater.protocol.websocket import messages as m


def signal(session: Session, message: m.Signal, size: int) -> None:
    """Send a signal."""
    path = path_of(session, message.path, message.s)
    asks = (Ask(Operation.SIGNAL, path),)
    session.perform(message.id, size, asks, partial(_send, session, message, size, path), message.s)


def _send(session: Session, message: m.Signal, size: int, path: str, access: Access) -> None:
    sender = session.door.hub.signal_sender
    kind, content = _content(message)
    addressed = sent_by(Addressed(message.from_, message.to, message.topic, message.keep), access)
    if addressed.sender is None and session.peer.name is not None:
        addressed = Addressed(session.peer.name, message.to, message.topic, message.keep)
    by: Hashable = session.stay.by if access.subject is None else ("subject", access.subject)
    sender.check(by, addressed, len(content))
    made = make_signal(addressed, kind, content)
    if message.keep and access.subject is None:
        session.stay.keeps(path)
    if sender.send_at_once(path, made, by) is None:
        session.run(message.id, size, _send_later(session, message, path, made, by), message.s)
    else:
        session.answer(message.id, size, _answer(session, message))


async def _send_later(session: Session, message: m.Signal, path: str, signal: Signal, by: Hashable) -> bytes:
    await session.door.hub.signal_sender.send(path, signal, by)
    return _answer(session, message)


def _answer(session: Session, message: m.Signal) -> bytes:
    return b"" if message.id is None else session.codec.encode(m.Ok(message.id))


def _content(message: m.Signal) -> tuple[str, bytes]:
    value = bytes(message.d)
    if bool(value) is (message.b is not None):
        raise InvalidMessage("a signal has d, a value, or b, bytes")
    return (JSON, value) if message.b is None else (DEFAULT_CONTENT_TYPE, message.b)
