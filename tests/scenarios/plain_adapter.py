"""The adapter of the plain client: `python -m tests.scenarios.plain_adapter [WRONG]`."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import aiohttp
import msgspec
from tests.scenarios.plain_client import Asked, Reader
from tests.scenarios.plain_writer import Writer

FEATURES = {
    "transports": ["sse", "ndjson", "long-poll", "live-sse", "websocket"],
    "writes": ["http", "websocket"],
    "missing": True,
    "gone": True,
    "clock": True,
}


async def answer(command: dict[str, Any], wrong: str) -> dict[str, Any]:
    """The result of a command."""
    match command["type"]:
        case "init":
            return {"clientName": f"plain {wrong}", "clientVersion": "1", "features": FEATURES}
        case "follow" | "write" as kind:
            names = Asked.__dataclass_fields__
            asked = Asked(**{name: value for name, value in command.items() if name in names})
            timeout = aiohttp.ClientTimeout(total=None)
            async with aiohttp.ClientSession(timeout=timeout, auto_decompress=wrong != "no-inflate") as session:
                session._retry_connection = False  # it would send what was refused once more
                return await (Reader if kind == "follow" else Writer)(session, asked, wrong).run()
        case "shutdown":
            return {}
        case other:
            raise ValueError(f"no command {other}")


async def main(wrong: str) -> None:
    """Commands until there are no more."""
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.buffer.readline):
        command = msgspec.json.decode(line, type=dict[str, Any])
        try:
            result = {"type": command["type"], "success": True, **await answer(command, wrong)}
        except Exception as error:
            result = {"type": "error", "success": False, "commandType": command["type"], "message": repr(error)}
            if "-v" in sys.argv:
                raise
        sys.stdout.buffer.write(msgspec.json.encode(result) + b"\n")
        sys.stdout.buffer.flush()
        if command["type"] == "shutdown":
            return


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else ""))
