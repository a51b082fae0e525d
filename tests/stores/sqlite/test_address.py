"""The path in a store URL: nobody's file is made where its owner does not look for it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.stores.sqlite.helpers import opened

from headwater.stores import open_store
from headwater.stores.registry import UnknownStore
from headwater.stores.sqlite import SqliteStore

if TYPE_CHECKING:
    from tests.conftest import Run


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("app.db", "app.db"),
        ("./app.db", "app.db"),
        ("folder/app.db?readers=1", "folder/app.db"),
        ("{tmp}/app.db", "{tmp}/app.db"),
        ("///{tmp}/app.db", "{tmp}/app.db"),
        ("/////{tmp}/app.db", "{tmp}/app.db"),
        ("~/app.db", "{tmp}/home/app.db"),
        ("./~/app.db", "~/app.db"),
    ],
)
def test_the_file_is_where_the_url_says(
    location: str, path: str, tmp_path: Path, run: Run[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It, and no other one, is made."""
    (tmp_path / "work" / "folder").mkdir(parents=True)
    (tmp_path / "work" / "~").mkdir()
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "work")
    store = open_store(f"sqlite:{location.format(tmp=tmp_path)}")
    assert isinstance(store, SqliteStore)

    async def scenario() -> None:
        async with opened(store):
            pass

    run(scenario())
    expected = Path(path.format(tmp=tmp_path)).absolute()
    assert [found.resolve() for found in tmp_path.rglob("app.db")] == [expected]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:///app.db", "write sqlite:app.db for a file in the folder of the process, or sqlite:/app.db"),
        ("sqlite:///var/lib/app.db?readers=2", "or sqlite:/var/lib/app.db for an absolute path"),
        ("sqlite://app.db", "write sqlite:app.db for a file"),
        ("sqlite:", "use memory: for a store in memory"),
        ("sqlite://", "use memory: for a store in memory"),
        ("sqlite:///", "use memory: for a store in memory"),
        ("sqlite::memory:", "use memory: for a store in memory"),
        ("sqlite:///:memory:", "use memory: for a store in memory"),
        ("sqlite:file:app.db", "write sqlite:app.db"),
        ("sqlite:a\0b", "zero bytes"),
        ("sqlite:~nobody-of-this-name/app.db", "the home folder of ~nobody-of-this-name is not known"),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(url: str, said: str) -> None:
    """With how to write which."""
    with pytest.raises(UnknownStore, match=re.escape(said)):
        open_store(url)
