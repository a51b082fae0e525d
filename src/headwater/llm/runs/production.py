"""One run's producer: its source becomes parts, the parts become records, and its end becomes the end of the log.

Rule 1: the log always ends. Whatever the source does, the last append closes it: complete, or failed with the reason,
        behind parts that say the same to dialects.
Rule 2: what the source gave before it broke off, or was stopped, is in the log.
Rule 3: a log that was ended by somebody else ends the run here: its source is closed, and nothing more is written.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Final

import msgspec

from headwater.errors import Conflict, Gone, HeadwaterError, SourceFailed, StoreUnavailable, StreamNotFound
from headwater.hub import Engine
from headwater.hub.limits import check_numbers
from headwater.llm.parts import Abort, Error, Finish, FinishReason, Part, encode_part
from headwater.llm.providers.recogniser import Recogniser
from headwater.llm.providers.registry import error_within_answer
from headwater.llm.runs.appends import appends_of
from headwater.llm.runs.layout import FAILED, LOST, STOPPED, TIMEOUT
from headwater.llm.runs.pacing import Rests
from headwater.llm.runs.pump import Pump
from headwater.llm.runs.sources import opened
from headwater.model import Appended, Failure
from headwater.protocol.failure import MAX_MESSAGE
from headwater.protocol.ledger import Append
from headwater.stores.base import Done

_log: Final = logging.getLogger("headwater.llm")

#: Seconds between two attempts to write while the store cannot.
RETRY_SECONDS: Final = 0.5
#: Seconds a stopped source has to close.
CLOSE_SECONDS: Final = 5.0

#: The log was ended, or is gone: by another process, or by hand.
_ENDED: Final = (Conflict, Gone, StreamNotFound)


def describe_source_error(error: Exception) -> Error:
    """What readers are told of an exception: errors of ours as they are, of others their kind and not their text.

    The text of an SDK's error may hold a key, a URL or a part of the prompt. An error that the provider has sent within
    its answer is told as it was sent, as by the bytes themselves.
    """
    if isinstance(error, HeadwaterError):
        return Error(error.code, error.message)
    said = error_within_answer(error)
    return said if said is not None else Error(FAILED, f"the source raised {type(error).__name__}")


class SourceLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How long a source may take. All times in seconds.

    Attributes:
        stall_seconds: without anything from the source; None: no end.
        run_seconds: for the whole run; None: no end.
        unavailable_seconds: that the store cannot write, before the run is given up.
    """

    stall_seconds: float | None = 300.0
    run_seconds: float | None = None
    unavailable_seconds: float = 60.0

    def __post_init__(self) -> None:
        """Refuse what is no time.

        Raises:
            ValueError: one is not finite, or not greater than 0; the message names it.
        """
        check_numbers(self, self.__struct_fields__)


class Told(SourceFailed):
    """What the source gave says why it failed: the log is closed so, and no part is added."""

    def __init__(self, error: Error) -> None:
        super().__init__(error.message or error.code)
        self.error: Final = error


class Production:
    """A run while it is produced; make it in a running event loop.

    Args:
        hub: where the log is.
        path: of the log, which has its start already.
        recogniser: knows that start.
        source: see `sources.opened`.
        limits: how long it may take.
        rests: of all runs.
        on_error: what readers are told of an exception.

    Attributes:
        task: done when the log has ended, or cannot be ended now.
        unended: the failure that could not be written, because the store could not.
    """

    def __init__(
        self,
        hub: Engine,
        path: str,
        recogniser: Recogniser,
        source: Any,
        limits: SourceLimits,
        rests: Rests,
        on_error: Callable[[Exception], Error] = describe_source_error,
    ) -> None:
        self.unended: Failure | None = None
        self._hub: Final = hub
        self._path: Final = path
        self._recogniser: Final = recogniser
        self._limits: Final = limits
        self._on_error: Final = on_error
        self._stop: Failure | None = None
        self._ended_elsewhere = False
        self._is_bad = False
        self._timers: Final[dict[str, asyncio.TimerHandle]] = {}
        self._pump: Final = Pump(opened(source), self._take, rests)
        self.task: Final = asyncio.create_task(self._run(), name=f"headwater-run {path}")

    def stop(self, code: str = STOPPED, reason: str = "") -> None:
        """End the source and, behind what it gave, the log; the first reason counts."""
        if self._stop is None:
            self._stop = Failure(code, one_line(reason))
            self._pump.stop()

    def end_elsewhere(self) -> None:
        """The log was ended by somebody else: close the source, write nothing."""
        self._ended_elsewhere = True
        self._pump.stop()

    async def _run(self) -> None:
        self._look()
        self._set_end()
        try:
            parts, failure = self._close(await self._pump.ended())
            if not self._ended_elsewhere:
                await self._end(parts, failure)
        except _ENDED as error:
            if not self._ended_elsewhere:
                _log.info("the run at %r was ended elsewhere: %s", self._path, error.message)
        except StoreUnavailable as error:
            self.unended = self.unended or Failure(LOST, "what came could not be written")
            _log.warning("the run at %r cannot be written: %s", self._path, error.message)
        except Exception:
            self.unended = Failure(FAILED, HeadwaterError.of_mistake().message)
            _log.exception("the run at %r broke off", self._path)
        finally:
            for timer in self._timers.values():
                timer.cancel()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._pump.aclose()

    def _look(self) -> None:
        """See whether the source stalls; again when it could. A token costs no timer so."""
        stall, since = self._limits.stall_seconds, self._pump.waiting_since
        if stall is None:
            return
        rest = stall if since is None else since + stall - time.monotonic()
        if rest <= 0:
            self._pump.give_up(_Late(f"the source gave nothing for {stall:g} seconds"))
        else:
            self._timers["stall"] = asyncio.get_running_loop().call_later(rest, self._look)

    def _set_end(self) -> None:
        seconds = self._limits.run_seconds
        if seconds is not None:
            late = _Late(f"the run took longer than {seconds:g} seconds")
            self._timers["end"] = asyncio.get_running_loop().call_later(seconds, self._pump.give_up, late)

    def _take(self, group: list[Any]) -> None:
        """Write what a group of items says; a bad one gives the source up, behind those before it."""
        bodies, error = self._bodies(group)
        if error is not None:
            self._pump.give_up(error)
        self._write(bodies)

    def _write(self, bodies: list[bytes], outcome: Appended | Exception | None = None) -> None:
        """Append one after the other; `outcome` is that of the one before."""
        if isinstance(outcome, Exception):
            self._pump.written(outcome)
        elif bodies:
            self._post(Append(bodies[0]), partial(self._write, bodies[1:]))
        else:
            self._pump.written()

    def _bodies(self, group: list[Any]) -> tuple[list[bytes], Exception | None]:
        parts: list[Part] = []
        error: Exception | None = None
        if self._is_bad:
            return [], None
        for item in group if len(group) == 1 else _joined(group):
            try:
                parts += self._recogniser.feed(item)
            except SourceFailed as refused:
                error = refused
                self._note(refused)
                break
        bodies, too_bad = appends_of(parts, self._hub.limits)
        self._is_bad = (error or too_bad) is not None
        return bodies, too_bad or error

    def _note(self, refusal: SourceFailed) -> None:
        """Where an item raised goes to the log, but not what it said, which may be of the prompt."""
        if refusal.__cause__ is not None:
            where = "".join(traceback.format_tb(refusal.__cause__.__traceback__))
            _log.error("the run at %r: %s\n%s", self._path, refusal.message, where)

    def _close(self, cause: Exception | None) -> tuple[list[Part], Failure | None]:
        """The last parts, and why the run did not finish."""
        if cause is None:
            return self._finished()
        if isinstance(cause, Told):
            return [], _failure(cause.error)
        error = Error(TIMEOUT, str(cause)) if isinstance(cause, _Late) else self._on_error(cause)
        return self._recogniser.feed(error), _failure(error)

    def _finished(self) -> tuple[list[Part], Failure | None]:
        recogniser = self._recogniser
        if self._stop is not None and not recogniser.is_complete:
            if self._stop.code != STOPPED:
                return recogniser.feed(Error(self._stop.code, self._stop.message)), self._stop
            # Not `finish`: a source that was stopped is not truncated.
            return [*recogniser.feed(Abort(self._stop.message)), Finish(FinishReason.INTERRUPTED)], self._stop
        parts = recogniser.finish()
        error = recogniser.failed
        return parts, None if error is None else _failure(error)

    async def _end(self, parts: Sequence[Part], failure: Failure | None) -> None:
        self.unended = failure
        bodies, refusal = appends_of(parts, self._hub.limits)
        if refusal is not None:
            error = self._on_error(refusal)
            self.unended = failure = _failure(error)
            bodies.append(encode_part(error))
        for body in bodies[:-1]:
            await self._appended(Append(body))
        await self._appended(Append(bodies[-1] if bodies else b"", close=True, failure=failure))
        self.unended = None

    async def _appended(self, request: Append) -> None:
        answered: asyncio.Future[Appended | Exception] = asyncio.get_running_loop().create_future()

        def done(outcome: Appended | Exception) -> None:
            if not answered.done():
                answered.set_result(outcome)

        self._post(request, done)
        outcome = await answered
        if isinstance(outcome, Exception):
            raise outcome

    def _post(self, request: Append, done: Done, deadline: float = 0.0) -> None:
        """Append; while the store cannot, again and again: what was refused so was not written."""
        answered = partial(self._answered, request, done, deadline)
        try:
            self._hub.post(self._path, request, answered)
        except StoreUnavailable as error:
            answered(error)

    def _answered(self, request: Append, done: Done, deadline: float, outcome: Appended | Exception) -> None:
        if isinstance(outcome, StoreUnavailable) and self._hub.is_open:
            now = time.monotonic()
            deadline = deadline or now + self._limits.unavailable_seconds
            if now + RETRY_SECONDS <= deadline:
                asyncio.get_running_loop().call_later(RETRY_SECONDS, self._post, request, done, deadline)
                return
        if isinstance(outcome, Appended):
            self._hub.stats.acknowledged(len(request.body), outcome)
        done(outcome)


def _joined(items: Iterable[Any]) -> Iterable[Any]:
    """The items, with strings that follow each other as one: the same text, recognised at once."""
    try:
        return ("".join(items),)  # the usual case
    except TypeError:
        return _join_some(items)


def _join_some(items: Iterable[Any]) -> Iterator[Any]:
    texts: list[str] = []
    for item in items:
        if isinstance(item, str):
            texts.append(item)
            continue
        if texts:
            yield "".join(texts)
            texts.clear()
        yield item
    if texts:
        yield "".join(texts)


class _Late(Exception):
    """The source, or the run, took longer than it may."""


def _failure(error: Error) -> Failure:
    if error.code in (TIMEOUT, FAILED):
        return Failure(error.code, one_line(error.message))
    return Failure(FAILED, one_line(f"{error.code}: {error.message}"))


def one_line(text: str) -> str:
    """Text as a failure's message may be."""
    return "".join(char if char.isprintable() else " " for char in text)[:MAX_MESSAGE]
