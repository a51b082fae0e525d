"""A wire format as live readers ask for it: how it is encoded, framed and coded."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec import structs

from headwater.protocol.coding import IDENTITY, Coding
from headwater.protocol.ephemeral import Ephemeral
from headwater.protocol.wire import Encoder


def _not_told(event: Ephemeral) -> bytes:
    return b""


class WireFormat(msgspec.Struct, frozen=True):
    """A wire format as readers ask for it.

    Attributes:
        key: equal for readers of a stream who are to be given the same bytes.
        encoder: makes an encoder that has told nothing yet, for a content type.
        frame: wraps what is sent at once, such as an HTTP/1.1 chunk.
        last: what ends the answer, after its last frame.
        coding: the content coding, inside the frames.
        timed: it tells when records were appended.
        kinds: of ephemeral events that are told; part of the key.
        tell: one of them as bytes; empty: the format has no word for it.
        heartbeat: seconds of silence before a heartbeat, part of the key; 0: `limits.heartbeat_seconds`. So readers who
            ask for the same have one timer.
        says: what is told to one reader alone, about itself; empty: the format has no word for it.
        timeless: what it says of a batch follows from the batch alone, and is the same for each reader of the key.
        media_type: by which it goes, where the client asked for it by none; empty: by its encoder's.
    """

    key: tuple[object, ...]
    encoder: Callable[[str], Encoder]
    frame: Callable[[bytes], bytes]
    last: bytes = b""
    coding: Coding = IDENTITY
    timeless: bool = False
    media_type: bytes = b""
    timed: bool = False
    kinds: frozenset[str] = frozenset()
    heartbeat: float = 0.0
    tell: Callable[[Ephemeral], bytes] = _not_told
    says: Callable[[Ephemeral], bytes] = _not_told


def with_kind(form: WireFormat, kind: str, tell: Callable[[Ephemeral], bytes]) -> WireFormat:
    """A format in which ephemeral events of one more kind are told.

    Args:
        form: without.
        kind: of the events.
        tell: an event as bytes; the same for all kinds of a format.
    """
    return structs.replace(form, key=(*form.key, kind), kinds=form.kinds | {kind}, tell=tell)


def with_heartbeat(form: WireFormat, seconds: float) -> WireFormat:
    """A format with another heartbeat than the server's.

    Args:
        form: without.
        seconds: of silence.
    """
    return structs.replace(form, key=(*form.key, "heartbeat", seconds), heartbeat=seconds)
