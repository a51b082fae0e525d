"""The stores that every store test runs against."""

from __future__ import annotations

import shutil
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
        self._places: dict[Store, Path] = {}

    def make(self, clock: Clock) -> Store:
        """A new empty store."""
        return self._open(self._place(), clock)

    def reopen(self, store: Store, clock: Clock) -> Store:
        """A store over the data of another one."""
        return self._open(self._places[store], clock)

    def crash(self, store: Store, clock: Clock) -> Store:
        """A store over a copy of the files of one that is open, between two writes: what a killed process leaves."""
        place = self._place()
        for name in ("log.db", "log.db-wal"):
            shutil.copy(self._places[store] / name, place)
        return self._open(place, clock)

    def _place(self) -> Path:
        place = self._directory / str(len(self._places))
        place.mkdir()
        return place

    def _open(self, place: Path, clock: Clock) -> Store:
        store = open_store(URLS[self.name].format(place), clock=clock)
        self._places[store] = place
        return store


@pytest.fixture(params=URLS)
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    """One kind of store."""
    return Backend(request.param, tmp_path)


@pytest.fixture(params=DURABLE)
def durable_backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    """One kind of store that keeps its data."""
    return Backend(request.param, tmp_path)
