"""Writes on their way to a store: straight, or held to the schemas of their streams.

Rule 1: a hub without schemas writes to its store itself. What nobody uses is not asked about.
Rule 2: a check that takes a time bounded by the size of the body, and by nothing that an application wrote, is done
        where the store takes the body apart.
Rule 3: one that runs code of an application is done before (`checks`). A slow one holds up its own stream and no other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Any, Final, Protocol, cast

from headwater.errors import StoreUnavailable
from headwater.hub.checks import Checks, Found
from headwater.hub.eager import begin
from headwater.model import Appended, Created, Principal, StreamConfig
from headwater.protocol.framing import split_body
from headwater.protocol.ledger import Append
from headwater.protocol.preconditions import Condition
from headwater.protocol.schemas.registry import Applied, Checked, SchemaIndex
from headwater.stores import Store
from headwater.stores.base import Atomic, Attributing, Done
from headwater.stores.posting import Post, posted, posting


class Into(Protocol):
    """What a hub writes to; see `Store` and `Atomic`, whose last method not every store has."""

    def create(
        self,
        path: str,
        config: StreamConfig,
        body: bytes = b"",
        *,
        closed: bool = False,
        condition: Condition | None = None,
        max_records: int | None = None,
        by: Principal | None = None,
    ) -> Coroutine[Any, Any, Created]:
        """See `Store.create`; `by` is for a store that is `Attributing`."""
        ...

    def append(self, path: str, request: Append) -> Coroutine[Any, Any, Appended]:
        """See `Store.append`."""
        ...

    def append_all(
        self, appends: Sequence[tuple[str, Append]], *, max_records: int | None = None
    ) -> Coroutine[Any, Any, list[Appended]]:
        """See `Atomic.append_all`."""
        ...

    def delete(self, path: str, *, condition: Condition | None = None) -> Coroutine[Any, Any, None]:
        """See `Store.delete`."""
        ...


def into(store: Store, schemas: SchemaIndex, most_bytes: int) -> tuple[Into, Post, CheckedWrites | None]:
    """What a hub writes to, how it posts appends to it, and what holds both to schemas, if there are any.

    Args:
        store: where the logs live.
        schemas: of records.
        most_bytes: see `Checks`.
    """
    post = posting(store)
    if not schemas:
        return cast("Into", store), post, None
    checked = CheckedWrites(store, post, schemas, most_bytes)
    return checked, checked.post, checked


class CheckedWrites:
    """Gives each append what holds it to the schema of its stream, or what that found; the store calls it.

    Args:
        store: where the logs live.
        post: to the store.
        schemas: of records.
        most_bytes: see `Checks`.
    """

    def __init__(self, store: Store, post: Post, schemas: SchemaIndex, most_bytes: int) -> None:
        self._store: Final = store
        self._post: Final = post
        self._schemas: Final = schemas
        self._checks: Final = Checks(store, most_bytes)
        self._posts: set[asyncio.Future[None]] = set()

    async def settle(self, seconds: float) -> None:
        """The hub closes: finish what was posted, of which no check takes longer than so many seconds."""
        if self._posts:
            _, late = await asyncio.wait(self._posts, timeout=seconds)
            for post in late:
                post.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._checks.close()

    def create(
        self,
        path: str,
        config: StreamConfig,
        body: bytes = b"",
        *,
        closed: bool = False,
        condition: Condition | None = None,
        max_records: int | None = None,
        **by: Principal | None,
    ) -> Coroutine[Any, Any, Created]:
        """See `Into.create`."""
        applied, checks = self._schemas.of(path), self._checks
        store = cast("Attributing", self._store)  # what is none is given no `by`
        create = partial(store.create, path, config, body, closed=closed, condition=condition, max_records=max_records)
        create = partial(create, **by)
        if applied is None or not applied.schema.runs_code:
            return create(split=None if applied is None else Checked(applied, split_body))
        return checks.write(
            (path,),
            len(body),
            partial(checks.of_create, config, body, applied, max_records),
            lambda found: begin(create(split=found)),
            lambda found: (found,),
        )

    def append(self, path: str, request: Append) -> Coroutine[Any, Any, Appended]:
        """See `Store.append`."""
        applied = self._schemas.of(path)
        if applied is None or not applied.schema.runs_code:
            return self._store.append(path, _checked(applied, request))
        return self._append_in_turn(path, request, applied)

    def _append_in_turn(self, path: str, request: Append, applied: Applied) -> Coroutine[Any, Any, Appended]:
        checks = self._checks
        return checks.write(
            (path,),
            len(request.body),
            partial(checks.of_append, path, request, applied),
            lambda found: posted(self._post, path, request.split_by(found)),
            lambda found: (found,),
        )

    def append_all(
        self, appends: Sequence[tuple[str, Append]], *, max_records: int | None = None
    ) -> Coroutine[Any, Any, list[Appended]]:
        """See `Atomic.append_all`."""
        assert isinstance(self._store, Atomic)
        known = [(path, request, self._schemas.of(path)) for path, request in appends]
        write = partial(self._store.append_all, max_records=max_records)
        coded = {path for path, _, applied in known if applied is not None and applied.schema.runs_code}
        if not coded:
            return write([(path, _checked(applied, request)) for path, request, applied in known])

        async def check() -> list[tuple[str, Append]]:
            ready = []
            for path, request, applied in known:
                if applied is None or path not in coded:
                    ready.append((path, _checked(applied, request)))
                else:
                    found = await self._checks.of_append(path, request, applied)
                    ready.append((path, request.split_by(found)))
            return ready

        return self._checks.write(
            coded,
            sum(len(request.body) for path, request, _ in known if path in coded),
            check,
            lambda ready: begin(write(ready)),
            lambda ready: [request.split for _, request in ready if isinstance(request.split, Found)],
        )

    def post(self, path: str, request: Append, done: Done) -> None:
        """See `Posting.post`."""
        applied = self._schemas.of(path)
        if applied is None or not applied.schema.runs_code:
            self._post(path, _checked(applied, request), done)
            return
        answer = begin(_answer(self._append_in_turn(path, request, applied), done))
        if not answer.done():
            self._posts.add(answer)
            answer.add_done_callback(self._posts.discard)

    def delete(self, path: str, *, condition: Condition | None = None) -> Coroutine[Any, Any, None]:
        """See `Store.delete`."""
        deleting = self._store.delete(path, condition=condition)
        return self._delete(path, deleting) if self._checks.are_under_way(path) else deleting

    async def _delete(self, path: str, deleting: Coroutine[Any, Any, None]) -> None:
        """Behind what came to the stream before."""
        async with self._checks.turn((path,)):
            deleted = begin(deleting)
        await deleted


def _checked(applied: Applied | None, request: Append) -> Append:
    return request if applied is None else request.split_by(Checked(applied, request.splitter()))


async def _answer(append: Coroutine[Any, Any, Appended], done: Done) -> None:
    outcome: Appended | Exception
    try:
        outcome = await append
    except asyncio.CancelledError:
        outcome = StoreUnavailable("the hub was closed before the check of the append was over; nothing was written")
    except Exception as error:
        outcome = error
    done(outcome)
