"""Real servers with misbehaving providers behind them, for stock clients."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.llm.clients.node import Node
from tests.llm.scripted import Scripted, scripted
from tests.support.processes import ServerProcess, running

ROOT = Path(__file__).parents[3]
#: Seconds of silence after which providers are given up, where a test wants to see that: longer than a busy machine
#: takes to pass on what came before.
STALL = "3"
#: Seconds between keepalives, where a test wants to see them.
HEARTBEAT = "0.2"


class Proxies(msgspec.Struct, frozen=True):
    """`headwater llm proxy` twice before one provider: as it is, and impatient with silence."""

    provider: Scripted
    patient: ServerProcess
    impatient: ServerProcess

    def url(self, way: str, behaviour: str) -> str:
        """Where a client is pointed."""
        if way == "direct":
            return self.provider.url
        return self.impatient.url if behaviour == "stall" else self.patient.url


@pytest.fixture(scope="session")
def provider() -> Iterator[Scripted]:
    with scripted() as server:
        yield server


@pytest.fixture(scope="session")
def proxies(provider: Scripted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxies]:
    directory = tmp_path_factory.mktemp("proxies")

    patient = proxy_server(directory / "patient.db", provider, "--heartbeat-seconds", HEARTBEAT)
    impatient = proxy_server(directory / "impatient.db", provider, "--stall-seconds", STALL)
    with running(patient, impatient):
        yield Proxies(provider, patient, impatient)


def proxy_server(store: Path, provider: Scripted, *flags: str) -> ServerProcess:
    """`headwater llm proxy` on a file, before the provider."""
    command = [sys.executable, "-m", "headwater.cli", "llm", "proxy", "--upstream", f"{provider.url}/v1"]
    return ServerProcess([*command, "--port", "{port}", "--store", f"sqlite:{store}", *flags])


@contextlib.contextmanager
def chat_server(
    store: Path, provider: Scripted, stall: str = "300", heartbeat: str = HEARTBEAT
) -> Iterator[ServerProcess]:
    """chat_app.py on a file, its upstream the provider."""
    set_here = {
        "HEADWATER_STORE": f"sqlite:{store}",
        "HEADWATER_LEASE": "3",
        "HEADWATER_HEARTBEAT": heartbeat,
        "HEADWATER_STALL": stall,
        "HEADWATER_UPSTREAM": f"{provider.url}/v1",
        "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]),
    }
    # Not in the environment of the tests: a server may be started again when others have theirs.
    environment = ["env", *(f"{name}={value}" for name, value in set_here.items())]
    command = [sys.executable, "-m", "uvicorn", "tests.llm.chat_app:app", "--port", "{port}", "--log-level", "warning"]
    with ServerProcess([*environment, *command], health="/calls", cwd=ROOT) as process:
        yield process


@pytest.fixture(scope="session")
def chat(provider: Scripted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A chat application."""
    with chat_server(tmp_path_factory.mktemp("chat") / "log.db", provider) as server:
        yield server


@pytest.fixture(scope="session")
def sdks() -> Iterator[Node]:
    """The SDKs of JavaScript."""
    with Node("sdks.mjs") as process:
        yield process


@pytest.fixture(scope="session")
def pages(chat: ServerProcess) -> Iterator[Node]:
    """Pages of the chat application."""
    with Node("pages.mjs", chat.url) as process:
        yield process
