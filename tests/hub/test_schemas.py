"""Schemas at every door of a hub in process: what is refused, and that nothing of it stays."""

from __future__ import annotations

import asyncio
import sys
from base64 import b64decode
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import FrameType
from typing import Any, Final

import msgspec
import pydantic
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from tests.conftest import Run

from headwater import BufferSink, Entry, Hub, Producer, StreamConfig, StreamSchema
from headwater.errors import ContentTypeMismatch, InvalidBody, SchemaMismatch, StreamClosed, StreamExists
from headwater.hub import Engine
from headwater.model import Appended
from headwater.protocol.delimited import delimited
from headwater.protocol.ledger import Append
from headwater.protocol.schemas.base import InvalidSchema
from headwater.protocol.sse import Parser

JSON: Final = "application/json"
NEW: Final = StreamConfig(JSON)


class Message(msgspec.Struct):
    id: int
    text: str = ""


class Model(pydantic.BaseModel):
    id: int
    text: str = ""


SCHEMAS: Final = {
    "types/*": Message,
    "models/*": Model,
    "json/*": {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}},
    "runs/*": int,
}
PATHS: Final = ["types/7", "models/7", "json/7"]
BAD: Final[dict[str, Any]] = {"id": "x"}


@pytest.fixture(params=["memory:", "sqlite:"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "memory:" if request.param == "memory:" else f"sqlite:{tmp_path / 'app.db'}"


async def records(hub: Engine, path: str) -> list[Any]:
    return [record.json() async for record in hub.read(path)]


Door = Callable[[Engine, str, Any], Awaitable[Any]]


async def post(hub: Engine, path: str, data: Any) -> Appended:
    answer: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()

    def done(outcome: Appended | Exception) -> None:
        if isinstance(outcome, Exception):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)

    hub.post(path, Append(msgspec.json.encode(data)), done)
    return await answer


async def write(hub: Engine, path: str, data: Any) -> None:
    async with hub.writer(path, close=False) as out:
        await out.write_all([{"id": 1}, data])


async def write_one(hub: Engine, path: str, data: Any) -> None:
    async with hub.writer(path, close=False) as out:
        await out.write(data)


async def pump(hub: Engine, path: str, data: Any) -> None:
    async def source() -> Any:
        yield data

    await hub.pump(path, source(), close=False)


DOORS: Final[dict[str, Door]] = {
    "append": lambda hub, path, data: hub.append(path, data),
    "append with its stream": lambda hub, path, data: hub.append(f"{path}n", data, create=NEW),
    "several": lambda hub, path, data: hub.append(path, msgspec.json.encode([{"id": 1}, data])),
    "append_all": lambda hub, path, data: hub.append_all([("free", 1), Entry(path, {"id": 1}), Entry(path, data)]),
    "post": post,
    "create": lambda hub, path, data: hub.create(f"{path}n", content_type=JSON, body=msgspec.json.encode(data)),
    "close": lambda hub, path, data: hub.write(path, Append(msgspec.json.encode(data), close=True)),
}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("door", list(DOORS.values()), ids=list(DOORS))
def test_every_door_holds_records_to_the_schema(run: Run[None], store: str, door: Door, path: str) -> None:
    """Nothing of what is refused is stored, and what fits goes through."""

    async def main() -> None:
        async with Hub(store, schemas=SCHEMAS) as hub:
            await hub.create(path, content_type=JSON)
            await hub.create("free", content_type=JSON)
            before = await hub.info(path)
            with pytest.raises(SchemaMismatch, match="does not fit") as told:
                await door(hub, path, BAD)
            assert told.value.details["pointer"] == "#/id"
            assert await hub.info(path) == before
            assert [info.path for info in await hub.list()] == sorted(["free", path])
            assert await records(hub, "free") == []
            await door(hub, path, {"id": 1})
            found = [info for info in await hub.list(prefix=path) if info.size]
            assert {record["id"] for info in found for record in await records(hub, info.path)} == {1}

    run(main())


@pytest.mark.parametrize("door", [write, write_one, pump])
def test_a_writer_that_is_refused_fails_its_stream(run: Run[None], store: str, door: Door) -> None:
    """As with every other error."""

    async def main() -> None:
        async with Hub(store, schemas=SCHEMAS) as hub:
            await hub.create("types/7", content_type=JSON)
            with pytest.raises(SchemaMismatch):
                await door(hub, "types/7", BAD)
            info = await hub.info("types/7")
            assert (info.size, info.closed) == (0, True)
            assert info.failure is not None

    run(main())


def test_the_number_of_the_record_is_told(run: Run[None]) -> None:
    """And in several appends the line and the stream."""

    async def main() -> None:
        async with Hub(schemas=SCHEMAS) as hub:
            await hub.create("types/7", content_type=JSON)
            with pytest.raises(SchemaMismatch, match=r"^record 3 does not fit Message, which types/\* holds: ") as told:
                await hub.append("types/7", b'[{"id":1},{"id":2},{"id":null}]')
            assert told.value.details == {"pointer": "#/id", "record": 3}
            with pytest.raises(SchemaMismatch) as told:
                await hub.append_all([("types/7", {"id": 1}), ("types/7", BAD)])
            assert told.value.details == {"pointer": "#/id", "record": 1, "line": 2, "stream": "types/7"}

    run(main())


def test_a_producer_is_not_advanced(run: Run[None], store: str) -> None:
    """The number that was refused is free; a retry of what was accepted is one, whatever the schema is by then."""

    async def main() -> None:
        first, second = Producer("p", 0, 0), Producer("p", 0, 1)
        async with Hub(store, schemas=SCHEMAS) as hub:
            await hub.create("types/7", content_type=JSON)
            assert not (await hub.append("types/7", {"id": 1}, producer=first)).duplicate
            for _ in range(2):
                with pytest.raises(SchemaMismatch):
                    await hub.append("types/7", BAD, producer=second)
            assert (await hub.append("types/7", BAD, producer=first)).duplicate
            assert not (await hub.append("types/7", {"id": 2}, producer=second)).duplicate
            assert await records(hub, "types/7") == [{"id": 1}, {"id": 2}]

    run(main())


def test_what_comes_before_the_body_is_told_first(run: Run[None], store: str) -> None:
    """A closed stream and another type; a create of what is there looks at no body."""

    async def main() -> None:
        async with Hub(store, schemas=SCHEMAS) as hub:
            await hub.create("types/7", content_type=JSON, body=b'{"id":1}')
            with pytest.raises(ContentTypeMismatch):
                await hub.write("types/7", Append(b'{"id":"x"}', "text/plain"))
            again = await hub.create("types/7", content_type=JSON, body=b'{"id":"x"}')
            assert again.size == len(b'{"id":1}')
            with pytest.raises(StreamExists):
                await hub.create("types/7", content_type="application/msgpack", body=b"\xc1")
            await hub.close("types/7")
            with pytest.raises(StreamClosed):
                await hub.append("types/7", BAD)

    run(main())


def test_one_refusal_costs_nobody_else_anything(run: Run[None], store: str) -> None:
    """Appends of one commit: the others are written, also when the check itself is broken."""

    class Broken(pydantic.BaseModel):
        id: int

        @pydantic.field_validator("id")
        @classmethod
        def check(cls, value: int) -> int:
            raise RuntimeError("broken")

    async def main() -> None:
        async with Hub(store, schemas={**SCHEMAS, "broken/*": Broken}) as hub:
            for path in ("types/7", "free", "broken/1"):
                await hub.create(path, content_type=JSON)
            calls = [hub.append(path, value) for path in ("free", "types/7", "broken/1") for value in (BAD, {"id": 1})]
            found = await asyncio.gather(*calls, return_exceptions=True)
            names = [type(each).__name__ for each in found]
            assert names == ["Appended", "Appended", "SchemaMismatch", "Appended", "SchemaMismatch", "SchemaMismatch"]
            assert await records(hub, "types/7") == [{"id": 1}]

    run(main())


def test_a_stream_that_the_schema_cannot_read_is_not_made(run: Run[None], store: str) -> None:
    """One that is there already takes no more, and may be closed."""

    async def main() -> None:
        async with Hub(store) as hub:
            await hub.create("types/old", content_type="text/plain", body=b"old")
            if store == "memory:":
                return
        async with Hub(store, schemas=SCHEMAS) as hub:
            with pytest.raises(SchemaMismatch, match="text/plain is none of what the schema describes"):
                await hub.create("types/7", content_type="text/plain")
            with pytest.raises(SchemaMismatch):
                await hub.append("types/old", "more")
            await hub.close("types/old")

    run(main())


def test_a_fork_is_held_to_the_schema_of_its_own_path(run: Run[None], store: str) -> None:
    """For what is appended to it; what it shares was another stream's business."""

    async def main() -> None:
        async with Hub(store, schemas=SCHEMAS) as hub:
            await hub.create("free", content_type=JSON, body=b'["anything"]')
            await hub.fork("types/f", "free")
            with pytest.raises(SchemaMismatch):
                await hub.append("types/f", BAD)
            await hub.append("types/f", {"id": 1})
            assert await records(hub, "types/f") == ["anything", {"id": 1}]

    run(main())


def test_private_streams_are_a_programs_own(run: Run[None]) -> None:
    async def main() -> None:
        async with Hub(schemas=SCHEMAS) as hub:
            await hub.create("runs/1", content_type=JSON, body=b'"anything"')

    run(main())


def test_a_schema_that_is_none_is_no_hub() -> None:
    with pytest.raises(InvalidSchema, match=r"rooms/\*: at #/type"):
        Hub(schemas={"rooms/*": {"type": "nope"}})


def test_objects_go_in_and_values_come_out(run: Run[None], store: str) -> None:
    """Structs, models and messages, each in the types that it can be written in; offsets are those of records."""

    async def main() -> None:
        async with Hub(store) as hub:
            cases: list[tuple[str, Any, Any]] = [
                (JSON, Message(1, "ä"), Message),
                (JSON, Model(id=1, text="ä"), Model),
                ("application/msgpack", Message(1, "ä"), Message),
                ("application/msgpack", Model(id=1), Model),
                ("application/x-protobuf; encoding=delimited", StringValue(value="ä"), StringValue),
                ("application/x-protobuf; encoding=delimited", StringValue(), StringValue),
                ("application/x-protobuf", StringValue(value="ä"), StringValue),
            ]
            await hub.create("s/none", content_type="application/x-protobuf")
            for refused in (hub.append("s/none", StringValue()), hub.append_all([("s/none", StringValue())])):
                with pytest.raises(InvalidBody, match="an empty message has no bytes"):
                    await refused
            for number, (kind, value, type) in enumerate(cases):
                path = f"s/{number}"
                await hub.create(path, content_type=kind)
                await hub.append(path, value)
                await hub.append_all([(path, value)])
                async with hub.writer(path) as out:
                    await out.write(value)
                items = [item async for item in hub.read(path, type=type)]
                assert [item.data for item in items] == [value] * 3, (kind, type)
                assert [item.offset for item in items] == [record.offset async for record in hub.read(path)]
                assert items[0].at > 0

    run(main())


def test_bytes_are_records_by_themselves(run: Run[None]) -> None:
    """A message without its length."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create(
                "p", content_type="application/x-protobuf; encoding=delimited", body=delimited([b"", b"x"])
            )
            await hub.create("t", content_type="text/plain", body=b"x")
            assert [item.data async for item in hub.read("p", type=bytes)] == [b"", b"x"]
            assert [item.raw async for item in hub.read("t", type=bytes)] == [b"x"]

    run(main())


def test_what_is_no_value_of_the_type_is_told_with_the_place_to_go_on(run: Run[None]) -> None:
    """What came before it was given; a reader may go on behind it."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("s", content_type=JSON, body=b'[{"id":1},{"id":"x"},{"id":3}]')
            reader, found = hub.read("s", type=Message), []
            found.append(await anext(reader))
            with pytest.raises(
                SchemaMismatch, match=r"does not fit Message: Expected `int`, got `str` at #/id"
            ) as told:
                await anext(reader)
            assert [item.data.id for item in found] == [1]
            offset = str(told.value.details["next_offset"])
            assert [item.data.id async for item in hub.read("s", offset, type=Message)] == [3]
            await hub.create("t", content_type="text/plain", body=b"x")
            with pytest.raises(SchemaMismatch, match="text/plain is none of what the schema describes"):
                await anext(hub.read("t", type=Message))
            with pytest.raises(TypeError, match="is no type that records can have"):
                await anext(hub.read("s", type=object))

    run(main())


def test_values_of_many_streams(run: Run[None]) -> None:
    """One whose record is none of the type ends, and no other."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("rooms/1", content_type=JSON, body=b'[{"id":1},{"id":"x"},{"id":3}]')
            await hub.create("rooms/2", content_type="application/msgpack")
            await hub.append("rooms/2", Message(2))
            errors: list[tuple[str, str]] = []

            def note(path: str, error: Exception) -> None:
                errors.append((path, type(error).__name__))

            loop = hub.read_many(["rooms/*"], on_error=note, type=Message)
            found = sorted([(path, item.data.id) async for path, item in loop])
            assert found == [("rooms/1", 1), ("rooms/2", 2)]
            assert errors == [("rooms/1", "SchemaMismatch")]
            with pytest.raises(TypeError, match="is no type that records can have"):
                await anext(hub.read_many(["rooms/*"], type=object))

    run(main())


def test_live_readers_get_records_apart(run: Run[None]) -> None:
    """Pushed as they come, several of one append and of several."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("p", content_type="application/x-protobuf; encoding=delimited")
            sinks = {wire: BufferSink() for wire in ("ndjson", "events", "sse")}
            for wire, sink in sinks.items():
                await hub.subscribe("p", sink, wire=wire)
            await hub.append("p", delimited([b"", b"one"]))
            await hub.append("p", StringValue(value="two"))
            await hub.close("p")
            two = StringValue(value="two").SerializeToString()
            while not all(sink.ended for sink in sinks.values()):  # noqa: ASYNC110
                await asyncio.sleep(0)
            bodies = {wire: sink.take() for wire, sink in sinks.items()}
            lines = [msgspec.json.decode(line) for line in bodies["ndjson"].splitlines()]
            assert [b64decode(line["base64"]) for line in lines if "base64" in line] == [b"", b"one", two]
            events = Parser(max_event_bytes=10_000).feed(bodies["events"])
            assert [b64decode(event.data) for event in events if not event.event] == [b"", b"one", two]
            events = Parser(max_event_bytes=10_000).feed(bodies["sse"])
            data = b"".join(b64decode(event.data) for event in events if event.event == b"data")
            assert data == delimited([b"", b"one", two])

    run(main())


def test_signals_are_held_to_theirs(run: Run[None]) -> None:
    """And to nothing, where there is none."""

    async def main() -> None:
        async with Hub(schemas={"rooms/*": StreamSchema(signals=Message)}) as hub:
            for path in ("rooms/7", "free"):
                await hub.create(path, content_type="application/json")
            await hub.signal("rooms/7", {"id": 1})
            with pytest.raises(SchemaMismatch, match="the signal does not fit"):
                await hub.signal("rooms/7", {"id": "x"})
            await hub.signal("free", b"anything")

    run(main())


def test_a_hub_without_schemas_asks_nobody(run: Run[None]) -> None:
    """No append calls anything of them."""
    called: set[str] = set()

    def look(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            called.add(frame.f_code.co_filename)

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("s", content_type=JSON)
            sys.setprofile(look)
            try:
                await hub.append("s", {"id": 1})
                await hub.append_all([("s", {"id": 1})])
                await post(hub, "s", {"id": 1})
            finally:
                sys.setprofile(None)

    run(main())
    assert any("ledger" in name for name in called)
    ours = {name for name in called if "/tests/" not in name}
    assert not [name for name in ours if "/schemas/" in name or name.endswith("checked.py")]
