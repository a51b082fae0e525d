"""Leases: how it is known that the process that runs a run is gone, and what becomes of its runs.

A process keeps a lease: a stream with a TTL, appended to before it runs out. It writes down each run before it begins.
Any process that finds a list whose lease is gone ends the runs in it as lost. A process that was only slow finds its
logs closed and stops: a closed log takes nothing, so no run is written by two.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Final
from uuid import uuid4

import msgspec

from headwater.errors import BadRequest, Conflict, Gone, StreamNotFound
from headwater.hub import Engine
from headwater.llm.parts import Error, Start, decode_part, encode_part
from headwater.llm.runs.layout import LOST, Places
from headwater.model import JSON, Failure, Retention
from headwater.protocol.ledger import Append

_log: Final = logging.getLogger("headwater.llm")

#: Runs in one list; then the next list begins, so that a list can go when its runs have ended.
LIST_RUNS: Final = 1000
#: What readers of a lost run are told.
LOST_MESSAGE: Final = "the process that ran this is gone"


class _Entry(msgspec.Struct):
    run: str


class Lease:
    """This process's lease and lists.

    Args:
        hub: where they are kept.
        places: under which paths.
        seconds: after which the process counts as gone, at least 1.

    Attributes:
        process: its name, new with each start.
    """

    def __init__(self, hub: Engine, places: Places, seconds: int) -> None:
        self.process: Final = uuid4().hex
        self._hub = hub
        self._places = places
        self._seconds = seconds
        self._number = 0
        self._count = 0
        self._open: dict[str, set[str]] = {}
        self._list_of: dict[str, str] = {}
        self._turning = asyncio.Lock()

    async def take(self) -> None:
        """Begin the lease.

        Raises:
            StoreUnavailable: it could not be written.
        """
        await self._hub.create(
            self._places.lease(self.process), content_type=JSON, ttl=self._seconds, retention=Retention(count=1)
        )

    async def renew(self) -> None:
        """Keep the lease; one that ran out meanwhile begins again.

        Raises:
            StoreUnavailable: it could not be written; try again soon.
        """
        try:
            await self._hub.append(self._places.lease(self.process), True)
        except (StreamNotFound, Gone):
            await self.take()

    async def entry(self, run: str) -> tuple[str, Append]:
        """Write down a run that is about to begin: the step of the commit with which it begins.

        Raises:
            StoreUnavailable, LimitReached: there is no list for it.
        """
        async with self._turning:
            if self._count % LIST_RUNS == 0:
                path = f"{self._places.processes}{self.process}.{self._number + 1}"
                await self._hub.create(path, content_type=JSON)
                self._number += 1
                self._open[path] = set()
            self._count += 1
            path = f"{self._places.processes}{self.process}.{self._number}"
            self._open[path].add(run)
            self._list_of[run] = path
        return path, Append(msgspec.json.encode(_Entry(run)), is_value=True)

    async def cross_off(self, run: str) -> None:
        """A run has ended; a list goes with its last one, unless it is the newest."""
        path = self._list_of.pop(run, None)
        if path is None:
            return
        left = self._open[path]
        left.discard(run)
        if not left and not path.endswith(f".{self._number}"):
            del self._open[path]
            await _delete(self._hub, path)

    async def give_up(self) -> None:
        """End the lease and the lists of which no run is open."""
        for path, left in list(self._open.items()):
            if not left:
                await _delete(self._hub, path)
        await _delete(self._hub, self._places.lease(self.process))


async def end_lost(hub: Engine, places: Places, own: str) -> list[str]:
    """End the runs of processes whose lease is gone.

    Args:
        hub: where they are.
        places: under which paths.
        own: the name of this process, which is not gone.

    Returns:
        The runs that were ended.

    Raises:
        StoreUnavailable: not all could be ended; call it again.
    """
    ended: list[str] = []
    after = ""
    while found := await hub.list(prefix=places.processes, after=after):
        for info in found:
            process = info.path[len(places.processes) :].rpartition(".")[0]
            if process != own and not await _exists(hub, places.lease(process)):
                ended += await _end_list(hub, places, info.path, process)
        after = found[-1].path
    return ended


async def _end_list(hub: Engine, places: Places, path: str, process: str) -> list[str]:
    ended = []
    async for record in hub.read(path):
        with contextlib.suppress(msgspec.ValidationError):
            run = msgspec.convert(record.json(), _Entry).run
            if await _end_run(hub, places.log(run), process):
                ended.append(run)
    await _delete(hub, path)
    return ended


async def _end_run(hub: Engine, path: str, process: str) -> bool:
    """End a run as lost, if it is open and this process ran it."""
    try:
        if (await hub.info(path)).closed:
            return False
        start = await read_start(hub, path)
        if start is None or start.process != process:
            return False
        failure = Failure(LOST, LOST_MESSAGE)
        error = encode_part(Error(LOST, LOST_MESSAGE))
        await hub.write(path, Append(b"[" + error + b"]", close=True, failure=failure))
    except (Conflict, Gone, StreamNotFound, BadRequest) as error:
        _log.info("the run at %r has ended meanwhile: %s", path, error.message)
        return False
    return True


async def read_start(hub: Engine, path: str) -> Start | None:
    """The start of a run's log; None: it has another first record, or none.

    Raises:
        StreamNotFound, StreamGone, StoreUnavailable: see `errors`.
    """
    async for record in hub.read(path):
        part = decode_part(record.data)
        return part if isinstance(part, Start) else None
    return None


async def _exists(hub: Engine, path: str) -> bool:
    try:
        await hub.info(path)
    except (StreamNotFound, Gone):
        return False
    return True


async def _delete(hub: Engine, path: str) -> None:
    with contextlib.suppress(StreamNotFound, Gone):
        await hub.delete(path)
