"""What is told of a stream and not kept, as messages: signals, and who is there."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from headwater.protocol.ephemeral import SIGNAL, Ephemeral
from headwater.protocol.framing import is_json, is_text
from headwater.protocol.presence.frames import Changes, Frame, Listing
from headwater.protocol.signals import Signal
from headwater.protocol.websocket import messages as m
from headwater.protocol.wire import is_utf8


def message_of(number: int, event: Ephemeral) -> m.Signal | m.Presence:
    """An event as a message.

    Args:
        number: of the stream.
        event: a signal, or who is there.
    """
    if event.kind == SIGNAL:
        return signalled(number, event.origin)
    return present(number, event.origin)


def signalled(number: int, signal: Signal) -> m.Signal:
    """A signal as a message."""
    kind, content = signal.content_type, signal.content
    keep = None if signal.keep is None else int(signal.keep)
    told = m.Signal(number, signal.sender, signal.to, signal.topic, keep, by=signal.by)
    if is_json(kind):
        told.data = msgspec.Raw(content)
    elif is_text(kind) and is_utf8(content):
        told.data = msgspec.Raw(msgspec.json.encode(content.decode()))
    else:
        told.b = content
    return told


def present(number: int, frame: Frame) -> m.Presence:
    """Who is there, as a message."""
    told = m.Presence(number, frame.version, frame.count)
    if isinstance(frame, Changes):
        told.joined, told.changed, told.left = _raw(frame.joined), _raw(frame.changed), list(frame.left) or None
    else:
        told.members = _raw(frame.entries) or [] if isinstance(frame, Listing) else None
    return told


def _raw(entries: Sequence[bytes]) -> list[msgspec.Raw] | None:
    return list(map(msgspec.Raw, entries)) or None
