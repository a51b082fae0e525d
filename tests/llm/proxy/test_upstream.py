"""What the proxy needs beside the bare install."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
def test_without_its_client_the_proxy_says_how_to_install_it() -> None:
    """The line names the extra that has what is missing."""
    code = "import sys; sys.modules['httpx2'] = None; import headwater.llm.proxy.upstream"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "the proxy needs an optional part" in done.stderr
    assert "pip install 'headwater[server]'" in done.stderr
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert any(requirement.startswith("httpx2") for requirement in extras["server"])
