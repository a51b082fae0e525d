"""The Autobahn cases over the door's own handshake and frames; those of compression take minutes.

7.1.5 among them, which `websockets` fails: a close frame inside a fragmented message is answered as any other.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from tests.support.processes import ServerProcess, required

pytestmark = pytest.mark.slow

KOSOKU = Path(sys.executable).parent / "kosoku"


PLAIN = ["-x", "12.*", "-x", "13.*"]


@pytest.mark.parametrize(
    ("chosen", "count", "seconds"),
    [
        pytest.param([*PLAIN, "-x", "9.*"], 247, 250, id="core"),
        pytest.param([*PLAIN, "-i", "9.*"], 54, 250, id="limits"),
        pytest.param(["-i", "12.*", "-i", "13.*"], 216, 1800, id="compression", marks=pytest.mark.soak),
    ],
)
def test_the_cases(tmp_path: Path, chosen: list[str], count: int, seconds: float) -> None:
    """None fails. A message has up to 16 MiB, in one frame or in many."""
    required("kosoku of PyPI", shutil.which(KOSOKU) is not None)
    command = [sys.executable, "-m", "tests.support.echo", "--port", "{port}"]
    with ServerProcess(command, health="/") as server:
        address = f"127.0.0.1:{server.port}"
        run = subprocess.run(
            [KOSOKU, address, *chosen, "-o", tmp_path],
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    report = json.loads((tmp_path / "index.json").read_text())
    (cases,) = report.values()
    behaviors = Counter(case["behavior"] for case in cases.values())
    failed = {name: case["behavior"] for name, case in cases.items() if case["behavior"] == "FAILED"}
    assert not failed, run.stdout
    assert run.returncode == 0, run.stdout
    assert behaviors.total() == count
