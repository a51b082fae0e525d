"""One handler per command: hub in, answer out. The protocol's words are chosen in `protocol.responses`."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from headwater.asgi.bodies import read_body
from headwater.asgi.compressing import choose, coded
from headwater.asgi.handover import LAST_CHUNK, chunk
from headwater.asgi.live import answer_live
from headwater.asgi.types import Receive, Scope, Send
from headwater.hub import Engine, LiveReader, Peer
from headwater.hub.describing import address_of
from headwater.hub.feeds import Format
from headwater.model import NOW, Batch, Mode
from headwater.protocol import names, responses
from headwater.protocol.caching import MAX_JITTER, next_cursor
from headwater.protocol.coding import Coding
from headwater.protocol.compression import Compressor
from headwater.protocol.cors import preflight_headers
from headwater.protocol.ledger import Append
from headwater.protocol.ndjson import JsonLines
from headwater.protocol.reading import Data
from headwater.protocol.requests import (
    Command,
    Create,
    Delete,
    Headers,
    Inspect,
    Preflight,
    Read,
    Write,
    check_write,
)
from headwater.protocol.responses import Answer, HeaderList
from headwater.protocol.sse_control import ControlEvents
from headwater.protocol.sse_plain import PlainEvents
from headwater.protocol.wire import Encoder

_LIVE: Final = frozenset({Mode.SSE, Mode.EVENTS, Mode.NDJSON})


async def answer(
    hub: Engine, command: Command, scope: Scope, headers: Headers, receive: Receive, compressor: Compressor
) -> Answer:
    """The answer to any command but a live read.

    Raises:
        HeadwaterError: refused; see `errors`.
        ClientGone: the client went before its body was complete.
    """
    match command:
        case Write():
            return await append_body(hub, command, await read_body(receive, headers, hub.limits))
        case Read(mode=Mode.LONG_POLL):
            batch = await hub.poll(command.path, command.offset, peer=peer_of(command, scope.get("client")))
            coding = choose(compressor, command, batch)
            found = responses.polled(batch, next_cursor(time.time(), command.cursor, _jitter()), coding=coding)
            return await coded(compressor, coding, found)
        case Read() | Inspect():
            return await answer_short(hub, command, compressor)
        case Create(path, config, closed):
            body = await read_body(receive, headers, hub.limits)
            created = await hub.create_stream(path, config, body, closed=closed)
            return responses.created(created, location(scope, headers))
        case Delete(path):
            await hub.delete(path)
            return responses.deleted()
        case Preflight():
            return responses.allowed(preflight_headers())


async def append_body(hub: Engine, command: Write, body: bytes) -> Answer:
    """The answer to an append or a close, with its whole body.

    Raises:
        HeadwaterError: refused; see `errors`.
    """
    check_write(command, body)
    request = Append(body, command.content_type, command.producer, command.seq, command.close, command.failure)
    return responses.appended(await hub.write(command.path, request), with_body=bool(body))


async def answer_short(hub: Engine, command: Read | Inspect, compressor: Compressor) -> Answer:
    """The answer to a catch-up read or a HEAD.

    Raises:
        HeadwaterError: refused; see `errors`.
    """
    if isinstance(command, Inspect):
        return responses.inspected(await hub.info(command.path))
    batch = await hub.read_batch(command.path, command.offset)
    coding = choose(compressor, command, batch)
    now_asked = command.offset == NOW
    found = responses.caught_up(batch, command.if_none_match, now_asked=now_asked, coding=coding)
    return await coded(compressor, coding, found)


def is_live(command: Command) -> bool:
    """Whether the answer goes on and on."""
    return isinstance(command, Read) and command.mode in _LIVE


async def read_live(
    hub: Engine,
    command: Read,
    scope: Scope,
    receive: Receive,
    send: Send,
    headers: HeaderList,
    compressor: Compressor,
) -> Answer | None:
    """Send a live answer; or give an answer that ends at once.

    Raises:
        HeadwaterError: refused, before anything was sent.
    """
    lifetime = lifetime_of(hub, command)
    coding = compressor.live(command.accept_encoding)
    headers = [*headers, *responses.coding_headers(coding.token, varies=bool(compressor.offered))]
    with await hub.audience.open_reader(
        command.path,
        command.offset,
        lifetime=lifetime,
        slow=command.slow,
        peer=peer_of(command, scope.get("client")),
        first_bytes=hub.limits.buffer_bytes,
    ) as reader:
        hub.stats.resumes += command.resumed
        if command.resumed and (end := end_of_closed(reader)) is not None:
            return responses.complete(end)
        await answer_live(hub.audience, reader, live_format(command, coding), receive, send, headers, lifetime=lifetime)
    return None


def lifetime_of(hub: Engine, command: Read) -> float | None:
    """Seconds before a live reader is let go; None: no end."""
    return hub.limits.sse_seconds if command.mode is Mode.SSE else None


def peer_of(command: Read, client: Sequence[Any] | None) -> Peer:
    """Who reads, as the reader says and the server sees.

    Args:
        command: of the request.
        client: host and port of the other end; None: not known.
    """
    return Peer(command.mode.value, command.reader, address_of(client))


def end_of_closed(reader: LiveReader) -> Batch | None:
    """The last batch, empty, if a browser came back and there is nothing left to tell."""
    first = reader.peek()
    if isinstance(first, Data) and first.batch.closed and not first.batch.records:
        return first.batch
    return None


def live_format(command: Read, coding: Coding) -> Format:
    """The wire format of a live read, for HTTP/1.1."""
    encoder: Callable[[str], Encoder]
    match command.mode:
        case Mode.SSE:
            encoder = partial(ControlEvents, cursor=command.cursor, jitter=_jitter())
            return Format(("sse", coding.token), encoder, chunk, LAST_CHUNK, coding)
        case Mode.EVENTS:
            encoder = partial(PlainEvents, event_key=command.event_key)
            return Format(
                ("events", command.event_key, coding.token), encoder, chunk, LAST_CHUNK, coding, timeless=True
            )
        case _:
            return Format(("ndjson", coding.token), JsonLines, chunk, LAST_CHUNK, coding, timeless=True)


def _jitter() -> int:
    return random.randint(1, MAX_JITTER)


def location(scope: Scope, headers: Headers) -> bytes:
    """The stream's absolute URL, as the client called it."""
    raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
    host = headers.get(names.HOST, b"localhost")
    scheme: str = scope["scheme"]
    return scheme.encode() + b"://" + host + raw_path.partition(b"?")[0]
