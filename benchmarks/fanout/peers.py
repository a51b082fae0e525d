"""What the peers need: npm and cargo packages, and a Python environment of their own, so that it cannot meet ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec

from benchmarks import tools

FOLDER = tools.HERE / ".venv-peers"
REQUIREMENTS = tools.HERE / "peers" / "requirements.txt"
#: The Rust server of Durable Streams, on crates.io.
RUST_SERVER = tools.Crate("durable-streams", "0.1.5", "durable-streams-server")
MERCURE = tools.GoProgram("mercure", "github.com/dunglas/mercure", "v0.18.0", "github.com/dunglas/mercure/cmd/mercure")
CENTRIFUGO = tools.GoProgram(
    "centrifugo", "github.com/centrifugal/centrifugo/v5", "v5.4.9", "github.com/centrifugal/centrifugo/v5"
)


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
        return f"it cannot be installed: {_last_line(error)}"
    done.write_text(REQUIREMENTS.read_text())
    return None


def install_node() -> str | None:
    """The same for the packages of package-lock.json."""
    try:
        tools.install_reference()
    except (OSError, subprocess.SubprocessError, SystemExit) as error:
        return f"it cannot be installed: {_last_line(error)}"
    return None


def install_rust() -> str | None:
    """The same for the Rust server, which is built from crates.io: minutes, the first time."""
    try:
        tools.install_crate(RUST_SERVER)
    except (OSError, subprocess.SubprocessError) as error:
        return f"it cannot be built: {_last_line(error)}"
    return None


def install_go(program: tools.GoProgram) -> str | None:
    """The same for a Go program, which is built too: minutes, the first time."""
    try:
        tools.install_go(program)
    except (OSError, subprocess.SubprocessError) as error:
        return f"it cannot be built: {_last_line(error)}"
    return None


def versions() -> str:
    """Of all peers that are packages."""
    packages = msgspec.json.decode((tools.HERE / "package.json").read_bytes())["dependencies"]
    names = [*REQUIREMENTS.read_text().split(), *(f"{name} {version}" for name, version in packages.items())]
    names.append(f"{RUST_SERVER.name} {RUST_SERVER.version} (crates.io)")
    return ", ".join([*names, *(f"{program.name} {program.version}" for program in (MERCURE, CENTRIFUGO))])


def _last_line(error: BaseException) -> str:
    return str(getattr(error, "stderr", None) or error).strip().splitlines()[-1]


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
