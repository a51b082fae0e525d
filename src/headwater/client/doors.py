"""What readers, writers and handles ask of their way to the server.

Rule: a request is named as HTTP names it, whatever carries it: HTTP itself (`http`), the messages of a WebSocket
connection (`connection`), or calls inside the process (`inside`). So a handle is the same over each.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from headwater.client.answers import Head
from headwater.client.clock import Clock

Headers = Mapping[str, str]


class Answers(Protocol):
    """An answer whose body is read piece by piece."""

    @property
    def head(self) -> Head:
        """Of it."""
        ...

    async def read(self) -> bytes:
        """The body of an error, as far as it matters."""
        ...

    def chunks(self, silence: float, first: float | None) -> AsyncGenerator[Any, None]:
        """The body as it comes; who asks for the next piece is done with the one before.

        Args:
            silence: seconds without a byte after which the connection is dead.
            first: the same of the first piece; None: as any other.
        """
        ...

    async def abort(self) -> None:
        """End it from elsewhere, whatever waits for it."""
        ...


class Door(Protocol):
    """A way to the streams of a server."""

    @property
    def ways(self) -> tuple[str, ...]:
        """Names of the transports by which streams can be read."""
        ...

    @property
    def can_refresh(self) -> bool:
        """Whether who asks can show another credential."""
        ...

    @property
    def clock(self) -> Clock:
        """Of who waits by this way."""
        ...

    def open(
        self,
        method: str,
        url: str,
        query: Mapping[str, str],
        headers: Headers,
        body: bytes | None = None,
        *,
        hold: float = 0.0,
    ) -> AbstractAsyncContextManager[Answers]:
        """An answer to a request.

        Args:
            method: of it.
            url: of it.
            query: its parameters.
            headers: of it.
            body: of it.
            hold: seconds that the server may hold the answer, beyond those that any head may take.

        Raises:
            HeadwaterError: there is none.
        """
        ...

    async def ask(
        self, method: str, url: str, headers: Headers, body: bytes | None = None, query: Mapping[str, str] = {}
    ) -> tuple[Head, bytes]:
        """The head and the body of an answer.

        Raises:
            HeadwaterError: there is none.
        """
        ...

    async def close(self) -> None:
        """Let go what is its own."""
        ...
