"""`headwater token` and `headwater access explain`, and the server that takes the tokens."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.http import call
from tests.support.processes import headwater_server


def headwater(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """The command, with the key of the folder."""
    env = {**os.environ, "HEADWATER_ACCESS_KEY_FILE": str(folder / "access.key")}
    command = [sys.executable, "-m", "headwater", *args]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "access.key").write_text("k" * 64 + "\n")
    return tmp_path


@pytest.mark.slow
def test_a_token_from_end_to_end(folder: Path) -> None:
    """Printed, explained, and taken by a server for what it grants and nothing else."""
    made = headwater(folder, "token", "--sub", "u42", "--read", "users/{sub}/**", "--append", "rooms/7", "--for", "1h")
    assert made.returncode == 0, made.stderr
    text = made.stdout.strip()
    told = headwater(folder, "access", "explain", text, "read", "users/u42/inbox")
    assert "users/{sub}/**" in told.stdout
    assert headwater(folder, "access", "explain", text, "read", "users/u4/inbox").returncode == 1
    bad = headwater(folder, "access", "explain", f"{text}x", "read", "a")
    assert "worthless" in bad.stderr
    with headwater_server(
        "memory:", "--access-key-file", str(folder / "access.key"), "--public-read", "news/**"
    ) as server:
        by = {"authorization": f"Bearer {text}"}
        assert call(server, "GET", "/v1/stream/users/u42/inbox", **by).status == 404
        assert call(server, "GET", "/v1/stream/users/u4/inbox", **by).status == 403
        assert call(server, "GET", "/v1/stream/news/today").status == 404
        refused = call(server, "GET", "/v1/stream/users/u42/inbox")
        assert (refused.status, refused.headers["www-authenticate"]) == (401, "Bearer")
        worthless = call(server, "GET", "/v1/stream/news/today", authorization="Bearer x")
        assert (worthless.status, worthless.headers["www-authenticate"]) == (401, 'Bearer error="invalid_token"')


@pytest.mark.parametrize(
    "args",
    [["--sub", "u", "--read", "a*"], ["--sub", "u", "--for", "soon"], ["--sub", "u", "--for", "9d"], ["--sub", ""]],
)
def test_tokens_that_no_server_would_take(folder: Path, args: list[str]) -> None:
    """They are not made."""
    assert headwater(folder, "token", "--sub", *args).returncode == 2


#: The command line where PyJWT is not installed.
WITHOUT = "import sys; sys.modules['jwt'] = None; from headwater.cli import main; main()"


@pytest.mark.parametrize("args", [["token", "--sub", "u", "--read", "a"], ["access", "explain", "x.y.z", "read", "a"]])
def test_without_the_library_it_is_told_how_to_install_it(folder: Path, args: list[str]) -> None:
    """And no traceback is shown."""
    env = {**os.environ, "HEADWATER_ACCESS_KEY_FILE": str(folder / "access.key")}
    command = [sys.executable, "-c", WITHOUT, *args]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "pip install 'headwater[auth]'" in done.stderr
    assert "Traceback" not in done.stderr
