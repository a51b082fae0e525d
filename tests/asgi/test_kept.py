"""Streams of MessagePack and of Protobuf on every wire: a body to be taken apart again, and records by themselves."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from io import BytesIO
from typing import Final

import msgspec
import pytest
from google.protobuf import proto
from google.protobuf.wrappers_pb2 import StringValue
from tests.conftest import Run

from headwater import Hub, Limits
from headwater.asgi import App
from headwater.protocol.delimited import delimited, message_of
from headwater.protocol.framing import split_body
from headwater.testing.asgi import AsgiClient

ROOT: Final = "/v1/stream/"
MESSAGES: Final = [b"", b"one", b"x" * 200, b"\n\xff"]
_VALUES: Final[list[object]] = [{"a": [1, 2]}, b"\n\xff" * 100, [], "ä"]
VALUES: Final = [msgspec.msgpack.encode(value) for value in _VALUES]
KINDS: Final = {
    "application/x-protobuf; encoding=delimited": (delimited(MESSAGES), MESSAGES),
    "application/msgpack": (b"".join(VALUES), VALUES),
}
EACH: Final = pytest.mark.parametrize(("kind", "body", "items"), [(kind, *rest) for kind, rest in KINDS.items()])


async def closed_stream(hub: Hub, kind: str, body: bytes) -> AsgiClient:
    """One that holds the body, by two requests."""
    client = AsgiClient(App(hub, multi=True))
    first = split_body(kind, body)[0]
    found, _ = await client.request("PUT", ROOT + "s", first, {"content-type": kind})
    assert found.status == 201
    headers = {"content-type": kind, "stream-closed": "true"}
    found, _ = await client.request("POST", ROOT + "s", body[len(first) :], headers)
    assert found.status == 204
    return client


@EACH
def test_a_plain_read_gives_the_bytes_that_came(run: Run[None], kind: str, body: bytes, items: list[bytes]) -> None:
    """With their length, in one piece or in many; a page has whole records."""

    async def main() -> None:
        for size in (1024, 10):
            async with Hub(limits=Limits(read_bytes=size)) as hub:
                client = await closed_stream(hub, kind, body)
                found, told = await client.request("GET", ROOT + "s")
                assert (told, found.headers["content-type"]) == (body, kind)
                assert int(found.headers["content-length"]) == len(body)
                found, told = await client.request("GET", ROOT + "s?last=2")
                assert told == b"".join(split_body(kind, body)[-2:])[-len(told) :]
                assert split_body(kind, told)
                found, told = await client.request("GET", ROOT + "s?offset=-1&live=long-poll")
                assert body.startswith(told)
                assert split_body(kind, told)

    run(main())


@EACH
def test_records_come_by_themselves(run: Run[None], kind: str, body: bytes, items: list[bytes]) -> None:
    """In base64, a message without its length."""

    async def main() -> None:
        async with Hub() as hub:
            client = await closed_stream(hub, kind, body)
            _, told = await client.request("GET", ROOT + "s", headers={"accept": "application/x-ndjson"})
            lines = [json.loads(line) for line in told.splitlines()]
            assert [b64decode(line["base64"]) for line in lines if "base64" in line] == items
            for query in ("?stream=s", "?stream=s&envelope=1"):
                _, told = await client.request(
                    "GET", f"{ROOT}-/many{query}", headers={"accept": "application/x-ndjson"}
                )
                lines = [json.loads(line) for line in told.splitlines()]
                assert [b64decode(line["base64"]) for line in lines if "base64" in line] == items
            _, told = await client.request("GET", ROOT + "s?last=9&envelope=1")
            assert [b64decode(json.loads(line)["base64"]) for line in told.splitlines()] == items

    run(main())


@EACH
def test_events_have_them_too(run: Run[None], kind: str, body: bytes, items: list[bytes]) -> None:
    """Plain ones a record each; those of the protocol a batch each, as a body has it."""

    async def main() -> None:
        async with Hub() as hub:
            client = await closed_stream(hub, kind, body)
            accept = {"accept": "text/event-stream"}
            found, told = await client.request("GET", ROOT + "s", headers=accept)
            assert found.headers["stream-sse-data-encoding"] == "base64"
            blocks = [block for block in told.split(b"\n\n") if b"data:" in block and b"event:" not in block]
            datas = [line[5:] for block in blocks for line in block.split(b"\n") if line.startswith(b"data:")]
            assert [b64decode(data) for data in datas] == items
            _, told = await client.request("GET", ROOT + "s?data=json", headers=accept)
            for item in items:
                assert b'{"base64":"' + b64encode(item) + b'"}' in told
            _, told = await client.request("GET", ROOT + "s?offset=-1&live=sse")
            [data] = [
                block for block in told.split(b"\n\n") if block.startswith(b"event:data") or b"event: data" in block
            ]
            lines = [line.partition(b":")[2].strip() for line in data.split(b"\n") if line.startswith(b"data")]
            assert b64decode(b"".join(lines)) == body

    run(main())


def test_a_library_of_protobuf_writes_and_reads_bodies(run: Run[None]) -> None:
    """With its own functions for messages one behind the other."""

    async def main() -> None:
        async with Hub() as hub:
            client = AsgiClient(App(hub))
            body = BytesIO()
            names = ["", "ada", "x" * 300]
            for name in names:
                proto.serialize_length_prefixed(StringValue(value=name), body)
            kind = {"content-type": "application/protobuf; encoding=delimited"}
            await client.request("PUT", ROOT + "s", body.getvalue(), kind)
            _, told = await client.request("GET", ROOT + "s")
            stream, found = BytesIO(told), []
            while (message := proto.parse_length_prefixed(StringValue, stream)) is not None:
                found.append(message.value)
            assert found == names

    run(main())


def test_a_message_without_a_length_is_one_body(run: Run[None]) -> None:
    """Apart where records come by themselves; joined as the protocol has bytes."""

    async def main() -> None:
        async with Hub(limits=Limits(read_bytes=2)) as hub:
            client = AsgiClient(App(hub))
            kind = {"content-type": "application/x-protobuf"}
            await client.request("PUT", ROOT + "s", b"\x08\x06\x12\x04name", kind)
            await client.request("POST", ROOT + "s", b"\x08\x07", {**kind, "stream-closed": "true"})
            _, told = await client.request("GET", ROOT + "s")
            assert told == b"\x08\x06\x12\x04name\x08\x07"
            _, told = await client.request("GET", ROOT + "s", headers={"accept": "application/x-ndjson"})
            lines = [json.loads(line) for line in told.splitlines()]
            found = [b64decode(line["base64"]) for line in lines if "base64" in line]
            assert found == [b"\x08\x06\x12\x04name", b"\x08\x07"]

    run(main())


@pytest.mark.parametrize(
    ("kind", "body", "position"),
    [
        ("application/x-protobuf; encoding=delimited", b"\x01a\x05abc", 2),
        ("application/x-protobuf; encoding=delimited", b"\xff\xff\xff\xff\xff\x01", 0),
        ("application/msgpack", b"\x01\x92\xc1\x01", 2),
        ("application/x-msgpack", b"\x01\xd9", 1),
    ],
)
def test_what_is_malformed_is_refused_whole(run: Run[None], kind: str, body: bytes, position: int) -> None:
    """With its place; nothing of it is stored, and the producer's number is free."""

    async def main() -> None:
        async with Hub() as hub:
            client = AsgiClient(App(hub))
            await client.request("PUT", ROOT + "s", headers={"content-type": kind})
            producer = {"producer-id": "p", "producer-epoch": "0", "producer-seq": "0"}
            found, told = await client.request("POST", ROOT + "s", body, {"content-type": kind, **producer})
            problem = found.json(told)
            assert (found.status, problem["code"], problem["position"]) == (400, "invalid-body", position)
            assert (await hub.info("s")).size == 0
            found, _ = await client.request("POST", ROOT + "s", b"\x00", {"content-type": kind, **producer})
            assert found.status == 200
            found, told = await client.request("PUT", ROOT + "t", body, {"content-type": kind})
            assert (found.status, found.json(told)["position"]) == (400, position)

    run(main())


def test_lines_of_many_appends_take_json_for_msgpack(run: Run[None]) -> None:
    """And base64 for both, of which a body may have several."""

    async def main() -> None:
        async with Hub() as hub:
            client = AsgiClient(App(hub, multi=True))
            await hub.create("m", content_type="application/msgpack")
            await hub.create("p", content_type="application/x-protobuf; encoding=delimited")
            lines = [
                {"stream": "m", "data": {"a": [1]}},
                {"stream": "m", "base64": b64encode(b"\x01\x02").decode()},
                {"stream": "p", "base64": b64encode(delimited([b"", b"x"])).decode()},
            ]
            body = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
            headers = {"content-type": "application/x-ndjson"}
            found, _ = await client.request("POST", ROOT + "-/append", body, headers)
            assert found.status == 200
            values = [msgspec.msgpack.decode(record.data) async for record in hub.read("m")]
            assert values == [{"a": [1]}, 1, 2]
            assert [message_of(record.data) async for record in hub.read("p")] == [b"", b"x"]
            found, told = await client.request("POST", ROOT + "-/append", b'{"stream":"p","data":"x"}', headers)
            assert (found.status, found.json(told)["code"]) == (400, "invalid-body")

    run(main())


def test_a_writer_puts_several_in_one_append(run: Run[None]) -> None:
    """Objects, and bytes that are several records."""

    async def main() -> None:
        async with Hub(limits=Limits(max_append_records=4)) as hub:
            async with hub.writer("m", content_type="application/msgpack") as out:
                await out.write_all([{"a": 1}, b"\x01\x02", "x", None, 5, 6, 7])
            values = [msgspec.msgpack.decode(record.data) async for record in hub.read("m")]
            assert values == [{"a": 1}, 1, 2, "x", None, 5, 6, 7]
            assert hub.stats.appends == 3  # two of four records, and the close

    run(main())
