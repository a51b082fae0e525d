"""Live reads: their wire formats, their lifetimes, and who reads."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Final

from msgspec import structs

from headwater.http.exchange import LiveHead, Opening
from headwater.http.http1 import LAST_CHUNK, chunk
from headwater.hub import Engine, Peer
from headwater.hub.live.arrival import Arrival
from headwater.hub.live.wire_format import WireFormat
from headwater.hub.peers import address_of
from headwater.model import Batch, Mode
from headwater.protocol import names
from headwater.protocol.asks import Access
from headwater.protocol.caching import MAX_JITTER
from headwater.protocol.coding import Coding
from headwater.protocol.commands import Read
from headwater.protocol.cursor import Data
from headwater.protocol.ndjson import JsonLines
from headwater.protocol.sse_control import ControlEvents
from headwater.protocol.sse_plain import PlainEvents
from headwater.protocol.wire import Encoder

#: Modes whose responses go on and on.
LIVE: Final = frozenset({Mode.SSE, Mode.EVENTS, Mode.NDJSON})


def lifetime_of(hub: Engine, command: Read) -> float | None:
    """Seconds before a live reader is let go; None: no end."""
    return hub.limits.sse_seconds if command.mode is Mode.SSE else None


def peer_of(command: Read, client: tuple[str, int] | None, access: Access) -> Peer:
    """Who reads, as the reader says and the server sees.

    Args:
        command: of the request.
        client: host and port of the other end; None: not known.
        access: with which the reader was let in.
    """
    return Peer(command.mode.value, command.reader, address_of(client), access)


def end_of_closed(arrival: Arrival) -> Batch | None:
    """The last batch, empty, if a browser came back and there is nothing left to tell."""
    first = arrival.first
    if isinstance(first, Data) and first.batch.closed and not first.batch.records:
        return first.batch
    return None


def live_format(command: Read, coding: Coding) -> WireFormat:
    """The wire format of a live read, for HTTP/1.1."""
    encoder: Callable[[str], Encoder]
    key: tuple[object, ...]
    match command.mode:
        case Mode.SSE:
            encoder = partial(ControlEvents, cursor=command.cursor, jitter=jitter())
            return WireFormat(("sse", coding.token), encoder, chunk, LAST_CHUNK, coding)
        case Mode.EVENTS:
            encoder = partial(
                PlainEvents, event_key=command.event_key, as_json=command.as_json, envelope=command.envelope
            )
            key = ("events", command.event_key, command.as_json, command.envelope, coding.token)
        case _:
            encoder = partial(JsonLines, envelope=command.envelope)
            key = ("ndjson", command.envelope, coding.token)
    return WireFormat(key, encoder, chunk, LAST_CHUNK, coding, timeless=True, timed=command.envelope)


def jitter() -> int:
    """Seconds by which one reader's cursor differs from another's."""
    return random.randint(1, MAX_JITTER)


def opening(
    arrival: Arrival, form: WireFormat, lifetime: float | None, media_type: bytes | None, *, varies: bool
) -> Opening:
    """The response to a live read whose reader is open.

    Args:
        arrival: the reader, just opened.
        form: the wire format.
        lifetime: seconds before the reader is let go; None: no end.
        media_type: the name by which the client asked for the form; None: the form's first one.
        varies: another request could have got another coding.
    """
    content_type = arrival.info.content_type
    encoder = form.encoder(content_type)
    previous = arrival.previous
    more = () if previous is None else ((names.STREAM_PREVIOUS_OFFSET, previous.encode()),)
    head = LiveHead(media_type or encoder.media_type, content_type, form.coding.token, varies, more)
    return Opening(arrival, form, encoder, head, lifetime)


def unframed(form: WireFormat, kind: str, last: bytes) -> WireFormat:
    """A format without chunks.

    Args:
        form: with them.
        kind: tells it from others that are made of the same one.
        last: what ends the response.
    """
    return structs.replace(form, key=(kind, *form.key), frame=_as_it_is, last=last)


def _as_it_is(data: bytes) -> bytes:
    return data
