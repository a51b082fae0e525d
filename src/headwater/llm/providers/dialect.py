"""What every dialect shares: its interface, how a run can end, and event streams.

Rule 1: a dialect is a function of the log: what it tells next depends on the parts it was given, not on how they were
        grouped, so that who joins late and gets a compacted beginning is told the same as everybody after it.
Rule 2: no end is silent. A run that did not finish by itself ends with the dialect's own word for it.
Rule 3: nothing follows an end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, ClassVar, Final, Protocol

import msgspec

from headwater.llm.parts import OURS, Abort, Error, Foreign, Part, Start, Text
from headwater.llm.providers.builder import filled
from headwater.llm.providers.left_out import LeftOut, kind_of
from headwater.model import Failure


class End(Enum):
    """How a reader's view of a run ends."""

    FINISHED = "finished"  # the source came to its end
    FAILED = "failed"  # the source, or reading the log, failed
    STOPPED = "stopped"  # somebody stopped the run
    LOST = "lost"  # the process that ran it is gone
    TIMED_OUT = "timeout"  # the source took too long
    DETACHED = "detached"  # the run goes on, the connection does not


_MESSAGES: Final = {
    End.FAILED: "the run failed",
    End.STOPPED: "the run was stopped; what it said before is kept",
    End.LOST: "the run was lost with its process; what it said before is kept",
    End.TIMED_OUT: "the run took too long and was ended; what it said before is kept",
    End.DETACHED: "the server closes the connection; the run goes on: connect again",
}
_ENDS: Final = {end.value: end for end in (End.STOPPED, End.LOST, End.TIMED_OUT)}


def is_from_outside(part: Part) -> bool:
    """An end that is not the source's: a stop, a loss, a time-out. What the source had completed stays whole."""
    return isinstance(part, Abort) or (isinstance(part, Error) and part.code in _ENDS)


class Ending(msgspec.Struct, frozen=True):
    """An end, and what is to be said about it.

    Attributes:
        end: which.
        code: for programs; empty: the end's own word.
        message: for people; empty: a standard sentence.
    """

    end: End
    code: str = ""
    message: str = ""

    @classmethod
    def of(cls, failure: Failure | None) -> Ending:
        """The end of a closed stream: `stopped`, `lost` and `timeout` are codes of their own, any other failed."""
        if failure is None:
            return cls(End.FINISHED)
        return cls(_ENDS.get(failure.code, End.FAILED), failure.code, failure.message)

    @property
    def is_success(self) -> bool:
        """The answer is complete."""
        return self.end is End.FINISHED

    @property
    def told_code(self) -> str:
        """The code to tell."""
        return self.code or self.end.value

    @property
    def told(self) -> str:
        """The sentence to tell."""
        return self.message or _MESSAGES.get(self.end, "")


class Dialect(Protocol):
    """One way to tell a run, for one reader.

    Attributes:
        name: as it is asked for.
        media_type: `Content-Type` of the response.
        headers: further response headers.
        relays: the dialect of raw provider bytes that pass as they are; empty: none.
        keeps_records: every part is told for itself, none is joined with another.
        lacks: the kinds of parts (`providers.left_out`) that it has no place for, or not for all of a kind.
        differs: what its clients are told otherwise than by the provider that spoke, by the kinds of a reading:
            `text`, `thinking`, `calls`, `results`, `approvals`, `citations`, `files`, `refusals`, `end`, `tokens`.
        has_ids: its events carry offsets, so that a client that comes back is told what is new.
        tells_ends: it has a word for every end; else one that is no success is told by a connection that is cut.
        clients: who reads it, for the documentation.
        has_earlier: the reader has the message with which the run goes on, and is told only what is new.
    """

    name: ClassVar[str]
    media_type: ClassVar[bytes]
    headers: ClassVar[tuple[tuple[bytes, bytes], ...]]
    relays: ClassVar[str]
    keeps_records: ClassVar[bool]
    lacks: ClassVar[frozenset[str]]
    differs: ClassVar[Mapping[str, str]]
    has_ids: ClassVar[bool]
    tells_ends: ClassVar[bool]
    clients: ClassVar[str]
    has_earlier: bool

    @property
    def left_out(self) -> Mapping[str, int]:
        """What was not told for want of a place, by its kind; see `providers.left_out`."""
        ...

    def encode(self, parts: Sequence[Part], offsets: Sequence[str] = ()) -> bytes:
        """Tell the next parts.

        Args:
            parts: in the order of the log.
            offsets: the position after each, for clients that come back with the id of the last event; none, or an
                empty one: nothing is told.
        """
        ...

    def relay(self, data: bytes, offset: str = "") -> bytes:
        """Pass raw bytes of the dialect that `relays` names; one whole event may carry its offset."""
        ...

    def end(self, ending: Ending) -> bytes:
        """Tell how it ended: close what is open, say why, and send the dialect's last event."""
        ...

    def keepalive(self) -> bytes:
        """What clients ignore, to keep the connection alive; empty: the dialect has no such thing."""
        ...

    def state(self) -> object:
        """Equal for encoders that tell the same next parts with the same bytes."""
        ...

    @property
    def must_cut(self) -> bool:
        """The end was no success and the dialect has no word for it: the connection is to be cut, not completed."""
        ...


class SseDialect:
    """An event stream.

    A dialect gives the blocks of each part (`_say`) and of the end (`_end`); it calls `_open` before the first
    block that needs to know who answers.

    Args:
        fallback: what to tell about the message where the log does not say it.
        ids: whether events carry offsets.
    """

    name: ClassVar[str]
    media_type: ClassVar[bytes] = b"text/event-stream"
    headers: ClassVar[tuple[tuple[bytes, bytes], ...]] = ()
    relays: ClassVar[str] = ""
    keeps_records: ClassVar[bool] = False
    lacks: ClassVar[frozenset[str]] = frozenset()
    differs: ClassVar[Mapping[str, str]] = {}
    has_ids: ClassVar[bool] = True
    tells_ends: ClassVar[bool] = True
    clients: ClassVar[str] = ""
    has_earlier = False

    def __init__(self, fallback: Start | None = None, *, ids: bool = True) -> None:
        self._fallback = fallback or Start()
        self._ids = ids and self.has_ids
        self._about = Start()
        self._is_open = False
        self._is_relaying = False
        self._is_over = False
        self._has_failed = False
        self._has_finished = False
        self._left_out = LeftOut()

    @property
    def left_out(self) -> Mapping[str, int]:
        """See `Dialect.left_out`."""
        return self._left_out.counts

    @property
    def must_cut(self) -> bool:
        """See `Dialect.must_cut`."""
        return self._is_over and self._has_failed and not self.tells_ends

    def encode(self, parts: Sequence[Part], offsets: Sequence[str] = ()) -> bytes:
        """See `Dialect.encode`. The last block of a part has its offset: a client never has half a delta twice."""
        if len(parts) == 1 and type(parts[0]) is Text and not self._is_over:  # the usual case
            said = self._say(parts[0])
            if said and offsets and offsets[0] and self._ids:
                return b"%bid: %b\n%b" % (b"".join(said[:-1]), offsets[0].encode(), said[-1])
            return b"".join(said)
        blocks: list[bytes] = []
        for index, part in enumerate(parts):
            if self._is_over:
                break
            if isinstance(part, Start):
                self._learn(part)
            elif self.lacks and (kind := kind_of(part)) in self.lacks and self._is_left_out(part):
                self._left_out.note(part, kind)
            said = self._say(part)
            if said and offsets and offsets[index] and self._ids:
                said[-1] = b"id: %b\n%b" % (offsets[index].encode(), said[-1])
            blocks += said
        return b"".join(blocks)

    def relay(self, data: bytes, offset: str = "") -> bytes:
        """See `Dialect.relay`. The provider opens the message."""
        if self._is_over:
            return b""
        self._is_open = self._is_relaying = True
        return _with_id(data, offset) if offset and self._ids else data

    def end(self, ending: Ending) -> bytes:
        """See `Dialect.end`."""
        if self._is_over:
            return b""
        if self._has_finished and ending.end is not End.FAILED:
            ending = Ending(End.FINISHED)  # a stop, a loss or a drain that comes after the answer takes nothing from it
        blocks = self._end(ending)
        self._is_over = True
        return b"".join(blocks)

    def keepalive(self) -> bytes:
        """A comment line. Without a blank line: after an id, some SDKs take one for an empty event."""
        return b":\n"

    def state(self) -> object:
        """See `Dialect.state`."""
        ends = self._is_open, self._is_over, self._has_failed, self._has_finished
        return ends, self._about, self._left_out.state()

    def _is_left_out(self, part: Part) -> bool:
        """Whether a part of a kind that the dialect lacks is told in no other way."""
        if isinstance(part, Foreign):
            return part.dialect not in (self.name, self.relays)
        return not is_told(getattr(part, "metadata", None), self.name)

    def _say(self, part: Part) -> list[bytes]:
        raise NotImplementedError

    def _end(self, ending: Ending) -> list[bytes]:
        raise NotImplementedError

    def _learn(self, part: Start) -> None:
        """Who answers; a later start fills what is not known yet."""
        self._about = filled(self._about, part)

    def _open(self) -> bool:
        """Fix who answers; False: it is fixed already."""
        if self._is_open:
            return False
        self._about = filled(self._about, self._fallback)
        self._is_open = True
        return True


#: Lines that SDKs take for an event. To those of Python a blank line is one too, once there was an id.
_FIELD: Final = re.compile(rb"(?:^|[\r\n])(?:event|id|retry|data)(?=[:\r\n])")
_DATA: Final = re.compile(rb"(?:^|[\r\n])data(?=[:\r\n])")
_BOM: Final = b"\xef\xbb\xbf"
_BLANK: Final = re.compile(rb"(?:\r\n|\r|\n)\Z")


def _with_id(event: bytes, offset: str) -> bytes:
    """A provider's event with our id as its last line, so that it is the one that counts.

    What is no event, such as a comment, is told without the blank line behind it.
    """
    event = event.lstrip(b"\r\n")
    blank = _BLANK.search(event)
    if blank is None or event.startswith(_BOM):
        return event
    if not _DATA.search(event):
        return event if _FIELD.search(event) else event[: blank.start()]
    return b"%bid: %b\n%b" % (event[: blank.start()], offset.encode(), blank.group())


def frame(value: Any, event: str = "") -> bytes:
    """An event with a JSON value. With a space after the colon: hand-written clients cut `data: ` off."""
    data = b"data: " + msgspec.json.encode(value) + b"\n\n"
    return b"event: " + event.encode() + b"\n" + data if event else data


DONE: Final = b"data: [DONE]\n\n"


def without_empty(value: dict[str, Any]) -> dict[str, Any]:
    """An object without its fields that are None, False or an empty string."""
    return {key: field for key, field in value.items() if field is not None and field is not False and field != ""}


def object_of(metadata: dict[str, Any] | None, provider: str, name: str) -> dict[str, Any]:
    """An object of a provider's own in the metadata of a part; empty: there is none."""
    found = of_provider(metadata, provider).get(name)
    return found if isinstance(found, dict) else {}


def is_told(metadata: dict[str, Any] | None, dialect: str) -> bool:
    """A part is for other dialects alone: this one is told it by another part, in its own words."""
    return of_provider(metadata, OURS).get("told") == dialect


def of_provider(metadata: dict[str, Any] | None, provider: str) -> dict[str, Any]:
    """What is a provider's own in the metadata of a part, or in its native objects; empty: nothing."""
    found = metadata.get(provider) if metadata else None
    return found if isinstance(found, dict) else {}
