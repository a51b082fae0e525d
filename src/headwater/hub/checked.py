"""Writes on their way to a store: straight, or held to the schemas of their streams.

Rule: a hub without schemas writes to its store itself. What nobody uses is not asked about.
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any, Final, Protocol, cast

from headwater.model import Appended, Created, StreamConfig
from headwater.protocol.framing import split_body
from headwater.protocol.ledger import Append
from headwater.protocol.preconditions import Condition
from headwater.protocol.schemas.registry import Checked, SchemaIndex
from headwater.stores import Store
from headwater.stores.base import Atomic, Done
from headwater.stores.posting import Post, posting


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
    ) -> Coroutine[Any, Any, Created]:
        """See `Store.create`."""
        ...

    def append(self, path: str, request: Append) -> Coroutine[Any, Any, Appended]:
        """See `Store.append`."""
        ...

    def append_all(
        self, appends: Sequence[tuple[str, Append]], *, max_records: int | None = None
    ) -> Coroutine[Any, Any, list[Appended]]:
        """See `Atomic.append_all`."""
        ...


def into(store: Store, schemas: SchemaIndex) -> tuple[Into, Post]:
    """What a hub writes to, and how it posts appends to it.

    Args:
        store: where the logs live.
        schemas: of records.
    """
    post = posting(store)
    if not schemas:
        return cast("Into", store), post
    checked = CheckedWrites(store, post, schemas)
    return checked, checked.post


class CheckedWrites:
    """Gives each append what holds it to the schema of its stream; the store calls it.

    Args:
        store: where the logs live.
        post: to the store.
        schemas: of records.
    """

    def __init__(self, store: Store, post: Post, schemas: SchemaIndex) -> None:
        self._store: Final = store
        self._post: Final = post
        self._schemas: Final = schemas

    def create(
        self,
        path: str,
        config: StreamConfig,
        body: bytes = b"",
        *,
        closed: bool = False,
        condition: Condition | None = None,
        max_records: int | None = None,
    ) -> Coroutine[Any, Any, Created]:
        """See `Store.create`."""
        applied = self._schemas.of(path)
        split = None if applied is None else Checked(applied, split_body)
        return self._store.create(
            path, config, body, closed=closed, condition=condition, max_records=max_records, split=split
        )

    def append(self, path: str, request: Append) -> Coroutine[Any, Any, Appended]:
        """See `Store.append`."""
        return self._store.append(path, self._checked(path, request))

    def append_all(
        self, appends: Sequence[tuple[str, Append]], *, max_records: int | None = None
    ) -> Coroutine[Any, Any, list[Appended]]:
        """See `Atomic.append_all`."""
        assert isinstance(self._store, Atomic)
        return self._store.append_all(
            [(path, self._checked(path, request)) for path, request in appends], max_records=max_records
        )

    def post(self, path: str, request: Append, done: Done) -> None:
        """See `Posting.post`."""
        self._post(path, self._checked(path, request), done)

    def _checked(self, path: str, request: Append) -> Append:
        applied = self._schemas.of(path)
        return request if applied is None else request.split_by(Checked(applied, request.splitter()))
