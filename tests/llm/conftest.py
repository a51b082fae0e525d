"""What the tests of runs in a real server share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.processes import ServerProcess

#: Seconds of the lease of chat_app.py.
LEASE = 3


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServerProcess]:
    """The application of chat_app.py on a file."""
    root = Path(__file__).parents[2]
    monkeypatch.setenv("HEADWATER_STORE", f"sqlite:{tmp_path}/log.db")
    monkeypatch.setenv("HEADWATER_LEASE", str(LEASE))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(root), *sys.path]))
    command = [sys.executable, "-m", "uvicorn", "tests.llm.chat_app:app", "--port", "{port}", "--log-level", "warning"]
    with ServerProcess(command, health="/calls", cwd=root) as process:
        yield process
