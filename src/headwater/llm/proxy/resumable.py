"""The resumable way: a provider's answer as a run, of which the client that asked is the first reader.

Rule 1: a run's id names one request (see fingerprint.py). Sent again, it is told the same answer from its start; the
        provider is asked once.
Rule 2: an answer that is no event stream of success is no run: it goes to the client as it is, and the id is free for
        the client's next attempt, as SDKs make them by themselves. What begins like one is one, whatever its head says.
Rule 3: the log has the provider's bytes. An answer that ends without its last event has failed, and readers are told.
Rule 4: half an event, where an answer breaks off, is left out: what is told behind it would become a part of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

import httpx2
import msgspec

from headwater.errors import HeadwaterError, RunExists, SourceFailed, TooLarge, UpstreamUnreachable
from headwater.llm.parts import Raw
from headwater.llm.providers.recogniser import TRUNCATED
from headwater.llm.providers.wire import FORMS, WireRecogniser
from headwater.llm.proxy.blocks import MAX_BLOCK, cutter
from headwater.llm.proxy.fingerprint import differing, fingerprint
from headwater.llm.proxy.upstream import bytes_of, heads_down
from headwater.llm.runs.index import OtherKey
from headwater.llm.runs.production import Told
from headwater.llm.runs.runs import Runs
from headwater.protocol import names
from headwater.protocol.framing import media_type
from headwater.protocol.responses import Answer, HeaderList

_log: Final = logging.getLogger("headwater.llm")

#: Seconds for the end of a body behind its last event; some providers keep the connection open.
LINGER_SECONDS = 1.0
#: Bytes of an answer that is not streamed and so is held whole.
MAX_REFUSAL: Final = 16 * 1024 * 1024
_SUCCESS: Final = 200
#: How the last event may end, of providers that send no blank line behind it.
_WHOLE: Final = (b"\n", b"\r", b"[DONE]", b"}")
#: How streams of each form begin, of providers that do not say that they are one; and bytes that are enough to see it,
#: where the first line has not ended before.
_BEGINS: Final = {
    "sse": (re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:data|event|id|retry)?:"), 64),
    "lines": (re.compile(rb"\s*\{[^\n]*\}[ \r]*\n"), MAX_BLOCK),
    "array": (re.compile(rb"\s*\["), 64),
}
_TYPES: Final = ("text/event-stream", "application/x-ndjson", "application/jsonl")
_BLANK: Final = b"\n\n"
_BOM: Final = b"\xef\xbb\xbf"
_NO_HEAD: Final = "the run ended before the provider answered: it was stopped, or the provider was silent for too long"


class Begun(msgspec.Struct, frozen=True):
    """How a request began.

    Attributes:
        run: the run's id.
        refusal: the provider's answer, if it is no event stream; the run is gone then.
        headers: of the provider's answer, for the client that made the request.
    """

    run: str
    refusal: Answer | None = None
    headers: HeaderList = []


class Truncated(SourceFailed):
    """The provider's answer ended without its last event."""

    code = TRUNCATED


class _NoRun(SourceFailed):
    """The provider's answer is not one that a run is made of."""


class _Beginning(msgspec.Struct, frozen=True):
    """A request whose answer's head is awaited."""

    owner: str
    key: str
    settling: asyncio.Future[Begun]


class Resumable:
    """Requests that are runs.

    Args:
        runs: where they are kept.
        cancel_when_unwatched: seconds without a reader after which one is stopped; None: never.
    """

    def __init__(self, runs: Runs, cancel_when_unwatched: float | None = None) -> None:
        self._runs: Final = runs
        self._cancel_when_unwatched = cancel_when_unwatched
        self._beginnings: dict[str, _Beginning] = {}

    async def begin(
        self,
        run: str,
        dialect: str,
        owner: str,
        body: bytes,
        model: str,
        ask: Callable[[], Awaitable[httpx2.Response]],
    ) -> Begun:
        """Ask the provider, or find the run that has asked.

        Args:
            run: the id that the client gave.
            dialect: the provider's.
            owner: whose it is.
            body: the request's; another one with the same id is refused.
            model: as the request names it.
            ask: sends the request.

        Raises:
            BadRequest, RunExists, LimitReached, StoreUnavailable, UpstreamUnreachable: nothing was begun.
        """
        key = fingerprint(body)
        beginning = self._beginnings.get(run)
        if beginning is None:
            # Before anything is awaited: who comes with the same id at the same moment is told the same.
            settling = asyncio.ensure_future(self._start(run, key, owner, model, _Source(dialect, ask)))
            beginning = self._beginnings[run] = _Beginning(owner, key, settling)
            settling.add_done_callback(lambda _: self._beginnings.pop(run))
        elif beginning.owner != owner:
            raise RunExists(f"the run {run!r} exists, with another owner or another request")
        elif beginning.key != key:
            raise _other_request(run, beginning.key, key)
        return await asyncio.shield(beginning.settling)

    async def _start(self, run: str, key: str, owner: str, model: str, source: _Source) -> Begun:
        try:
            started = await self._runs.start(
                source.answer,
                id=run,
                idempotency_key=key,
                owner=owner,
                model=model,
                cancel_when_unwatched=self._cancel_when_unwatched,
            )
        except OtherKey as error:
            raise _other_request(run, error.known, key) from None
        return await self._settle(run, source) if started.is_new else Begun(run)

    async def _settle(self, run: str, source: _Source) -> Begun:
        """Wait for the head of the answer; a run that has come to nothing is deleted first."""
        try:
            begun = await source.head
        except HeadwaterError:
            await self._forget(run)
            raise
        if begun.refusal is not None:
            await self._forget(run)
        return msgspec.structs.replace(begun, run=run)

    async def _forget(self, run: str) -> None:
        await self._runs.wait(run)
        await self._runs.forget(run)


def _other_request(run: str, known: str, asked: str) -> RunExists:
    names = differing(known, asked)
    return RunExists(f"the run {run!r} exists, with another request" + (f": they differ in {names}" if names else ""))


class _Source:
    """One request to the provider, as the source of a run.

    Attributes:
        head: done when the head of the answer is there.
    """

    def __init__(self, dialect: str, ask: Callable[[], Awaitable[httpx2.Response]]) -> None:
        self.head: asyncio.Future[Begun] = asyncio.get_running_loop().create_future()
        self._dialect = dialect
        self._form = FORMS[dialect]
        self._ask = ask

    async def answer(self) -> AsyncIterator[Raw]:
        try:
            answer = await self._ask()
            beginning = b""
            is_run = answer.status_code == _SUCCESS
            body = bytes_of(answer, decoded=is_run)
            if is_run and media_type(answer.headers.get("content-type", "")) not in _TYPES:
                beginning, is_run = await self._beginning(body)
            if not is_run:
                self._tell(Begun("", refusal=await _whole(answer, beginning, body)))
                raise _NoRun(f"the provider answered {answer.status_code}, and no event stream")
            self._tell(Begun("", headers=heads_down(answer, *_MADE_ANEW)))
            async for part in self._parts(beginning, body):
                yield part
        except HeadwaterError as error:
            if not self.head.done():
                self.head.set_exception(error)
            raise
        finally:
            if not self.head.done():
                self.head.set_exception(UpstreamUnreachable(_NO_HEAD))

    async def _beginning(self, body: AsyncIterator[bytes]) -> tuple[bytes, bool]:
        """The first bytes, wherever the network cuts them, and whether a stream begins so."""
        begins, enough = _BEGINS[self._form]
        found = b""
        async for data in body:
            found += data
            if begins.match(found):
                return found, True
            if len(found) >= enough or b"\n" in found.removeprefix(_BOM).lstrip():
                break
        return found, False

    def _tell(self, begun: Begun) -> None:
        if not self.head.done():
            self.head.set_result(begun)

    async def _parts(self, beginning: bytes, body: AsyncIterator[bytes]) -> AsyncIterator[Raw]:
        blocks, provider = cutter(self._form), WireRecogniser(self._dialect)
        async for data in _until_over(_behind(beginning, body), provider):
            for event in blocks.feed(data):
                provider.feed(event)
                if provider.is_closed and not provider.is_complete:
                    raise self._truncated()  # the error has its place before the bracket
                yield Raw.of(self._dialect, event)
        rest = blocks.rest()
        provider.feed(rest)
        if rest.endswith(_WHOLE) and not provider.is_complete:
            provider.feed(_BLANK)  # which SDKs do without
            rest += _BLANK
        if rest.endswith(_WHOLE) and provider.is_complete:
            yield Raw.of(self._dialect, rest)
        if provider.failed is not None:
            raise Told(provider.failed)
        if not provider.is_complete:
            raise self._truncated()

    def _truncated(self) -> Truncated:
        return Truncated(f"the provider's answer ended without its last event ({self._dialect})")


#: Headers that the answer of a run has of its own.
_MADE_ANEW: Final = (
    *(names.CONTENT_TYPE, names.CACHE_CONTROL, names.VARY, b"content-encoding", b"date", b"server"),
    *(b"x-accel-buffering", b"x-content-type-options", b"cross-origin-resource-policy", names.HEADWATER_RUN),
)


async def _behind(beginning: bytes, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if beginning:
        yield beginning
    async for data in body:
        yield data


async def _until_over(body: AsyncIterator[bytes], provider: WireRecogniser) -> AsyncIterator[bytes]:
    """The bytes; behind the last event for a moment only, in which the connection may end and be used again."""
    async for data in body:
        yield data
        if provider.is_over:
            break
    deadline = asyncio.get_running_loop().time() + LINGER_SECONDS
    with contextlib.suppress(TimeoutError):
        while True:
            async with asyncio.timeout_at(deadline):
                behind = await anext(body, None)
            if behind is None:
                return
            yield behind


async def _whole(answer: httpx2.Response, beginning: bytes, body: AsyncIterator[bytes]) -> Answer:
    """An answer that is not streamed; `beginning` was taken of its body.

    Raises:
        TooLarge, UpstreamUnreachable: it cannot be held, or broke off.
    """
    pieces: list[bytes] = []
    size = 0
    async for data in _behind(beginning, body):
        pieces.append(data)
        size += len(data)
        if size > MAX_REFUSAL:
            raise TooLarge(f"the provider's answer has more than {MAX_REFUSAL} bytes, and is no event stream")
    coding = (b"content-encoding",) if answer.status_code == _SUCCESS else ()  # it was undone
    return Answer(answer.status_code, heads_down(answer, *coding), b"".join(pieces))
