"""What messages say, checked: a refusal is told with the message's id."""

from __future__ import annotations

from typing import Any

from headwater.errors import BadRequest, InvalidMessage
from headwater.http.websocket.session import Session
from headwater.model import JSON, StreamConfig
from headwater.protocol.expiry import parse_expiry, parse_retention
from headwater.protocol.framing import check_content_type
from headwater.protocol.given import config_of, producer_of
from headwater.protocol.ledger import Append
from headwater.protocol.preconditions import at_tail
from headwater.protocol.requests import MAX_TOKEN, slow_policy
from headwater.protocol.slow import REPLAY
from headwater.protocol.websocket import messages as m


def path_of(session: Session, path: str | None, s: int | None) -> str:
    """The stream of a message: its path, or that of the number."""
    if (path is None) is (s is None):
        raise InvalidMessage("a message has path, or s of a stream that is read")
    if path is None:
        found = session.connection.find(s)
        if found is None:
            raise InvalidMessage(f"this connection reads no stream of number {s}")
        return found.wish.path
    if session.door.names.check(path):
        raise InvalidMessage(f"{path[:80]!r} is a pattern; this message has one stream")
    return path


def append_of(message: m.Append) -> Append:
    """What the stores are asked for."""
    kind = None if message.type is None else check_content_type(message.type)
    body, is_value = body_of(message.r, message.b)
    if not is_value and message.r is not None:
        kind = kind or JSON
    if message.seq is not None and not 0 < len(message.seq) <= MAX_TOKEN:
        raise BadRequest(f"seq has 1 to {MAX_TOKEN} characters")
    return Append(
        body,
        kind,
        given_producer(message),
        message.seq,
        message.close,
        condition=at_tail(message.match),
        create=config_of(message.create, kind),
        is_value=is_value,
    )


def given_producer(message: m.Append | m.Close) -> Any:
    """The idempotent producer of a message; None: it has none."""
    return producer_of(message.p)


def body_of(r: list[Any] | None, b: list[bytes] | None) -> tuple[bytes, bool]:
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


def given_config(message: m.Create) -> StreamConfig:
    """With what a stream is made."""
    return StreamConfig(
        None if message.type is None else check_content_type(message.type),
        expiry=parse_expiry(None if message.ttl is None else str(message.ttl), message.expires_at),
        retention=parse_retention(message.retention),
        slow=REPLAY if message.slow is None else slow_policy(message.slow) or REPLAY,
    )
