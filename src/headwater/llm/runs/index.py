"""What is known of runs beside their logs: whose they are, which key and conversation they belong to.

Rule: each of these streams is made in one atomic step, and who made it first is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final, TypeVar
from uuid import uuid4

import msgspec

from headwater.errors import (
    Gone,
    HeadwaterError,
    NotAtomic,
    PreconditionFailed,
    RunExists,
    RunNotFound,
    StreamClosed,
    StreamExists,
    StreamNotFound,
)
from headwater.hub import Engine
from headwater.llm.runs.layout import Places, RunInfo, RunRecord, RunState, check_id, check_name, state_of
from headwater.model import JSON, Retention, StreamConfig
from headwater.protocol.expiry import make_expiry
from headwater.protocol.ledger import Append
from headwater.protocol.preconditions import ANY, Condition

T = TypeVar("T")
Step = tuple[str, Append]

#: There is no stream yet.
_NEW: Final = Condition(if_none_match=(ANY,))

#: Runs of a conversation that are remembered, so that all that run at once are found.
KEPT: Final = 32


class OtherKey(RunExists):
    """An owner's run has another idempotency key, which only the owner may be told.

    Attributes:
        known: the run's key.
    """

    def __init__(self, id: str, known: str) -> None:
        super().__init__(f"the run {id!r} exists, with another owner or idempotency key")
        self.known = known


class Catalogue:
    """The records of the runs of a hub.

    Args:
        hub: where they are.
        places: under which paths.
        keep_seconds: idle seconds after which they are deleted; None: never.
    """

    def __init__(self, hub: Engine, places: Places, keep_seconds: int | None) -> None:
        self._hub: Final = hub
        self._places: Final = places
        self._config: Final = StreamConfig(JSON, make_expiry(keep_seconds, None), Retention())
        hub.private.add(*places.roots)

    async def create(self, path: str, body: bytes) -> bool:
        """Create a JSON stream with its first record; False: it was there.

        Raises:
            StoreUnavailable, LimitReached: it could not be created.
        """
        try:
            return (await self._hub.create_stream(path, self._config, b"[" + body + b"]")).created
        except StreamExists:  # closed meanwhile, or kept for another time
            return False

    def making(self, path: str, body: bytes) -> Step:
        """A step that makes a JSON stream with its first record; refused where there is one."""
        return path, Append(body, JSON, condition=_NEW, create=self._config, is_value=True)

    def remembering(self, owner: str | None, thread: str, id: str) -> Step:
        """The step after which the run is the latest one of its conversation."""
        config = msgspec.structs.replace(self._config, retention=Retention(count=KEPT))
        body = msgspec.json.encode(id)
        return self._places.thread(owner, thread), Append(body, JSON, create=config, is_value=True)

    async def write(self, steps: Sequence[Step]) -> str | None:
        """Take steps in one commit; in a store without such a thing one after the other.

        Returns:
            The path where a stream was that a step makes; None: all is written.

        Raises:
            StoreUnavailable, LimitReached: not all could be written.
        """
        try:
            await self._hub.write_all(steps)
        except NotAtomic:
            return await self._write_each(steps)
        except (PreconditionFailed, StreamClosed) as error:
            return _made_before(steps, int(error.details["line"]) - 1, error)
        return None

    async def _write_each(self, steps: Sequence[Step]) -> str | None:
        for number, (path, request) in enumerate(steps):
            try:
                await self._hub.write(path, request)
            except (PreconditionFailed, StreamClosed) as error:
                return _made_before(steps, number, error)
        return None

    async def id_of(self, owner: str | None, key: str) -> str:
        """The run of an owner's key; who asks first gives it a new id.

        Raises:
            BadRequest: the key is none.
        """
        path = self._places.key(owner, check_name(key, what="an idempotency key"))
        new = uuid4().hex
        return new if await self.create(path, msgspec.json.encode(new)) else await self._last(path, str)

    async def claim(self, id: str, record: RunRecord) -> bool:
        """Write down whose a run is, or see that it is theirs.

        Args:
            id: of the run.
            record: see `records.check_record`.

        Returns:
            Whether it was written down now; False: the run may have begun.

        Raises:
            OtherKey: the run is its owner's, with another key.
            RunExists: the run has another owner.
        """
        path = self._places.record(id)
        if await self.create(path, msgspec.json.encode(record)):
            return True
        known = await self._last(path, RunRecord)
        if known.owner != record.owner:
            raise RunExists(f"the run {id!r} exists, with another owner or idempotency key")
        if known.key != record.key:
            raise OtherKey(id, known.key)
        return False

    async def has_begun(self, id: str) -> bool:
        """Whether a run has a log."""
        try:
            await self._hub.info(self._places.log(id))
        except (StreamNotFound, Gone):
            return False
        return True

    async def find(self, id: str, owner: str | None) -> RunInfo:
        """A run's state; see `Runs.get`.

        Raises:
            RunNotFound: there is none, or it has another owner than the one given.
        """
        check_id(id)
        try:
            log = await self._hub.info(self._places.log(id))
            record = await self._last(self._places.record(id), RunRecord)
        except (StreamNotFound, Gone):
            raise RunNotFound(f"there is no run {id!r}") from None
        if owner is not None and record.owner != owner:
            raise RunNotFound(f"there is no run {id!r}")
        message = "" if log.failure is None else log.failure.message
        return RunInfo(id, state_of(log), record.owner, record.thread, message, log.created_at, log.tail)

    async def after_failures(self, owner: str | None, key: str, id: str) -> str:
        """The run of an owner's key, or the one that follows it, if it has ended and did not finish.

        All who ask again at the same moment are given the same one.
        """
        first = id
        while await self._has_failed(id):
            id = sha256(f"again {id}".encode()).hexdigest()[:32]
        if id != first:
            await self._hub.append(self._places.key(owner, key), id)
        return id

    async def _has_failed(self, id: str) -> bool:
        try:
            return (await self.find(id, None)).state not in (RunState.RUNNING, RunState.FINISHED)
        except RunNotFound:
            return False

    async def of_thread(self, thread: str, owner: str | None) -> list[str]:
        """The last runs of a conversation, the latest first."""
        try:
            records = (await self._hub.page(self._places.thread(owner, thread), KEPT)).batch.records
        except (StreamNotFound, Gone):
            return []
        return [msgspec.json.decode(record.data, type=str) for record in reversed(records)]

    async def _last(self, path: str, kind: type[T]) -> T:
        """The last record of a stream that has one."""
        records = (await self._hub.page(path, 1)).batch.records
        return msgspec.json.decode(records[-1].data if records else b"null", type=kind)


def _made_before(steps: Sequence[Step], number: int, error: HeadwaterError) -> str:
    path, request = steps[number]
    if request.condition is None:
        raise error
    return path
