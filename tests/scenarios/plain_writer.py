"""The plain client's writer: one request at a time, in order."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import msgspec
from tests.scenarios.plain_client import Asked, Client, Ended, Loss, encoded


class Writer(Client):
    """A writer: `run` gives the result of `write`."""

    def __init__(self, session: aiohttp.ClientSession, asked: Asked, wrong: str) -> None:
        super().__init__(session, asked, wrong)
        self.sequence = 0
        self.epoch = (asked.producer or {}).get("epoch", 0)
        self.lost = False
        self.socket: aiohttp.ClientWebSocketResponse | None = None

    async def run(self) -> dict[str, Any]:
        """Write all."""
        outcomes: list[dict[str, Any]] = []
        closed = None
        try:
            async with asyncio.timeout(self.asked.timeoutMs / 1000):
                records = self.asked.records[:-1] if self.wrong == "loses-last" else self.asked.records
                for record in records:
                    outcome = await self._write(record)
                    outcomes.append(outcome)
                if (self.asked.close or self.asked.fail) and self.wrong != "closes-not":
                    closed = await self._write(None)
        except TimeoutError:
            pass
        if self.socket is not None:
            await self.socket.close()
        return {"outcomes": outcomes, "closed": closed, "pauses": self.pauses}

    async def _write(self, record: Any) -> dict[str, Any]:
        last = record is None
        self.lost = False
        while True:
            try:
                offset = await (self._socket(record, last=last) if self._by_socket else self._post(record, last=last))
            except Ended as end:
                return {"offset": None} if self.wrong == "swallows-refusals" else {"error": end.told}
            except (Loss, aiohttp.ClientError, OSError) as found:
                loss = found if isinstance(found, Loss) else Loss("network")
                self.lost = self.lost or not isinstance(found, Loss)
                if self.asked.producer is None and not isinstance(found, Loss) and self.wrong != "repeats-plain":
                    return {"error": {"code": "unknown-outcome", "retryable": False}}
                if self.wrong == "raises-at-loss":
                    return {"error": {"code": loss.code}}
                if self.wrong == "new-sequence":
                    self.sequence += 1
                try:
                    await self.pause(loss, progress=False)
                except Ended as end:
                    return {"error": end.told}
                continue
            self.sequence += 1
            self.failures = 0
            return {"offset": offset}

    @property
    def _by_socket(self) -> bool:
        return self.asked.transport == "websocket"

    # By requests.

    async def _post(self, record: Any, *, last: bool) -> str | None:
        asked = self.asked
        headers = {"Content-Type": asked.contentType, **self.headers()}
        if asked.producer is not None:
            headers |= {
                "Producer-Id": asked.producer["id"],
                "Producer-Epoch": str(self.epoch),
                "Producer-Seq": str(self.sequence),
            }
        if asked.create:
            headers["Stream-Create"] = "true"
        if last:
            headers["Stream-Closed"] = "true"
            if asked.fail:
                headers["Stream-Failure"] = asked.fail["code"]
        body = b"" if last else encoded(record, asked.contentType)
        if isinstance(record, list) and self.wrong != "flattens":
            body = b"[" + body + b"]"
        async with self.session.post(
            asked.url, data=body, headers=headers, allow_redirects=self.wrong != "no-redirect"
        ) as response:
            text = await response.read()
            if response.status in (200, 201, 204) and "Stream-Next-Offset" in response.headers:
                return response.headers["Stream-Next-Offset"]
            if response.status < 400:
                self.bad_answer(f"it is {response.status}")
            facts = _facts(text, response.headers)
            self._refused(facts)
            await self.refuse(response, text)
            raise Loss("not-authorized", planned=True)

    def _refused(self, facts: dict[str, Any]) -> None:
        code = facts.get("code")
        if code == "producer-fenced":
            self._fenced(facts)
        if code == "producer-gap" and self.wrong != "gap-is-fatal":
            expected = int(facts.get("expected", 0))
            if expected > self.sequence or (expected == self.sequence):
                raise Loss("producer-gap")
            if self.wrong == "drops-forgotten":
                raise Ended("error", code="accepted")
            if self.lost:
                raise Ended("error", code="unknown-outcome", retryable=False)
            # The server forgot: what was never sent goes out under a new epoch.
            self.epoch += 1
            self.sequence = 0
            raise Loss("producer-gap")

    def _fenced(self, facts: dict[str, Any]) -> None:
        claim = (self.asked.producer or {}).get("claim", False) or self.wrong == "claims-always"
        if claim:
            self.epoch = int(facts.get("epoch", self.epoch)) + 1
            self.sequence = 0
            raise Loss("producer-fenced", planned=True)
        if self.wrong == "fenced-goes-on":
            raise Loss("producer-fenced")

    # By a connection.

    async def _connected(self) -> aiohttp.ClientWebSocketResponse:
        if self.socket is None or self.socket.closed:
            try:
                self.socket = await self.session.ws_connect(
                    self.asked.root + "-/connect", protocols=["headwater.v1+json"], max_msg_size=0
                )
            except aiohttp.WSServerHandshakeError as error:
                if error.status >= 500 or error.status == 429:
                    raise Loss("unavailable") from None
                raise Ended("error", code="refused", status=error.status) from None
            await self.socket.send_json({"t": "hello"})
        return self.socket

    async def _socket(self, record: Any, *, last: bool) -> str | None:
        socket = await self._connected()
        asked = self.asked
        message: dict[str, Any] = {"id": self.sequence + 1, "path": asked.path}
        if last:
            message |= {"t": "fail", **asked.fail} if asked.fail else {"t": "close"}
        else:
            message |= {"t": "append", "r": [record]}
            if asked.create:
                message["create"] = True
                message["type"] = asked.contentType
        if asked.producer is not None:
            message["p"] = [asked.producer["id"], self.epoch, self.sequence]
        await socket.send_json(message)
        while True:
            told = await socket.receive()
            if told.type is not aiohttp.WSMsgType.TEXT:
                await socket.close()
                raise aiohttp.ClientConnectionError("lost")
            found = msgspec.json.decode(told.data, type=dict[str, Any])
            if found.get("id") != message["id"]:
                continue
            if found["t"] == "ok":
                offset: str = found["o"]
                return offset
            self._refused({**found, **found.get("facts", {})})
            if found.get("status", 500) >= 500 or found.get("status") == 429:
                raise Loss(found["code"])
            raise Ended("error", code=found["code"], status=found.get("status"), retryable=False)


def _facts(body: bytes, headers: Any) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError:
        return {}
