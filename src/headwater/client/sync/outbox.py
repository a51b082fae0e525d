"""Appends that survive a restart of the program, for programs that are not asynchronous.

Rule: the outbox is that of `headwater.client`, in a thread of its own, since it has to send, to wait and to tell fates
while the program does something else. A stream that is reached over HTTP is asked in further threads, by its own
client, so that its headers, certificates and proxies count.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, Self

from headwater.client.retry import Retry
from headwater.client.sync.bridge import door_of
from headwater.client.sync.portal import Portal
from headwater.client.sync.stream import Stream

if TYPE_CHECKING:
    from headwater.client.outbox.fates import Fate
    from headwater.client.outbox.outbox import Outbox as AsyncOutbox
    from headwater.client.stream import Stream as AsyncStream

#: Streams that are written to side by side.
_THREADS: Final = 8


class Outbox:
    """What is appended to it is kept in a file until the server has it, or its fate is told.

    ::

        with Outbox("notes.outbox") as outbox:
            outbox.on(lambda fate: print(fate.state, fate.data))
            outbox.append(notes, {"text": "hi"}, queued=True)

    It may be used from any threads. A thread of its own sends, and calls the listeners; these must not wait for the
    outbox.

    Args:
        path: of the file; one file for each user of the program.
        records: that are kept at most.
        size: bytes that are kept at most.
        age: seconds after which a record that was not sent expires. A server forgets a producer after seven days, or
            when it says so; then less.
        stream: how a stream of an earlier life is reached, by its URL, such as with headers or on a connection; None:
            by `Stream(url)`.
        retry: how trouble is met.

    Raises:
        ValueError: a bound is none.
    """

    def __init__(
        self,
        path: str,
        *,
        records: int = 10_000,
        size: int = 8 << 20,
        age: float = 518_400.0,
        stream: Callable[[str], Stream[Any]] | None = None,
        retry: Retry | None = None,
    ) -> None:
        from headwater.client.outbox.outbox import Outbox as AsyncOutbox

        self._core: Final[AsyncOutbox] = AsyncOutbox(
            path, records=records, size=size, age=age, stream=self._earlier, retry=retry
        )
        self._stream: Final = stream or Stream
        self._opened: list[Stream[Any]] = []
        self._threads: Final = ThreadPoolExecutor(_THREADS, "headwater-outbox-sender")
        self._portal: Final = Portal.join()
        self._is_closed = False

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> None:
        """Open the file, and send what an earlier life has left.

        Raises:
            OutboxStorage: it cannot be opened.
        """
        self._portal.run(self._core.open())

    def append(
        self,
        stream: Stream[Any],
        data: Any,
        /,
        *,
        queued: bool = False,
        content_type: str | None = None,
        create: bool | Mapping[str, Any] = False,
    ) -> str:
        """Keep a record, and send it, behind all that were appended to the stream before.

        Args:
            stream: where to.
            data: its value; bytes are taken as they are.
            queued: return when it is in the file; else when it is acknowledged.
            content_type: of the stream, where its handle does not say it; else JSON. Nobody may be there to be asked.
            create: make the stream, if there is none: True, or what `Stream.create` takes.

        Returns:
            The offset behind its batch; empty if it is only queued.

        Raises:
            OutboxFull: there is no room.
            OutboxStorage: the file cannot be written.
            HeadwaterError: its fate is another one.
        """
        core = self._of(stream)
        return self._portal.run(self._core.append(core, data, queued=queued, content_type=content_type, create=create))

    def on(self, listener: Callable[[Fate], Any]) -> Callable[[], None]:
        """Call for what becomes of each record, in all processes over the file; gives what ends that.

        After a crash a fate may be told again, with the same key.
        """
        return self._core.on(listener)

    def waiting(self) -> tuple[int, int]:
        """How many records are kept, and their bytes."""
        return self._portal.run(self._core.waiting())

    def drained(self, timeout: float | None = None) -> bool:
        """Wait until nothing is kept.

        Args:
            timeout: seconds to wait; None: as long as it takes.

        Returns:
            Whether nothing is.
        """

        async def drained() -> bool:
            import asyncio

            try:
                async with asyncio.timeout(timeout):
                    await self._core.drained()
            except TimeoutError:
                return False
            return True

        return self._portal.run(drained())

    def reconnect(self) -> None:
        """Try again now, if it waits: the network is back."""

        async def reconnected() -> None:
            self._core.reconnect()

        self._portal.run(reconnected())

    def clear(self) -> None:
        """Forget everything that is kept, and end it. What is under way may still arrive."""
        self._portal.run(self._core.clear())
        self.close()

    def close(self) -> None:
        """End it; what is kept is sent by the next one over the file."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            self._portal.run(self._core.aclose())
        finally:
            self._portal.leave()
            self._threads.shutdown(wait=False, cancel_futures=True)
            for stream in self._opened:
                stream.close()

    def _earlier(self, url: str) -> AsyncStream[Any]:
        """A stream that was written to in an earlier life."""
        stream = self._stream(url)
        self._opened.append(stream)
        return self._of(stream)

    def _of(self, stream: Stream[Any]) -> AsyncStream[Any]:
        """The same stream in the loop."""
        from headwater.client.stream import Stream as AsyncStream

        door = door_of(stream.door, self._threads)
        return AsyncStream(stream.url, content_type=stream.content_type, http=door)
