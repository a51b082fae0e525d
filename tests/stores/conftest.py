"""The stores that every store test runs against."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater.stores import Store, open_store
from headwater.stores.base import Clock

#: Store URLs by id, for a directory.
DURABLE: dict[str, str] = {
    "sqlite-sqlite3": "sqlite:{}/log.db?driver=sqlite3",
    "sqlite-apsw": "sqlite:{}/log.db?driver=apsw",
}
URLS: dict[str, str] = {"memory": "memory:", **DURABLE}


class Backend:
    """Makes empty stores of one kind, each in a directory of its own, and opens their data again."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name = name
        self.durable = name in DURABLE
        self._directory = directory
        self._urls: dict[Store, str] = {}

    def make(self, clock: Clock) -> Store:
        """A new empty store."""
        place = self._directory / str(len(self._urls))
        place.mkdir()
        return self._open(URLS[self.name].format(place), clock)

    def reopen(self, store: Store, clock: Clock) -> Store:
        """A store over the data of another one."""
        return self._open(self._urls[store], clock)

    def _open(self, url: str, clock: Clock) -> Store:
        store = open_store(url, clock=clock)
        self._urls[store] = url
        return store


@pytest.fixture(params=URLS)
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    """One kind of store."""
    return Backend(request.param, tmp_path)


@pytest.fixture(params=DURABLE)
def durable_backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    """One kind of store that keeps its data."""
    return Backend(request.param, tmp_path)
