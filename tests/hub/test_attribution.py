"""Who appended a record, as a program in the same process says: kept with it, and given to who reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from tests.conftest import Run

from headwater import Entry, Hub, Principal
from headwater.errors import BadRequest, SchemaMismatch
from headwater.model import Appended, Created, StreamConfig
from headwater.protocol.ledger import Append
from headwater.stores import Attributing
from headwater.stores.base import Store
from headwater.stores.memory import MemoryStore

JSON = "application/json"
U1 = Principal("u1")
ISSUED = Principal("u1", "https://app.example")


async def who(hub: Hub, path: str) -> list[Principal | None]:
    return [record.by for record in (await hub.read_batch(path)).records]


class Note(msgspec.Struct):
    text: str


@pytest.mark.parametrize("schemas", [None, {"s": Note}], ids=["plain", "with schemas"])
def test_each_way_to_append(run: Run[None], schemas: dict[str, Any] | None) -> None:
    """A text is a subject of the application's own; what is left out is nobody."""

    async def main() -> None:
        async with Hub(schemas=schemas) as hub:
            note = {"text": "x"}
            await hub.create("s", content_type=JSON, body=b'[{"text":"x"}]', by="u1")
            await hub.append("s", note, by="u1")
            await hub.append("s", note)
            await hub.append("s", note, by=ISSUED)
            await hub.append_all([Entry("s", note, by="u1"), ("s", note), Entry("s", note, by=ISSUED)])
            async with hub.writer("s", by="u1") as out:
                await out.write(note)
                await out.write_all([note, note])
            expected = [U1, U1, None, ISSUED, U1, None, ISSUED, U1, U1, U1]
            assert await who(hub, "s") == expected
            assert [item.by async for item in hub.read("s", type=Note)] == expected
            assert [record.by async for record in hub.read("s")] == expected
            assert [record.by for record in (await hub.page("s", last=4)).batch.records] == expected[-4:]
            await hub.append("t", 1, create=StreamConfig(JSON), by=ISSUED)
            assert await who(hub, "t") == [ISSUED]

    run(main())


def test_who_reads_live(run: Run[None]) -> None:
    """It is with the record as it is told, not only as it is read again."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("s", content_type=JSON)
            reading: Any = hub.read("s", live=True)
            await hub.append("s", 1, by="u1")
            assert (await anext(reading)).by == U1  # from the store; the others as they are told
            await hub.append("s", 2)
            assert (await anext(reading)).by is None
            await hub.append("s", 3, by=ISSUED)
            assert (await anext(reading)).by == ISSUED
            await reading.aclose()

    run(main())


@pytest.mark.parametrize(
    ("by", "error"),
    [
        ("", BadRequest),
        ("x" * 1025, BadRequest),
        ("\ud800", BadRequest),
        (Principal("u", "x" * 1025), BadRequest),
        (7, TypeError),
        (("u", "i"), TypeError),
        (Principal(7), TypeError),  # type: ignore[arg-type]
    ],
    ids=str,
)
def test_what_can_be_nobody(run: Run[None], by: Any, error: type[Exception]) -> None:
    """It is refused by every way, and nothing is written."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("s", content_type=JSON)
            calls: list[Callable[[], Any]] = [
                lambda: hub.append("s", 1, by=by),
                lambda: hub.append_all([("s", 1), Entry("s", 1, by=by)]),
                lambda: hub.create("t", body=b"x", by=by),
                lambda: hub.signal("s", 1, by=by),
            ]
            for call in calls:
                with pytest.raises(error):
                    await call()
            with pytest.raises(error):
                hub.writer("s", by=by)
            assert await who(hub, "s") == []
            assert [info.path for info in await hub.list()] == ["s"]

    run(main())


def test_a_signal_of_somebody(run: Run[None]) -> None:
    """Its sender is the subject; another name is refused."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("s", content_type=JSON)
            await hub.signal("s", 1, by=ISSUED, topic="t", keep=30)
            await hub.signal("s", 2, sender="u1", topic="t", keep=30)
            with pytest.raises(BadRequest, match="sender"):
                await hub.signal("s", 3, by="u1", sender="u2")
            heard: Any = hub.signals("s")
            found = [await anext(heard), await anext(heard)]
            assert [(each.sender, each.by, each.data) for each in found] == [("u1", ISSUED, 1), ("u1", None, 2)]
            await heard.aclose()

    run(main())


class Plain:
    """A store of before: it knows nothing of who appends, and takes no argument that it does not know."""

    def __init__(self) -> None:
        self._inner = MemoryStore()

    def __getattr__(self, name: str) -> Any:
        if name in ("keeps_by", "append_all", "post", "read_at_once", "info_at_once"):
            raise AttributeError(name)
        return getattr(self._inner, name)

    async def create(
        self, path: str, config: StreamConfig, body: bytes = b"", *, closed: bool = False, **how: Any
    ) -> Created:
        assert not how.keys() - {"condition", "max_records", "split"}
        return await self._inner.create(path, config, body, closed=closed, **how)

    async def append(self, path: str, request: Append) -> Appended:
        return await self._inner.append(path, msgspec.structs.replace(request, by=None))


@pytest.mark.parametrize("schemas", [None, {"s": dict}], ids=["plain", "with schemas"])
def test_a_store_that_does_not_know_it(run: Run[None], schemas: dict[str, Any] | None) -> None:
    """Goes on as before: nobody is named."""

    async def main() -> None:
        plain: Any = Plain()
        store: Store = plain
        assert not isinstance(store, Attributing)
        assert isinstance(MemoryStore(), Attributing)
        async with Hub(store, schemas=schemas) as hub:
            await hub.create("s", content_type=JSON, body=b"[{}]", by="u1")
            await hub.append("s", {}, by="u1")
            assert await who(hub, "s") == [None, None]
            if schemas:
                with pytest.raises(SchemaMismatch):
                    await hub.append("s", 1, by="u1")

    run(main())
