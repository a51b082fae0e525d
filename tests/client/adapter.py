"""The Python client as the runner of conformance/ drives it: commands and results as lines of JSON."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from collections.abc import Iterator
from typing import Any, Final

from headwater.client import Batch, Ending, Gap, HeadwaterError, Item, Retry, Stream
from headwater.client import clock as clocks
from headwater.client.clock import Pause
from headwater.client.connection.connection import Connection
from headwater.client.http import Http

NAME: Final = "headwater-python"
TRANSPORTS: Final = ["sse", "ndjson", "long-poll", "live-sse", "websocket"]


#: Connections by the streams that were made for commands.
OPEN: Final[dict[int, Connection]] = {}


async def done_with(stream: Stream[Any]) -> None:
    connection = OPEN.pop(id(stream), None)
    await (stream.aclose() if connection is None else connection.aclose())


class Clock(clocks.Clock):
    """Pauses of a client, noted, and passed over if they are to be."""

    def __init__(self, *, skip: bool) -> None:
        self.skip: Final = skip
        self.ahead = 0.0
        self.pauses: list[float] = []
        self.changed = asyncio.Event()

    def now(self) -> float:
        # What an attempt takes on a busy machine is no pause, and is not counted as one.
        return self.ahead if self.skip else asyncio.get_running_loop().time()

    async def reach(self, pauses: int | None) -> None:
        """Return when there were as many; None: never."""
        while pauses is None or len(self.pauses) < pauses:
            self.changed.clear()
            await self.changed.wait()

    def pause(self) -> Pause:
        return NotedPause(self)


class NotedPause(Pause):
    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    async def wait(self, seconds: float) -> None:
        self._clock.pauses.append(seconds * 1000)
        self._clock.changed.set()
        if not self._clock.skip:
            await super().wait(seconds)
        else:
            self._clock.ahead += seconds
            await asyncio.sleep(0)


def connection_of(command: dict[str, Any], clock: Clock, retry: Retry) -> Connection:
    tokens = iter(command.get("tokens") or [])
    last = (command.get("tokens") or [""])[-1]
    token = (lambda: next(tokens, last)) if last else None
    connection = Connection(command["root"], retry=retry, token=token)
    connection.clock = clock
    return connection


def stream_of(command: dict[str, Any], clock: Clock, **more: Any) -> Stream[Any]:
    wanted = command.get("retry") or {}
    given = {name: wanted[name] / 1000 for name in ("base", "cap", "connect", "silence") if name in wanted}
    retry = Retry(**given, attempts=wanted.get("attempts"))
    if command.get("transport") == "websocket":
        connection = connection_of(command, clock, retry)
        stream: Stream[Any] = connection.stream(command["path"], content_type=command.get("contentType"))
        OPEN[id(stream)] = connection
        return stream
    http = Http(headers_of(command.get("tokens")), connect=retry.connect)
    http.clock = clock
    return Stream(command["url"], content_type=command.get("contentType"), retry=retry, http=http, **more)


def headers_of(tokens: list[str] | None) -> Any:
    if not tokens:
        return None
    left: Iterator[str] = iter([*tokens])
    last = tokens[-1]
    return lambda: {"authorization": f"Bearer {next(left, last)}"}


def shown(item: Item[Any], *, has_offset: bool) -> dict[str, Any]:
    data = item.data
    if isinstance(data, bytes):
        data = {"base64": base64.b64encode(data).decode()}
    known = {} if item.at is None else {"at": item.at}
    return {"data": data, "offset": item.offset if has_offset else None, **known}


class Follow:
    """One command `follow`."""

    def __init__(self, command: dict[str, Any]) -> None:
        self._command = command
        self._clock = Clock(skip=command.get("clock") == "skip")
        self._until = command.get("until") or {}
        self._records: list[dict[str, Any]] = []
        self._gaps: list[dict[str, str]] = []
        self._error: Exception | None = None

    async def run(self) -> dict[str, Any]:
        command = self._command
        more = {} if command["transport"] == "websocket" else {"transport": command["transport"]}
        stream = stream_of(command, self._clock, **more)
        reader = stream.read(
            command.get("offset", "-1"),
            live=command.get("live", True),
            gone={"throw": "raise"}.get(command.get("gone", "throw"), command.get("gone", "throw")),
            envelope=command.get("envelope", False),
            missing="wait" if command.get("missing") == "wait" else "raise",
        )
        reading = asyncio.create_task(self._read(reader))
        watching = asyncio.create_task(self._clock.reach(self._until.get("pauses")))
        tasks = [reading, watching]
        await asyncio.wait(tasks, timeout=command.get("timeoutMs", 10_000) / 1000, return_when=asyncio.FIRST_COMPLETED)
        is_running = not reading.done() and not watching.done()
        if not reading.done():
            end = {"kind": "running" if is_running else "stopped"}
            await reader.close()
        else:
            end = self._end(reader)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await done_with(stream)
        return {
            "type": "follow",
            "success": True,
            "records": self._records,
            "gaps": self._gaps,
            "end": end,
            "pauses": self._clock.pauses,
            "offset": reader.offset,
        }

    async def _read(self, reader: Any) -> None:
        try:
            async for given in reader.batches():
                if isinstance(given, Gap):
                    self._gaps.append({"from": given.start, "to": given.end})
                else:
                    self._take(given, reader.transport)
                if self._is_enough(given):
                    await reader.close()
        except HeadwaterError as error:
            self._error = error

    def _take(self, batch: Batch[Any], transport: str) -> None:
        for number, item in enumerate(batch.items, 1):
            has_offset = transport in ("sse", "ndjson", "websocket") or number == len(batch.items)
            self._records.append(shown(item, has_offset=has_offset))
            if len(self._records) == self._until.get("records"):
                return

    def _is_enough(self, given: Batch[Any] | Gap) -> bool:
        until = self._until
        if "records" in until:
            return len(self._records) >= int(until["records"])
        if "gaps" in until:
            return len(self._gaps) >= int(until["gaps"])
        return bool(until.get("live")) and isinstance(given, Batch) and given.up_to_date

    def _end(self, reader: Any) -> dict[str, Any]:
        end = reader.end
        if end is None or end.kind is Ending.STOPPED or end.kind is Ending.REACHED:
            return {"kind": "stopped"}
        if end.kind is Ending.CLOSED:
            return {"kind": "closed"}
        error = end.error
        if end.kind is Ending.FAILED:
            return {
                "kind": "failed",
                "code": error.details["failure"],
                "message": error.details["failure_message"],
            }
        return {"kind": end.kind.value, **told(error)}


def told(error: Any) -> dict[str, Any]:
    return {"code": error.code, "status": error.status or None, "retryable": error.retryable}


async def write(command: dict[str, Any]) -> dict[str, Any]:
    clock = Clock(skip=command.get("clock") == "skip")
    stream = stream_of(command, clock)
    outcomes: list[dict[str, Any]] = []
    closed: list[dict[str, Any]] = []
    writing = asyncio.create_task(write_all(stream, command, outcomes, closed))
    watching = asyncio.create_task(clock.reach((command.get("until") or {}).get("pauses")))
    timeout = command.get("timeoutMs", 10_000) / 1000
    await asyncio.wait([writing, watching], timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    for task in (writing, watching):
        if not task.done():
            task.cancel()
    results = await asyncio.gather(writing, watching, return_exceptions=True)
    if isinstance(results[0], Exception):
        raise results[0]
    missing = len(command["records"]) - len(outcomes)
    outcomes += [{"error": {"code": "unknown-outcome", "retryable": False}}] * missing
    if stream._writer is not None:
        stream._writer.stop()
    await done_with(stream)
    told_closed = closed[0] if closed else None
    return {"type": "write", "success": True, "outcomes": outcomes, "closed": told_closed, "pauses": clock.pauses}


async def write_all(
    stream: Stream[Any], command: dict[str, Any], outcomes: list[dict[str, Any]], closed: list[dict[str, Any]]
) -> None:
    append, end = await writes_of(stream, command, command.get("producer"))
    if command.get("apart"):
        for record in command["records"]:
            outcomes += [await settled(append(record))]
    else:
        outcomes += await asyncio.gather(*[settled(append(record)) for record in command["records"]])
    if command.get("close") or command.get("fail"):
        closed.append(await settled(end()))


async def writes_of(stream: Stream[Any], command: dict[str, Any], producer: dict[str, Any] | None) -> tuple[Any, Any]:
    fail = command.get("fail")
    create = bool(command.get("create"))
    if producer is None:
        end = (lambda: stream.fail(fail["code"], fail.get("message", ""))) if fail else stream.close_stream
        return (lambda record: stream.append_once(record, create=create)), end
    writer = await stream.writer(
        producer["id"], epoch=producer.get("epoch", 0), claim=producer.get("claim", False), create=create
    )
    stream._writer = writer
    return writer.append, (lambda: writer.fail(fail["code"], fail.get("message", ""))) if fail else writer.close


async def settled(write: Any) -> dict[str, Any]:
    try:
        return {"offset": await write}
    except HeadwaterError as error:
        return {"error": told(error)}


async def answer(command: dict[str, Any]) -> dict[str, Any]:
    match command["type"]:
        case "init":
            features = {
                "transports": TRANSPORTS,
                "writes": ["http", "websocket"],
                "missing": True,
                "gone": True,
                "envelope": True,
                "clock": True,
            }
            return {
                "type": "init", "success": True, "clientName": NAME, "clientVersion": "0.1.0", "features": features,
            }  # fmt: skip
        case "follow":
            return await Follow(command).run()
        case "write":
            return await write(command)
        case kind:
            return {"type": kind, "success": True}


async def main() -> None:
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        command = json.loads(line)
        try:
            result = await answer(command)
        except Exception as error:
            import traceback

            traceback.print_exc()
            kind = command.get("type")
            result = {"type": "error", "success": False, "commandType": kind, "errorCode": "INTERNAL_ERROR"}
            result["message"] = repr(error)
        sys.stdout.write(json.dumps(result) + "\n")
        sys.stdout.flush()
        if command["type"] == "shutdown":
            return


if __name__ == "__main__":
    asyncio.run(main())
