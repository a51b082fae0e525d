"""Life between an opening and a close: the same for a hub and for what stands on it."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self


class Lifetime(ABC):
    """What is opened before use and closed after it, once a process: `async with it:`, or `lifespan=it.lifespan`."""

    @abstractmethod
    async def open(self) -> None:
        """Make ready for use."""

    @abstractmethod
    async def aclose(self) -> None:
        """End what is under way and let go of everything. May be called twice."""

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.aclose()

    @contextlib.asynccontextmanager
    async def lifespan(self, app: Any = None) -> AsyncIterator[None]:
        """For an ASGI framework's application: `FastAPI(lifespan=hub.lifespan)`, or `lifespan=runs.lifespan`."""
        async with self:
            yield
