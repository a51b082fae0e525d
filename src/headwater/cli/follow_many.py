"""A reader of many streams that outlives its connections: after a cut it goes on where it was in each of them.

Rule 1: where a read begins must not move when its first connection is cut. The start of a stream does not; any other
        beginning is pages, which are taken whole or not at all and end with a cursor, until every stream has begun.
Rule 2: behind a cursor records may come again. One at or below the newest offset that its stream has is left out.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, Final

import msgspec

from headwater.cli.many_lines import (
    Alive,
    Cursor,
    Ended,
    ManyLines,
    Over,
    RecordOf,
    Skipped,
    ToldOfMany,
    Trouble,
    Waiting,
)
from headwater.cli.remote import Remote
from headwater.client.errors import Truncated
from headwater.client.requests import check
from headwater.client.retry import Backoff, Retry
from headwater.errors import HeadwaterError, StreamGone, StreamNotFound
from headwater.model import Policy
from headwater.protocol import names
from headwater.protocol.patterns import is_pattern

#: Where a stream begins, as the body of `POST -/many` has it.
Start = str | Mapping[str, int] | None

#: What is told of a stream that was deleted; one that was named is waited for again.
_AWAITED: Final = (StreamNotFound.code, StreamGone.code)


class ManyFollower:
    """Follows streams until all have ended; with a pattern for ever.

    Args:
        remote: the server.
        starts: where each path and pattern begins.
        retry: when to connect again.
        cursor: where an earlier read of the same names stood.
        kinds: what is asked for beside records: `signals`, `presence`; and `envelope`, of records.

    Attributes:
        cursor: where the next connection goes on; None: nothing was read yet.
    """

    def __init__(
        self,
        remote: Remote,
        starts: Mapping[str, Start],
        retry: Retry,
        cursor: str | None = None,
        *,
        kinds: Sequence[str] = (),
    ) -> None:
        self.cursor = cursor
        self._remote = remote
        self._starts: Final = starts
        self._retry: Final = retry
        self._backoff: Final = Backoff(retry, remote.http.clock.draw)
        self._live: Final = _query(**dict.fromkeys(kinds, "1"))
        # Of a page, which ends: nothing that is not stored.
        self._page: Final = _query(live="false", **dict.fromkeys({"envelope"} & set(kinds), "1"))
        self._seen: dict[str, str] = {}  # by stream: the offset of its newest record
        self._ended: set[str] = set()  # streams that ended since the last cursor
        self._open = {name for name in starts if not is_pattern(name)}
        self._has_patterns = any(map(is_pattern, starts))

    @property
    def is_over(self) -> bool:
        """Whether all streams were told to their ends."""
        return not self._has_patterns and not self._open

    def pages(self) -> Iterator[list[ToldOfMany]]:
        """What there is, page by page; ends when no stream has more.

        Raises:
            HeadwaterError: the server refused, or patience is at its end.
        """
        is_whole = False
        while not is_whole:
            page = self._remote.page_of_many(self._body(), self._page, self._retry)
            told = ManyLines().feed(page)
            is_whole = not told or any(isinstance(item, Cursor) and item.up_to_date for item in told)
            yield self._take(told)

    def steps(self) -> Iterator[list[ToldOfMany]]:
        """What there is, and all that follows; ends when all streams have.

        Raises:
            HeadwaterError: the server refused, or patience is at its end.
        """
        if self.cursor is None and any(start is not None for start in self._starts.values()):
            yield from self.pages()
        while not self.is_over:
            self._backoff.begin(self._remote.http.clock.now())
            try:
                after = yield from self._connection()
            except HeadwaterError as error:
                if not error.retryable:
                    raise
                self._pause(error)
            else:
                if not self.is_over:
                    self._pause(Truncated("the server asks to come back"), after)

    def _pause(self, error: HeadwaterError, after: float | None = None) -> None:
        """Until the next attempt.

        Args:
            error: why there is one.
            after: seconds that the server asked this client to wait.

        Raises:
            HeadwaterError: patience is at its end.
        """
        http = self._remote.http
        hint = after if after is not None else error.retry_after or None
        wait = self._backoff.wait(http.clock.now(), hint, own=after is not None)
        if wait is None:
            raise error
        http.clock.pause().wait(wait)

    def _connection(self) -> Generator[list[ToldOfMany], None, float | None]:
        """What one connection tells; gives after how many seconds the server asks to come back, when it lets go."""
        wire = ManyLines()
        with self._remote.live_many(self._body(), self._live) as answer:
            if not answer.head.is_success:
                check(answer.head, answer.read())
            if answer.head.status == 204:
                self._open.clear()
                return None
            with closing(answer.chunks(self._retry.silence_of(None), None)) as chunks:
                for chunk in chunks:
                    told = wire.feed(chunk)
                    if told:
                        self._backoff.moved()
                    yield self._take(told)
                    for item in told:
                        if isinstance(item, Ended):
                            return item.retry_after
        if not self.is_over:
            raise Truncated("the connection was cut")
        return None

    def _body(self) -> bytes:
        if self.cursor is None:
            places = {name: offset for name, offset in self._seen.items() if name in self._starts}
            return msgspec.json.encode({"streams": {**self._starts, **places}})
        return msgspec.json.encode({"streams": self._starts, "cursor": self.cursor})

    def _take(self, told: list[ToldOfMany]) -> list[ToldOfMany]:
        """What is new of it."""
        return [item for item in told if self._is_new(item)]

    def _is_new(self, item: ToldOfMany) -> bool:
        match item:
            case RecordOf(stream, offset):
                if offset <= self._seen.get(stream, ""):
                    return False
                self._seen[stream] = offset
            case Trouble(stream, failure) if failure.code in _AWAITED and stream in self._starts:
                pass
            case Over(stream) | Trouble(stream):
                self._open.discard(stream)
                self._ended.add(stream)
            case Waiting(stream) | Skipped(stream):
                self._begin_again(stream)
            case Cursor(cursor):
                self.cursor = cursor
                # It has their ends: none of their records comes again.
                for stream in self._ended:
                    self._seen.pop(stream, None)
                self._ended.clear()
            case Alive() | Ended():
                return False
        return True

    def _begin_again(self, stream: str) -> None:
        if stream in self._starts:
            self._open.add(stream)
        self._ended.discard(stream)


def _query(**more: Any) -> dict[str, str]:
    return {names.QUERY_SLOW: Policy.REPLAY.value, **more}
