"""The Python environment of the peers: its own, so that theirs and ours cannot meet."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks import tools

FOLDER = tools.HERE / ".venv-peers"
REQUIREMENTS = tools.HERE / "peers" / "requirements.txt"


def python() -> Path:
    """Its interpreter."""
    return FOLDER / "bin" / "python"


def install() -> str | None:
    """Install what requirements.txt says, unless it is there; gives the reason why it cannot be."""
    done = FOLDER / "installed"
    if done.exists() and done.read_text() == REQUIREMENTS.read_text():
        return None
    try:
        _run([sys.executable, "-m", "venv", str(FOLDER)])
        _run([str(python()), "-m", "pip", "install", "--quiet", "--requirement", str(REQUIREMENTS)])
    except (OSError, subprocess.SubprocessError) as error:
        output = getattr(error, "stderr", None) or str(error)
        return f"it cannot be installed: {str(output).strip().splitlines()[-1]}"
    done.write_text(REQUIREMENTS.read_text())
    return None


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
