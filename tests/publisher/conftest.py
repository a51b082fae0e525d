"""A server with a file, and how to read what it has."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.http import call
from tests.support.processes import ServerProcess, headwater_server

Read = Callable[[str], Any]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """`headwater serve` with SQLite."""
    with headwater_server(f"sqlite:{tmp_path}/log.db") as process:
        yield process


@pytest.fixture
def read(server: ServerProcess) -> Read:
    """What a stream has: values, or bytes of any other type."""

    def contents(path: str) -> Any:
        answer = call(server, "GET", f"/v1/stream/{path}")
        return json.loads(answer.body) if answer.headers["content-type"] == "application/json" else answer.body

    return contents
