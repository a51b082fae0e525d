"""Several appends in one step: in process and by POST `-/append`."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

import pytest
from tests.conftest import Run

from headwater import Access, Ask, Entry, Hub, Limits, Operation, Producer, StreamConfig
from headwater.asgi import App
from headwater.errors import LimitReached, NotAtomic, StreamClosed, TooLarge, TooManyRecords
from headwater.testing.asgi import AsgiClient

URL: Final = "/v1/stream/-/append"
JSON: Final = "application/json"
LINES: Final = {"content-type": "application/x-ndjson"}
NEW: Final = StreamConfig(JSON)


def lines(*objects: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in objects)


async def contents(hub: Hub, path: str) -> list[bytes]:
    return [record.data async for record in hub.read(path)]


def test_lines_become_records(run: Run[None]) -> None:
    """One by one in their order, with their own bytes; a line of the response for each."""

    async def main() -> None:
        async with Hub() as hub:
            client = AsgiClient(App(hub, multi=True))
            await hub.create("a", content_type=JSON)
            await hub.create("t", content_type="text/plain")
            await hub.create("b")
            body = (
                b'{"stream": "a", "data": {"n":  1.50}}\n\n'
                b'{"stream": "t", "data": "\\u00e4\\n"}\r\n'
                b'{"stream": "b", "base64": "AP8="}\n'
                b'{"stream": "a", "data": [1, 2], "producer": ["p", 0, 0]}\n'
                b'{"stream": "a", "data": [1, 2], "producer": ["p", 0, 0]}\n'
                b'{"stream": "new", "data": 7, "type": "application/json", "create": {"ttl": 60}, "close": true}'
            )
            answer, told = await client.request("POST", URL, headers=LINES, body=body)
            assert answer.status == 200
            assert await contents(hub, "a") == [b'{"n":  1.50}', b"[1, 2]"]
            assert await contents(hub, "t") == ["ä\n".encode()]
            assert await contents(hub, "b") == [b"\x00\xff"]
            assert await contents(hub, "new") == [b"7"]
            info = await hub.info("new")
            assert (info.closed, info.expiry.ttl) == (True, 60)
            found = [json.loads(line) for line in told.splitlines()]
            tails = {path: (await hub.info(path)).tail for path in ("a", "t", "b", "new")}
            assert found[1:] == [
                {"offset": tails["t"]},
                {"offset": tails["b"]},
                {"offset": tails["a"]},
                {"offset": tails["a"], "duplicate": True},
                {"offset": tails["new"], "created": True, "closed": True},
            ]
            assert hub.stats.appends == 6

    run(main())


BAD: Final[dict[bytes, tuple[int, str, int | None]]] = {
    b"": (400, "bad-request", None),
    b"\n \n": (400, "bad-request", None),
    b"[1]\n": (400, "bad-request", 1),
    b'{"stream": "a"': (400, "bad-request", 1),
    b'{"stream": "a", "data": 1}\n\n{"stream": "a"}': (400, "bad-request", 2),
    b'{"stream": "a", "data": 1}\n{"data": 1}': (400, "bad-request", 2),
    b'{"stream": "a", "data": 1, "base64": ""}': (400, "bad-request", 1),
    b'{"stream": "a", "base64": "?"}': (400, "bad-request", 1),
    b'{"stream": "a", "data": 1, "unknown": 1}': (400, "bad-request", 1),
    b'{"stream": "a/../b", "data": 1}': (400, "invalid-path", 1),
    b'{"stream": "a", "data": 1, "producer": ["", 0, 0]}': (400, "bad-request", 1),
    b'{"stream": "a", "data": 1, "producer": ["p", -1, 0]}': (400, "bad-request", 1),
    b'{"stream": "a", "data": 1, "create": {"ttl": "x"}}': (400, "bad-request", 1),
    b'{"stream": "a", "data": 1}\n{"stream": "no", "data": 1}': (404, "stream-not-found", 2),
    b'{"stream": "a", "data": 1}\n{"stream": "done", "data": 1}\n{"stream": "a", "data": 1}': (409, "stream-closed", 2),
    b'{"stream": "t", "data": [1]}': (400, "invalid-body", 1),
    b'{"stream": "a", "data": 1, "type": "text/plain"}': (409, "content-type-mismatch", 1),
    b'{"stream": "runs/1", "data": 1}': (403, "stream-private", 1),
    b'{"stream": "x/{y}", "data": 1, "create": true}': (400, "invalid-path", None),
    b'{"stream": "a", "data": 1}\n' * 1025: (413, "too-large", None),
}


@pytest.mark.parametrize("body", BAD, ids=lambda body: body[:60].decode())
def test_a_refusal_is_one_problem_and_writes_nothing(run: Run[None], body: bytes) -> None:
    """It names the line, and nothing of the others is there."""

    async def main() -> None:
        async with Hub() as hub:
            client = AsgiClient(App(hub, multi=True))
            await hub.create("a", content_type=JSON)
            await hub.create("t", content_type="text/plain")
            await hub.create("done", content_type=JSON, closed=True)
            answer, told = await client.request("POST", URL, headers=LINES, body=body)
            problem = json.loads(told)
            assert (answer.status, problem["code"], problem.get("line")) == BAD[body], problem
            assert await contents(hub, "a") == []
            assert {info.path for info in await hub.list()} == {"a", "t", "done"}

    run(main())


def test_only_where_no_guard_is_passed_by(run: Run[None]) -> None:
    """A hub that is mounted serves it with `multi` or `authorize` alone; other methods and types are refused."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("a", content_type=JSON)
            body = lines({"stream": "a", "data": 1})
            answer, told = await AsgiClient(App(hub)).request("POST", URL, headers=LINES, body=body)
            assert (answer.status, json.loads(told)["code"]) == (403, "multi-stream-closed")
            client = AsgiClient(App(hub, multi=True))
            answer, _ = await client.request("GET", URL)
            assert (answer.status, answer.headers["allow"]) == (405, "POST, OPTIONS")
            assert (await client.request("OPTIONS", URL))[0].status == 204
            for head in ({"content-type": JSON}, {}):
                assert (await client.request("POST", URL, headers=head, body=body))[0].status == 400
            coded = {**LINES, "content-encoding": "gzip"}
            assert (await client.request("POST", URL, headers=coded, body=body))[0].status == 415
            assert await contents(hub, "a") == []

    run(main())


def test_every_stream_is_asked_for(run: Run[None]) -> None:
    """Each with its operations, once, before the store is touched; one refusal refuses all."""
    asked: list[tuple[Ask, ...]] = []

    def authorize(asks: tuple[Ask, ...], *_: object) -> Access | None:
        asked.append(asks)
        return None if any(ask.path == "secret" for ask in asks) else Access("me")

    async def main() -> None:
        async with Hub() as hub:
            client = AsgiClient(App(hub, authorize=authorize))
            await hub.create("a", content_type=JSON)
            body = lines(
                {"stream": "a", "data": 1}, {"stream": "b", "data": "1", "create": True}, {"stream": "a", "close": True}
            )
            assert (await client.request("POST", URL, headers=LINES, body=body))[0].status == 200
            assert {(ask.operation, ask.path) for ask in asked.pop()} == {
                (Operation.APPEND, "a"),
                (Operation.CLOSE, "a"),
                (Operation.APPEND, "b"),
                (Operation.CREATE, "b"),
            }
            await hub.create("c", content_type=JSON)
            body = lines({"stream": "c", "data": 1}, {"stream": "secret", "data": 1})
            answer, told = await client.request("POST", URL, headers=LINES, body=body)
            assert (answer.status, json.loads(told)["code"]) == (401, "not-authorized")
            assert await contents(hub, "c") == []

    run(main())


def test_in_process(run: Run[None]) -> None:
    """Pairs and entries; a value is one record, bytes are what `append` takes them for."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("t", content_type="text/plain")
            answers = await hub.append_all(
                [
                    Entry("a", [1, 2], create=NEW),
                    ("a", b"[3, 4]"),
                    ("t", "zeile"),
                    Entry("a", {"end": True}, producer=Producer("p", 0, 0), close=True),
                ]
            )
            assert await contents(hub, "a") == [b"[1,2]", b"3", b"4", b'{"end":true}']
            assert await contents(hub, "t") == [b"zeile"]
            assert [answer.created for answer in answers] == [True, False, False, False]
            with pytest.raises(StreamClosed) as caught:
                await hub.append_all([("t", "x"), ("a", 1)])
            assert (caught.value.details["line"], caught.value.details["stream"]) == (2, "a")
            assert await contents(hub, "t") == [b"zeile"]
            assert await hub.append_all([]) == []
            with pytest.raises(TypeError, match="an entry is"):
                await hub.append_all(["a"])  # type: ignore[list-item]

    run(main())


def test_it_has_bounds(run: Run[None]) -> None:
    """Of appends, bytes, records and streams, each for all of them together; at the limit of streams none is made."""

    async def main() -> None:
        limits = Limits(max_body_bytes=1000, max_append_records=10, max_streams=3)
        async with Hub(limits=limits) as hub:
            await hub.create("a", content_type=JSON)
            with pytest.raises(TooLarge, match="1024"):
                await hub.append_all([("a", 1)] * 1025)
            with pytest.raises(TooLarge, match="max_body_bytes"):
                await hub.append_all([("a", "x" * 600)] * 2)
            with pytest.raises(TooManyRecords, match="max_append_records") as caught:
                await hub.append_all([("a", b"[1,2,3,4,5]"), ("a", b"[1,2,3,4,5]"), ("a", b"6")])
            assert caught.value.details["line"] == 3
            with pytest.raises(TooManyRecords):
                await hub.append_all([("a", b"[1,2,3,4,5,6]")] * 2)
            with pytest.raises(LimitReached, match="max_streams"):
                await hub.append_all([Entry(path, 1, create=NEW) for path in "bcd"])
            assert [info.path for info in await hub.list()] == ["a"]
            assert await contents(hub, "a") == []
            both = [hub.append_all([Entry(path, 1, create=NEW) for path in pair]) for pair in ("bc", "cb", "bc")]
            await asyncio.gather(*both)
            assert await contents(hub, "b") == [b"1"] * 3
            assert await hub.append_all([Entry(path, 1, create=NEW) for path in "abc"])

    run(main())


def test_a_store_without_such_a_step(run: Run[None]) -> None:
    """501, and nothing is written."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("a", content_type=JSON)
            store = hub.store

            class Plain:
                def __getattr__(self, name: str) -> Any:
                    if name == "append_all":
                        raise AttributeError(name)
                    return getattr(store, name)

            hub.store = Plain()
            with pytest.raises(NotAtomic, match="one step"):
                await hub.append_all([("a", 1)])
            hub.store = store

    run(main())
