"""Schemas over HTTP: refusals with their place, the schema itself, and who may ask for it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from tests.conftest import Run

from headwater import Access, Ask, Credential, Hub, StreamSchema
from headwater.asgi import App
from headwater.errors import SchemaMismatch, StreamNotFound
from headwater.protocol.delimited import delimited
from headwater.testing.asgi import AsgiClient

ROOT: Final = "/v1/stream/"
JSON: Final = {"content-type": "application/json"}


class Message(msgspec.Struct):
    id: int
    text: str = ""


SCHEMAS: Final = {
    "rooms/*": StreamSchema(Message, signals={"enum": ["typing"]}),
    "names/*": StringValue,
}
PRODUCER: Final = {"producer-id": "p", "producer-epoch": "0", "producer-seq": "0"}


@pytest.fixture(params=["memory:", "sqlite:"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "memory:" if request.param == "memory:" else f"sqlite:{tmp_path / 'app.db'}"


def test_appends_are_held_to_the_schema(run: Run[None], store: str) -> None:
    """422 with the place; nothing is stored, made, closed or counted."""

    async def main() -> None:
        async with Hub(store, schemas=SCHEMAS) as hub:
            client = AsgiClient(App(hub, multi=True))
            await hub.create("rooms/7", content_type="application/json")
            bad = b'[{"id":1},{"id":2,"text":5}]'
            requests: list[tuple[str, str, bytes, dict[str, str]]] = [
                ("POST", "rooms/7", bad, JSON),
                ("POST", "rooms/7", bad, {**JSON, **PRODUCER}),
                ("POST", "rooms/7", bad, {**JSON, "stream-closed": "true"}),
                ("POST", "rooms/new", bad, {**JSON, "stream-create": "true"}),
                ("PUT", "rooms/new", bad, JSON),
            ]
            for method, path, body, headers in requests:
                found, told = await client.request(method, ROOT + path, body, headers)
                problem = found.json(told)
                assert (found.status, problem["code"]) == (422, "schema-mismatch")
                assert (problem["record"], problem["pointer"]) == (2, "#/text")
                assert found.headers["content-type"] == "application/problem+json"
            body = b'{"stream":"rooms/7","data":{"id":1}}\n{"stream":"rooms/7","data":{"id":null}}'
            lines = {"content-type": "application/x-ndjson"}
            found, told = await client.request("POST", ROOT + "-/append", body, lines)
            problem = found.json(told)
            assert (found.status, problem["line"], problem["stream"]) == (422, 2, "rooms/7")
            [info] = await hub.list()
            assert (info.size, info.closed) == (0, False)
            found, _ = await client.request("POST", ROOT + "rooms/7", b'{"id":1}', {**JSON, **PRODUCER})
            assert found.status == 200
            assert hub.stats.errors["schema-mismatch"] == 6

    run(main())


def test_signals_are_held_to_theirs(run: Run[None]) -> None:
    """422, and nobody is told; a stream without a schema of signals takes any."""

    async def main() -> None:
        async with Hub(schemas=SCHEMAS) as hub:
            client = AsgiClient(App(hub))
            for path in ("rooms/7", "free"):
                await hub.create(path, content_type="application/json")
            found, told = await client.request("POST", ROOT + "rooms/7/-/signal", b'"shouting"', JSON)
            problem = found.json(told)
            assert (found.status, problem["code"], problem["pointer"]) == (422, "schema-mismatch", "#")
            assert (await client.request("POST", ROOT + "rooms/7/-/signal", b'"typing"', JSON))[0].status == 204
            assert (await client.request("POST", ROOT + "free/-/signal", b'"shouting"', JSON))[0].status == 204
            with pytest.raises(SchemaMismatch):
                await hub.signal("rooms/7", "shouting")
            with pytest.raises(SchemaMismatch, match="application/octet-stream is none of what the schema describes"):
                await hub.signal("rooms/7", b"bytes")
            assert hub.stats.signals == 2

    run(main())


def test_messages_are_held_to_their_class(run: Run[None]) -> None:
    async def main() -> None:
        async with Hub(schemas=SCHEMAS) as hub:
            client = AsgiClient(App(hub))
            kind = {"content-type": "application/x-protobuf; encoding=delimited"}
            await client.request("PUT", ROOT + "names/1", b"", kind)
            good = StringValue(value="ä").SerializeToString()
            found, told = await client.request("POST", ROOT + "names/1", delimited([good, b"\x0a\x05x"]), kind)
            assert (found.status, found.json(told)["record"]) == (422, 2)
            found, _ = await client.request("POST", ROOT + "names/1", delimited([good, b""]), kind)
            assert found.status == 204

    run(main())


def test_markup_and_control_characters_are_data(run: Run[None]) -> None:
    """They come back as they were, and in a refusal they are one line of printable text."""

    async def main() -> None:
        async with Hub(schemas=SCHEMAS) as hub:
            client = AsgiClient(App(hub))
            await client.request("PUT", ROOT + "rooms/7", b"", JSON)
            text = "<script>alert(1)</script>\x00\x1b[2J\u202e\r\n"
            body = json.dumps({"id": 1, "text": text}).encode()
            assert (await client.request("POST", ROOT + "rooms/7", body, JSON))[0].status == 204
            _, told = await client.request("GET", ROOT + "rooms/7")
            assert json.loads(told)[0]["text"] == text
            found, told = await client.request(
                "POST", ROOT + "rooms/7", json.dumps({text: 1, "id": text}).encode(), JSON
            )
            assert found.status == 422
            assert found.json(told)["detail"].isprintable()

    run(main())


def test_the_schema_of_a_stream_can_be_asked_for(run: Run[None]) -> None:
    """Whether the stream is there or not; HEAD of the stream says where."""

    async def main() -> None:
        async with Hub(schemas=SCHEMAS) as hub:
            for client, root in (
                (AsgiClient(App(hub)), ROOT),
                (AsgiClient(App(hub, prefix="/", with_page=False), root_path="/app"), "/"),
            ):
                url = f"{root}rooms/%C3%A4"
                found, told = await client.request("GET", f"{url}/-/schema")
                assert found.status == 200
                assert found.headers["content-type"] == "application/schema+json"
                assert found.json(told)["$defs"]["Message"]["required"] == ["id"]
                tag = {"if-none-match": found.headers["etag"]}
                assert (await client.request("GET", f"{url}/-/schema", headers=tag))[0].status == 304
                head, nothing = await client.request("HEAD", f"{url}/-/schema")
                assert (head.status, head.headers["etag"], nothing) == (200, found.headers["etag"], b"")
                _, told = await client.request("GET", f"{url}/-/schema?kind=signal")
                assert json.loads(told) == {"enum": ["typing"]}
                _, told = await client.request("GET", f"{root}names/1/-/schema")
                assert json.loads(told)["title"] == "google.protobuf.StringValue"
                await client.request("PUT", url, b"", JSON)
                head, _ = await client.request("HEAD", url)
                link, *parameters = head.headers["link"].split("; ")
                assert parameters == ['rel="describedby"', 'type="application/schema+json"']
                assert link.endswith(f"{url}/-/schema>")
                await client.request("PUT", f"{root}free", b"", JSON)
                assert "link" not in (await client.request("HEAD", f"{root}free"))[0].headers

    run(main())


@pytest.mark.parametrize(
    ("method", "target", "status", "code"),
    [
        ("GET", "free/-/schema", 404, "schema-not-found"),
        ("GET", "names/1/-/schema?kind=signal", 404, "schema-not-found"),
        ("GET", "rooms/7/-/schema?kind=x", 400, "bad-request"),
        ("POST", "rooms/7/-/schema", 405, "method-not-allowed"),
        ("PUT", "rooms/7/-/schema", 405, "method-not-allowed"),
        ("DELETE", "rooms/7/-/schema", 405, "method-not-allowed"),
        ("GET", "runs/7/-/schema", 403, "stream-private"),
        ("GET", "rooms//-/schema", 400, "invalid-path"),
    ],
)
def test_what_is_no_request_for_a_schema_is_told(
    run: Run[None], method: str, target: str, status: int, code: str
) -> None:
    async def main() -> None:
        async with Hub(schemas={**SCHEMAS, "runs/*": Message}) as hub:
            found, told = await AsgiClient(App(hub)).request(method, ROOT + target)
            assert (found.status, found.json(told)["code"]) == (status, code)
            assert (await AsgiClient(App(hub)).request("OPTIONS", ROOT + "rooms/7/-/schema"))[0].status == 204

    run(main())


def test_who_may_read_a_stream_may_read_its_schema(run: Run[None]) -> None:
    """The application is asked before anything is told."""
    asked: list[Any] = []

    async def authorize(asks: Sequence[Ask], credential: Credential, peer: object) -> Access:
        asked.extend((ask.operation.value, ask.path) for ask in asks)
        if asks[0].path != "rooms/7":
            raise StreamNotFound
        return Access("me")

    async def main() -> None:
        async with Hub(schemas=SCHEMAS) as hub:
            client = AsgiClient(App(hub, authorize=authorize))
            assert (await client.request("GET", ROOT + "rooms/7/-/schema"))[0].status == 200
            assert (await client.request("GET", ROOT + "rooms/8/-/schema"))[0].status != 200
            assert asked == [("read", "rooms/7"), ("read", "rooms/8")]

    run(main())
