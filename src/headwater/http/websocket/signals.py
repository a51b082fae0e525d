"""Signals of a client: told to who reads the stream live, and stored nowhere.

Rule 1: a sender is its subject, whose rate is that of all its connections; where nobody says who it is, its connection.
Rule 2: a state of a sender without a subject is over with its connection; that of a subject holds for its time, and its
        owner may come back.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial

from msgspec import UNSET, UnsetType

from headwater.errors import BadRequest
from headwater.http.signals import sent_by
from headwater.http.websocket.arguments import path_of
from headwater.http.websocket.session import Session
from headwater.hub.live.ephemeral import Told
from headwater.model import JSON
from headwater.protocol.access.identity import Access
from headwater.protocol.asks import Ask, Operation
from headwater.protocol.framing import DEFAULT_CONTENT_TYPE
from headwater.protocol.signals import Addressed, Signal, make_signal
from headwater.protocol.websocket import messages as m


def signal(session: Session, message: m.SendSignal, size: int) -> None:
    """Send a signal."""
    path = path_of(session, message.path, message.s)
    asks = (Ask(Operation.SIGNAL, path),)
    session.perform(message.id, size, asks, partial(_send, session, message, size, path), message.s)


def _send(session: Session, message: m.SendSignal, size: int, path: str, access: Access) -> None:
    sender = session.hub.signal_sender
    kind, content = _content(message)
    addressed = sent_by(Addressed(message.from_, message.to, message.topic, message.keep), access)
    if addressed.sender is None and session.peer.name is not None:
        addressed = Addressed(session.peer.name, message.to, message.topic, message.keep)
    by: Hashable = session.stay.by if (principal := access.principal) is None else principal
    sender.check(by, addressed, len(content))
    made = make_signal(addressed, kind, content)
    if message.keep and access.subject is None:
        session.stay.keeps(path)
    told = sender.send_at_once(path, made, by)
    if told is None:
        session.run(message.id, size, _send_later(session, message, path, made, by), message.s)
    else:
        session.answer(message.id, size, _answer(session, message, told))


async def _send_later(session: Session, message: m.SendSignal, path: str, signal: Signal, by: Hashable) -> bytes:
    return _answer(session, message, await session.hub.signal_sender.send(path, signal, by))


def _answer(session: Session, message: m.SendSignal, told: Told) -> bytes:
    return b"" if message.id is None else session.codec.encode(m.Ok(message.id, told=told.told))


def _content(message: m.SendSignal) -> tuple[str, bytes]:
    if (message.data is UNSET) is (message.b is None):
        raise BadRequest("a signal has data, a value, or b, bytes")
    if isinstance(message.data, UnsetType):
        return DEFAULT_CONTENT_TYPE, message.b or b""
    return JSON, bytes(message.data)
