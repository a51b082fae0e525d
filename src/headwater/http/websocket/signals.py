"""What `signal` does: something told to the live readers of a stream, and stored nowhere."""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial

import msgspec

from headwater.errors import BadRequest
from headwater.http.signals import sent_by
from headwater.http.websocket.arguments import path_of
from headwater.http.websocket.session import Session
from headwater.model import JSON
from headwater.protocol.asks import Access, Ask, Operation
from headwater.protocol.framing import DEFAULT_CONTENT_TYPE
from headwater.protocol.signals import Addressed, Signal, make_signal
from headwater.protocol.websocket import messages as m


def signal(session: Session, message: m.SendSignal, size: int) -> None:
    """Send one; it is told in this step, where its stream has live readers."""
    path = path_of(session, message.path, message.s)
    if (message.data is msgspec.UNSET) is (message.b is None):
        raise BadRequest("a signal has data or b")
    asks = (Ask(Operation.SIGNAL, path),)
    session.perform(message.id, size, asks, partial(_send, session, message, size, path))


def _send(session: Session, message: m.SendSignal, size: int, path: str, access: Access) -> None:
    sender = session.door.hub.signal_sender
    addressed = sent_by(Addressed(message.from_, message.to, message.topic, message.keep), access)
    if message.data is msgspec.UNSET:
        kind, content = DEFAULT_CONTENT_TYPE, message.b or b""
    else:
        kind, content = JSON, bytes(message.data)
    by = _sender(session, access)
    sender.check(by, addressed, len(content))
    session.run(message.id, size, _told(session, message.id, path, make_signal(addressed, kind, content), by))


async def _told(session: Session, id: int | None, path: str, signal: Signal, by: Hashable) -> bytes:
    found = await session.door.hub.signal_sender.send(path, signal, by)
    return b"" if id is None else session.codec.encode(m.Ok(id, told=found.told))


def _sender(session: Session, access: Access) -> Hashable:
    """Whose rate counts: a subject's, else the connection's."""
    return ("connection", id(session)) if access.subject is None else ("subject", access.subject)
