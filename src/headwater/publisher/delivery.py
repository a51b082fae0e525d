"""The thread that sends what waits, one request at a time, and tries again until it is written."""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from headwater.publisher.connection import Connection
from headwater.publisher.errors import GaveUp, PublishError, Refused, Trouble
from headwater.publisher.outbox import Item, Outbox
from headwater.publisher.producer import Identity, Numbering

JSON: Final = "application/json"
#: Bytes of records in one request.
_MOST: Final = 512 * 1024
#: Seconds of the first wait at most, and of any.
_FIRST_WAIT: Final = 0.2
_LONGEST_WAIT: Final = 10.0
#: Refusals of numbers after which new numbers do not help.
_RENUMBERED: Final = 3
#: Streams whose types are remembered.
_MAX_TYPES: Final = 10_000

_log: Final = logging.getLogger("headwater.publisher")

#: Called in the thread with a record that will not be written: path, data, why.
OnError = Callable[[str, bytes, PublishError], None]


class Counters:
    """What was done.

    Attributes:
        written: records that the server has, duplicates included.
        requests: answered ones.
        retries: requests that were sent again.
        failed: records that were refused or given up.
    """

    def __init__(self) -> None:
        self.written = 0
        self.requests = 0
        self.retries = 0
        self.failed = 0


class Delivery(threading.Thread):
    """One of them; it ends when the outbox is closed and empty.

    Args:
        outbox: what waits.
        connection: to the server.
        identity: who sends.
        retry_for: seconds of trouble after which a record is given up; None: never.
        counters: where it counts.
        on_error: told of records that will not be written.
    """

    def __init__(
        self,
        outbox: Outbox,
        connection: Connection,
        identity: Identity,
        *,
        retry_for: float | None,
        counters: Counters,
        on_error: OnError | None,
    ) -> None:
        super().__init__(name="headwater-publisher", daemon=True)
        self._outbox = outbox
        self._connection = connection
        self._identity = identity
        self._numbering = Numbering()
        self._retry_for = retry_for
        self._counters = counters
        self._on_error = on_error
        self._types: dict[str, str] = {}
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Give up what is in trouble, from now on; a request that waits for its answer, too."""
        self._stopping.set()
        self._connection.give_up()

    def forget(self) -> None:
        """In a forked child, where this thread is not: close what is the parent's, without a word to the server."""
        self._connection.close()
        self._identity.forget()

    def run(self) -> None:
        """See `threading.Thread.run`."""
        while items := self._outbox.take(_MOST):
            try:
                self._send(items)
            except Exception as error:  # a mistake here must not end the thread, and who waits with it
                _log.exception("publishing to %s", items[0].path)
                self._fail(items, PublishError(f"the publisher made an error: {error!r}"))
            self._outbox.settled(items)
        self._connection.close()
        self._identity.release()

    def _send(self, items: list[Item]) -> None:
        """Have some records of one stream written, or failed."""
        path, began, attempt, renumbered = items[0].path, time.monotonic(), 0, 0
        while True:
            try:
                answer = self._request(items)
            except Refused as error:
                renumbered += 1
                if renumbered <= _RENUMBERED and self._renumber(path, error):
                    continue
                if len(items) == 1:
                    self._fail(items, error)
                else:  # nothing of them was written
                    for item in items:
                        self._send([item])
                return
            except Trouble as error:
                if self._is_over(began):
                    self._numbering.restart(path)  # it may be written, and its number used
                    self._fail(items, GaveUp(f"{error}; given up after {time.monotonic() - began:.0f} s"))
                    return
                self._wait(error, attempt)
                attempt += 1
            else:
                self._numbering.advance(path)
                self._counters.written += len(items)
                for item in items:
                    item.settle(answer.get("stream-next-offset", ""))
                return

    def _request(self, items: list[Item]) -> Mapping[str, str]:
        first, last = items[0], items[-1]
        epoch, seq = self._numbering.peek(first.path)
        headers = {
            "Producer-Id": self._identity.id,
            "Producer-Epoch": str(epoch),
            "Producer-Seq": str(seq),
            **first.create,
        }
        if first.body:
            headers["Content-Type"] = first.kind or self._type_of(first.path)
        if last.close:
            headers["Stream-Closed"] = "true"
        answer = self._connection.request("POST", first.path, headers, self._body(items, headers))
        self._counters.requests += 1
        return answer

    def _body(self, items: list[Item], headers: Mapping[str, str]) -> bytes:
        first = items[0]
        if first.is_text and holds_json(headers.get("Content-Type", "")):
            return json.dumps([first.body.decode()], ensure_ascii=False).encode()
        if first.is_value:
            return b"[" + b",".join(item.body for item in items) + b"]"
        return first.body

    def _type_of(self, path: str) -> str:
        known = self._types.get(path)
        if known is None:
            known = self._connection.request("HEAD", path, {}).get("content-type", "application/octet-stream")
            if len(self._types) >= _MAX_TYPES:
                self._types.clear()
            self._types[path] = known
        return known

    def _renumber(self, path: str, error: Refused) -> bool:
        """Whether the record may be sent again under another number; it was not written."""
        self._types.pop(path, None)
        if error.code == "producer-fenced":
            self._numbering.restart(path, int(error.headers.get("producer-epoch", "0")))
        elif error.code in ("producer-gap", "invalid-producer"):  # the server has forgotten, or is another one
            self._numbering.restart(path)
        else:
            return False
        return True

    def _is_over(self, began: float) -> bool:
        return self._stopping.is_set() or (self._retry_for is not None and time.monotonic() - began >= self._retry_for)

    def _wait(self, error: Trouble, attempt: int) -> None:
        """Full jitter, and never shorter than what the server asked for."""
        self._counters.retries += 1
        longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(attempt, 30))
        self._pause(max(error.retry_after, random.uniform(0, longest)))

    def _pause(self, seconds: float) -> None:
        self._stopping.wait(seconds)

    def _fail(self, items: list[Item], error: PublishError) -> None:
        self._counters.failed += len(items)
        for item in items:
            item.settle("", error)
            if not item.is_awaited:
                _log.error("a record for %s was not written: %s", item.path, error)
                if self._on_error is not None:
                    self._on_error(item.path, item.body, error)


def holds_json(content_type: str) -> bool:
    """Whether a stream of the type holds JSON values."""
    return content_type.partition(";")[0].strip().lower() == JSON
