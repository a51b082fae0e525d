# Written by scripts/sync_client.py from reader.py; do not edit.
"""A reader: a cursor over a stream, which outlives its connections.

Rule 1: everything is pulled. Nobody asks, nothing is read, and the server is held by the socket.
Rule 2: `offset` moves when the consumer asks for more, which says that it is done with what it has.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar

from headwater.client.checkpoint import Checkpoint
from headwater.client.codec import Codec
from headwater.client.errors import BadRecord
from headwater.client.items import Batch, End, Ending, Gap, Info, Item, Progress
from headwater.client.reading import Given, Reading, Request
from headwater.client.requests import info_of
from headwater.client.retry import Retry
from headwater.client.session import ReadSession
from headwater.client.states import ReaderState
from headwater.client.sync.http import Cut, settled
from headwater.client.told import Heard
from headwater.errors import HeadwaterError

if TYPE_CHECKING:
    from headwater.client.sync.doors import Answers, Door

T = TypeVar("T")


class Reader(Generic[T]):
    """See `Stream.read`. Iterate over it, or over its `batches()`.

    Attributes:
        offset: behind the last record that was given and is done with.
    """

    def __init__(
        self,
        http: Door,
        url: str,
        reading: Reading,
        codec_of: Callable[[str], Codec[T]],
        retry: Retry,
        *,
        info: Info | None = None,
        is_new: bool = False,
        checkpoint: Checkpoint | None = None,
        progress: Callable[[Progress], None] | None = None,
        learned: Callable[[Info], object] | None = None,
    ) -> None:
        self.offset = reading.start
        self._http: Final[Door] = http
        self._url: Final = url
        self._session: ReadSession[T] = ReadSession(
            reading, codec_of, retry, http.clock.draw, info=info, can_refresh=http.can_refresh, is_new=is_new
        )
        self._checkpoint: Final = checkpoint
        self._is_loaded = checkpoint is None
        self._progress: Final = progress
        self._learned: Final = learned
        self._pause: Final = http.clock.pause()
        self._cut: Final = Cut()
        self._answer: Answers | None = None
        self._rest: Iterator[Item[T]] = iter(())  # of a batch that was broken off
        self._records = self._bytes = 0
        self._one: Generator[Item[T], None, None] | None = None
        self._bad: BadRecord | None = None

    @property
    def state(self) -> ReaderState:
        """Where it is."""
        return self._session.state

    @property
    def end(self) -> End | None:
        """How it ended; None: it has not."""
        return self._session.end

    @property
    def info(self) -> Info | None:
        """What the stream is, as far as it is known."""
        return self._session.info

    @property
    def transport(self) -> str | None:
        """The transport of the newest connection."""
        return self._session.transport

    @property
    def attempt(self) -> int:
        """Attempts without progress since the last that made some."""
        return self._session.attempt

    @property
    def retry_at(self) -> float | None:
        """The moment of the next attempt, by `time.monotonic`, while it waits."""
        return self._session.retry_at

    @property
    def last_error(self) -> HeadwaterError | None:
        """The newest trouble."""
        return self._session.error

    def reconnect(self) -> None:
        """Try again now, if it waits."""
        self._pause.wake()

    def skip(self) -> None:
        """Leave out the record that was refused with `BadRecord`; the next iteration goes on behind it."""
        if self._bad is None:
            raise RuntimeError("no record was refused")
        self._session.skipped(self._bad.offset)
        self.offset, self._bad = self._bad.offset, None

    def close(self) -> None:
        """End it; who iterates comes to the end."""
        self._session.stop()
        self._pause.wake()
        self._cut.now()
        if self._answer is not None:
            self._answer.abort()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Generator[Item[T], None, None]:
        with closing(self._all()) as all_given:
            for given in all_given:
                if type(given) is not Batch:
                    continue
                self._rest = iter(given.items)
                if self._checkpoint is None:
                    for item in self._rest:
                        yield item
                        self.offset = item.offset
                else:
                    for item in self._rest:
                        yield item
                        self._done(item.offset)
                self.offset = given.offset

    def __next__(self) -> Item[T]:
        if self._one is None:
            self._one = self.__iter__()
        return next(self._one)

    def batches(self) -> Generator[Batch[T] | Gap, None, None]:
        """Records as they came together, and the gaps between them; a batch without records tells `up_to_date`."""
        with closing(self._all()) as all_given:
            for given in all_given:
                if not isinstance(given, Heard):
                    yield given
                    self._done(given.offset)

    def everything(self) -> Generator[Batch[T] | Gap | Heard, None, None]:
        """See `batches`; signals, too, where they were asked for."""
        with closing(self._all()) as all_given:
            for given in all_given:
                yield given
                if not isinstance(given, Heard):
                    self._done(given.offset)

    def _done(self, offset: str) -> None:
        self.offset = offset
        if self._checkpoint is not None:
            settled(self._checkpoint.save(offset))

    def _load(self) -> None:
        self._is_loaded = True
        assert self._checkpoint is not None
        start = settled(self._checkpoint.load())
        if start is not None:
            self.offset = start
            self._session.begin_at(start)

    def _has_ended(self) -> bool:
        return self._session.end is not None

    def _is_over(self) -> bool:
        """Whether the end was told, or it was closed meanwhile."""
        return self._session.is_over

    def _all(self) -> Generator[Given, None, None]:
        """What comes, connection after connection, until the end is told or there is no use in trying."""
        if not self._is_loaded:
            self._load()
        session = self._session
        if items := list(self._rest):
            yield Batch(items, session.offset)
        while self.end is None:
            error: HeadwaterError | None = None
            try:
                with closing(self._connection()) as connection:
                    for given in connection:
                        if type(given) is Batch:
                            self._told(given)
                        yield given
            except HeadwaterError as found:
                error = found
            if self._has_ended():
                break
            if isinstance(error, BadRecord):
                self._bad = error
            wait = session.lost(error, self._http.clock.now())
            if (gap := session.take_gap()) is not None:
                yield gap
            if wait > 0 or not session.went_on:
                self._pause.wait(wait)
        end = self.end
        if end is not None and end.kind is not Ending.STOPPED and end.error is not None:
            raise end.error

    def _connection(self) -> Generator[Given, None, None]:
        session = self._session
        for given in session.pending():
            yield given
        session.late()
        if self._has_ended():
            return
        request = session.begin(self._http.clock.now())
        opened = self._http.open(request.method, self._url, request.query, request.headers, hold=request.hold)
        with ExitStack() as stack:
            answer = self._answer = self._cut.of(stack.enter_context(opened))
            try:
                with closing(self._answered(request, answer)) as all_given:
                    for given in all_given:
                        yield given
            finally:
                self._answer = None  # its connection may carry another request from now on

    def _answered(self, request: Request, answer: Answers) -> Generator[Given, None, None]:
        session, head, known = self._session, answer.head, self._session.info
        body = b"" if head.is_success else answer.read()
        for given in session.head(head.status, head.headers, body, head.retry_after, self._http.clock.now()):
            yield given
        if request.method == "HEAD":
            session.learn(info_of(head.headers))
        if self._learned is not None and session.info is not None and session.info is not known:
            self._learned(session.info)
        if request.method == "HEAD" or self._is_over():
            return
        with closing(answer.chunks(session.silence, request.first_byte)) as chunks:
            for chunk in chunks:
                self._bytes += len(chunk)
                told = session.feed(chunk)
                for given in told:
                    yield given
                if not told and self._progress is not None:
                    self._report(self.state is ReaderState.LIVE)
                session.late()
                if self._is_over():
                    return
        for given in session.finish():
            yield given
        session.late()

    def _told(self, batch: Batch[Any]) -> None:
        self._records += len(batch.items)
        if self._progress is not None:
            self._report(batch.up_to_date)

    def _report(self, up_to_date: bool) -> None:
        assert self._progress is not None
        self._progress(Progress(self._session.offset, self._records, self._bytes, up_to_date))
