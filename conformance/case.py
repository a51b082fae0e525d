"""One run of a scenario: its stream, which faults are next, and what was asked."""

from __future__ import annotations

import asyncio
import re
import time
from email.utils import formatdate
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import msgspec

from conformance.exchange import Head
from conformance.forged import Stream
from conformance.origin import Origin, OriginStream
from conformance.scenario import Fault, Operation, Scenario

_DATE: Final = re.compile(r"\{date\+(\d+)\}")


class Asked(msgspec.Struct, frozen=True):
    """A request that came."""

    method: str
    query: dict[str, str]
    headers: dict[str, str]
    is_reading: bool


class Case:
    """One of them.

    Args:
        name: of its streams and URLs.
        scenario: what is tested.
        transport: how.
        origin: the real server.
        address: of the fault server, such as `http://127.0.0.1:40123`.

    Attributes:
        asked: all requests, in order.
        cuts_reached: responses of which the cut lay in the body.
    """

    def __init__(self, name: str, scenario: Scenario, transport: str, origin: Origin, address: str) -> None:
        self.scenario = scenario
        self.transport = transport
        self.origin = origin
        self.path = name
        self.prefix = f"/{name}"
        self.root = f"{address}{self.prefix}{origin.prefix}"
        self.url = self.root + self.path
        self.asked: list[Asked] = []
        self.cuts_reached = 0
        self.kept = OriginStream(origin, self.path)
        self._reads = 0
        self._writes = 0
        self._lock = asyncio.Lock()

    async def begin(self) -> None:
        """Make what the scenario has."""
        if self.scenario.stream is not None:
            await self.kept.create(self.scenario.stream)
        await self.do(self.scenario.setup)

    async def do(self, operations: list[Operation]) -> None:
        """Operations, one after the other."""
        for operation in operations:
            await self.kept.do(operation)

    @property
    def busy(self) -> asyncio.Lock:
        """Held by a response behind which something is done; the next one waits for it."""
        return self._lock

    def next(self, head: Head) -> Fault:
        """The fault of a request; counts it."""
        method, target, _ = head.line
        is_reading = method == "GET"
        headers = {name.lower(): value for name, value in head.headers}
        self.asked.append(Asked(method, dict(parse_qsl(urlsplit(target).query)), headers, is_reading))
        scenario = self.scenario
        is_socket_write = is_reading and scenario.kind == "write"
        if is_reading and not is_socket_write:
            self._reads += 1
            return _nth(scenario.faults, self._reads, scenario.rest)
        if method == "POST" or is_socket_write:
            self._writes += 1
            return _nth(scenario.writes, self._writes, scenario.rest)
        return Fault()

    def inner(self, target: str) -> str:
        """A request's target as the real server has it."""
        return target.removeprefix(self.prefix)

    def fill(self, text: str, target: str) -> str:
        """A header's value, with what is this run's own; `target` is that of the request."""
        for mark, offset in enumerate(self.kept.marks, 1):
            text = text.replace(f"{{@{mark}}}", offset)
        if found := _DATE.fullmatch(text):
            return formatdate(time.time() + int(found[1]), usegmt=True)
        query = urlsplit(target).query
        return text.replace("{url}", self.url).replace("{root}", self.root).replace("{query}", query)

    async def stream(self) -> Stream:
        """What a forged response tells of."""
        setup = self.scenario.stream
        assert setup is not None
        truth, _ = await self.kept.truth()
        return Stream(truth or [], setup.type, self.kept.beginning)

    def command(self, fields: dict[str, Any]) -> dict[str, Any]:
        """The command for the client."""
        own = dict(fields)
        if isinstance(mark := own.get("offset"), str) and mark.startswith("@"):
            own["offset"] = self.kept.marks[int(mark[1:]) - 1]
        setup = self.scenario.stream
        kind = "application/json" if setup is None else setup.type
        where = {"url": self.url, "root": self.root, "path": self.path, "transport": self.transport}
        return {"type": "follow", **where, "contentType": kind, **own}


def _nth(faults: list[Fault], count: int, rest: Fault | None) -> Fault:
    if count <= len(faults):
        return faults[count - 1]
    return rest or Fault()
