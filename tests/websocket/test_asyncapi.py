"""What docs/reference/asyncapi.json says of the messages is what is really sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, ClassVar

import jsonschema_rs
import pytest
from scripts import asyncapi
from tests.conftest import Run
from tests.support import websocket
from tests.support.inprocess import in_process
from tests.support.websocket import Client, connection
from tests.websocket.test_clients import CASES

from headwater.errors import InvalidMessage, StreamNotFound
from headwater.protocol.websocket.codec import JsonCodec
from headwater.server.settings import Settings

FILE: dict[str, Any] = json.loads(asyncapi.FILE.read_text())
JSON = "application/json"
SETTINGS = Settings(store="memory:", flush_seconds=0, heartbeat_seconds=0.3)


class Schemas:
    """Those of one operation, by the names of the messages; a field that is in none is wrong, where all are known."""

    def __init__(self, operation: str) -> None:
        self.of = dict(self._validators(operation))

    def _validators(self, operation: str) -> Iterator[tuple[str, Any]]:
        for reference in FILE["operations"][operation]["messages"]:
            message = found(reference)
            schema = {**FILE, **found(message["payload"])}
            # What is told of who is there is documented with presence.
            if message["name"] != "presence":
                schema["additionalProperties"] = False
            yield message["name"], jsonschema_rs.Draft7Validator(schema)

    def wrong(self, message: dict[str, Any]) -> list[str]:
        """What is wrong with a message."""
        return [str(error) for error in self.of[message["t"]].iter_errors(message)]


def found(reference: dict[str, Any]) -> dict[str, Any]:
    """What a reference means; one to a reference is followed."""
    node = reference
    while "$ref" in node:
        place = FILE
        for part in node["$ref"].removeprefix("#/").split("/"):
            place = place[part]
        node = place
    return node


FROM_CLIENT, FROM_SERVER = Schemas("receive"), Schemas("send")


class Checked(Client):
    """A client all of whose traffic is held to the schemas."""

    kinds: ClassVar[set[str]] = set()

    async def send(self, **message: Any) -> None:
        """See `Client.send`."""
        if "from_" in message:
            message["from"] = message.pop("from_")
        assert FROM_CLIENT.wrong(message) == []
        self.kinds.add(f"-> {message['t']}")
        await super().send(**message)

    async def next(self) -> dict[str, Any]:
        """See `Client.next`."""
        message = await super().next()
        assert FROM_SERVER.wrong(message) == [], message
        self.kinds.add(f"<- {message['t']}")
        return message


def test_the_file_is_fresh() -> None:
    assert asyncapi.FILE.read_text() == asyncapi.render(), "run python -m scripts.asyncapi"


def test_a_session(run: Run[None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every message of both sides comes at least once, and all of them fit."""
    monkeypatch.setattr(websocket, "Client", Checked)
    monkeypatch.setattr(Checked, "kinds", set())

    async def main() -> None:
        async with in_process(SETTINGS) as server, connection(server) as client:
            await client.send(t="hello", name="me", token="t")
            await client.until(t="welcome")
            await everything(client)
            await client.until(t="ping")
            await client.send(t="pong")
            for number, (message, _) in enumerate(CASES, 1000):
                if message["t"] == "nothing" or FROM_CLIENT.wrong({"id": number, "path": "case", **message}):
                    continue
                with suppress(StreamNotFound):
                    await server.hub.delete("case")
                await server.hub.create("case", content_type=JSON, body=b"[1,2,3]")
                await client.send(**{"path": "case", **message, "id": number})
                await client.until(id=number)
                await client.send(t="unsub", path=message.get("path", "case"))
            server.hub.drain()
            await client.until(t="drain")
            assert await client.closed() == 1012

    run(main())
    told = {f"<- {kind}" for kind in FROM_SERVER.of} | {f"-> {kind}" for kind in FROM_CLIENT.of}
    # Access that ends has a test of its own.
    assert told - Checked.kinds == {"<- expiring"}


async def everything(client: Client) -> None:
    """Records of all kinds, waits, gaps, signals, presence, ends."""
    assert (await client.ask("create", path="room", type=JSON, r=[{"text": "hi"}], ttl=3600))["created"]
    sub = await client.ask("sub", path="room", signals=True, presence=True, envelope=True)
    data = await client.until(t="data")
    await client.send(t="ack", s=sub["s"], o=data["o"])
    await client.until(t="live")
    await client.until(t="presence")
    await client.ask("append", s=sub["s"], r=[1, "2", None], p=["p", 0, 0])
    assert (await client.ask("append", s=sub["s"], r=[1, "2", None], p=["p", 0, 0]))["dup"]
    await client.ask("signal", s=sub["s"], data=True, topic="typing", keep=5, from_="me")
    await client.ask("signal", s=sub["s"], b="AAE=")
    assert (await client.ask("here", s=sub["s"], member="me", state={"name": "Me"}))["t"] == "here"
    await client.ask("auth", token="another")
    await client.ask("ping")
    await client.ask("read", path="room", last=2, envelope=True)
    old = (await client.ask("head", s=sub["s"]))["tail"]
    await client.ask("unsub", s=sub["s"])
    await client.ask("delete", path="room")
    assert (await client.ask("sub", path="room", from_=old, missing="wait"))["t"] == "waiting"
    await client.ask("create", path="room", type="application/octet-stream", b=["AAEC"])
    await client.until(t="gap")
    assert (await client.until(t="data"))["b"]
    await client.ask("fail", path="room", code="boom", message="it broke")
    assert (await client.until(t="end"))["why"] == "failed"
    await client.ask("close", path="room")


@pytest.mark.parametrize(
    "message",
    [
        {"t": "hello", "name": 1},
        {"t": "head", "path": "a"},
        {"t": "sub", "id": 1, "path": 3},
        {"t": "ack", "s": 1},
        {"t": "append", "id": "1", "path": "a", "r": [1]},
        {"t": "append", "id": 1, "path": "a", "r": 4},
        {"t": "append", "id": 1, "path": "a", "p": ["p", 0]},
        {"t": "append", "id": 1, "path": "a", "p": ["p", 0, "1"]},
        {"t": "append", "id": 1, "path": "a", "create": "yes"},
        {"t": "append", "id": 1, "path": "a", "create": {"ttl": "1"}},
    ],
    ids=json.dumps,
)
def test_what_is_malformed_does_not_fit(message: dict[str, Any]) -> None:
    """What the server cannot read is refused by the schemas, too."""
    assert FROM_CLIENT.wrong(message)
    with pytest.raises(InvalidMessage):
        JsonCodec().decode(json.dumps(message).encode())
