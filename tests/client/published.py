"""The Python client as Durable Streams' suite for clients drives it (`packages/client-conformance-tests`).

`python -m conformance.published.suite --copy DIR --client "python -m tests.client.published"`
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import httpx2

from headwater.client import Batch, Ending, HeadwaterError, Stream, StreamWriter

Command = dict[str, Any]
Result = dict[str, Any]

BYTES: Final = "application/octet-stream"
FEATURES: Final = {
    "batching": True,
    "sse": True,
    "longPoll": True,
    "auto": True,
    "streaming": True,
    "dynamicHeaders": True,
    "strictZeroValidation": True,
}
#: The suite's names for our codes.
CODES: Final = {
    "stream-not-found": "NOT_FOUND",
    "stream-closed": "STREAM_CLOSED",
    "invalid-offset": "INVALID_OFFSET",
    "bad-request": "INVALID_OFFSET",
    "sequence-regression": "SEQUENCE_CONFLICT",
    "bad-record": "PARSE_ERROR",
    "truncated": "PARSE_ERROR",
    "bad-answer": "PARSE_ERROR",
    "network": "NETWORK_ERROR",
    "connect-timeout": "TIMEOUT",
}


class Dynamic:
    """A value that is another one in each request."""

    def __init__(self, kind: str, initial: str) -> None:
        self._kind = kind
        self._count = 0
        self._initial = initial

    def next(self) -> str:
        if self._kind == "counter":
            self._count += 1
            return str(self._count)
        return str(int(time.time() * 1000)) if self._kind == "timestamp" else self._initial


class Suite:
    """What the commands share."""

    def __init__(self) -> None:
        self.server = ""
        self.types: dict[str, str] = {}
        self.writers: dict[tuple[str, str, int], StreamWriter[Any]] = {}
        self.closed: dict[tuple[str, str, int], str] = {}
        self.headers: dict[str, Dynamic] = {}
        self.params: dict[str, Dynamic] = {}

    def open(self, command: Command, sent: Result | None = None, **more: Any) -> Stream[Any]:
        """The stream of a command; what its requests carry is written into `sent`."""
        told = {} if sent is None else sent
        own = command.get("headers") or {}

        def headers() -> dict[str, str]:
            if self.headers:
                told["headersSent"] = {name: value.next() for name, value in self.headers.items()}
            return {**told.get("headersSent", {}), **own}

        async def with_params(request: httpx2.Request) -> None:
            if self.params:
                told["paramsSent"] = {name: value.next() for name, value in self.params.items()}
                request.url = request.url.copy_merge_params(told["paramsSent"])

        client = httpx2.AsyncClient(event_hooks={"request": [with_params]}, timeout=30)
        url, kind = self.server + command["path"], self.types.get(command["path"])
        return Stream(url, content_type=kind, headers=headers, http=client, **more)

    def is_json(self, path: str) -> bool:
        return "json" in self.types.get(path, BYTES)

    def values(self, path: str, data: str) -> list[Any]:
        """A body of JSON that is an array is as many records."""
        if not self.is_json(path):
            return [data if self.types.get(path, "").startswith("text/") else data.encode()]
        value = json.loads(data)
        return value if isinstance(value, list) else [value]

    def value(self, path: str, data: str) -> Any:
        return json.loads(data) if self.is_json(path) else self.values(path, data)[0]

    # The commands.

    async def init(self, command: Command) -> Result:
        self.__init__()  # type: ignore[misc]
        self.server = command["serverUrl"]
        return {"clientName": "headwater-python", "clientVersion": "0.1.0", "features": FEATURES}

    async def create(self, command: Command) -> Result:
        path, kind = command["path"], command.get("contentType") or BYTES
        there = await self.open(command).head()
        self.types[path] = kind
        given = {"ttl": command.get("ttlSeconds"), "expires_at": command.get("expiresAt")}
        config = {name: value for name, value in given.items() if value is not None}
        first = self.values(path, command["data"]) if command.get("data") else ()
        closed = bool(command.get("closed"))
        info = await self.open(command).create(content_type=kind, first=first, closed=closed, **config)
        return {"status": 200 if there else 201, "offset": info.tail}

    async def head(self, command: Command) -> Result:
        info = await self.open(command).head()
        if info is None:
            return {
                "success": False,
                "type": "error",
                "status": 404,
                "errorCode": "NOT_FOUND",
                "message": f"not found: {command['path']}",
            }
        self.types[command["path"]] = info.content_type
        return {"offset": info.tail, "contentType": info.content_type, "streamClosed": info.closed}

    connect = head

    async def append(self, command: Command) -> Result:
        sent: Result = {}
        headers = command.get("headers") or {}
        if command.get("seq") is not None:
            headers = {**headers, "stream-seq": str(command["seq"])}
        stream = self.open({**command, "headers": headers}, sent)
        data, path = command["data"], command["path"]
        records = [base64.b64decode(data)] if command.get("binary") else self.values(path, data)
        offset = ""
        for record in records:
            offset = await retried(lambda record=record: stream.append_once(record))  # type: ignore[misc]
        return {"offset": offset, **sent}

    async def delete(self, command: Command) -> Result:
        await self.open(command).delete()
        self.types.pop(command["path"], None)
        return {}

    async def close(self, command: Command) -> Result:
        if command.get("contentType"):
            self.types[command["path"]] = command["contentType"]
        stream = self.open(command)
        last = [self.value(command["path"], command["data"])] if command.get("data") else []
        return {"finalOffset": await stream.close_stream(*last)}

    async def read(self, command: Command) -> Result:
        sent: Result = {}
        live = command.get("live") or False
        way = {"sse": "live-sse", "long-poll": "long-poll"}.get(str(live), "auto")
        stream = self.open(command, sent, transport=way)
        offset = command.get("offset") or "-1"
        reader = stream.read("start" if offset == "-1" else offset, live=live is not False)
        chunks: list[Result] = []
        up_to_date = False
        try:
            async with asyncio.timeout(command.get("timeoutMs", 5000) / 1000):
                async for batch in reader.batches():
                    if not isinstance(batch, Batch):
                        continue
                    offset, up_to_date = batch.offset, batch.up_to_date
                    if batch.items:
                        chunks.append({"data": self.shown(command["path"], batch), "offset": offset})
                    if command.get("waitForUpToDate") and up_to_date:
                        break
                    if len(chunks) >= command.get("maxChunks", 100):
                        break
        except TimeoutError:
            up_to_date = True
        end = reader.end
        closed = end is not None and end.kind in (Ending.CLOSED, Ending.FAILED)
        await reader.close()
        await stream.aclose()
        status = 204 if live == "long-poll" and not chunks else 200
        told = {"chunks": chunks, "offset": offset, "upToDate": up_to_date or closed, "streamClosed": closed}
        return {"status": status, **told, **sent}

    def shown(self, path: str, batch: Batch[Any]) -> str:
        data = [item.data for item in batch.items]
        if self.is_json(path):
            return json.dumps(data, separators=(",", ":"), ensure_ascii=False)
        return "".join(one.decode(errors="replace") if isinstance(one, bytes) else str(one) for one in data)

    # Idempotent producers.

    async def writer(self, command: Command, **more: Any) -> StreamWriter[Any]:
        key = (command["path"], command["producerId"], command["epoch"])
        there = self.writers.get(key)
        if there is None or there.is_over:
            claim = bool(command.get("autoClaim"))
            stream = self.open(command)
            there = await stream.writer(command["producerId"], epoch=command["epoch"], claim=claim, **more)
            self.writers[key] = there
        return there

    async def idempotent_append(self, command: Command) -> Result:
        writer = await self.writer(command, linger=0, in_flight=1)
        return {"offset": await writer.append(self.value(command["path"], command["data"]))}

    async def idempotent_append_batch(self, command: Command) -> Result:
        flight = command.get("maxInFlight") or 1
        stream, claim = self.open(command), bool(command.get("autoClaim"))
        apart: dict[str, Any] = {"linger": 0, "batch_bytes": 1} if flight > 1 else {}
        writer = await stream.writer(
            command["producerId"], epoch=command["epoch"], claim=claim, in_flight=flight, **apart
        )
        records = [self.value(command["path"], item) for item in command["items"]]
        await asyncio.gather(*[writer.append(record) for record in records])
        await writer.aclose()
        return {}

    async def idempotent_close(self, command: Command) -> Result:
        key = (command["path"], command["producerId"], command["epoch"])
        if key not in self.closed:  # a writer closes once
            writer = await self.writer(command, linger=0, in_flight=1)
            last = [self.value(command["path"], command["data"])] if command.get("data") else []
            self.closed[key] = await writer.close(*last)
        return {"finalOffset": self.closed[key]}

    async def idempotent_detach(self, command: Command) -> Result:
        await (await self.writer(command)).aclose()
        self.writers.pop((command["path"], command["producerId"], command["epoch"]), None)
        return {}

    # What is another one in each request, and what is refused before there is one.

    async def set_dynamic_header(self, command: Command) -> Result:
        self.headers[command["name"]] = Dynamic(command["valueType"], command.get("initialValue") or "")
        return {}

    async def set_dynamic_param(self, command: Command) -> Result:
        self.params[command["name"]] = Dynamic(command["valueType"], command.get("initialValue") or "")
        return {}

    async def clear_dynamic(self, command: Command) -> Result:
        self.headers.clear()
        self.params.clear()
        return {}

    async def validate(self, command: Command) -> Result:
        target = command["target"]
        if target["target"] != "idempotent-producer":
            return {}
        given = {"epoch": target.get("epoch"), "batch_bytes": target.get("maxBatchBytes")}
        options: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        try:
            stream: Stream[Any] = Stream(self.server or "http://127.0.0.1", content_type=BYTES)
            await stream.writer(target.get("producerId"), **options)
        except (ValueError, HeadwaterError) as error:
            return {"success": False, "type": "error", "errorCode": "INVALID_ARGUMENT", "message": str(error)}
        return {}

    async def shutdown(self, command: Command) -> Result:
        return {}


async def retried(append: Callable[[], Awaitable[str]]) -> str:
    """The suite's appends have no producer, and want to be sent again when the server says that it failed."""
    for _ in range(3):
        try:
            return await append()
        except HeadwaterError as error:
            if not error.retryable or not error.status:
                raise
            await asyncio.sleep(min(error.retry_after or 0.1, 1.0))
    return await append()


def refused(command: Command, error: Exception) -> Result:
    """An error as the suite wants it."""
    told: Result = {"type": "error", "success": False, "commandType": command["type"], "message": str(error)}
    if not isinstance(error, HeadwaterError):
        return {**told, "errorCode": "INTERNAL_ERROR"}
    status = error.status or None
    code = CODES.get(error.code, "INTERNAL_ERROR" if status is None else "UNEXPECTED_STATUS")
    if status == 404:
        told["message"] = f"{error} ({command['path']})"
    if status == 409 and code not in ("STREAM_CLOSED", "SEQUENCE_CONFLICT"):
        code = "SEQUENCE_CONFLICT" if "sequence" in str(error).lower() else "CONFLICT"
    return {**told, "errorCode": code, "status": status}


async def main() -> None:
    """Commands until there are no more."""
    suite, loop = Suite(), asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        command = json.loads(line)
        kind = command["type"]
        try:
            found = await getattr(suite, kind.replace("-", "_"))(command)
            result = {"type": kind, "success": True, "status": 200, **found}
            if not result["success"]:
                result["commandType"] = kind
        except Exception as error:
            result = refused(command, error)
        sys.stdout.write(json.dumps(result) + "\n")
        sys.stdout.flush()
        if kind == "shutdown":
            return


if __name__ == "__main__":
    asyncio.run(main())
