"""Runs: a model's answers as streams, produced by the hub and not by a request.

Rule 1: a run begins once. Its log is created in one atomic step, and who created it produces it; whoever asks for the
        same run again, at the same moment or after a restart, is given that one.
Rule 2: readers come and go, and that stops nothing. Stopping is an act of its own.
Rule 3: a run always ends: finished, failed, stopped, or lost when its process is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final
from uuid import uuid4

import msgspec

from headwater.errors import (
    Gone,
    HeadwaterError,
    RunExists,
    RunNotFound,
    ShuttingDown,
    StoreUnavailable,
    StreamClosed,
    StreamFailed,
    StreamNotFound,
)
from headwater.hub import Engine
from headwater.hub.lifespan import Lifespan
from headwater.llm.answer import Answer
from headwater.llm.parts import Error, Json, Start, decode_part
from headwater.llm.providers.recogniser import Recogniser
from headwater.llm.runs.idle_stop import Unwatched
from headwater.llm.runs.index import Catalogue
from headwater.llm.runs.layout import (
    STOPPED,
    Places,
    RunInfo,
    RunRecord,
    RunState,
    check_record,
)
from headwater.llm.runs.leases import Lease, end_lost
from headwater.llm.runs.pacing import Rests
from headwater.llm.runs.production import Production, SourceLimits, describe_source_error
from headwater.llm.runs.shutdown import Shutdown
from headwater.llm.runs.start import Beginnings
from headwater.model import Change, Failure

_log: Final = logging.getLogger("headwater.llm")

#: Seconds between two looks at leases, and at runs that nobody watches.
TICK_SECONDS: Final = 0.5


class Run(msgspec.Struct, frozen=True):
    """What a start gives.

    Attributes:
        id: of the run.
        is_new: it began with this start; False: it is the one that began before.
    """

    id: str
    is_new: bool


class Runs(Lifespan):
    """The runs of a hub. Open it before use: `async with runs:`, or `lifespan=runs.lifespan`.

    Args:
        hub: where they are kept; opened and closed with the runs, and open until both are closed.
        prefix: what the paths of their streams begin with.
        lease_seconds: after which a process that does not answer counts as gone, at least 3.
        keep_seconds: idle seconds after which a run and what is known of it are deleted; None: never.
        max_running: runs that this process produces at the same time; one more is refused with 429.
        grace_seconds: that running runs have to finish when the process stops, from when it lets its readers go; what
            is left is lost then, and readers are told.
        limits: how long a source may take.
        on_error: what readers are told of an exception of a source; its text may hold secrets.
    """

    def __init__(
        self,
        hub: Engine,
        *,
        prefix: str = "runs",
        lease_seconds: int = 15,
        keep_seconds: int | None = None,
        max_running: int = 10_000,
        grace_seconds: float = 5.0,
        limits: SourceLimits | None = None,
        on_error: Callable[[Exception], Error] = describe_source_error,
    ) -> None:
        self.hub: Final = hub
        self.places: Final = Places(prefix)
        self._catalogue: Final = Catalogue(hub, self.places, keep_seconds)
        self._lease_seconds = max(3, lease_seconds)
        self._lease: Lease | None = None
        self._limits = limits or SourceLimits()
        self._on_error = on_error
        self._running: dict[str, Production] = {}
        self._shutdown: Final = Shutdown(self._running, grace_seconds)
        self._beginnings: Final = Beginnings(self._catalogue, self.places, self._running, max_running)
        self._rests: Final = Rests(lambda: len(self._running))
        self._unended: dict[str, Failure] = {}
        self._crossings: set[asyncio.Future[None]] = set()
        self._unwatched: Final = Unwatched(hub)
        self._keeper: asyncio.Task[None] | None = None
        self._unwatch: Callable[[], None] | None = None
        self._unhold: Callable[[], None] | None = None

    # Life

    async def _open(self) -> None:
        """Begin; runs that a process left behind are ended as lost once its lease is over."""
        await self.hub.open()
        lease = Lease(self.hub, self.places, self._lease_seconds)
        try:
            await lease.take()
        except BaseException:
            await self.hub.aclose()
            raise
        self._lease = lease
        self._unwatch = self.hub.store.watch(self._changed, self._wants)
        self._unhold = self.hub.hold_readers(self._is_produced, self._shutdown.begin)
        self._keeper = asyncio.create_task(self._keep(self._lease), name="headwater-runs")

    async def _aclose(self) -> None:
        """Let the runs finish for `grace_seconds`, end the others as lost, and stop."""
        if self._lease is None:
            return
        await self._beginnings.settle()
        await self._shutdown.end()
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        for undo in (self._unwatch, self._unhold):
            if undo is not None:
                undo()
        await asyncio.gather(*self._crossings)
        with contextlib.suppress(HeadwaterError):
            await self._lease.give_up()
        self._lease = self._keeper = self._unwatch = self._unhold = None
        await self.hub.aclose()

    # Runs

    async def start(
        self,
        source: Any,
        *,
        id: str | None = None,
        idempotency_key: str | None = None,
        owner: str | None = None,
        thread: str = "",
        message_id: str | None = None,
        model: str = "",
        metadata: Json | None = None,
        earlier: list[Json] | None = None,
        cancel_when_unwatched: float | None = None,
    ) -> Run:
        """Begin a run, or give the one that began before.

        Args:
            source: what gives the answer; see `llm.runs.sources`. A function is called only if the run really begins.
            id: of the run; the same id is the same run. None: of the key, or a new one.
            idempotency_key: of the owner; the same key is the same run, whatever the source.
            owner: who may see and stop it, such as `owner_of(access)`; None: whoever knows its id, and is granted
                `runs/{id}` where the hub says who may do what.
            thread: the conversation it belongs to, of which it is the latest run then.
            message_id: of the answer; None: made from the run's id.
            model: for dialects that name it; the source's own counts if this is empty.
            metadata: for dialects that have a place for it.
            earlier: parts of the AI SDK's message with this `message_id`, with which the answer goes on. They are kept
                with the answer, for readers who do not have them.
            cancel_when_unwatched: seconds without a reader after which it is stopped; None: never.

        Raises:
            BadRequest: a name has other characters than it may.
            RunExists: the id is another owner's, or another key's.
            LimitReached: too many runs are running.
            ShuttingDown: this process stops.
            StoreUnavailable: not all could be written. The run may have begun: start it again with the same id or key.
        """
        lease = self._opened()
        if self.hub.draining:  # it would be lost
            raise ShuttingDown
        if id is None:
            id = uuid4().hex if idempotency_key is None else await self._catalogue.id_of(owner, idempotency_key)
        record = check_record(id, RunRecord(owner, thread, idempotency_key or ""))
        start = Start(
            id=message_id or f"msg-{id}",
            run=id,
            model=model,
            created=int(time.time()),
            thread=thread,
            metadata=metadata,
            process=lease.process,
            earlier=earlier,
        )
        produce = partial(self._produce, id, start, source, cancel_when_unwatched)
        return Run(id, await self._beginnings.begin(lease, record, start, produce))

    async def id_of(self, idempotency_key: str, *, owner: str | None = None, again: bool = False) -> str:
        """The id of the run that a start with this key is, or will be.

        Args:
            idempotency_key: of the owner.
            owner: who asks.
            again: a run that has ended and did not finish is followed by another one, the same for all who ask.

        Raises:
            BadRequest: the key is none.
            StoreUnavailable: it could not be asked.
        """
        id = await self._catalogue.id_of(owner, idempotency_key)
        return await self._catalogue.after_failures(owner, idempotency_key, id) if again else id

    async def get(self, id: str, *, owner: str | None = None) -> RunInfo:
        """A run's state.

        Args:
            id: of the run.
            owner: who asks; a run with another owner is not found. None: whoever, for a program that has checked.

        Raises:
            RunNotFound: there is none, or it is somebody else's.
        """
        return await self._catalogue.find(id, owner)

    async def latest(self, thread: str, *, owner: str | None = None) -> RunInfo | None:
        """The run of a conversation that began last; None: it has none. Conversations of two owners are two."""
        return next(iter(await self.of_thread(thread, owner=owner, count=1)), None)

    async def of_thread(self, thread: str, *, owner: str | None = None, count: int | None = None) -> list[RunInfo]:
        """The last runs of a conversation, the one that began last first.

        Args:
            thread: the conversation.
            owner: whose.
            count: how many at most; None: all that are remembered.
        """
        found = []
        for id in (await self._catalogue.of_thread(thread, owner))[:count]:
            with contextlib.suppress(RunNotFound):
                found.append(await self.get(id))
        return found

    async def stop(self, id: str, *, owner: str | None = None, reason: str = "") -> RunInfo:
        """Stop a run: its upstream request is cancelled, and what came so far is kept and closed as stopped.

        Stopping a run that has ended changes nothing.

        Raises:
            RunNotFound: there is none, or it is somebody else's.
            StoreUnavailable: the end could not be written yet.
        """
        info = await self.get(id, owner=owner)
        production = self._running.get(id)
        if production is not None:
            production.stop(STOPPED, reason)
            await asyncio.wait([production.task])
        elif info.state is RunState.RUNNING:
            # Another process produces it, and sees there that its log is closed.
            with contextlib.suppress(StreamClosed):
                await self.hub.fail(self.places.log(id), STOPPED, reason)
        return await self.get(id)

    async def forget(self, id: str, *, owner: str | None = None) -> None:
        """Delete a run that has ended, and what is known of it; its id is free again.

        Raises:
            RunNotFound: there is none, or it is somebody else's.
            RunExists: it is running.
        """
        info = await self.get(id, owner=owner)
        if info.state is RunState.RUNNING:
            raise RunExists(f"the run {id!r} is running: stop it first")
        for path in (self.places.log(id), self.places.record(id)):
            with contextlib.suppress(StreamNotFound, Gone):
                await self.hub.delete(path)

    async def answer(self, id: str, *, owner: str | None = None) -> Answer:
        """All that a run has said so far.

        Raises:
            RunNotFound: there is none, or it is somebody else's.
        """
        await self.get(id, owner=owner)
        answer = Answer()
        with contextlib.suppress(StreamFailed):
            async for record in self.hub.read(self.places.log(id)):
                answer.add([decode_part(record.data)])
        return answer

    async def wait(self, id: str) -> RunInfo:
        """Wait until a run has ended; gives its state then.

        Raises:
            RunNotFound: there is none.
        """
        offset = (await self.get(id)).offset
        with contextlib.suppress(StreamFailed):
            async for _ in self.hub.read(self.places.log(id), offset, live=True):
                pass
        return await self.get(id)

    @property
    def running(self) -> int:
        """How many runs this process produces."""
        return len(self._running)

    # Inside

    def _opened(self) -> Lease:
        if self._lease is None:
            raise StoreUnavailable("the runs are not open: use `async with runs` or `lifespan=runs.lifespan`")
        return self._lease

    def _produce(self, id: str, start: Start, source: Any, cancel_when_unwatched: float | None) -> None:
        production = Production(
            self.hub,
            self.places.log(id),
            Recogniser(start),
            source,
            self._limits,
            self._rests,
            self._on_error,
        )
        self._running[id] = production
        production.task.add_done_callback(lambda _: self._settle(id))
        self._unwatched.add(id, self.places.log(id), cancel_when_unwatched)

    def _settle(self, id: str) -> None:
        """A production is over: forget it, or keep it until its end could be written."""
        production = self._running.pop(id)
        self._unwatched.discard(id)
        if production.unended is not None:
            self._unended[id] = production.unended
        elif self._lease is not None:
            crossing = asyncio.ensure_future(self._cross_off(self._lease, id))
            self._crossings.add(crossing)
            crossing.add_done_callback(self._crossings.discard)

    async def _cross_off(self, lease: Lease, id: str) -> None:
        with contextlib.suppress(HeadwaterError):  # the list is looked through again when the lease is over
            await lease.cross_off(id)

    def _is_produced(self, path: str) -> bool:
        """Whether a stream is the log of a run that this process produces."""
        return path.startswith(self.places.log("")) and path[len(self.places.log("")) :] in self._running

    def _wants(self, path: str) -> bool:
        """Whether a log is produced here; any thread may ask."""
        return path.startswith(self.places.log(""))

    def _changed(self, change: Change) -> None:
        """A log that ends, or goes, while it is produced here was ended by somebody else."""
        if not (change.closed or change.deleted) or not change.path.startswith(self.places.log("")):
            return
        production = self._running.get(change.path[len(self.places.log("")) :])
        if production is not None:
            production.end_elsewhere()

    async def _keep(self, lease: Lease) -> None:
        """Renew the lease, end what others left behind, stop what nobody watches, and write what could not be."""
        due = 0.0
        while True:
            now = time.monotonic()
            try:
                if now >= due:
                    await lease.renew()
                    for id in await end_lost(self.hub, self.places, lease.process):
                        _log.warning("the run %r is lost: the process that ran it is gone", id)
                    due = now + self._lease_seconds / 3
                await self._end_unended()
            except HeadwaterError as error:
                _log.warning("runs: %s", error.message)
            except Exception:
                _log.exception("runs")
            for id in self._unwatched.due(now):
                self._running[id].stop(STOPPED, "nobody watched")
            await asyncio.sleep(TICK_SECONDS)

    async def _end_unended(self) -> None:
        for id, failure in list(self._unended.items()):
            with contextlib.suppress(StreamNotFound, Gone, StreamClosed):
                await self.hub.fail(self.places.log(id), failure.code, failure.message)
            del self._unended[id]
