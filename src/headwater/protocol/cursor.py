"""A reader: a cursor over a stream, its states, and the events it is told.

Rule 1: every state of a reader, and every step between them, lives in this file.
Rule 2: this file knows no transport. Event streams, NDJSON and long-polls encode the events; none of them ever
        looks at a state.
Rule 3: no clock. Callers pass `now`, in seconds from any fixed origin.
Rule 4: a reader holds no records: it holds an offset. Who falls behind reads the log again.
"""

from __future__ import annotations

import enum
from typing import Final

import msgspec

from headwater.errors import HeadwaterError
from headwater.model import BEGINNING, Batch

#: Proxies cut silent connections: nginx, AWS ALB and many others after 60 s, Heroku after 55 s.
HEARTBEAT_SECONDS: Final = 15.0


class State(enum.Enum):
    """Where a reader stands."""

    WAITING = "waiting"  # there is no stream yet
    CATCHING_UP = "catching-up"  # behind the tail: reads the log
    LIVE = "live"  # at the tail: waits for it to move
    ENDED = "ended"  # closed and fully read, failed, or let go

    __hash__ = object.__hash__  # a member is one object; the hash of its name takes a call of Python


class Step(enum.Enum):
    """What can happen to a reader."""

    MISSING = "missing"  # it came before its stream
    MADE = "made"  # the stream is there
    MORE = "more"  # a batch that ends before the tail
    UP_TO_DATE = "up-to-date"  # a batch that ends at the tail
    CLOSED = "closed"  # a batch that ends at the tail of a closed stream
    IDLE = "idle"  # nothing for a heartbeat
    FAILED = "failed"  # the stream was deleted, or reading it failed
    DETACHED = "detached"  # the server lets the reader go
    GAP = "gap"  # records are left out, as the reader's policy for slowness says

    __hash__ = object.__hash__


#: docs/reference/states.md is written from this table.
TRANSITIONS: Final[dict[State, dict[Step, State]]] = {
    State.WAITING: {
        Step.MADE: State.CATCHING_UP,
        Step.IDLE: State.WAITING,
        Step.FAILED: State.ENDED,
        Step.DETACHED: State.ENDED,
    },
    State.CATCHING_UP: {
        Step.MISSING: State.WAITING,
        Step.MORE: State.CATCHING_UP,
        Step.UP_TO_DATE: State.LIVE,
        Step.CLOSED: State.ENDED,
        Step.IDLE: State.CATCHING_UP,
        Step.FAILED: State.ENDED,
        Step.DETACHED: State.ENDED,
        Step.GAP: State.CATCHING_UP,
    },
    State.LIVE: {
        Step.MORE: State.CATCHING_UP,
        Step.UP_TO_DATE: State.LIVE,
        Step.CLOSED: State.ENDED,
        Step.IDLE: State.LIVE,
        Step.FAILED: State.ENDED,
        Step.DETACHED: State.ENDED,
        Step.GAP: State.CATCHING_UP,
    },
    State.ENDED: {},
}


class Data(msgspec.Struct, frozen=True, gc=False):
    """Records, or the news that there are none beyond the reader's offset; `batch.closed` ends the stream."""

    batch: Batch


class Idle(msgspec.Struct, frozen=True, gc=False):
    """Nothing happened for a heartbeat; the connection is alive and the reader stands at `offset`."""

    offset: str


class Failed(msgspec.Struct, frozen=True):
    """Reading ended with an error; `offset` is where it stood."""

    offset: str
    error: HeadwaterError


class Detached(msgspec.Struct, frozen=True, gc=False):
    """The server lets the reader go; it may come back at `offset` after `retry_after` seconds.

    Attributes:
        reason: `stopping`: the server stops; `slow`: the policy `disconnect`; `shed`: slow readers together held too
            much; empty: its time was over.
    """

    offset: str
    retry_after: float
    reason: str = ""


class Missing(msgspec.Struct, frozen=True, gc=False):
    """There is no stream yet; the reader waits for it.

    Attributes:
        offset: where it comes back, so that it misses nothing of a stream that is made meanwhile: `now` would be later.
    """

    offset: str = BEGINNING


class Made(msgspec.Struct, frozen=True, gc=False):
    """The stream that the reader waited for is there, and its records follow from the first one on.

    Attributes:
        content_type: of the stream.
        offset: where it begins.
    """

    content_type: str
    offset: str


class Gap(msgspec.Struct, frozen=True, gc=False):
    """Records are left out, because the reader was slow, or because they are of an earlier stream at the path.

    Attributes:
        start: what is left out lies after this offset, and a read from here fetches it.
        end: it lies before this one.
        offset: where a reader comes back that is cut right after this event: `end` if everything between the two is
            left out, `start` if what is kept of it comes next.
        reason: `recreated`: the reader's offset was of an earlier stream; empty: it was slow.
    """

    start: str
    end: str
    offset: str
    reason: str = ""


Event = Data | Idle | Failed | Detached | Gap | Missing | Made


def ends(event: Event) -> bool:
    """Whether nothing follows for the reader that is told this."""
    match event:
        case Data(batch):
            return batch.closed
        case Failed() | Detached():
            return True
        case _:
            return False


class Cursor:
    """One reader's cursor and state.

    Args:
        offset: where to begin; `-1` and `now` are replaced by a real offset with the first batch.
        now: seconds from any fixed origin.
        heartbeat: seconds of silence after which `Idle` is due.
        lifetime: seconds after which the reader is let go; None: never (protocol section 10.2 wants about 60
            for its SSE mode, so that caches can collapse readers).

    Attributes:
        offset: where the next read starts.
        state: see `State`.
    """

    __slots__ = ("_ends_at", "_heartbeat", "_silent_since", "offset", "state")

    def __init__(
        self, offset: str, now: float, *, heartbeat: float = HEARTBEAT_SECONDS, lifetime: float | None = None
    ) -> None:
        self.offset = offset
        self.state = State.CATCHING_UP
        self._heartbeat = heartbeat
        self._silent_since = now
        self._ends_at = None if lifetime is None else now + lifetime

    def receive(self, batch: Batch, now: float) -> Data:
        """Take a batch that was read at the reader's offset."""
        step = Step.CLOSED if batch.closed else Step.UP_TO_DATE if batch.up_to_date else Step.MORE
        self.state = TRANSITIONS[self.state][step]
        self.offset = batch.next_offset
        self._silent_since = now
        return Data(batch)

    def copy(self) -> Cursor:
        """Another reader in the same state at the same offset, without a lifetime."""
        twin = Cursor(self.offset, self._silent_since, heartbeat=self._heartbeat)
        twin.state = self.state
        return twin

    def beat_every(self, heartbeat: float) -> None:
        """Take another heartbeat, before anything was told."""
        self._heartbeat = heartbeat

    @property
    def silent_since(self) -> float:
        """When something was told last."""
        return self._silent_since

    def next_timer(self) -> float:
        """When `handle_timer` is due next."""
        beat = self._silent_since + self._heartbeat
        return beat if self._ends_at is None else min(beat, self._ends_at)

    def handle_timer(self, now: float) -> Idle | Detached | None:
        """What is due at `now`; calling it early gives None."""
        if self._ends_at is not None and now >= self._ends_at:
            return self.detach(0.0)
        if now < self._silent_since + self._heartbeat:
            return None
        self._step(Step.IDLE)
        self._silent_since = now
        return Idle(self.offset)

    def detach(self, retry_after: float, reason: str = "") -> Detached:
        """Let the reader go, to come back after `retry_after` seconds; see `Detached` for the reason."""
        self._step(Step.DETACHED)
        return Detached(self.offset, retry_after, reason)

    def wait(self) -> Missing:
        """Wait for a stream that is not there."""
        self._step(Step.MISSING)
        return Missing(self.offset)

    def begin(self, content_type: str, offset: str) -> Made:
        """The stream is there."""
        self._step(Step.MADE)
        self.offset = offset
        return Made(content_type, offset)

    def skip(self, offset: str) -> Gap:
        """Go on at a later offset, and leave out what lies before."""
        self._step(Step.GAP)
        gap = Gap(self.offset, offset, offset)
        self.offset = offset
        return gap

    def thin(self, offset: str) -> Gap:
        """Leave out some of the records before a later offset; the others are to be received next.

        The reader stays where it is until then: one that is cut in between must get them when it comes back.
        """
        self._step(Step.GAP)
        return Gap(self.offset, offset, self.offset)

    def fail(self, error: HeadwaterError) -> Failed:
        """End with an error."""
        self._step(Step.FAILED)
        return Failed(self.offset, error)

    def _step(self, step: Step) -> None:
        self.state = TRANSITIONS[self.state][step]
