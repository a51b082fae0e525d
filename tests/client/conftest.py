"""A server of its own, and streams that nobody else has."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from tests.support.processes import ServerProcess


@pytest.fixture(scope="session")
def server() -> Iterator[ServerProcess]:
    """`headwater serve`, in memory."""
    process = ServerProcess([sys.executable, "-m", "headwater", "serve", "--port", "{port}", "--store", "memory:"])
    process.start()
    yield process
    process.stop()


@pytest.fixture
def url(server: ServerProcess) -> Callable[[], str]:
    """The URL of a stream that is not there yet."""
    return lambda: f"{server.url}/v1/stream/t/{uuid4().hex}"
