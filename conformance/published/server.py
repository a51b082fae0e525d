"""A Headwater with the faults that the suite asks for, in place of the reference server.

The suite asks by `POST /_test/inject-error` with a path and what happens to its next requests; DELETE forgets all.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from typing import Any, Final

import msgspec

from conformance.case import Case
from conformance.exchange import body_parts, read_head
from conformance.fault_server import FaultServer
from conformance.origin import Origin, headwater
from conformance.scenario import Expect, Fault, Scenario

_CONTROL: Final = "/_test/inject-error"
_NOTHING: Final = Scenario("published", "the suite's own", Expect())
_DONE: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Injected(msgspec.Struct, rename="camel"):
    """What the suite says."""

    path: str
    status: int | None = None
    count: int = 1
    retry_after: float | None = None
    delay_ms: float = 0
    drop_connection: bool = False
    truncate_body_bytes: int | None = None
    probability: float | None = None
    method: str | None = None
    corrupt_body: bool = False
    jitter_ms: float = 0
    inject_sse_event: dict[str, str] | None = None


class SuiteServer(FaultServer):
    """One of them.

    Args:
        origin: the Headwater behind it.
    """

    def __init__(self, origin: Origin) -> None:
        super().__init__()
        self._origin = origin
        self._injected: dict[str, Injected] = {}

    async def _respond(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await read_head(reader)
        body = b"".join([part async for part in body_parts(head, reader, is_response=False)])
        method, target, _ = head.line
        path = target.split("?")[0]
        if path == _CONTROL:
            self._control(method, body)
            writer.write(_DONE)
            return
        fault = self._fault(path, method)
        case = _Root(self._origin, "live-sse" if "live=sse" in target else "other", self.address)
        await self._give(case, head, body, fault, reader, writer)

    def _control(self, method: str, body: bytes) -> None:
        if method == "DELETE":
            self._injected.clear()
        else:
            found = msgspec.json.decode(body, type=Injected)
            self._injected[found.path] = found

    def _fault(self, path: str, method: str) -> Fault:
        found = self._injected.get(path)
        if found is None or (found.method or method).upper() != method:
            return Fault()
        if found.probability is not None and random.random() > found.probability:
            return Fault()
        found.count -= 1
        if found.count <= 0:
            del self._injected[path]
        return _as_fault(found)


def _as_fault(found: Injected) -> Fault:
    fields: dict[str, Any] = {
        "refuse": found.drop_connection,
        "delay": found.delay_ms + random.uniform(0, found.jitter_ms),
        "corrupt": found.corrupt_body,
    }
    if found.status is not None:
        fields |= {"status": found.status, "media_type": "text/plain", "body": "Injected error for testing"}
        if found.retry_after is not None:
            fields["headers"] = {"Retry-After": f"{found.retry_after:g}"}
    if found.truncate_body_bytes is not None:
        # The reference server tells the length of what is left.
        fields |= {"cut": found.truncate_body_bytes, "how": "clean"}
    if (event := found.inject_sse_event) is not None:
        fields["insert"] = {"live-sse": f"event: {event['eventType']}\ndata: {event['data']}\n\n"}
    return Fault(**fields)


class _Root(Case):
    """Every request: the suite's paths are below the root of its server."""

    def __init__(self, origin: Origin, transport: str, address: str) -> None:
        super().__init__("", _NOTHING, transport, origin, address)
        self.prefix = ""

    def inner(self, target: str) -> str:
        """See `Case.inner`."""
        return self.origin.prefix + target.removeprefix("/")


@contextlib.asynccontextmanager
async def suite_server() -> AsyncIterator[str]:
    """A running one; gives its URL."""
    # The suite waits a second for the end of a long-poll.
    async with headwater(long_poll=0.5) as origin:
        found = SuiteServer(origin)
        server = await asyncio.start_server(found.handle, "127.0.0.1", 0, limit=1 << 20)
        found.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield found.address
        finally:
            server.close()
            await found.end()
