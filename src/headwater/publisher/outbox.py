"""What waits to be sent, in order, within bounds."""

from __future__ import annotations

import threading
from collections import deque
from typing import Final

from headwater.publisher.errors import OutboxFull, PublishError

#: What a record costs beside its bytes.
_OVERHEAD: Final = 200


class Item:
    """One record on its way.

    Args:
        path: the stream.
        body: its bytes; of a JSON stream one value. Empty: only with `close`.
        kind: its MIME type; empty: the stream's own, which is looked up.
        create: headers with which the stream is made; empty: it must be there.
        close: close the stream with it.
        is_text: the body is text, which is a string in a JSON stream.
        is_value: the body is one JSON value, and one record.
        is_awaited: somebody waits for it, and is told what happens.

    Attributes:
        offset: behind the record, once it is written.
        error: why it was not.
    """

    __slots__ = (
        "_done",
        "body",
        "close",
        "create",
        "error",
        "is_awaited",
        "is_text",
        "is_value",
        "kind",
        "offset",
        "path",
    )

    def __init__(
        self,
        path: str,
        body: bytes,
        kind: str,
        create: dict[str, str],
        *,
        close: bool,
        is_text: bool,
        is_value: bool,
        is_awaited: bool,
    ) -> None:
        self.path = path
        self.body = body
        self.kind = kind
        self.create = create
        self.close = close
        self.is_text = is_text
        self.is_value = is_value
        self.is_awaited = is_awaited
        self.offset = ""
        self.error: PublishError | None = None
        self._done = threading.Event()

    @property
    def size(self) -> int:
        """What it counts in the outbox, in bytes."""
        return len(self.body) + _OVERHEAD

    def settle(self, offset: str, error: PublishError | None = None) -> None:
        """It is written, or will not be."""
        self.offset = offset
        self.error = error
        self._done.set()

    def wait(self, seconds: float | None) -> bool:
        """Whether it is settled, after so many seconds at most."""
        return self._done.wait(seconds)


class Outbox:
    """The records of one publisher.

    Args:
        max_bytes: of all that waits.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._items: deque[Item] = deque()
        self._bytes = 0
        self._unsettled = 0
        self._closed = False
        self.lock = threading.Condition()

    def put(self, item: Item) -> None:
        """Let a record wait.

        Raises:
            OutboxFull: too much waits already, or the publisher is closed.
        """
        with self.lock:
            if self._closed:
                raise OutboxFull("the publisher is closed")
            if self._bytes and self._bytes + item.size > self._max_bytes:
                raise OutboxFull(
                    f"{self._bytes} bytes wait to be sent, and max_bytes is {self._max_bytes}; is the server there?"
                )
            self._items.append(item)
            self._bytes += item.size
            self._unsettled += 1
            self.lock.notify_all()

    def take(self, most: int) -> list[Item]:
        """The next records that go together: of one stream, without an end before the last; waits for them.

        Args:
            most: bytes of them; one record in any case.

        Returns:
            None of them: the publisher is closed, and nothing waits.
        """
        with self.lock:
            while not self._items:
                if self._closed:
                    return []
                self.lock.wait()
            found = [self._items.popleft()]
            size = found[0].size
            while self._items and _go_together(found[-1], self._items[0]) and size + self._items[0].size <= most:
                found.append(self._items.popleft())
                size += found[-1].size
            return found

    def settled(self, items: list[Item]) -> None:
        """They do not wait any more."""
        with self.lock:
            self._bytes -= sum(item.size for item in items)
            self._unsettled -= len(items)
            self.lock.notify_all()

    def flush(self, seconds: float | None) -> int:
        """Wait until nothing waits; gives how many records still do."""
        with self.lock:
            self.lock.wait_for(lambda: not self._unsettled, seconds)
            return self._unsettled

    def close(self) -> None:
        """Take nothing more."""
        with self.lock:
            self._closed = True
            self.lock.notify_all()

    @property
    def waiting(self) -> tuple[int, int]:
        """Records and bytes that wait, those being sent included."""
        return self._unsettled, self._bytes


def _go_together(last: Item, item: Item) -> bool:
    """Whether a value may be written in one request with the one before it."""
    is_same = last.path == item.path and last.kind == item.kind and last.create == item.create
    return is_same and last.is_value and item.is_value and not last.close
