"""What messages do that ask once: the state of a stream, and a page of it."""

from __future__ import annotations

from headwater.errors import InvalidMessage
from headwater.http.websocket.arguments import path_of
from headwater.http.websocket.session import Session
from headwater.model import NOW, Batch, Failure, Last
from headwater.protocol.asks import Ask, Operation
from headwater.protocol.expiry import format_retention
from headwater.protocol.slow import format_slow
from headwater.protocol.websocket import messages as m
from headwater.protocol.websocket.start import start_of


def head(session: Session, message: m.Head, size: int) -> None:
    """Tell a stream's state."""
    path = path_of(session, message.path, message.s)
    asks = (Ask(Operation.READ, path),)
    session.perform(message.id, size, asks, lambda _: session.run(message.id, size, _head(session, message.id, path)))


async def _head(session: Session, id: int, path: str) -> bytes:
    info = await session.hub.info(path)
    failure = info.failure or Failure("")
    return session.codec.encode(
        m.Info(
            id,
            path,
            info.content_type,
            info.tail,
            info.earliest,
            info.closed,
            failure.code,
            failure.message,
            info.expiry.ttl,
            info.expiry.at_text,
            format_retention(info.retention),
            format_slow(info.slow),
        )
    )


def read(session: Session, message: m.Read, size: int) -> None:
    """Tell one page of a stream."""
    path = path_of(session, message.path, message.s)
    most = session.hub.limits.read_bytes
    limit = most if message.bytes is None else message.bytes
    if not 1 <= limit <= most:
        raise InvalidMessage(f"bytes is 1 to read_bytes={most}, not {limit}")
    before = NOW if message.before is None else message.before
    if message.before is not None and message.last is None and message.last_bytes is None:
        raise InvalidMessage("before needs last or last_bytes, which say how much is asked for")
    start = start_of(message.from_, message.last, message.last_bytes, before)
    asks, size = (Ask(Operation.READ, path),), size + limit
    session.perform(
        message.id,
        size,
        asks,
        lambda _: session.run(message.id, size, _read(session, message, path, start, limit)),
    )


async def _read(session: Session, message: m.Read, path: str, start: str | Last, limit: int) -> bytes:
    hub, has_earlier = session.hub, False
    hub.runtime.gate.check()
    hub.stats.reads += 1
    batch: Batch
    if isinstance(start, Last):
        page = await hub.store.page(path, start, limit=limit, times=message.envelope)
        batch, has_earlier = page.batch, page.has_earlier
    else:
        batch = await hub.store.read(path, start, limit=limit, times=message.envelope)
    await hub.runtime.reads.come_with(batch)
    failure = batch.failure or Failure("")
    told = m.Page(
        message.id,
        batch.offset,
        batch.next_offset,
        live=batch.up_to_date,
        earlier=has_earlier,
        closed=batch.closed,
        code=failure.code,
        message=failure.message,
    )
    return session.codec.page(told, batch.content_type, batch.records, envelope=message.envelope)
