"""What is known of runs beside their logs: whose they are, which key and conversation they belong to.

Rule: each of these streams is made in one atomic step, and who made it first is right.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final, TypeVar
from uuid import uuid4

import msgspec

from headwater.errors import Gone, RunExists, RunNotFound, StreamExists, StreamNotFound
from headwater.hub import Engine
from headwater.llm.runs.layout import Places, RunInfo, RunRecord, RunState, check_id, check_name, state_of
from headwater.model import JSON, Retention, StreamConfig
from headwater.protocol.expiry import make_expiry

T = TypeVar("T")

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

    async def create(self, path: str, body: bytes, retention: Retention | None = None) -> bool:
        """Create a JSON stream with its first record; False: it was there.

        Raises:
            StoreUnavailable, LimitReached: it could not be created.
        """
        config = self._config
        if retention is not None:
            config = msgspec.structs.replace(config, retention=retention)
        try:
            return (await self._hub.create_stream(path, config, b"[" + body + b"]")).created
        except StreamExists:  # closed meanwhile, or kept for another time
            return False

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

    async def remember(self, owner: str | None, thread: str, id: str) -> None:
        """The run is the latest one of its conversation."""
        path = self._places.thread(owner, thread)
        if not await self.create(path, msgspec.json.encode(id), Retention(count=KEPT)):
            await self._hub.append(path, id)

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
