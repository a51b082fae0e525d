"""One read, from its first request to its end: every rule of it, and no I/O, no clock and no randomness.

A driver asks `begin` what to send, gives `head`, `feed` and `finish` what comes, hands on what they return, and after
an attempt asks `lost` how long to wait. Nothing else decides anything.

Rule 1: the place moves when a record is given to the driver, and a connection begins at the place. Records at or below
        it are dropped.
Rule 2: an answer that ends without having told its end was cut.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

from headwater.client.codec import Codec
from headwater.client.errors import Truncated
from headwater.client.items import Batch, End, Ending, Gap, Info
from headwater.client.problems import problem_of, stream_failed
from headwater.client.reading import Given, Reading, Request
from headwater.client.requests import heartbeat_of, info_of
from headwater.client.retry import Retry
from headwater.client.states import ReaderState
from headwater.client.told import (
    Absent,
    Alive,
    Bad,
    Closed,
    Detached,
    Failed,
    Heard,
    Made,
    Refused,
    Told,
    UpToDate,
)
from headwater.client.transports import FIRST_BYTE, HELD, Choice
from headwater.client.trouble import Trouble
from headwater.client.ways import Headers, Place, Way, over_connection, way_of
from headwater.errors import HeadwaterError, OffsetGone, StreamGone, StreamNotFound
from headwater.model import BEGINNING, NOW

T = TypeVar("T")


class ReadSession(Generic[T]):
    """One read.

    Args:
        reading: what is read.
        codec_of: what makes values of records of a content type.
        retry: the rules.
        draw: a number from 0 up to 1.
        info: of the stream, if it is known.
        can_refresh: headers come from a function, so that 401 may be a token that was too old.
        is_new: the stream was made a moment ago by this client.

    Attributes:
        state: where the read is.
        end: how it ended; None: it has not.
        error: the newest trouble.
        retry_at: the moment of the next attempt, while it waits.
        offset: where the next connection begins.
    """

    def __init__(
        self,
        reading: Reading,
        codec_of: Callable[[str], Codec[T]],
        retry: Retry,
        draw: Callable[[], float],
        *,
        info: Info | None = None,
        can_refresh: bool = False,
        is_new: bool = False,
    ) -> None:
        self.state = ReaderState.IDLE
        self.end: End | None = None
        self.error: HeadwaterError | None = None
        self.retry_at: float | None = None
        self.codec: Codec[T] | None = None
        self.info = info
        self._reading: Final = reading
        self._codec_of: Final = codec_of
        self._retry: Final = retry
        self._choice: Final = Choice(reading.transport if reading.live else "auto")
        self._trouble: Final = Trouble(
            retry, draw, self._choice, can_refresh=can_refresh, is_new=is_new, waits=reading.missing == "wait"
        )
        self._place: Final = Place(BEGINNING if reading.start == "start" else reading.start)
        self._way: Way | None = None
        self._name = ""
        self._planned: Detached | None = None
        self._at_tail = False
        self._pending: list[Told] = []  # behind a record that was left out
        self._later: HeadwaterError | None = None  # behind what was given
        self._gap: Gap | None = None
        self._heartbeat: float | None = None  # of the newest answer, which may have another than the stream's
        self._place.query.update(reading.query())
        if info is not None and info.content_type:
            self.learn(info)

    @property
    def offset(self) -> str:
        """Where the next connection begins."""
        return self._place.offset

    @property
    def attempt(self) -> int:
        """Attempts without progress since the last that made some."""
        return self._trouble.attempt

    @property
    def transport(self) -> str | None:
        """The transport of the newest connection."""
        return self._name or None

    @property
    def silence(self) -> float:
        """Seconds without a byte after which a connection is dead."""
        return self._retry.silence_of(self._heartbeat or (None if self.info is None else self.info.heartbeat))

    def begin_at(self, offset: str) -> None:
        """Begin there, in place of the start that was asked for."""
        self._place.offset = offset

    def learn(self, info: Info) -> None:
        """What the stream is."""
        self.info = info
        if self.codec is None or self.codec.content_type != info.content_type:
            self.codec = self._codec_of(info.content_type)
        self._choice.learn(is_json=self.codec.is_json, is_headwater=bool(info.earliest))

    def begin(self, now: float) -> Request:
        """An attempt begins: what to send."""
        self._trouble.begin(now)
        self._planned = None
        self.retry_at = None
        is_polling = self.state is ReaderState.LIVE and self._name == "long-poll"  # poll after poll
        if self.state is not ReaderState.ABSENT and not is_polling:
            self.state = ReaderState.CONNECTING
        if self._reading.transport == ("websocket",):
            return self._over_connection()
        if self.codec is None:
            return self._first()
        name = self._choice.current(now)
        if not self._reading.live:  # Headwater tells record by record where the tail is
            name = "ndjson" if self.info is not None and self.info.earliest and not self._reading.pages else "page"
        self._name = name
        # History without waiting: caches may have it, and a head that does not come is noticed.
        is_held = name == "long-poll" and (self._at_tail or self._reading.missing == "wait")
        self._way = way_of(name, self.codec, self._place, is_held=is_held)
        first = FIRST_BYTE if self._choice.can_move else None
        hold = HELD if is_held else 0.0
        return Request("GET", self._way.query(self._place), self._way.headers(self._place), first, hold)

    def _over_connection(self) -> Request:
        """What the stream is, the answer tells."""
        self._name = "websocket"
        self._way = over_connection(self._codec_of, self._place)
        return Request("GET", self._way.query(self._place), {})

    def _first(self) -> Request:
        """Nothing is known of the stream. One that is waited for tells in NDJSON what it is, once it is made."""
        self._way = None
        may_wait = self._reading.live and self._reading.transport in ("auto", ("ndjson",))
        if self.state is not ReaderState.ABSENT or not may_wait:
            return Request("HEAD", {}, {})
        self._name = "ndjson"
        self._way = way_of("ndjson", Codec("application/json", bytes), self._place)
        return Request("GET", self._way.query(self._place), self._way.headers(self._place))

    def head(self, status: int, headers: Headers, body: bytes, retry_after: float | None, now: float) -> list[Given]:
        """Take the head of an answer, and the body of an error.

        Raises:
            HeadwaterError: it is one; give it to `lost`.
        """
        self._trouble.opened(now)
        if status >= 300 or status < 200:
            facts = {name: value for name in ("allow",) if (value := headers.get(name))}
            raise problem_of(status, body, retry_after, facts)
        self._trouble.accepted()
        self._heartbeat = heartbeat_of(headers)
        if self._way is None:
            return []
        if self._name == "websocket" and "content-type" in headers:
            self.learn(info_of(headers))
        if self.state is not ReaderState.ABSENT:
            self.state = ReaderState.CATCHING_UP
        return self._take(self._way.begin(status, headers))

    def feed(self, chunk: bytes) -> list[Given]:
        """Take bytes; gives what they tell to who reads.

        Raises:
            HeadwaterError: see `lost`.
        """
        assert self._way is not None
        self._trouble.hears()
        return self._take(self._way.feed(chunk))

    def finish(self) -> list[Given]:
        """Take the end of an answer.

        Raises:
            HeadwaterError: it was cut; see `lost`.
        """
        if self._way is None or self.end is not None or self._planned is not None:
            return []
        return self._take(self._way.finish())

    @property
    def went_on(self) -> bool:
        """Whether the last attempt did what it was for, so that no wait lies between it and the next."""
        return self._way is None or self._trouble.moved

    @property
    def is_over(self) -> bool:
        """Whether nothing more of this connection counts."""
        return self.end is not None or self._planned is not None

    def _take(self, told: list[Told]) -> list[Given]:
        given: list[Given] = []
        for number, item in enumerate(told, 1):
            if self.codec is None and isinstance(item, Batch | Gap | UpToDate | Closed | Failed):
                # It was made before it was waited for: what it is, a HEAD says.
                self.state = ReaderState.CONNECTING
                self._trouble.moves()
                self._planned = Detached()
                return given
            match item:
                case Batch():
                    if (new := self._new_of(item)) is not None:
                        given.append(new)
                case Alive():
                    pass
                case UpToDate(offset):
                    given += self._up_to_date(offset)
                case Gap():
                    self._moves_to(item.offset or item.end)
                    given.append(item)
                case Heard():
                    given.append(item)
                case Absent():
                    self.state = ReaderState.ABSENT
                case Made(content_type, offset):
                    self._made(content_type, offset)
                    if self._planned is not None:
                        return given
                case Closed(offset):
                    self._ends(Ending.CLOSED, offset)
                case Failed(offset, code, message):
                    self._ends(Ending.FAILED, offset, stream_failed(code, message))
                case Detached():
                    self._planned = item
                case Refused(error) | Bad(error):
                    self._pending = told[number:]
                    if given:
                        self._later = error
                        return given
                    raise error
        return given

    def pending(self) -> list[Given]:
        """What came behind a record that was left out.

        Raises:
            HeadwaterError: see `lost`.
        """
        told, self._pending = self._pending, []
        return self._take(told)

    def late(self) -> None:
        """Raise what came behind what was given.

        Raises:
            HeadwaterError: it is to be given to `lost`.
        """
        if self._later is not None:
            error, self._later = self._later, None
            raise error

    def _new_of(self, batch: Batch[Any]) -> Batch[Any] | None:
        place = self._place.offset
        items = batch.items
        if not items:  # the rest of a page, behind a record that was left out
            self._moves_to(batch.offset)
            return None
        if place not in (NOW, BEGINNING) and items[0].offset <= place and self._name in ("sse", "ndjson", "websocket"):
            items = [item for item in items if item.offset > place]
            if not items:
                return None
            batch = Batch(items, batch.offset)
        self._moves_to(batch.offset)
        self._place.came = True
        return batch

    def _moves_to(self, offset: str) -> None:
        self._place.offset = offset
        self._at_tail = False
        self._trouble.moves()
        if self.state is ReaderState.ABSENT:
            self.state = ReaderState.CATCHING_UP

    def _up_to_date(self, offset: str) -> list[Given]:
        if offset and offset != self._place.offset:
            self._place.offset = offset
        if not self._reading.live:
            self._ends(Ending.REACHED, self._place.offset)
            return [Batch([], self._place.offset, True)]
        self.state = ReaderState.LIVE
        if self._name == "long-poll":
            self._trouble.hears()  # also of an answer without a byte
            if not self._at_tail:
                self._trouble.moves()  # the first poll follows at once
            self._planned = Detached()
        self._at_tail = True
        return [Batch([], self._place.offset, True)]

    def _made(self, content_type: str, offset: str) -> None:
        """The stream is there: it is read as what it is, on a connection of its own if that is another way."""
        self.state = ReaderState.CATCHING_UP
        if self.codec is None:
            self._place.offset = offset or self._place.offset
            self.learn(Info(content_type, "", earliest=BEGINNING))
            self._trouble.moves()
            if self._name != "websocket":
                self._planned = Detached()

    def _ends(self, kind: Ending, offset: str, error: Exception | None = None) -> None:
        if offset:
            self._place.offset = offset
        self.state = ReaderState.ENDED
        self.end = End(kind, self._place.offset, error)

    def stop(self) -> None:
        """It is closed here."""
        if self.end is None:
            self._ends(Ending.STOPPED, "")

    def skipped(self, offset: str) -> None:
        """A record that cannot be read is left out; what came behind it with the same page is not asked for again."""
        if not self._pending:
            self._place.offset = offset
        self.end, self.state = None, ReaderState.IDLE

    def lost(self, error: HeadwaterError | None, now: float) -> float:
        """An attempt is over: seconds until the next one.

        Args:
            error: why; None: it ended as it should.
            now: the moment.

        Raises:
            HeadwaterError: there is no next one.
        """
        if error is not None:
            wait = self._wait(error, now)
        elif self._way is None:  # a HEAD: the read itself follows at once
            wait = 0.0
        else:
            wait = self._trouble.after_end(self._name, self._planned, now)
        if wait is None:
            if error is None:
                error = Truncated("the server ended the answer, and its time is up")
            self._give_up(error)
        assert wait is not None
        self.retry_at = now + wait
        if self.state is not ReaderState.ABSENT:
            self.state = ReaderState.WAITING if wait else self.state
        return wait

    def _wait(self, error: HeadwaterError, now: float) -> float | None:
        self.error = error
        if isinstance(error, OffsetGone) and self._reading.gone != "raise":
            return self._go_on_behind(error, now)
        if isinstance(error, StreamNotFound | StreamGone) and self._reading.missing == "wait":
            self.state = ReaderState.ABSENT
            if self._reading.transport == "auto":  # what is made may be of another type
                self.codec = None
        return self._trouble.after(error, now)

    def _go_on_behind(self, error: HeadwaterError, now: float) -> float | None:
        earliest = str(error.details.get("earliest", BEGINNING))
        target = earliest if self._reading.gone == "earliest" else NOW
        self._gap = Gap(self._place.offset, target, target, "retention")
        self._place.offset = target
        self._at_tail = False
        return self._trouble.once_more(now)

    def take_gap(self) -> Gap | None:
        """The gap that was found out by a refusal, once."""
        gap, self._gap = self._gap, None
        return gap

    def _give_up(self, error: HeadwaterError) -> None:
        is_deleted = isinstance(error, StreamNotFound | StreamGone) and self._place.came
        self._ends(Ending.DELETED if is_deleted else Ending.ERROR, "", error)
        raise error
