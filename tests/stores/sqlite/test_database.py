"""The face of the two drivers: what tells that another connection has committed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from headwater.stores.sqlite import database, parse_options

if TYPE_CHECKING:
    from tests.stores.sqlite.conftest import Place


@pytest.mark.parametrize("others", [0, 1, 3])
def test_the_version_tells_of_others_and_not_of_own_commits(place: Place, others: int) -> None:
    """In a transaction as behind it, however many commits of its own a connection has made, of whatever kind."""
    own = database.open_writer(place.path, parse_options({"driver": place.driver}))
    own.script("BEGIN; CREATE TABLE notes (text); COMMIT")
    before = own.version(within=False)
    for size in (1, 10, 20_000):
        own.run("BEGIN IMMEDIATE")
        assert own.version(within=True) == before
        own.run("INSERT INTO notes VALUES (zeroblob(?))", (size,))
        own.run("SELECT count(*) FROM notes")
        assert own.version(within=True) == before
        own.commit()
        own.run("PRAGMA wal_checkpoint(PASSIVE)")
    other = place.connect()
    for _ in range(others):
        other.run("INSERT INTO notes VALUES ('other')")
    own.run("BEGIN IMMEDIATE")
    assert (own.version(within=True) == before) is (not others)
    own.run("INSERT INTO notes VALUES ('own')")
    own.commit()
    found = own.version(within=False)
    assert (found == before) is (not others)
    own.run("BEGIN IMMEDIATE")
    assert own.version(within=True) == found
    own.run("ROLLBACK")
    own.close()
