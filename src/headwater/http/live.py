"""Live reads: their wire formats, their lifetimes, and who reads."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Final

from msgspec.structs import replace

from headwater.http.exchange import Opening, live_head
from headwater.http.http1 import LAST_CHUNK, chunk
from headwater.hub import Peer
from headwater.hub.live.admission import open_or_wait
from headwater.hub.live.arrival import Arrival
from headwater.hub.live.readers import LiveReaders
from headwater.hub.live.waiting import Awaiting
from headwater.hub.live.wire_format import WireFormat, with_heartbeat, with_kind
from headwater.hub.peers import address_of
from headwater.model import Batch, Mode
from headwater.protocol import names
from headwater.protocol.access.identity import ANYBODY, Access
from headwater.protocol.cache_headers import MAX_JITTER
from headwater.protocol.coding import IDENTITY, Coding
from headwater.protocol.commands import Read
from headwater.protocol.cursor import Data
from headwater.protocol.ephemeral import PRESENCE, SIGNAL, Ephemeral, as_event, as_line
from headwater.protocol.framing import DEFAULT_CONTENT_TYPE
from headwater.protocol.many import ReadMany
from headwater.protocol.ndjson import JsonLines
from headwater.protocol.sse_control import ControlEvents
from headwater.protocol.sse_plain import PlainEvents

#: Modes whose responses go on and on.
LIVE: Final = frozenset({Mode.SSE, Mode.EVENTS, Mode.NDJSON})
#: Formats that are kept, as one object for all readers.
_FORMATS: Final = 32
#: Of a stream that is not there nothing is known, so that a header says nothing of how its records come.
_NO_ENCODING: Final = "text/plain"


def peer_of(command: Read, client: tuple[str, int] | None, access: Access) -> Peer:
    """Who reads, as the reader says and the server sees.

    Args:
        command: of the request.
        client: host and port of the other end; None: not known.
        access: with which the reader was let in.
    """
    return Peer(command.mode.value, command.reader, address_of(client), access)


def is_own(peer: Peer) -> bool:
    """Whether somebody reads who showed a proof, so that no cache gives it to others."""
    return peer.access is not ANYBODY


async def opened(live: LiveReaders, command: Read, peer: Peer) -> Arrival | Awaiting:
    """The reader of a live read, or one that waits for its stream.

    Raises:
        HeadwaterError: see `LiveReaders.open`.
    """
    first = live.runtime.limits.buffer_bytes
    if command.waits:
        return await open_or_wait(live, command.path, command.start, slow=command.slow, peer=peer, first_bytes=first)
    return await live.open(
        command.path, command.start, slow=command.slow, peer=peer, first_bytes=first, while_stopping=True
    )


def end_of_closed(arrival: Arrival) -> Batch | None:
    """The last batch, empty, if a browser came back and there is nothing left to tell."""
    first = arrival.first
    if isinstance(first, Data) and first.batch.closed and not first.batch.records:
        return first.batch
    return None


def live_format(command: Read, coding: Coding) -> WireFormat:
    """The wire format of a live read, for HTTP/1.1."""
    if command.mode is Mode.SSE:
        encoder = partial(ControlEvents, cursor=command.cursor, jitter=jitter())
        kind = ControlEvents.media_type
        form = WireFormat(("sse", coding.token), encoder, chunk, LAST_CHUNK, coding, media_type=kind)
        return with_heartbeat(form, command.heartbeat) if command.heartbeat else form
    if command.mode is Mode.EVENTS:
        form, tell = _events(command.event_key, command.as_json, command.envelope, coding), as_event
    else:
        form, tell = _lines(command.envelope, coding), as_line
    return with_kinds(form, tell, kinds_of(command), command.heartbeat)


def kinds_of(command: Read | ReadMany) -> tuple[str, ...]:
    """The kinds of ephemeral events that a read asks for."""
    return (*([SIGNAL] if command.signals else ()), *([PRESENCE] if command.presence else ()))


@lru_cache(_FORMATS)
def with_kinds(
    form: WireFormat, tell: Callable[[Ephemeral], bytes], kinds: tuple[str, ...], heartbeat: int = 0
) -> WireFormat:
    """A format in which ephemeral events of some kinds are told, too, with a heartbeat; one object for all readers."""
    if heartbeat:
        form = with_heartbeat(form, heartbeat)
    for kind in kinds:
        form = with_kind(form, kind, tell)
    return form


@lru_cache(_FORMATS)
def _events(event_key: str | None, as_json: bool, envelope: bool, coding: Coding) -> WireFormat:
    encoder = partial(PlainEvents, event_key=event_key, as_json=as_json, envelope=envelope)
    key, kind = ("events", event_key, as_json, envelope, coding.token), PlainEvents.media_type
    return WireFormat(key, encoder, chunk, LAST_CHUNK, coding, True, kind, envelope, says=as_event)


@lru_cache(_FORMATS)
def _lines(envelope: bool, coding: Coding) -> WireFormat:
    encoder, key = partial(JsonLines, envelope=envelope), ("ndjson", envelope, coding.token)
    return WireFormat(key, encoder, chunk, LAST_CHUNK, coding, True, JsonLines.media_type, envelope, says=as_line)


def jitter() -> int:
    """Seconds by which one reader's cursor differs from another's."""
    return random.randint(1, MAX_JITTER)


def opening(
    arrival: Arrival,
    form: WireFormat,
    lifetime: float | None,
    media_type: bytes | None,
    heartbeat: float,
    *,
    varies: bool,
) -> Opening:
    """The response to a live read whose reader is open.

    Args:
        arrival: the reader, just opened.
        form: the wire format.
        lifetime: seconds before the reader is let go; None: no end.
        media_type: the name by which the client asked for the form; None: the form's first one.
        heartbeat: the server's, for a form that has none of its own.
        varies: another request could have got another coding.
    """
    content_type = arrival.info.content_type
    encoder = form.encoder(content_type)
    previous = arrival.previous
    more = () if previous is None else ((names.STREAM_PREVIOUS_OFFSET, previous.encode()),)
    kind, beat, token = media_type or encoder.media_type, form.heartbeat or heartbeat, form.coding.token
    head = live_head(kind, content_type, beat, token, varies=varies, for_one=is_own(arrival.peer))
    if more:
        head = replace(head, more=more)
    return Opening(arrival, form, encoder, head, lifetime)


def waiting(awaiting: Awaiting, command: Read, heartbeat: float, *, varies: bool) -> Opening:
    """The response to a live read whose stream is not there yet; in no content coding.

    Args:
        awaiting: the reader.
        command: that asks for it.
        heartbeat: see `opening`.
        varies: another request could have got another coding.
    """
    form = live_format(command, IDENTITY)
    encoder = form.encoder(DEFAULT_CONTENT_TYPE)
    beat = form.heartbeat or heartbeat
    own = is_own(awaiting.peer)
    head = live_head(command.media_type or encoder.media_type, _NO_ENCODING, beat, varies=varies, for_one=own)
    return Opening(awaiting, form, encoder, head)


def unframed(form: WireFormat, kind: str, last: bytes) -> WireFormat:
    """A format without chunks.

    Args:
        form: with them.
        kind: tells it from others that are made of the same one.
        last: what ends the response.
    """
    return replace(form, key=(kind, *form.key), frame=_as_it_is, last=last)


def _as_it_is(data: bytes) -> bytes:
    return data
