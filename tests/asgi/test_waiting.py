"""Readers that come before their stream: they wait, are told when it is made, and miss nothing of it."""

from __future__ import annotations

import asyncio
import json
from typing import Final

import pytest
from tests.conftest import Run

from headwater import Access, Ask, Hub, Limits
from headwater.asgi import App
from headwater.errors import ShuttingDown
from headwater.testing.asgi import AsgiClient, AsgiResponse

URL: Final = "/v1/stream/s?missing=wait"
JSON: Final = "application/json"
SSE: Final = {"accept": "text/event-stream"}
LINES: Final = {"accept": "application/x-ndjson"}


async def told(answer: AsgiResponse, word: bytes) -> bytes:
    """What comes up to a word."""
    text = b""
    while word not in text:
        part = await answer.part()
        assert part is not None, text
        text += part
    return text


def objects(text: bytes) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_events_wait_and_go_on(run: Run[None]) -> None:
    """200 at once, with the id at which a browser that is cut comes back; when the stream is made it says of what type,
    and all records follow."""

    async def main() -> None:
        async with Hub() as hub:
            client = AsgiClient(App(hub))
            async with client.open("GET", URL, headers=SSE) as answer:
                text = await told(answer, b"stream-waiting")
                assert answer.status == 200
                assert text.startswith(b"retry:")
                assert b"id:-1\n" in text
                assert (hub.stats.readers, hub.reader_count("s")) == (1, 1)
                await hub.create("s", content_type=JSON, body=b"[1]")
                text = await told(answer, b"data:1\n")
                created = text[text.index(b"event: stream-created") : text.rindex(b"id:")]
                info = await hub.info("s")
                assert json.loads(created.split(b"data:")[1].split(b"\n")[0]) == {
                    "content_type": JSON,
                    "encoding": "",
                    "offset": info.earliest,
                }
                await hub.append("s", 2)
                await told(answer, b"data:2\n")
                assert (hub.stats.readers, hub.reader_count("s")) == (1, 1)
                await hub.close("s")
                await told(answer, b"stream-closed")
            assert hub.stats.readers == 0

    run(main())


@pytest.mark.parametrize("content_type", [JSON, "text/plain", "application/octet-stream"])
def test_lines_wait_and_go_on(run: Run[None], content_type: str) -> None:
    """The same as NDJSON, of each kind of stream."""

    async def main() -> None:
        async with Hub() as hub:
            client = AsgiClient(App(hub))
            async with client.open("GET", URL, headers=LINES) as answer:
                assert objects(await told(answer, b"\n")) == [{"control": "waiting", "offset": "-1"}]
                await hub.create("s", content_type=content_type, body=b"1")
                first, second, *_ = objects(await told(answer, b"up-to-date"))
                assert (first["control"], first["content_type"]) == ("created", content_type)
                assert first["encoding"] == ("base64" if content_type == "application/octet-stream" else "")
                assert second["base64" if first["encoding"] else "data"] in (1, "1", "MQ==")

    run(main())


def test_a_stream_that_is_there_is_read_as_without(run: Run[None]) -> None:
    """No waiting, no creation; from wherever it was asked."""

    async def main() -> None:
        async with Hub() as hub:
            client = AsgiClient(App(hub))
            await hub.create("s", content_type=JSON, body=b"[1,2,3]")
            async with client.open("GET", f"{URL}&last=2", headers=LINES) as answer:
                found = objects(await told(answer, b"up-to-date"))
                assert [line.get("data") for line in found] == [2, 3, None]

    run(main())


def test_heartbeats_come_while_it_waits(run: Run[None]) -> None:
    """As in any live read."""

    async def main() -> None:
        async with Hub(limits=Limits(heartbeat_seconds=0.01)) as hub:
            client = AsgiClient(App(hub))
            async with client.open("GET", URL, headers=LINES) as answer:
                await told(answer, b"keepalive")
            async with client.open("GET", URL, headers=SSE) as answer:
                await told(answer, b"\n:\n")

    run(main())


@pytest.mark.parametrize("is_there", [True, False])
def test_an_offset_of_an_earlier_stream(run: Run[None], is_there: bool) -> None:
    """The reader is told that records are of another stream, and gets the new one from its start."""

    async def main() -> None:
        async with Hub() as hub:
            client = AsgiClient(App(hub))
            await hub.create("s", content_type=JSON, body=b"[1,2]")
            old = (await hub.info("s")).tail
            await hub.delete("s")
            if is_there:
                await hub.create("s", content_type=JSON, body=b"[3]")
            async with client.open("GET", URL, headers={**SSE, "last-event-id": old}) as answer:
                text = await told(answer, b"stream-waiting")
                if not is_there:
                    await hub.create("s", content_type=JSON, body=b"[3]")
                text += await told(answer, b"data:3\n")
                gap = text[text.index(b"event: stream-gap") :].split(b"data:")[1].split(b"\n")[0]
                start = (await hub.info("s")).earliest
                assert json.loads(gap) == {"from": old, "to": start, "reason": "recreated"}
                assert text.index(b"stream-created") < text.index(b"stream-gap") < text.index(b"data:3\n")

    run(main())


def test_created_deleted_and_created_again(run: Run[None]) -> None:
    """In one turn of the loop: what is there in the end is read; who was let in to the first is told its end."""

    async def main() -> None:
        async with Hub() as hub:
            client = AsgiClient(App(hub))
            async with client.open("GET", URL, headers=LINES) as answer:
                await told(answer, b"waiting")
                await hub.create("s", content_type=JSON, body=b"[1]")
                await hub.delete("s")
                assert (hub.stats.readers, hub.reader_count("s")) == (1, 1)
                await hub.create("s", content_type=JSON, body=b"[2]")
                found = objects(await told(answer, b"up-to-date"))
                assert [line["data"] for line in found if "data" in line] == [2]
            assert hub.stats.readers == 0

    run(main())


def test_it_is_let_go_when_the_hub_stops(run: Run[None]) -> None:
    """And one that comes then, too."""

    async def main() -> None:
        async with Hub() as hub:
            client = AsgiClient(App(hub))
            async with client.open("GET", URL, headers=SSE) as answer:
                await told(answer, b"stream-waiting")
                hub.drain()
                assert b"stream-detached" in await answer.read()
            _, body = await client.request("GET", URL, headers=LINES)
            assert [line["control"] for line in objects(body)] == ["waiting", "detached"]
            assert hub.stats.readers == 0

    run(main())


def test_many_wait_for_one(run: Run[None]) -> None:
    """A thousand of two forms are let in by turns, each with all records once."""

    async def main() -> None:
        async with Hub(limits=Limits(max_readers=2000)) as hub:
            client = AsgiClient(App(hub))
            ready = 0

            async def one(headers: dict[str, str]) -> bytes:
                nonlocal ready
                async with client.open("GET", URL, headers=headers) as answer:
                    await told(answer, b"waiting")
                    ready += 1
                    return await answer.read()

            readers = [asyncio.create_task(one(SSE if number % 2 else LINES)) for number in range(1000)]
            while ready < 1000:  # noqa: ASYNC110
                await asyncio.sleep(0)
            await hub.create("s", content_type=JSON, body=b"[1001]")
            await hub.append("s", 1002)
            await hub.close("s")
            for text in await asyncio.gather(*readers):
                assert (text.count(b"1001"), text.count(b"1002")) == (1, 1)
                assert b"closed" in text
            assert hub.stats.readers == 0

    run(main())


def test_waiting_is_counted_and_listed(run: Run[None]) -> None:
    """With the name that it gives itself, and a state of its own; and it has the limit of all readers."""

    async def main() -> None:
        async with Hub(limits=Limits(max_readers=1)) as hub:
            client = AsgiClient(App(hub))
            async with client.open("GET", f"{URL}&reader=me", headers=SSE) as answer:
                await told(answer, b"stream-waiting")
                [reader] = await hub.live.describe()
                assert (reader.path, reader.name, reader.state) == ("s", "me", "waiting")
                assert (await client.request("GET", URL, headers=SSE))[0].status == 429

    run(main())


def test_it_is_asked_for_by_its_path_first(run: Run[None]) -> None:
    """Nobody learns whether a stream exists who may not read it."""

    def authorize(asks: tuple[Ask, ...], *_: object) -> Access | None:
        return None

    async def main() -> None:
        async with Hub() as hub:
            client = AsgiClient(App(hub, authorize=authorize))
            await hub.create("there", content_type=JSON)
            for path in ("there", "missing"):
                answer, _ = await client.request("GET", f"/v1/stream/{path}?missing=wait", headers=SSE)
                assert answer.status == 401

    run(main())


def test_a_poll_waits(run: Run[None]) -> None:
    """Until the stream is made, or for as long as a poll takes: then 404, and the next one may come at once."""

    async def main() -> None:
        async with Hub(limits=Limits(long_poll_seconds=0.01)) as hub:
            client = AsgiClient(App(hub))
            answer, body = await client.request("GET", f"{URL}&live=long-poll&offset=-1")
            assert (answer.status, answer.headers["retry-after"]) == (404, "0")
            assert json.loads(body)["code"] == "stream-awaited"
        async with Hub() as hub:
            client = AsgiClient(App(hub))
            polling = asyncio.create_task(client.request("GET", f"{URL}&live=long-poll&offset=-1"))
            while not hub.reader_count("s"):  # noqa: ASYNC110
                await asyncio.sleep(0)
            await hub.create("s", content_type=JSON, body=b"[1]")
            answer, body = await polling
            assert (answer.status, body) == (200, b"[1]")
            assert hub.stats.readers == 0

    run(main())


def test_a_word_that_is_none_is_refused(run: Run[None]) -> None:
    """There is one."""

    async def main() -> None:
        async with Hub() as hub:
            assert (await AsgiClient(App(hub)).request("GET", "/v1/stream/s?missing=no"))[0].status == 400

    run(main())


@pytest.mark.parametrize("query", ["live=sse&offset=-1&missing=wait", "missing=wait"])
def test_forms_of_the_protocol_do_not_wait(run: Run[None], query: str) -> None:
    """Where they ask for it, and everywhere without it, a missing stream is 404; one that is there is read as ever."""

    async def main() -> None:
        async with Hub() as hub:
            client = AsgiClient(App(hub))
            assert (await client.request("GET", f"/v1/stream/s?{query}"))[0].status == 404
            for headers in (SSE, LINES, {}):
                assert (await client.request("GET", "/v1/stream/s", headers=headers))[0].status == 404
            await hub.create("s", content_type=JSON, body=b"[1]", closed=True)
            answer, body = await client.request("GET", f"/v1/stream/s?{query}")
            assert answer.status == 200
            assert b"1" in body

    run(main())


def test_in_process(run: Run[None]) -> None:
    """`Hub.read(wait=True)`; it ends when the hub stops."""

    async def main() -> None:
        async with Hub(limits=Limits(heartbeat_seconds=0.01)) as hub:

            async def read(path: str) -> list[object]:
                return [record.json() async for record in hub.read(path, live=True, wait=True)]

            reading, waiting = asyncio.create_task(read("s")), asyncio.create_task(read("never"))
            while hub.stats.readers < 2:  # noqa: ASYNC110
                await asyncio.sleep(0)
            await hub.create("s", content_type=JSON, body=b"[1, 2]")
            await hub.append("s", 3, close=True)
            assert await reading == [1, 2, 3]
            hub.drain()
            with pytest.raises(ShuttingDown):
                await waiting

    run(main())


@pytest.mark.parametrize("query", ["offset=now", "last=1"])
@pytest.mark.parametrize("headers", [SSE, LINES], ids=["events", "lines"])
def test_what_is_made_between_two_connections_is_not_missed(
    run: Run[None], headers: dict[str, str], query: str
) -> None:
    """Whoever waited from `now` on, or for the last ones, comes back where it waited: at the first record."""

    async def main() -> None:
        async with Hub() as hub:
            client = AsgiClient(App(hub))
            url = f"{URL}&{query}"
            async with client.open("GET", url, headers=headers) as answer:
                text = await told(answer, b"waiting")
                text += await told(answer, b"\n") if headers is LINES else await told(answer, b"\n\n")
            await hub.create("s", content_type=JSON, body=b"[1,2]")
            if headers is SSE:
                again = {**SSE, "last-event-id": text.partition(b"id:")[2].split()[0].decode()}
                expected = b"data:1\n"
            else:
                url, again = f"{URL}&offset={objects(text)[0]['offset']}", LINES
                expected = b'"data":1}'
            async with client.open("GET", url, headers=again) as answer:
                await told(answer, expected)

    run(main())
