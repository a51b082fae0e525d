"""`Publisher`: appends from any thread of a program that is not asynchronous."""

from __future__ import annotations

import atexit
import json
import os
import ssl
import threading
import weakref
from collections.abc import Mapping
from functools import partial
from typing import Any, Final, Self

from headwater.publisher.connection import Connection, Headers
from headwater.publisher.delivery import JSON, Counters, Delivery, OnError, holds_json
from headwater.publisher.errors import GaveUp
from headwater.publisher.outbox import Item, Outbox
from headwater.publisher.producer import Identity

#: Seconds that the end of a program waits for what is not written yet.
AT_EXIT_SECONDS: Final = 5.0
#: Bytes that may wait to be sent.
MAX_BYTES: Final = 16 * 1024 * 1024

#: Headers by the keys of `create`.
_CREATE: Final = {
    "type": "Content-Type",
    "ttl": "Stream-TTL",
    "expires_at": "Stream-Expires-At",
    "retention": "Stream-Retention",
    "slow": "Stream-Slow",
}


class Publisher:
    """Writes records to a server, in order, each once.

    ::

        publisher = Publisher("http://127.0.0.1:4437")
        publisher.append("jobs/7", {"done": 3})  # returns when it is written
        publisher.post("jobs/7", {"done": 4})  # returns at once

    Of a stream, records are written in the order in which they were given, from whatever thread. A connection that is
    cut, a restart of the server and a lost answer neither lose nor repeat any. A thread in the background sends them.
    It starts with the first record.

    A forked process gets a thread, a connection and numbers of its own; what the parent had waiting stays the parent's.
    At the end of the program what waits has five seconds. A process that ends with `os._exit`, as the workers of Celery
    and `multiprocessing` do, calls `flush` before.

    Args:
        url: of the server; with a path, that of its streams.
        token: sent as `Authorization: Bearer`.
        headers: sent with every request; or a function that gives them each time, so that tokens can change.
        name: of the application; its processes on one machine share a pool of producer ids.
        timeout: seconds to connect, and to wait for an answer, before a request is sent again.
        retry_for: seconds of trouble after which a record is given up; None: never.
        max_bytes: what may wait to be sent; about 200 bytes of each record are for itself.
        context: how to check a server that speaks TLS; None: as the system does.
        on_error: called in the background with each posted record that will not be written: path, data, error.

    Raises:
        ValueError: the URL is none.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        headers: Headers | None = None,
        name: str = "publisher",
        timeout: float = 10.0,
        retry_for: float | None = None,
        max_bytes: int = MAX_BYTES,
        context: ssl.SSLContext | None = None,
        on_error: OnError | None = None,
    ) -> None:
        own = {"User-Agent": "headwater-publisher"}
        if token is not None:
            own["Authorization"] = f"Bearer {token}"
        sent = (lambda: {**own, **headers()}) if callable(headers) else {**own, **(headers or {})}
        self._connect: Final = partial(Connection, url, sent, timeout, context)
        self._connect()  # a bad URL is told here
        self._name: Final = name
        self._retry_for: Final = retry_for
        self._max_bytes: Final = max_bytes
        self._on_error: Final = on_error
        self._begin()
        _publishers.add(self)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._counters = Counters()
        self._outbox = Outbox(self._max_bytes)
        self._delivery: Delivery | None = None
        self._closed = False

    def append(
        self,
        path: str,
        data: Any = b"",
        *,
        create: str | Mapping[str, Any] | None = None,
        close: bool = False,
        is_json: bool = False,
        timeout: float | None = 60.0,
    ) -> str:
        """Append one record; returns when it is written, as durable as the server's store is.

        Args:
            path: the stream.
            data: bytes, text, or a value that is written as JSON. Empty bytes only with `close`.
            create: makes the stream, if there is none: its MIME type; or a mapping of `type`, `ttl`, `expires_at`,
                `retention`, `slow`, as the headers of PUT have them.
            close: close the stream with this record.
            is_json: the bytes are one JSON value.
            timeout: seconds to wait; None: as long as it takes.

        Returns:
            The offset behind the record, or behind others that were written with it.

        Raises:
            Refused: the server refuses it. It is not written.
            GaveUp: it is not written within `timeout`, and still being tried; or `retry_for` is over.
            OutboxFull: too much waits already, or the publisher is closed. It was not taken.
            TypeError, ValueError: the data has no form as JSON.
        """
        item = self._put(path, data, create, close=close, is_json=is_json, is_awaited=True)
        if not item.wait(timeout):
            raise GaveUp(f"the record for {path!r} was not written within {timeout:g} s; it is still being tried")
        if item.error is not None:
            raise item.error
        return item.offset

    def post(
        self,
        path: str,
        data: Any = b"",
        *,
        create: str | Mapping[str, Any] | None = None,
        close: bool = False,
        is_json: bool = False,
    ) -> None:
        """Append one record in the background; returns at once. See `append`; `on_error` is told what is not written.

        Raises:
            OutboxFull: too much waits already, or the publisher is closed. It was not taken.
            TypeError, ValueError: the data has no form as JSON.
        """
        self._put(path, data, create, close=close, is_json=is_json, is_awaited=False)

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until all that was posted is written, refused or given up.

        Args:
            timeout: seconds to wait; None: as long as it takes.

        Returns:
            Whether nothing waits.
        """
        return not self._outbox.flush(timeout)

    def close(self, timeout: float | None = AT_EXIT_SECONDS) -> None:
        """Write what waits, for so many seconds, and let everything go; what is left is given up."""
        self._outbox.close()
        self._outbox.flush(timeout)
        with self._lock:
            self._closed = True
            delivery = self._delivery
        if delivery is not None:
            delivery.stop()
            delivery.join()

    @property
    def stats(self) -> dict[str, int]:
        """Counts since the start: `written`, `requests`, `retries`, `failed`; now: `waiting` and `waiting_bytes`."""
        waiting, size = self._outbox.waiting
        return {**vars(self._counters), "waiting": waiting, "waiting_bytes": size}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _put(
        self,
        path: str,
        data: Any,
        create: str | Mapping[str, Any] | None,
        *,
        close: bool,
        is_json: bool,
        is_awaited: bool,
    ) -> Item:
        headers = _headers(create)
        is_value = is_json or not isinstance(data, bytes | bytearray | memoryview | str)
        kind = headers.get("Content-Type") or (JSON if is_value else _created_type(data) if headers else "")
        if is_value and not holds_json(kind):
            raise ValueError(f"a stream of {kind} takes text or bytes, not {type(data).__name__}")
        body = _body(data)
        if not body and not close:
            raise ValueError("there is no data, and the record does not close the stream")
        item = Item(
            path,
            body,
            kind,
            headers,
            close=close,
            is_text=isinstance(data, str),
            is_value=is_value,
            is_awaited=is_awaited,
        )
        with self._lock:
            self._outbox.put(item)
            if self._delivery is None:
                self._delivery = Delivery(
                    self._outbox,
                    self._connect(),
                    Identity(self._name),
                    retry_for=self._retry_for,
                    counters=self._counters,
                    on_error=self._on_error,
                )
                self._delivery.start()
        return item

    # Forks: locks are taken before, so that none is held by a thread that the child does not have.

    def _before_fork(self) -> None:
        self._lock.acquire()
        self._outbox.lock.acquire()

    def _after_in_parent(self) -> None:
        self._outbox.lock.release()
        self._lock.release()

    def _after_in_child(self) -> None:
        if self._delivery is not None:
            self._delivery.forget()
        was_closed = self._closed
        self._begin()
        if was_closed:
            self._outbox.close()


def _headers(create: str | Mapping[str, Any] | None) -> dict[str, str]:
    if create is None:
        return {}
    given = {"type": create} if isinstance(create, str) else create
    unknown = set(given) - set(_CREATE)
    if unknown:
        raise ValueError(f"create takes {', '.join(_CREATE)}, not {', '.join(sorted(map(str, unknown)))}")
    return {"Stream-Create": "true", **{_CREATE[key]: str(value) for key, value in given.items()}}


def _created_type(data: Any) -> str:
    return "text/plain; charset=utf-8" if isinstance(data, str) else "application/octet-stream"


def _body(data: Any) -> bytes:
    if isinstance(data, str):
        return data.encode()
    if isinstance(data, bytes | bytearray | memoryview):
        return bytes(data)
    return json.dumps(data, ensure_ascii=False, allow_nan=False).encode()


_publishers: Final[weakref.WeakSet[Publisher]] = weakref.WeakSet()


#: Those whose locks are held while the process forks.
_forking: Final[list[Publisher]] = []


def _before_fork() -> None:
    _forking[:] = _publishers
    for publisher in _forking:
        publisher._before_fork()


def _after_fork(*, in_child: bool) -> None:
    while _forking:
        publisher = _forking.pop()
        (publisher._after_in_child if in_child else publisher._after_in_parent)()


def _at_exit() -> None:
    for publisher in list(_publishers):
        publisher.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=partial(_after_fork, in_child=False),
        after_in_child=partial(_after_fork, in_child=True),
    )
atexit.register(_at_exit)
