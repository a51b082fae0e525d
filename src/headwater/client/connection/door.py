"""The way to streams over a connection; see `headwater.client.doors`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, Protocol

import msgspec

from headwater.client.answers import Head
from headwater.client.clock import Clock
from headwater.client.connection import calls
from headwater.client.connection.link import Link, Subscription
from headwater.client.connection.session import Told
from headwater.client.doors import Headers
from headwater.client.errors import ConnectTimeout, Stopped
from headwater.client.retry import Retry
from headwater.protocol.websocket import messages as m


class Links(Protocol):
    """Where links come from.

    Attributes:
        root: URL of the streams, with a slash at its end.
        retry: the limits.
        window: bytes that may be sent and not acknowledged, of one stream.
        can_refresh: the token comes from a function.
        clock: see `Door`.
    """

    root: str
    retry: Retry
    window: int | None
    clock: Clock

    @property
    def can_refresh(self) -> bool:
        """See `Door.can_refresh`."""
        ...

    async def link(self, path: str, *, reads: bool) -> Link:
        """An open one.

        Args:
            path: the stream that is asked about.
            reads: it is to be read, on one that does not yet; else rather on one that does.

        Raises:
            HeadwaterError: there is none.
        """
        ...

    async def release(self, link: Link, *, failed: bool) -> None:
        """Something on it is over.

        Args:
            link: the link.
            failed: with an error: if nothing else is under way on it, the next attempt is made on another.
        """
        ...


class Reading:
    """The answer to a read: its pieces are the messages about one stream."""

    def __init__(self, link: Link, subscription: Subscription, first: Told) -> None:
        self._link: Final = link
        self._subscription: Final = subscription
        self._first: Final = first
        self._body = b""
        match first.message:
            case m.Problem() as problem:
                self.head, self._body = calls.refusal(problem)
            case m.Subscribed() as begun:
                self.head = Head(200, calls.begun(begun, link.session.heartbeat))
            case _:
                self.head = Head(200, {"stream-heartbeat": f"{link.session.heartbeat:g}"})

    @property
    def has_failed(self) -> bool:
        """Whether there is an error in place of a stream."""
        return not self.head.is_success

    async def read(self) -> bytes:
        """See `Answers.read`."""
        return self._body

    async def chunks(self, silence: float, first: float | None) -> AsyncGenerator[Any, None]:
        """See `Answers.chunks`; the connection sees by itself that nothing comes."""
        yield Piece(self._first)
        while True:
            told = await self._subscription.next()
            if isinstance(told.message, m.Problem):
                self.head = calls.refusal(told.message)[0]
            yield Piece(told)
            self._subscription.done(told)

    async def abort(self) -> None:
        """See `Answers.abort`."""
        self._subscription.lose(Stopped("the reader was closed"))


class Piece(msgspec.Struct, frozen=True):
    """A message about a stream, as a piece of an answer.

    Attributes:
        told: the message.
    """

    told: Told

    def __len__(self) -> int:
        return self.told.size

    def __bool__(self) -> bool:
        return True


class ConnectionDoor:
    """The streams of a connection, one after another or together.

    Args:
        links: of the connection.
    """

    ways = ("websocket",)

    def __init__(self, links: Links) -> None:
        self._links: Final = links
        self._types: dict[str, str] = {}

    @property
    def can_refresh(self) -> bool:
        """See `Door.can_refresh`."""
        return self._links.can_refresh

    @property
    def clock(self) -> Clock:
        """See `Door.clock`."""
        return self._links.clock

    @asynccontextmanager
    async def open(
        self,
        method: str,
        url: str,
        query: Mapping[str, str],
        headers: Headers,
        body: bytes | None = None,
        *,
        hold: float = 0.0,
    ) -> AsyncIterator[Reading]:
        """See `Door.open`: a stream is read."""
        links = self._links
        path, _ = calls.path_below(links.root, url)
        link = await links.link(path, reads=True)
        subscription = link.subscribe(calls.subscription(path, query, links.window))
        failed = True
        try:
            answer = Reading(link, subscription, await self._first(link, subscription))
            yield answer
            failed = answer.has_failed
        finally:
            link.leave(subscription)
            await links.release(link, failed=failed)

    async def _first(self, link: Link, subscription: Subscription) -> Told:
        """What a read is answered; who does not answer this answers nobody."""
        limit = self._links.retry.connect
        try:
            async with asyncio.timeout(limit):
                return await subscription.next()
        except TimeoutError:
            raise await link.close(ConnectTimeout(f"there was no answer within {limit:g} s")) from None

    async def ask(
        self, method: str, url: str, headers: Headers, body: bytes | None = None, query: Mapping[str, str] = {}
    ) -> tuple[Head, bytes]:
        """See `Door.ask`."""
        links = self._links
        path, end = calls.path_below(links.root, url)
        asked = calls.calls_of(method, path, end, headers, body or b"", query)
        link = await links.link(path, reads=False)
        answer: m.ServerMessage | None = None
        failed = True
        try:
            for call in asked:
                answer = await link.ask(call, links.retry.connect)
                if isinstance(answer, m.Problem):
                    break
                if isinstance(answer, m.Info):
                    self._types[path] = answer.type
            failed = False
        finally:
            await links.release(link, failed=failed)
        assert answer is not None
        return calls.answer_of(answer, self._types.get(path, ""))

    async def close(self) -> None:
        """See `Door.close`: the connection is the caller's."""
