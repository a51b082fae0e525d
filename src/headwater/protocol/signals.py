"""Signals: messages to the live readers of a stream that are not stored. Who is typing, where a cursor is.

    POST {root}jobs/7/-/signal?from=ada&topic=cursor&keep=30    {"x": 4, "y": 2}

Rule 1: a signal is told as one JSON object: `from`, `to`, `topic`, `keep`, `by`, as far as it has them, and `data`, or
        `base64` of bytes that are no text. The body's own type says which; the stream's has no part in it.
Rule 2: a signal with `keep` is the sender's state in its topic, for so many seconds: readers that come later are told
        it with the seconds that are left. The next one takes its place, and `keep=0` ends it.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Final

import msgspec

from headwater.errors import BadRequest, InvalidBody
from headwater.model import JSON, Principal
from headwater.protocol.envelope import fields_of
from headwater.protocol.ephemeral import SIGNAL, Ephemeral
from headwater.protocol.expiry import parse_integer
from headwater.protocol.framing import DEFAULT_CONTENT_TYPE, is_json, split_value
from headwater.protocol.producers import MAX_INTEGER
from headwater.protocol.query import named_fields

#: Characters of a sender, of who a signal is for, and of a topic.
MAX_NAME: Final = 256
_SENDER: Final = "from"
_TO: Final = "to"
_TOPIC: Final = "topic"
_KEEP: Final = "keep"
_BY: Final = "by"
_OURS: Final = frozenset({_SENDER, _TO, _TOPIC, _KEEP})


class Addressed(msgspec.Struct, frozen=True):
    """All of a signal but its data.

    Attributes:
        sender: who sends it; None: nobody says.
        to: the only one who is told; None: all who asked for signals.
        topic: what it is about; a sender has a state in each.
        keep: seconds for which it is the sender's state; 0: it ends the state; None: it is none.
        by: who sends it, where that is proven; never what a request says.
    """

    sender: str | None = None
    to: str | None = None
    topic: str | None = None
    keep: int | None = None
    by: Principal | None = None


class Signal(msgspec.Struct, frozen=True):
    """One of them.

    Attributes:
        sender: see `Addressed`.
        to: see `Addressed`.
        topic: see `Addressed`.
        keep: see `Addressed`; of a state that is told later, the seconds that are left.
        content_type: of its content.
        content: the data, as bytes; of JSON one value in one line.
        by: see `Addressed`; its subject is the sender then.
    """

    sender: str | None
    to: str | None
    topic: str | None
    keep: float | None
    content_type: str
    content: bytes
    by: Principal | None = None

    @property
    def data(self) -> Any:
        """What was sent: the JSON value, or the bytes of any other type."""
        return msgspec.json.decode(self.content) if is_json(self.content_type) else self.content


def state_of(signal: Signal) -> Hashable:
    """Whose state a signal would be, about what, and for whom. Who only says to be somebody is another one."""
    return signal.by, signal.sender, signal.topic, signal.to


def told(signal: Signal) -> Ephemeral:
    """A signal as readers are told it."""
    named = ((_SENDER, signal.sender), (_TO, signal.to), (_TOPIC, signal.topic), (_KEEP, signal.keep))
    head: dict[str, object] = {name: value for name, value in named if value is not None}
    if signal.by is not None:
        head[_BY] = signal.by
    field = fields_of(signal.content_type, [signal.content])[0]
    fields = msgspec.json.encode(head)[1:-1] + b"," + field if head else field
    return Ephemeral(SIGNAL, b"{" + fields + b"}", signal)


def make_signal(addressed: Addressed, content_type: str, content: bytes) -> Signal:
    """A signal with its data.

    Args:
        addressed: all but the data.
        content_type: of the data.
        content: of JSON one value.

    Raises:
        InvalidBody: it is empty, or not one JSON value where its type says so.
        BadRequest: a name is too long or has control characters; or nobody sends what is to be kept.
    """
    if not content or (is_json(content_type) and not content.strip()):
        raise InvalidBody("the signal has no data")
    for name, value in ((_SENDER, addressed.sender), (_TO, addressed.to), (_TOPIC, addressed.topic)):
        _check_name(name, value)
    if addressed.keep is not None and addressed.sender is None:
        raise BadRequest("a signal that is kept is the state of its sender, and this one has none: say from")
    if is_json(content_type):
        (content,) = split_value(JSON, content)
    return Signal(addressed.sender, addressed.to, addressed.topic, addressed.keep, content_type, content, addressed.by)


def content_of(data: Any) -> tuple[str, bytes]:
    """The type and the bytes of a value of Python: bytes as they are, everything else as JSON.

    Raises:
        InvalidBody: it has no form in JSON.
    """
    if isinstance(data, bytes | bytearray | memoryview):
        return DEFAULT_CONTENT_TYPE, bytes(data)
    try:
        return JSON, msgspec.json.encode(data)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidBody(f"the value cannot be written as JSON: {error}") from None


def parse_addressed(query: bytes) -> Addressed:
    """What the query of a request says of its signal; what is not ours is let through unread, as everywhere.

    Raises:
        BadRequest: one of ours came twice, is not URL-encoded UTF-8, or is not as it should be.
    """
    found = named_fields(query, _OURS)
    for name in (_SENDER, _TO, _TOPIC):
        _check_name(name, found.get(name))
    keep = found.get(_KEEP)
    return Addressed(
        found.get(_SENDER),
        found.get(_TO),
        found.get(_TOPIC),
        None if keep is None else parse_integer(keep, name=_KEEP, maximum=MAX_INTEGER),
    )


def wants_signals(value: str | None, *, has_place: bool) -> bool:
    """Whether a read asks for signals.

    Args:
        value: of its query parameter; None: not sent.
        has_place: the read is in a form that can tell signals.

    Raises:
        BadRequest: the value means nothing, or there is no place for signals.
    """
    if value is None:
        return False
    if value != "1":
        raise BadRequest(f"?signals= takes 1, not {value[:40]!r}")
    if not has_place:
        raise BadRequest(
            "?signals=1 is for plain SSE and NDJSON, for which Accept asks, and for -/many; live=sse, long-poll and "
            "reads that end have no place for signals"
        )
    return True


def _check_name(name: str, value: str | None) -> None:
    if value is not None and not (0 < len(value) <= MAX_NAME and value.isprintable()):
        raise BadRequest(f"{name} must have 1 to {MAX_NAME} printable characters")
