"""A client as plain as can be that keeps the rules of the scenarios, and forgets any of them when told to.

It is what the runner is tested with: each scenario must be failed by some wrong client.
"""

from __future__ import annotations

import asyncio
import base64
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import msgspec

#: What the wrong ones do.
WRONGS = (
    "absent-is-loss",
    "again-from-start",
    "bad-answer-for-ever",
    "claims-always",
    "closed-is-loss",
    "closes-not",
    "counts-no-planned-ends",
    "deleted-is-loss",
    "detached-is-end",
    "drops-forgotten",
    "eof-is-the-end",
    "failed-is-closed",
    "fenced-goes-on",
    "flattens",
    "gap-is-fatal",
    "gone-is-loss",
    "gone-is-nothing",
    "hint-ignored",
    "hint-of-date-ignored",
    "hot-loop",
    "html-is-data",
    "keeps-token",
    "knows-all",
    "lets-gaps-go",
    "loses-last",
    "never-grows",
    "new-sequence",
    "no-inflate",
    "no-redirect",
    "no-silence",
    "past-is-hurry",
    "pauses-grow-for-ever",
    "personal-jitter",
    "raises-at-loss",
    "refused-is-passing",
    "repeats-plain",
    "slow-is-dead",
    "stops-at-500",
    "stops-waiting",
    "swallows-refusals",
    "takes-twice",
    "takes-unfinished",
    "timers-overflow",
    "token-for-ever",
    "trusts-length",
    "waits-for-ever-for-head",
)


class Loss(Exception):
    """The attempt is over, and another may do better."""

    def __init__(self, code: str, hint: float | None = None, *, personal: bool = False, planned: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.hint = hint
        self.personal = personal
        self.planned = planned


class Ended(Exception):
    """Reading is over."""

    def __init__(self, kind: str, **more: Any) -> None:
        super().__init__(kind)
        self.told = {"kind": kind, **more}


@dataclass
class Asked:
    """A command's fields."""

    url: str
    root: str
    path: str
    transport: str
    contentType: str
    offset: str = "-1"
    live: bool = True
    until: dict[str, Any] = field(default_factory=dict)
    missing: str = "throw"
    gone: str = "throw"
    tokens: list[str] = field(default_factory=list)
    retry: dict[str, float] = field(default_factory=dict)
    clock: str = "real"
    timeoutMs: float = 10_000
    records: list[Any] = field(default_factory=list)
    producer: dict[str, Any] | None = None
    apart: bool = False
    create: bool = False
    close: bool = False
    fail: dict[str, str] | None = None


class Client:
    """What reading and writing share.

    Args:
        session: of aiohttp.
        asked: the command.
        wrong: what it does wrong.
    """

    def __init__(self, session: aiohttp.ClientSession, asked: Asked, wrong: str) -> None:
        self.session = session
        self.asked = asked
        self.wrong = wrong
        self.pauses: list[float] = []
        self.failures = 0
        self.bad_answers = 0
        self._token = 0

    def headers(self) -> dict[str, str]:
        """Of each request."""
        tokens = self.asked.tokens
        if not tokens:
            return {}
        token = tokens[min(self._token, len(tokens) - 1)]
        if self.wrong != "keeps-token":
            self._token += 1
        return {"Authorization": f"Bearer {token}"}

    async def pause(self, loss: Loss, *, progress: bool) -> None:
        """Wait before another attempt."""
        if progress and self.wrong != "pauses-grow-for-ever":
            self.failures = 0
        base, cap = self.asked.retry.get("base", 1000), self.asked.retry.get("cap", 30_000)
        most = min(cap, base * 2**self.failures)
        wait = random.uniform(most / 2, most) if self.wrong == "pauses-grow-for-ever" else random.uniform(0, most)
        if loss.planned and (progress or self.wrong == "counts-no-planned-ends"):
            wait = 0.0
        else:
            self.failures += 1
        if loss.hint is not None and self.wrong != "hint-ignored":
            personal = loss.personal and self.wrong != "personal-jitter"
            wait = max(wait, loss.hint * (1 if personal else 1 + random.uniform(0, 0.3)))
            if self.wrong == "timers-overflow" and wait > 2**31:
                wait = 1.0
        if self.wrong == "hot-loop":
            wait = 0.0
        self.pauses.append(wait)
        if self.asked.clock != "skip":
            await asyncio.sleep(wait / 1000)
        if len(self.pauses) >= self.asked.until.get("pauses", 10**9):
            raise Ended("stopped")

    async def refuse(self, response: aiohttp.ClientResponse, body: bytes) -> None:
        """What a status that is no success means."""
        status = response.status
        code, retryable = _code(status, body)
        if status in (408, 425, 429) or status >= 500:
            if self.wrong == "stops-at-500":
                raise Ended("error", code=code, status=status, retryable=True)
            raise Loss(code, hint_of(response.headers.get("Retry-After"), self.wrong))
        if status == 401 and self.asked.tokens and (self._token < 2 or self.wrong == "token-for-ever"):
            return
        if self.wrong == "refused-is-passing":
            raise Loss(code)
        raise Ended("error", code=code, status=status, retryable=retryable)

    def bad_answer(self, why: str) -> None:
        """A response that is not what was asked for."""
        self.bad_answers += 1
        if self.bad_answers > 3 and self.wrong != "bad-answer-for-ever":
            raise Ended("error", code="bad-answer", message=why, retryable=True)
        raise Loss("bad-answer")


class Reader(Client):
    """A reader: `run` gives the result of `follow`."""

    def __init__(self, session: aiohttp.ClientSession, asked: Asked, wrong: str) -> None:
        super().__init__(session, asked, wrong)
        self.offset = asked.offset
        self.records: list[dict[str, Any]] = []
        self.gaps: list[dict[str, str]] = []
        self.moved = False

    async def run(self) -> dict[str, Any]:
        """Follow until it ends."""
        try:
            async with asyncio.timeout(self.asked.timeoutMs / 1000):
                end = await self._follow()
        except TimeoutError:
            end = {"kind": "running"}
        return {"records": self.records, "gaps": self.gaps, "end": end, "pauses": self.pauses, "offset": self.offset}

    async def _follow(self) -> dict[str, Any]:
        from tests.scenarios.plain_wires import attempt

        while True:
            self.moved = False
            start, loss = time.monotonic(), None
            try:
                await attempt(self)
                loss = Loss("truncated")
                if self.wrong == "eof-is-the-end":
                    return {"kind": "closed"}
            except Ended as end:
                return end.told
            except Loss as found:
                loss = found
            except (aiohttp.ClientError, OSError, TimeoutError):
                loss = Loss("network")
            if self.wrong == "raises-at-loss":
                return {"kind": "error", "code": loss.code, "retryable": True}
            if self.wrong == "again-from-start":
                self.offset = "-1"
            lasted = time.monotonic() - start > 0.9
            try:
                await self.pause(loss, progress=self.moved or (loss.planned and lasted))
            except Ended as end:
                return end.told

    def take(self, data: Any, offset: str | None) -> None:
        """A record."""
        known = self.offset not in ("-1", "now")
        if offset is not None and known and offset <= self.offset and self.wrong != "takes-twice":
            return
        if self.wrong != "loses-last" or len(self.records) + 1 < self.asked.until.get("records", 2):
            self.records.append({"data": data, "offset": offset})
        if offset is not None:
            self.moved, self.offset = True, offset
        self.bad_answers = 0
        if len(self.records) >= self.asked.until.get("records", 10**9):
            raise Ended("stopped")

    def at(self, offset: str, *, live: bool = False) -> None:
        """Where it stands."""
        if self.offset in ("-1", "now") or offset > self.offset:
            self.moved = self.offset not in ("-1", "now")
            self.offset = offset
        if live and (self.asked.until.get("live") or not self.asked.live):
            raise Ended("stopped")

    def gap(self, start: str, end: str) -> None:
        """Records are left out."""
        if self.wrong != "lets-gaps-go":
            self.gaps.append({"from": start, "to": end})
        if end > self.offset:
            self.moved, self.offset = True, end
        if len(self.gaps) >= self.asked.until.get("gaps", 10**9):
            raise Ended("stopped")

    def end(self, kind: str, **more: Any) -> None:
        """The stream's end."""
        if kind == "failed" and self.wrong == "failed-is-closed":
            kind = "closed"
        if kind == "closed" and self.wrong == "closed-is-loss":
            raise Loss("network")
        if kind == "deleted" and self.wrong == "deleted-is-loss":
            raise Loss("network")
        raise Ended(kind, **more)

    def told_error(self, problem: dict[str, Any]) -> None:
        """An error in place of records."""
        code, status = problem.get("code", "internal"), problem.get("status", 500)
        if code == "stream-not-found" or code == "stream-gone":
            self.end("deleted", code=code)
        if status >= 500 or status == 429:
            raise Loss(code)
        raise Ended("error", code=code, status=status, retryable=False)

    def detached(self, seconds: float) -> None:
        """The server lets it go."""
        if self.wrong == "detached-is-end":
            raise Ended("closed")
        raise Loss("detached", seconds * 1000, personal=True)

    def unknown(self, what: str) -> None:
        """What this version does not know."""
        if self.wrong == "knows-all":
            raise Ended("error", code="bad-answer", message=what)


def decoded(text: bytes | str, content_type: str) -> Any:
    """A record from an event."""
    if "json" in content_type:
        return msgspec.json.decode(text)
    if content_type.startswith("text/"):
        return text.decode() if isinstance(text, bytes) else text
    return {"base64": text.decode() if isinstance(text, bytes) else text}


def encoded(record: Any, content_type: str) -> bytes:
    """A record as a body."""
    if isinstance(record, dict) and set(record) == {"base64"}:
        return base64.b64decode(record["base64"])
    return msgspec.json.encode(record) if "json" in content_type else str(record).encode()


def _code(status: int, body: bytes) -> tuple[str, bool]:
    try:
        found = msgspec.json.decode(body, type=dict[str, Any])
        return found["code"], False
    except (msgspec.DecodeError, KeyError):
        known = {401: "not-authorized", 403: "refused", 404: "stream-not-found", 410: "offset-gone"}
        return known.get(status, "internal" if status >= 500 else "bad-answer"), False


def hint_of(text: str | None, wrong: str) -> float | None:
    """Milliseconds of a `Retry-After`."""
    if text is None:
        return None
    if text.isdigit():
        return float(text) * 1000
    if wrong == "hint-of-date-ignored":
        return None
    try:
        return max(
            0.0 if wrong != "past-is-hurry" else 5000.0, (parsedate_to_datetime(text).timestamp() - time.time()) * 1000
        )
    except ValueError:
        return None


async def parts(reader: Reader, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """The bytes of a body, within the limit of silence."""
    silence = reader.asked.retry.get("silence")
    limit = None if silence is None or reader.wrong == "no-silence" else silence / 1000
    start = time.monotonic()
    while True:
        try:
            if reader.wrong == "slow-is-dead" and limit is not None and silence is not None:
                limit = silence / 1000 - (time.monotonic() - start)
            async with asyncio.timeout(limit):
                part = await response.content.readany()
        except TimeoutError:
            raise Loss("silent") from None
        if not part:
            return
        yield part
