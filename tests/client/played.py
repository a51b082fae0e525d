"""Reads in virtual time: sessions driven by answers that are made up, and a clock that only waits move."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Final

import msgspec

from headwater.client.codec import Codec
from headwater.client.items import Info
from headwater.client.reading import Given, Reading, Request
from headwater.client.retry import Retry
from headwater.client.session import ReadSession
from headwater.errors import HeadwaterError
from headwater.model import BEGINNING


class Played(msgspec.Struct):
    """An answer.

    Attributes:
        status: its status.
        headers: its headers.
        body: pieces of it.
        retry_after: seconds that it asks to wait.
        error: in place of an end: what is raised.
        takes: seconds until its head.
        lasts: seconds from there to its end.
    """

    status: int = 200
    headers: dict[str, str] = {}
    body: list[bytes] = []
    retry_after: float | None = None
    error: HeadwaterError | None = None
    takes: float = 0.01
    lasts: float = 0.0


Script = Callable[[Request, float], Played]


class Player:
    """One read by a script.

    Attributes:
        now: the moment.
        requests: when each was sent.
        given: what the reader got.
        error: what ended it.
    """

    def __init__(
        self,
        script: Script,
        reading: Reading,
        *,
        retry: Retry | None = None,
        seed: int = 0,
        info: Info | None = None,
        can_refresh: bool = False,
        draw: Callable[[], float] | None = None,
    ) -> None:
        self.now = 1000.0
        self.requests: list[float] = []
        self.waits: list[float] = []
        self.given: list[Given] = []
        self.error: HeadwaterError | None = None
        self._script: Final = script
        self.session: Final[ReadSession[Any]] = ReadSession(
            reading,
            Codec,
            retry or Retry(),
            draw or random.Random(seed).random,
            info=info,
            can_refresh=can_refresh,
        )

    def play(self, seconds: float) -> Player:
        """Go on for so long, or to the end."""
        until = self.now + seconds
        while self.session.end is None and self.now < until and len(self.requests) < 1000:
            try:
                wait = self.step()
                self.now += wait
            except HeadwaterError as error:
                self.error = error
        return self

    def step(self) -> float:
        """One attempt; gives seconds until the next."""
        session, error = self.session, None
        self.requests.append(self.now)
        request = session.begin(self.now)
        try:
            self._answer(request)
        except HeadwaterError as found:
            error = found
        if session.end is not None:
            return 0.0
        wait = session.lost(error, self.now)
        session.take_gap()
        self.waits.append(wait)
        return wait

    def _answer(self, request: Request) -> None:
        session = self.session
        played = self._script(request, self.now)
        self.now += played.takes
        if played.error is not None and not played.status:
            raise played.error
        body = b"".join(played.body) if not 200 <= played.status < 300 else b""
        self.given += session.head(played.status, played.headers, body, played.retry_after, self.now)
        for piece in [] if body else played.body:
            self.given += session.feed(piece)
            session.late()
        self.now += played.lasts
        if played.error is not None:
            raise played.error
        if not session.is_over:
            self.given += session.finish()
            session.late()

    @property
    def busiest_minute(self) -> int:
        """Most requests of any 60 seconds."""
        most, begin = 0, 0
        for end, moment in enumerate(self.requests):
            while moment - self.requests[begin] >= 60:
                begin += 1
            most = max(most, end - begin + 1)
        return most


def known(content_type: str = "application/json", **more: Any) -> Info:
    """What a stream of a Headwater is."""
    return Info(content_type, "", BEGINNING, **more)
