"""What the judge needs, running: the provider, the proxy, the application, and the clients of JavaScript."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.llm.clients.node import Node
from tests.llm.judge.cases import chat, messages, responses
from tests.llm.judge.judge import Judge
from tests.llm.judge.provider import answering
from tests.support.processes import ServerProcess, running

ROOT = Path(__file__).parents[3]
CASES = [*chat.CASES, *messages.CASES, *responses.CASES]


@contextlib.contextmanager
def judge(log: Path | None = None) -> Iterator[Judge]:
    """A judge; `log` gets what the servers write to standard error."""
    with answering({case.name: case for case in CASES}) as provider:
        command = [sys.executable, "-m", "headwater.cli", "llm", "proxy", "--upstream", f"{provider}/v1"]
        proxy = ServerProcess([*command, "--port", "{port}", "--store", "memory:"], log=log)
        # Not in the environment of the tests, which other servers have, too.
        path = os.pathsep.join([str(ROOT), *sys.path])
        environment = ["env", f"HEADWATER_UPSTREAM={provider}", f"PYTHONPATH={path}"]
        command = [sys.executable, "-m", "uvicorn", "tests.llm.judge.app:app", "--log-level", "warning"]
        app = ServerProcess([*environment, *command, "--port", "{port}"], cwd=ROOT, log=log)
        with running(proxy, app), Node("differential.mjs") as node:
            yield Judge(provider, proxy.url, app.url, node)
