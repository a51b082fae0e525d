"""A client in a process of its own, which is driven by JSON lines; see README.md."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import msgspec

#: Seconds for a result beyond the command's own limit.
PATIENCE: Final = 30.0
#: Bytes of a result at most.
_MAX_LINE: Final = 64 * 1024 * 1024


class AdapterError(Exception):
    """The adapter did not do what its protocol says."""


class Adapter:
    """One of them; made by `started`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.features: dict[str, Any] = {}
        self.name = ""

    async def send(self, command: Mapping[str, Any]) -> dict[str, Any]:
        """A command; gives its result.

        Raises:
            AdapterError: there is none, or it is an error of the adapter's.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        limit = command.get("timeoutMs", 0) / 1000 + PATIENCE
        try:
            async with asyncio.timeout(limit):
                self._process.stdin.write(msgspec.json.encode(command) + b"\n")
                await self._process.stdin.drain()
                line = await self._process.stdout.readline()
        except TimeoutError:
            raise AdapterError(f"no result within {limit:g} s") from None
        except (OSError, RuntimeError) as error:  # of uvloop
            raise AdapterError(f"the adapter takes no commands: {error}") from None
        if not line:
            raise AdapterError(f"the adapter ended with {await self._process.wait()}")
        try:
            result = msgspec.json.decode(line, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise AdapterError(f"the result is no JSON object ({error}): {line[:200]!r}") from None
        if not result.get("success"):
            raise AdapterError(f"{result.get('errorCode', 'error')}: {result.get('message', line[:500])}")
        return result

    async def init(self, server_url: str) -> None:
        """The first command."""
        result = await self.send({"type": "init", "serverUrl": server_url})
        self.name = f"{result.get('clientName', '?')} {result.get('clientVersion', '')}".strip()
        self.features = result.get("features", {})


@contextlib.asynccontextmanager
async def started(command: str) -> AsyncIterator[Adapter]:
    """An adapter, by its command line; ended behind."""
    process = await asyncio.create_subprocess_exec(
        *shlex.split(command), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=_MAX_LINE
    )
    adapter = Adapter(process)
    try:
        yield adapter
        with contextlib.suppress(AdapterError):
            await adapter.send({"type": "shutdown"})
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(5):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
