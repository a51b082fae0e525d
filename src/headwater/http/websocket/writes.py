"""What messages do that write: append, close, fail, create, delete."""

from __future__ import annotations

from functools import partial

import msgspec

from headwater.http.websocket.arguments import append_of, body_of, given_config, given_producer, path_of
from headwater.http.websocket.session import Session
from headwater.model import Appended, Failure, Principal, StreamConfig
from headwater.protocol.access.identity import Access
from headwater.protocol.asks import Ask, Operation, asks_of
from headwater.protocol.commands import Create, Write
from headwater.protocol.failure import check_failure
from headwater.protocol.ledger import Append
from headwater.protocol.preconditions import ANY, Condition
from headwater.protocol.websocket import messages as m


def append(session: Session, message: m.Append, size: int) -> None:
    """Append to a stream."""
    path = path_of(session, message.path, message.s)
    request = append_of(message)
    write = Write(path, request.content_type, request.producer, request.seq, request.close, create=request.create)
    asks = asks_of(write, has_body=bool(request.body))
    session.perform(message.id, size, asks, partial(_write, session, message.id, size, path, request))


def close(session: Session, message: m.Close, size: int) -> None:
    """Close a stream."""
    _end(session, message.id, message.path, message.s, size, Append(close=True, producer=given_producer(message)))


def fail(session: Session, message: m.Fail, size: int) -> None:
    """Close a stream that is not complete."""
    failure = check_failure(Failure(message.code, message.message))
    _end(session, message.id, message.path, message.s, size, Append(close=True, failure=failure))


def _end(session: Session, id: int, path: str | None, s: int | None, size: int, request: Append) -> None:
    path = path_of(session, path, s)
    asks = (Ask(Operation.CLOSE, path),)
    session.perform(id, size, asks, partial(_write, session, id, size, path, request))


def _write(session: Session, id: int, size: int, path: str, request: Append, access: Access) -> None:
    hub, by = session.hub, access.principal
    session.rights.count_body(len(request.body), access)
    if by is not None:
        request = msgspec.structs.replace(request, by=by)
    if request.create is None:
        hub.post(path, request, partial(_written, session, id, size, len(request.body)))
    else:
        session.run(id, size, _created_by(session, id, path, request, by))


def _written(session: Session, id: int, size: int, body: int, outcome: Appended | Exception) -> None:
    if isinstance(outcome, Exception):
        session.fail(id, size, outcome)
    else:
        session.hub.stats.acknowledged(body, outcome)
        session.answer(id, size, session.codec.encode(_ok(id, outcome)))


async def _created_by(session: Session, id: int, path: str, request: Append, by: Principal | None) -> bytes:
    return session.codec.encode(_ok(id, await session.hub.write(path, request, by)))


def _ok(id: int, appended: Appended) -> m.Ok:
    return m.Ok(id, appended.next_offset, appended.duplicate, appended.closed, appended.created)


def create(session: Session, message: m.Create, size: int) -> None:
    """Make a stream."""
    path = path_of(session, message.path, None)
    config = given_config(message)
    body, _ = body_of(message.r, message.b)
    asks = asks_of(Create(path, config, message.closed))
    session.perform(message.id, size, asks, partial(_begin_create, session, message, size, path, config, body))


def _begin_create(
    session: Session, message: m.Create, size: int, path: str, config: StreamConfig, body: bytes, access: Access
) -> None:
    session.rights.count_body(len(body), access)
    session.run(message.id, size, _create(session, message, path, config, body, access.principal))


async def _create(
    session: Session, message: m.Create, path: str, config: StreamConfig, body: bytes, by: Principal | None
) -> bytes:
    condition = Condition(if_none_match=(ANY,)) if message.exclusive else None
    made = await session.hub.create_stream(
        path, config, body, closed=message.closed, condition=condition, by=by, maker=by
    )
    return session.codec.encode(m.Ok(message.id, made.info.tail, closed=made.info.closed, created=made.created))


def delete(session: Session, message: m.Delete, size: int) -> None:
    """Delete a stream."""
    path = path_of(session, message.path, message.s)
    asks = (Ask(Operation.DELETE, path),)
    session.perform(message.id, size, asks, lambda _: session.run(message.id, size, _delete(session, message, path)))


async def _delete(session: Session, message: m.Delete, path: str) -> bytes:
    await session.hub.delete(path, if_match=message.match)
    return session.codec.encode(m.Ok(message.id))
