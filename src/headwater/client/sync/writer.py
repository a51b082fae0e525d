"""A writer for programs that are not asynchronous: appends in order, each once, from one thread.

Rule 1: a call returns when everything it was given is written. What is refused ends the writer, and nothing behind it
        is written.
Rule 2: requests carry consecutive numbers, and the server takes a number only behind the one before. So several may be
        under way: when one is refused or lost, all behind it are refused too, and are sent again in their order.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Generic, NoReturn, Self, TypeVar

from headwater.client import requests
from headwater.client.codec import Codec
from headwater.client.errors import BadAnswer, NetworkError, Stopped
from headwater.client.producer import Frozen, Numbers, Outcome
from headwater.client.retry import Backoff, Retry
from headwater.client.sync.http import Http
from headwater.client.sync.pipeline import MAX_BYTES, MAX_REQUESTS, Pipeline
from headwater.errors import Conflict, HeadwaterError, NotAuthorized, StreamNotFound
from headwater.protocol.framing import keeps_records

if TYPE_CHECKING:
    from headwater.client.sync.doors import Door

T = TypeVar("T")

#: Values of one request, which every server takes.
MAX_VALUES: Final = 1000
#: Requests that are sent one by one after a connection with several was cut.
CAREFUL: Final = 100
_OK: Final = range(200, 300)


class StreamWriter(Generic[T]):
    """See `Stream.writer`.

    Attributes:
        id: the producer id.
        tail: the stream's tail after the last append; None: nothing was written.
    """

    def __init__(
        self,
        http: Door,
        url: str,
        codec: Codec[T],
        retry: Retry,
        *,
        id: str | None = None,
        epoch: int = 0,
        batch_bytes: int = 1 << 20,
        claim: bool = False,
        create: dict[str, str] | None = None,
    ) -> None:
        if epoch < 0 or batch_bytes <= 0:
            raise ValueError("epoch is 0 or more; batch_bytes is more than 0")
        self.id: Final = id or f"headwater-{os.urandom(16).hex()}"
        self.tail: str | None = None
        self._http: Final[Door] = http
        self._url: Final = url
        self._codec: Final = codec
        self._retry: Final = retry
        self._numbers: Final = Numbers(self.id, epoch, claim=claim)
        self._batch_bytes: Final = batch_bytes
        self._create = create
        self._pipeline: Final[Pipeline | None] = http.pipeline(url) if isinstance(http, Http) else None
        self._careful = 0
        self._is_over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def append(self, data: T) -> str:
        """Append a record; returns when it is written.

        Returns:
            The offset behind it.

        Raises:
            HeadwaterError: it is not written; or, `unknown-outcome`, nobody knows.
        """
        return self.extend([data])

    def extend(self, records: Iterable[T]) -> str:
        """Append records; returns when they are written.

        Of a stream that keeps records apart one request takes many. Elsewhere each has a request of its own, and up to
        128 are under way at once on one connection.

        Returns:
            The offset behind them; empty, if nothing was written yet.

        Raises:
            HeadwaterError: one is not written, and nothing behind it is; or, `unknown-outcome`, nobody knows.
        """
        self._freeze([self._codec.encode(record) for record in records])
        self._send()
        return self.tail or ""

    def close(self, *last: T) -> str:
        """Close the stream: it is complete. The last of the records given is written in the same step."""
        return self._end({"stream-closed": "true"}, last)

    def fail(self, code: str, message: str = "", *last: T) -> str:
        """End the stream before it is complete; see `close`."""
        return self._end(requests.failure_headers(code, message), last)

    def release(self) -> None:
        """Let its connection go; the stream stays open."""
        self._is_over = True
        if self._pipeline is not None:
            self._pipeline.close()

    def _end(self, headers: dict[str, str], last: Sequence[T]) -> str:
        self._freeze([self._codec.encode(record) for record in last], headers)
        self._send()
        self._is_over = True
        return self.tail or ""

    def _freeze(self, records: list[bytes], close: dict[str, str] | None = None) -> None:
        """Give numbers to records, in batches; the last one closes."""
        if self._is_over:
            raise Stopped("the writer is closed")
        if not all(records):
            raise ValueError("a record has at least one byte")
        groups = list(self._groups(records)) or ([[]] if close else [])
        for number, group in enumerate(groups, 1):
            body = self._codec.joined(group) if group else b""
            self._numbers.freeze(body, [], [], close if number == len(groups) else None)

    def _groups(self, records: list[bytes]) -> Iterable[list[bytes]]:
        most = MAX_VALUES if keeps_records(self._codec.content_type) else 1
        group: list[bytes] = []
        size = 0
        for record in records:
            if group and (len(group) == most or size + len(record) > self._batch_bytes):
                yield group
                group, size = [], 0
            group.append(record)
            size += len(record)
        if group:
            yield group

    def _send(self) -> None:
        while self._numbers.batches:
            window = self._window()
            if len(window) > 1 and self._pipeline is not None and not self._careful:
                self._send_together(self._pipeline, window)
            else:
                self._send_first(self._numbers.batches[0])
                self._careful = max(0, self._careful - 1)

    def _window(self) -> list[Frozen]:
        """Batches that may be under way at once: one in any case; that which closes goes alone."""
        found: list[Frozen] = []
        size = 0
        for batch in islice(self._numbers.batches, MAX_REQUESTS):
            size += len(batch.body)
            if found and (size > MAX_BYTES or batch.close):
                break
            found.append(batch)
        return found

    def _send_together(self, pipeline: Pipeline, window: list[Frozen]) -> None:
        """Send several requests at once; what is not acknowledged is left to be sent alone, which tells why."""
        assert isinstance(self._http, Http)
        done = 0
        try:
            for answer in pipeline.post(self._http.headers(), [(self._headers(each), each.body) for each in window]):
                if answer.status not in _OK or not requests.is_written(answer.headers):
                    break
                self._accepted(window[done], answer.headers)
                done += 1
        except (OSError, BadAnswer):
            for batch in window[done:]:
                self._numbers.lost(batch)
        if done < len(window):
            pipeline.close()
            self._careful = CAREFUL

    def _send_first(self, batch: Frozen) -> None:
        """Send a batch until it is settled."""
        backoff = Backoff(self._retry, self._http.clock.draw)
        refreshed = False
        while batch in self._numbers.batches:
            backoff.begin(self._http.clock.now())
            try:
                self._accepted(batch, self._request(batch))
                return
            except NotAuthorized as error:
                if refreshed or not self._http.can_refresh:
                    self._give_up(error)
                refreshed = True
                continue
            except HeadwaterError as error:
                if not error.retryable:
                    self._refused(batch, error)
                    if batch not in self._numbers.batches:
                        return
                elif isinstance(error, NetworkError) or error.status >= 500:
                    self._numbers.lost(batch)
                wait = backoff.wait(self._http.clock.now(), error.retry_after or None)
                if wait is None:
                    self._give_up(error)
            self._http.clock.pause().wait(wait)

    def _request(self, batch: Frozen) -> Mapping[str, str]:
        """One attempt; gives the headers of the answer."""
        headers = self._headers(batch)
        try:
            head, body = self._http.ask("POST", self._url, headers, batch.body)
            return requests.check_written(head, body).headers
        except StreamNotFound:
            if self._create is None:
                raise
            # At a server that does not make a stream with its first record.
            made, told = self._http.ask("PUT", self._url, {"content-type": self._codec.content_type, **self._create})
            with suppress(Conflict):
                requests.check(made, told)
        head, body = self._http.ask("POST", self._url, headers, batch.body)
        return requests.check_written(head, body).headers

    def _headers(self, batch: Frozen) -> dict[str, str]:
        create = {} if self._create is None else {"stream-create": "true", **self._create}
        kind = {"content-type": self._codec.content_type} if batch.body or create else {}
        return {**create, **kind, **self._numbers.headers(batch)}

    def _accepted(self, batch: Frozen, told: Mapping[str, str]) -> None:
        self.tail = told.get(requests.NEXT, self.tail)  # of what was there before, not every server tells it
        self._create = None  # it is there, and who deletes it now means it
        self._numbers.accepted(batch)

    def _refused(self, batch: Frozen, error: HeadwaterError) -> None:
        """What is settled by a refusal is written, or ends the writer."""
        for outcome in self._numbers.refused(batch, error):
            if outcome.error is not None:
                self._fail(outcome, error)

    def _give_up(self, error: HeadwaterError) -> NoReturn:
        outcomes: list[Any] = self._numbers.stop(error)
        self._fail(outcomes[0], error)

    def _fail(self, outcome: Outcome, error: HeadwaterError) -> NoReturn:
        self._numbers.stop(error)
        self.release()
        assert outcome.error is not None
        if outcome.error is error:
            raise error
        raise outcome.error from error
