"""A server, and each proxy in front of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests.proxies.client import make_client
from tests.proxies.fronts import FRONTS, HOST, Certificates, Front, in_front_of
from tests.proxies.hypercorns import HypercornProcess
from tests.support.processes import ServerProcess, headwater_server


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """A certificate that the clients of these tests trust."""
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def flags() -> tuple[str, ...]:
    """Further flags of the server; overridden by tests."""
    return ()


@pytest.fixture
def server(tmp_path: Path, flags: tuple[str, ...]) -> Iterator[ServerProcess]:
    """A server as the configurations say it is to be started."""
    with headwater_server(f"sqlite:{tmp_path}/log.db", "--allowed-hosts", HOST, *flags) as process:
        yield process


@pytest.fixture(params=FRONTS)
def front(
    request: pytest.FixtureRequest, server: ServerProcess, certificates: Certificates, tmp_path: Path
) -> Iterator[Front]:
    """Each proxy in front of the server."""
    directory = tmp_path / request.param
    directory.mkdir()
    with in_front_of(server.port, request.param, certificates, directory) as front:
        yield front


@pytest.fixture
def client(front: Front, certificates: Certificates) -> Iterator[httpx2.Client]:
    """An HTTP/2 client of the proxy."""
    with make_client(front.url, certificates) as client:
        yield client


@pytest.fixture
def hypercorn(certificates: Certificates, tmp_path: Path) -> Iterator[HypercornProcess]:
    """A hub under hypercorn."""
    with HypercornProcess(certificates, tmp_path) as process:
        yield process
