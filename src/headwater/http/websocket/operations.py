"""What each message of a connection does. Another kind of message is one more line of the table.

Rule: a message names what it needs (`asks`), and is begun when that is allowed; only then a store is touched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any, Final

from msgspec import structs

from headwater.errors import BadRequest, HeadwaterError, InvalidMessage
from headwater.http.websocket.session import Operations, Session
from headwater.hub.live.subscriptions.subscription import Wish
from headwater.model import BEGINNING, JSON, NOW, Appended, Batch, Failure, Last, StreamConfig
from headwater.protocol.asks import Access, Ask, Operation, asks_of
from headwater.protocol.backwards import make_last
from headwater.protocol.commands import Create, Write
from headwater.protocol.expiry import format_retention, parse_expiry, parse_retention
from headwater.protocol.failure import check_failure
from headwater.protocol.framing import check_content_type
from headwater.protocol.given import config_of, producer_of
from headwater.protocol.ledger import Append
from headwater.protocol.offsets import check_offset
from headwater.protocol.patterns import is_pattern
from headwater.protocol.preconditions import ANY, Condition, at_tail
from headwater.protocol.requests import MAX_TOKEN, slow_policy
from headwater.protocol.slow import REPLAY, format_slow
from headwater.protocol.websocket import messages as m


def hello(session: Session, message: m.Hello, size: int) -> None:
    """There is one, the first message."""
    raise InvalidMessage("hello is the first message, and was sent already")


def pong(session: Session, message: m.Pong, size: int) -> None:
    """The client is there, which the socket knows already."""


def ping(session: Session, message: m.Ping, size: int) -> None:
    """Answer it."""
    session.tell(m.Answer(message.id))


# Reading.


def sub(session: Session, message: m.Sub, size: int) -> None:
    """Read a stream, or a pattern."""
    path = message.path
    _check_name(session, path, message.id)
    limits = session.door.hub.limits
    window = limits.reader_window_bytes if message.window is None else message.window
    if not 0 <= window <= limits.max_window_bytes:
        raise InvalidMessage(f"window is 0 to max_window_bytes={limits.max_window_bytes}, not {window}", id=message.id)
    if message.missing not in (None, "wait"):
        raise InvalidMessage(f"missing takes wait, not {message.missing[:40]!r}", id=message.id)
    wish = Wish(
        message.id,
        path,
        _start(message.from_, message.last, message.last_bytes, NOW, message.id),
        window or None,
        _named(message.id, slow_policy, message.slow),
        message.missing == "wait",
        message.envelope,
        None,
    )
    if is_pattern(path):
        # Each stream that matches is asked about by itself.
        session.perform(message.id, size, (), partial(_match, session, wish, size))
        return
    asks = (Ask(Operation.READ, path),)
    session.perform(message.id, size, asks, partial(_subscribe, session, wish, size))


def _subscribe(session: Session, wish: Wish, size: int, access: Access) -> None:
    session.note(access)
    peer = structs.replace(session.peer, access=access)
    subscription = session.subscriptions.add(structs.replace(wish, peer=peer))
    # It is told by itself, when it comes.
    session.answer(wish.id, size, b"")
    session.subscriptions.open(subscription)


def _match(session: Session, wish: Wish, size: int, access: Access) -> None:
    session.subscriptions.check_pattern(wish)
    session.answer(wish.id, size, session.codec.encode(m.Ok(wish.id)))
    session.subscriptions.match(wish)


def unsub(session: Session, message: m.Unsub, size: int) -> None:
    """Read a stream no more."""
    whole = session.subscriptions
    found = None
    if message.s is not None:
        found = whole.by_number.get(message.s)
    elif message.path is not None:
        found = whole.by_path.get(message.path)
    if found is None and message.path is not None and whole.leave(message.path):
        _left(session, message)
        return
    if found is None:
        what = message.s if message.path is None else repr(message.path[:80])
        raise InvalidMessage(f"this connection does not read {what}", **_ids(message.id))
    found.leave("left")
    _left(session, message)


def _left(session: Session, message: m.Unsub) -> None:
    if message.id is not None:
        session.tell(m.Ok(message.id))


def ack(session: Session, message: m.Ack, size: int) -> None:
    """So much more may be sent."""
    found = session.subscriptions.by_number.get(message.s)
    if found is None or found.channel is None:
        return  # it has ended, and the client will know
    try:
        found.channel.acknowledge(message.o)
    except HeadwaterError as error:
        session.refuse(error, s=message.s)


# Writing.


def append(session: Session, message: m.Append, size: int) -> None:
    """Append to a stream."""
    path = _path(session, message.path, message.s, message.id)
    request = _named(message.id, _append_of, message)
    write = Write(path, request.content_type, request.producer, request.seq, request.close, create=request.create)
    asks = asks_of(write, has_body=bool(request.body))
    session.perform(message.id, size, asks, partial(_write, session, message.id, size, path, request))


def close(session: Session, message: m.Close, size: int) -> None:
    """Close a stream."""
    _end(session, message.id, message.path, message.s, size, Append(close=True, producer=_producer(message)))


def fail(session: Session, message: m.Fail, size: int) -> None:
    """Close a stream that is not complete."""
    failure = _named(message.id, check_failure, Failure(message.code, message.message))
    _end(session, message.id, message.path, message.s, size, Append(close=True, failure=failure))


def _end(session: Session, id: int, path: str | None, s: int | None, size: int, request: Append) -> None:
    path = _path(session, path, s, id)
    asks = (Ask(Operation.CLOSE, path),)
    session.perform(id, size, asks, partial(_write, session, id, size, path, request))


def _write(session: Session, id: int, size: int, path: str, request: Append, access: Access) -> None:
    hub = session.door.hub
    if request.create is None:
        hub.post(path, request, partial(_written, session, id, size, len(request.body)))
    else:
        _run(session, id, size, _created_by(session, id, path, request))


def _written(session: Session, id: int, size: int, body: int, outcome: Appended | Exception) -> None:
    if isinstance(outcome, Exception):
        session.fail(id, size, outcome)
    else:
        session.door.hub.stats.acknowledged(body, outcome)
        session.answer(id, size, session.codec.encode(_ok(id, outcome)))


async def _created_by(session: Session, id: int, path: str, request: Append) -> bytes:
    return session.codec.encode(_ok(id, await session.door.hub.write(path, request)))


def _ok(id: int, appended: Appended) -> m.Ok:
    return m.Ok(id, appended.next_offset, appended.duplicate, appended.closed, appended.created)


def create(session: Session, message: m.Create, size: int) -> None:
    """Make a stream."""
    path = _path(session, message.path, None, message.id)
    config = _named(message.id, _config_of, message)
    body, _ = _named(message.id, _body, message.r, message.b)
    asks = asks_of(Create(path, config, message.closed))
    session.perform(
        message.id, size, asks, lambda _: _run(session, message.id, size, _create(session, message, path, config, body))
    )


async def _create(session: Session, message: m.Create, path: str, config: StreamConfig, body: bytes) -> bytes:
    condition = Condition(if_none_match=(ANY,)) if message.exclusive else None
    made = await session.door.hub.create_stream(path, config, body, closed=message.closed, condition=condition)
    return session.codec.encode(m.Ok(message.id, made.info.tail, closed=made.info.closed, created=made.created))


def delete(session: Session, message: m.Delete, size: int) -> None:
    """Delete a stream."""
    path = _path(session, message.path, message.s, message.id)
    asks = (Ask(Operation.DELETE, path),)
    session.perform(message.id, size, asks, lambda _: _run(session, message.id, size, _delete(session, message, path)))


async def _delete(session: Session, message: m.Delete, path: str) -> bytes:
    await session.door.hub.delete(path, if_match=message.match)
    return session.codec.encode(m.Ok(message.id))


# Asking.


def head(session: Session, message: m.Head, size: int) -> None:
    """Tell a stream's state."""
    path = _path(session, message.path, message.s, message.id)
    asks = (Ask(Operation.READ, path),)
    session.perform(message.id, size, asks, lambda _: _run(session, message.id, size, _head(session, message.id, path)))


async def _head(session: Session, id: int, path: str) -> bytes:
    info = await session.door.hub.info(path)
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
    path = _path(session, message.path, message.s, message.id)
    most = session.door.hub.limits.read_bytes
    limit = most if message.bytes is None else message.bytes
    if not 1 <= limit <= most:
        raise InvalidMessage(f"bytes is 1 to read_bytes={most}, not {limit}", id=message.id)
    before = NOW if message.before is None else message.before
    if message.before is not None and message.last is None and message.last_bytes is None:
        raise InvalidMessage("before needs last or last_bytes, which say how much is asked for", id=message.id)
    start = _start(message.from_, message.last, message.last_bytes, before, message.id)
    asks, size = (Ask(Operation.READ, path),), size + limit
    session.perform(
        message.id,
        size,
        asks,
        lambda _: _run(session, message.id, size, _read(session, message, path, start, limit)),
    )


async def _read(session: Session, message: m.Read, path: str, start: str | Last, limit: int) -> bytes:
    hub, has_earlier = session.door.hub, False
    hub.runtime.gate.check()
    hub.stats.reads += 1
    batch: Batch
    if isinstance(start, Last):
        page = await hub.store.page(path, start, limit=limit, times=message.envelope)
        batch, has_earlier = page.batch, page.has_earlier
    else:
        batch = await hub.store.read(path, start, limit=limit, times=message.envelope)
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
    return session.codec.page(told, batch.content_type, batch.records, at=message.envelope)


def auth(session: Session, message: m.Auth, size: int) -> None:
    """Ask with another token; what is read is asked about again."""
    session.show(message.token)
    session.perform(message.id, size, (), lambda _: session.recheck(partial(_authorized, session, message.id, size)))


def _authorized(session: Session, id: int | None, size: int) -> None:
    session.answer(id, size, b"" if id is None else session.codec.encode(m.Ok(id)))


# Shared.


def _run(session: Session, id: int, size: int, work: Coroutine[Any, Any, bytes]) -> None:
    session.requests.run(work, partial(_ran, session, id, size))


def _ran(session: Session, id: int, size: int, done: asyncio.Future[bytes]) -> None:
    error = done.exception()
    if error is None:
        session.answer(id, size, done.result())
    else:
        session.fail(id, size, error)


def _path(session: Session, path: str | None, s: int | None, id: int) -> str:
    """The stream of a message: its path, or that of the number."""
    if (path is None) is (s is None):
        raise InvalidMessage("a message has path, or s of a stream that is read", id=id)
    if path is None:
        found = session.subscriptions.by_number.get(s or 0)
        if found is None:
            raise InvalidMessage(f"this connection reads no stream of number {s}", id=id)
        return found.wish.path
    _check_name(session, path, id)
    if is_pattern(path):
        raise InvalidMessage(f"{path[:80]!r} is a pattern; this message has one stream", id=id)
    return path


def _check_name(session: Session, name: str, id: int) -> None:
    try:
        session.door.names.check(name)
    except HeadwaterError as error:
        error.details["id"] = id
        raise


def _named(id: int, call: Any, *arguments: Any) -> Any:
    """What a function gives; its refusal says which message it is of."""
    try:
        return call(*arguments)
    except HeadwaterError as error:
        error.details["id"] = id
        raise


def _start(offset: str | None, last: int | None, last_bytes: int | None, before: str, id: int) -> str | Last:
    if last is None and last_bytes is None:
        found: str = _named(id, check_offset, BEGINNING if offset is None else offset)
        return found
    if offset is not None:
        raise InvalidMessage("give from, or last or last_bytes: each says where to begin", id=id)
    newest: Last = _named(id, make_last, last, last_bytes, before)
    return newest


def _append_of(message: m.Append) -> Append:
    kind = None if message.type is None else check_content_type(message.type)
    body, is_value = _body(message.r, message.b)
    if not is_value and message.r is not None:
        kind = kind or JSON
    if message.seq is not None and not 0 < len(message.seq) <= MAX_TOKEN:
        raise BadRequest(f"seq has 1 to {MAX_TOKEN} characters")
    return Append(
        body,
        kind,
        _producer(message),
        message.seq,
        message.close,
        condition=at_tail(message.match),
        create=config_of(message.create, kind),
        is_value=is_value,
    )


def _producer(message: m.Append | m.Close) -> Any:
    return _named(message.id, producer_of, message.p)


def _body(r: list[Any] | None, b: list[bytes] | None) -> tuple[bytes, bool]:
    """The body of an append, and whether it is one value.

    Several values are the body of a JSON stream, which is split there; bytes are one record of any other.
    """
    if r is not None and b is not None:
        raise BadRequest("a message has r or b, not both")
    if r:
        return (bytes(r[0]), True) if len(r) == 1 else (b"[" + b",".join(map(bytes, r)) + b"]", False)
    if b:
        return (b[0], False) if len(b) == 1 else (_several(b), False)
    return b"", False


def _several(b: list[bytes]) -> bytes:
    raise BadRequest(f"b has {len(b)} records; an append of bytes has one")


def _config_of(message: m.Create) -> StreamConfig:
    return StreamConfig(
        None if message.type is None else check_content_type(message.type),
        expiry=parse_expiry(None if message.ttl is None else str(message.ttl), message.expires_at),
        retention=parse_retention(message.retention),
        slow=REPLAY if message.slow is None else slow_policy(message.slow) or REPLAY,
    )


def _ids(id: int | None) -> dict[str, int]:
    return {} if id is None else {"id": id}


#: By the message.
OPERATIONS: Final[Operations] = {
    m.Hello: hello,
    m.Sub: sub,
    m.Unsub: unsub,
    m.Ack: ack,
    m.Append: append,
    m.Close: close,
    m.Fail: fail,
    m.Create: create,
    m.Head: head,
    m.Read: read,
    m.Delete: delete,
    m.Auth: auth,
    m.Ping: ping,
    m.Pong: pong,
}
