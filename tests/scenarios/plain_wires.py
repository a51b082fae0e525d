"""One attempt of the plain client to read, by transport."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import msgspec
from tests.scenarios.plain_client import Ended, Loss, Reader, decoded, hint_of, parts

from headwater.protocol.sse import Parser

_SSE = "text/event-stream"
_NDJSON = "application/x-ndjson"


async def attempt(reader: Reader) -> None:
    """Read until the response ends."""
    if not reader.asked.live:
        await _pages(reader)
    elif reader.asked.transport == "websocket":
        await _websocket(reader)
    elif reader.asked.transport == "long-poll":
        await _pages(reader)
    else:
        await _streamed(reader)


async def _streamed(reader: Reader) -> None:
    way = reader.asked.transport
    query = {"offset": reader.offset}
    headers = {"Accept": _NDJSON if way == "ndjson" else _SSE}
    if way == "live-sse":
        query["live"] = "sse"
    if reader.asked.missing == "wait" and way != "live-sse" and reader.wrong != "stops-waiting":
        query["missing"] = "wait"
    response = await _get(reader, query, headers)
    if response is None:
        return
    async with response:
        await _check(reader, response, headers["Accept"])
        kinds: dict[str, type[_Sse | _Lines]] = {"sse": _Sse, "ndjson": _Lines, "live-sse": _Control}
        lines = kinds[way](reader)
        async for part in parts(reader, response):
            lines.feed(part)
        lines.end()


async def _get(reader: Reader, query: dict[str, str], headers: dict[str, str]) -> aiohttp.ClientResponse | None:
    connect = reader.asked.retry.get("connect")
    limit = None if connect is None or reader.wrong == "waits-for-ever-for-head" else connect / 1000
    try:
        async with asyncio.timeout(limit):
            return await reader.session.get(
                reader.asked.url,
                params=query,
                headers={**headers, **reader.headers()},
                allow_redirects=reader.wrong != "no-redirect",
            )
    except TimeoutError:
        raise Loss("connect-timeout") from None


async def _check(reader: Reader, response: aiohttp.ClientResponse, media_type: str | None) -> None:
    if response.status == 204:
        if media_type is not None:
            if "Stream-Failure" in response.headers:
                reader.end("failed", code=response.headers["Stream-Failure"])
            reader.end("closed")
        return
    if response.status == 200:
        if media_type is not None and response.content_type != media_type and reader.wrong != "html-is-data":
            reader.bad_answer(f"it is {response.content_type}")
        return
    body = await response.read()
    waits = reader.asked.missing == "wait" and reader.wrong != "stops-waiting"
    if response.status == 404 and (waits or reader.wrong == "absent-is-loss"):
        raise Loss("stream-not-found", 0 if response.headers.get("Retry-After") == "0" else None)
    if response.status == 410 and reader.asked.gone != "throw":
        fact = msgspec.json.decode(body).get("earliest")
        end = fact if reader.asked.gone == "earliest" else response.headers.get("Stream-Next-Offset", fact)
        reader.gap(reader.offset, end)
        raise Loss("offset-gone", planned=True)
    if response.status == 410 and reader.wrong == "gone-is-loss":
        raise Loss("offset-gone")
    if response.status == 410 and reader.wrong == "gone-is-nothing":
        reader.offset = "-1"
        raise Loss("offset-gone")
    if response.status < 400:
        reader.bad_answer(f"it is {response.status}")
    await reader.refuse(response, body)
    raise Loss("not-authorized", planned=True)


class _Lines:
    """NDJSON."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._rest = b""

    def feed(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._line(line)

    def end(self) -> None:
        if self._rest and self._reader.wrong == "takes-unfinished":
            self._line(self._rest)

    def _line(self, line: bytes) -> None:
        reader = self._reader
        try:
            told = msgspec.json.decode(line, type=dict[str, Any])
        except msgspec.DecodeError:
            if reader.wrong == "takes-unfinished":
                reader.take(line.decode(errors="replace"), None)
                return
            reader.bad_answer("a line is no JSON")
            return
        match told:
            case {"control": "up-to-date", "offset": offset}:
                reader.at(offset, live=True)
            case {"control": "closed"}:
                reader.end("closed")
            case {"control": "failed", "code": code, "message": message}:
                reader.end("failed", code=code, message=message)
            case {"control": "failed", "code": code}:
                reader.end("failed", code=code, message="")
            case {"control": "gap", "from": start, "to": end}:
                reader.gap(start, end)
            case {"control": "detached", "retry_after": seconds}:
                reader.detached(seconds)
            case {"control": "error"}:
                reader.told_error(told)
            case {"control": "keepalive" | "waiting" | "created"}:
                pass
            case {"control": other}:
                reader.unknown(other)
            case {"offset": offset, "base64": text}:
                reader.take({"base64": text}, offset)
            case {"offset": offset, "data": data}:
                reader.take(data, offset)
            case _:
                reader.bad_answer("a line is none of NDJSON's")


class _Sse:
    """Plain SSE."""

    known = ("stream-waiting", "stream-created", "stream-replaced")

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._parser = Parser()
        self._bytes = b""

    def feed(self, data: bytes) -> None:
        self._bytes = (self._bytes + data)[-300:]
        for event in self._parser.feed(data):
            self._event(event.event.decode(), event.data, event.id.decode())
        if self._parser.last_event_id and self._reader.offset in ("-1", "now"):
            self._reader.at(self._parser.last_event_id.decode())

    def end(self) -> None:
        if self._reader.wrong == "takes-unfinished" and not self._bytes.endswith(b"\n\n"):
            self.feed(b"\n\n")

    def _event(self, name: str, data: bytes, id_: str) -> None:
        reader = self._reader
        if name in ("", "message"):
            try:
                record = decoded(data, reader.asked.contentType)
            except msgspec.DecodeError:
                reader.take(data.decode(), id_ or None) if reader.wrong == "takes-unfinished" else reader.bad_answer("")
                return
            reader.take(record, id_)
            return
        if not name.startswith("stream-"):
            reader.unknown(name)
            return
        told = msgspec.json.decode(data)
        match name:
            case "stream-closed":
                reader.end("closed")
            case "stream-failed":
                reader.end("failed", code=told["code"], message=told.get("message", ""))
            case "stream-gap":
                reader.gap(told["from"], told["to"])
            case "stream-detached":
                reader.detached(told["retry_after"])
            case "stream-error":
                reader.told_error(told)
            case _ if name not in self.known:
                reader.unknown(name)


class _Control(_Sse):
    """`live=sse`."""

    def __init__(self, reader: Reader) -> None:
        super().__init__(reader)
        self._held: list[Any] = []

    def _event(self, name: str, data: bytes, id_: str) -> None:
        reader = self._reader
        if name == "data":
            try:
                self._held = _split(data, reader.asked.contentType)
            except msgspec.DecodeError:
                self._held = [data.decode()]
            return
        if name != "control":
            reader.unknown(name)
            return
        try:
            told = msgspec.json.decode(data, type=dict[str, Any])
        except msgspec.DecodeError:
            told = {"streamNextOffset": reader.offset}
        _batch(reader, self._held, told["streamNextOffset"])
        self._held = []
        match told:
            case {"streamFailure": failure}:
                reader.end("failed", code=failure["code"], message=failure.get("message", ""))
            case {"streamClosed": True}:
                reader.end("closed")
            case {"streamGap": gap}:
                reader.gap(gap["from"], gap["to"])
            case {"streamDetached": detached}:
                reader.detached(detached["retry_after"])
            case {"streamError": problem}:
                reader.told_error(problem)
        reader.at(told["streamNextOffset"], live=told.get("upToDate", False))


def _split(data: bytes, content_type: str) -> list[Any]:
    if "json" in content_type:
        return list(msgspec.json.decode(data))
    return [decoded(data, content_type)]


def _batch(reader: Reader, records: list[Any], offset: str) -> None:
    if records and reader.offset not in ("-1", "now") and offset <= reader.offset and reader.wrong != "takes-twice":
        return
    for number, record in enumerate(records, 1):
        if number < len(records):
            reader.take(record, None)
        else:
            reader.take(record, offset)


async def _pages(reader: Reader) -> None:
    query = {"offset": reader.offset}
    if reader.asked.live:
        query["live"] = "long-poll"
    if reader.asked.missing == "wait" and reader.wrong != "stops-waiting":
        query["missing"] = "wait"
    response = await _get(reader, query, {})
    if response is None:
        return
    async with response:
        await _check(reader, response, None)
        body = b"".join([part async for part in parts(reader, response)])
        headers = response.headers
        if reader.wrong == "html-is-data" and "Stream-Next-Offset" not in headers:
            _batch(reader, [body.decode()], reader.offset)
            return
        if "Stream-Next-Offset" not in headers:
            reader.bad_answer("no Stream-Next-Offset")
        offset = headers["Stream-Next-Offset"]
        if not body and response.status == 200 and "json" in reader.asked.contentType:
            raise Loss("truncated")
        try:
            records = _page(body, reader.asked.contentType)
        except msgspec.DecodeError:
            if reader.wrong != "takes-unfinished":
                raise Loss("truncated") from None
            records = [body.decode()]
        _batch(reader, records, offset)
        if "Stream-Failure" in headers:
            reader.end("failed", code=headers["Stream-Failure"], message=headers.get("Stream-Failure-Message", ""))
        if headers.get("Stream-Closed") == "true":
            reader.end("closed")
        reader.at(offset, live=headers.get("Stream-Up-To-Date") == "true" or response.status == 204)
    raise Loss("page", planned=True)


def _page(body: bytes, content_type: str) -> list[Any]:
    import base64

    if not body:
        return []
    if "json" in content_type or content_type.startswith("text/"):
        return _split(body, content_type)
    return [{"base64": base64.b64encode(body).decode()}]


async def _websocket(reader: Reader) -> None:
    connect = reader.asked.retry.get("connect")
    limit = None if connect is None or reader.wrong == "waits-for-ever-for-head" else connect / 1000
    try:
        async with asyncio.timeout(limit):
            socket = await reader.session.ws_connect(
                reader.asked.root + "-/connect", protocols=["headwater.v1+json"], autoping=True, max_msg_size=0
            )
    except aiohttp.WSServerHandshakeError as error:
        _handshake_refused(reader, error)
        return
    except TimeoutError:
        raise Loss("connect-timeout") from None
    async with socket:
        hello: dict[str, Any] = {"t": "hello"}
        if reader.asked.tokens:
            hello["token"] = reader.headers()["Authorization"].removeprefix("Bearer ")
        await socket.send_json(hello)
        sub = {"t": "sub", "id": 1, "path": reader.asked.path, "from": reader.offset, "window": 0}
        await socket.send_json(
            {**sub, "missing": "wait"} if reader.asked.missing == "wait" and reader.wrong != "stops-waiting" else sub
        )
        await _messages(reader, socket)


def _handshake_refused(reader: Reader, error: aiohttp.WSServerHandshakeError) -> None:
    status = error.status
    if status in (408, 425, 429) or status >= 500:
        if reader.wrong == "stops-at-500":
            raise Ended("error", code="internal", status=status)
        hint = None if error.headers is None else error.headers.get("Retry-After")
        raise Loss("unavailable", hint_of(hint, reader.wrong))
    if 200 <= status < 400:
        reader.bad_answer(f"the handshake is answered {status}")
    if reader.wrong == "refused-is-passing":
        raise Loss("refused")
    code = {403: "refused", 401: "not-authorized", 404: "route-not-found"}.get(status, "bad-answer")
    raise Ended("error", code=code, status=status, retryable=False)


async def _messages(reader: Reader, socket: aiohttp.ClientWebSocketResponse) -> None:
    silence = reader.asked.retry.get("silence")
    limit = None if silence is None or reader.wrong == "no-silence" else silence / 1000
    while True:
        try:
            async with asyncio.timeout(limit):
                message = await socket.receive()
        except TimeoutError:
            raise Loss("silent") from None
        if message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING):
            return
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise Loss("truncated")
        try:
            told = msgspec.json.decode(message.data, type=dict[str, Any])
        except msgspec.DecodeError:
            reader.bad_answer("a message is no JSON")
            return
        await _message(reader, socket, told)


async def _message(reader: Reader, socket: aiohttp.ClientWebSocketResponse, told: dict[str, Any]) -> None:
    match told:
        case {"t": "data", "o": last}:
            ends = [last[: len(last) - len(end)] + end for end in told.get("e", [])]
            records = told.get("r") or [{"base64": each} for each in told.get("b", [])]
            for record, offset in zip(records, [*ends, last], strict=True):
                reader.take(record, offset)
        case {"t": "live", "o": offset}:
            reader.at(offset, live=True)
        case {"t": "gap", "from": start, "to": end}:
            reader.gap(start, end)
        case {"t": "end", "why": "closed"}:
            reader.end("closed")
        case {"t": "end", "why": "failed"}:
            reader.end("failed", code=told.get("code", ""), message=told.get("message", ""))
        case {"t": "end", "why": "deleted"}:
            reader.end("deleted")
        case {"t": "end", "why": "detached"}:
            reader.detached(told.get("after", 0.0))
        case {"t": "end"} | {"t": "err"}:
            if told.get("code") == "stream-not-found" and told["t"] == "err":
                if reader.wrong == "absent-is-loss":
                    raise Loss("stream-not-found")
                raise Ended("error", code="stream-not-found", status=404, retryable=False)
            if told.get("code") == "offset-gone" and reader.wrong == "gone-is-loss":
                raise Loss("offset-gone")
            if told.get("code") == "offset-gone" and reader.asked.gone != "throw":
                reader.gap(reader.offset, told["facts"]["earliest"])
                raise Loss("offset-gone", planned=True)
            passing = told.get("code") in ("store-unavailable", "unavailable", "internal")
            status = told.get("status", 503 if passing else 400)
            reader.told_error({"code": told.get("code"), "status": status})
        case {"t": "drain", "after": seconds}:
            reader.detached(seconds)
        case {"t": "ping"}:
            await socket.send_json({"t": "pong"})
        case {"t": "welcome" | "sub" | "pong" | "waiting" | "expiring"}:
            pass
        case {"t": other}:
            reader.unknown(other)
