"""Store URLs: each means one store, or is refused with a sentence."""

from __future__ import annotations

import re

import pytest

from headwater.stores import open_store
from headwater.stores.memory import MemoryStore
from headwater.stores.registry import UnknownStore


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("app.db", "'app.db' names no store; for a file, write sqlite:app.db"),
        ("/var/lib/app.db", "for a file, write sqlite:/var/lib/app.db"),
        ("", "use one of memory:, sqlite:"),
        ("redis://localhost", "use one of memory:, sqlite:"),
        ("sqlite+aiosqlite:///app.db", "write sqlite:PATH"),
        ("sqlite3:app.db", "write sqlite:PATH"),
        ("memory:app.db", "memory: takes no path and no options"),
        ("sqlite:app.db?mode=ro", "there is no option 'mode'; there are busy_timeout, cached_streams, "),
        ("sqlite:app.db?readers", "the option 'readers' has no value; write readers=VALUE"),
        ("sqlite:app.db?readers=2&readers=3", "the option 'readers' comes twice"),
        ("sqlite:app.db?synchronous=sometimes", "synchronous must be full or normal or off, not 'sometimes'"),
        ("sqlite:app.db?readers=17", "readers must be a whole number from 1 to 16, not '17'"),
        ("sqlite:app.db?readers=1.5", "readers must be a whole number from 1 to 16, not '1.5'"),
        ("sqlite:app.db?busy_timeout=nan", "busy_timeout must be a number from 0 to 60, not 'nan'"),
        ("sqlite:app.db?max_bytes=1", "max_bytes must be a whole number from 65536, not '1'"),
    ],
)
def test_a_url_that_names_no_store_is_told_what_would(url: str, said: str) -> None:
    """In our words, with what is allowed."""
    with pytest.raises(UnknownStore, match=re.escape(said)) as caught:
        open_store(url)
    assert "$." not in caught.value.message
    assert "sqlite:app.db" in caught.value.advice


@pytest.mark.parametrize("url", ["memory:", "memory:?"])
def test_memory_has_no_path(url: str) -> None:
    """Nor options."""
    assert isinstance(open_store(url), MemoryStore)
