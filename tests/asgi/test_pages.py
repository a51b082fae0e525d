"""Reads from behind over HTTP: the last records, those before them, and live reads that begin there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest
from tests.conftest import Run

from headwater import Hub, Limits
from headwater.asgi import App
from headwater.errors import BadRequest
from headwater.testing.asgi import AsgiClient, AsgiResponse

URL: Final = "/v1/stream/s"
TEXT: Final = "/v1/stream/t"
JSON: Final = "application/json"


@asynccontextmanager
async def served(count: int = 120, limits: Limits | None = None) -> AsyncIterator[tuple[Hub, AsgiClient]]:
    """A stream of numbers, and one of lines."""
    async with Hub(limits=limits) as hub:
        await hub.create("s", content_type=JSON, body=json.dumps(list(range(count))).encode())
        await hub.create("t", content_type="text/plain", body="".join(f"zeile {n} ä\n" for n in range(count)).encode())
        yield hub, AsgiClient(App(hub))


async def told(answer: AsgiResponse, word: bytes) -> bytes:
    """What comes up to a word."""
    text = b""
    while word not in text:
        part = await answer.part()
        assert part is not None, text
        text += part
    return text


def test_pages_with_what_is_known_of_a_record(run: Run[None]) -> None:
    """Lines with offset and time, which go on where a live read begins; another tag than the page without them."""

    async def main() -> None:
        async with served(6) as (_, client):
            answer, body = await client.request("GET", f"{URL}?last=2&envelope=1")
            assert (answer.status, answer.headers["content-type"]) == (200, "application/x-ndjson")
            lines = [json.loads(line) for line in body.splitlines()]
            assert [line["data"] for line in lines] == [4, 5]
            assert all(line["at"] > 1e9 for line in lines)
            assert lines[-1]["offset"] == answer.headers["stream-next-offset"]
            before = answer.headers["stream-previous-offset"]
            other, body = await client.request("GET", f"{URL}?before={before}&last=9&envelope=1")
            lines = [json.loads(line) for line in body.splitlines()]
            assert ([line["data"] for line in lines], lines[-1]["offset"]) == ([0, 1, 2, 3], before)
            assert "stream-previous-offset" not in other.headers
            plain, _ = await client.request("GET", f"{URL}?before={before}&last=9")
            assert plain.headers["etag"] != other.headers["etag"]
            again = {"if-none-match": other.headers["etag"]}
            answer, body = await client.request("GET", f"{URL}?before={before}&last=9&envelope=1", headers=again)
            assert (answer.status, body) == (304, b"")
            answer, body = await client.request("GET", f"{TEXT}?last_bytes=9&envelope=1")
            assert json.loads(body)["data"] == "eile 5 ä\n"[-8:]
            await client.request("PUT", "/v1/stream/empty", headers={"content-type": JSON})
            answer, body = await client.request("GET", "/v1/stream/empty?last=2&envelope=1")
            assert (answer.status, body) == (200, b"")

    run(main())


def test_the_last_records_and_those_before(run: Run[None]) -> None:
    """A page says where it begins and ends; page by page every record comes once, and the first one has none before."""

    async def main() -> None:
        async with served() as (hub, client):
            answer, body = await client.request("GET", f"{URL}?last=50")
            assert (answer.status, json.loads(body)) == (200, list(range(70, 120)))
            assert answer.headers["stream-next-offset"] == (await hub.info("s")).tail
            assert answer.headers["stream-up-to-date"] == "true"
            assert answer.headers["cache-control"] == "private, no-cache"
            seen = json.loads(body)
            await hub.append("s", 120)
            while (before := answer.headers.get("stream-previous-offset")) is not None:
                answer, body = await client.request("GET", f"{URL}?before={before}&last=50")
                assert answer.headers["stream-next-offset"] == before
                assert "stream-up-to-date" not in answer.headers
                assert "max-age" in answer.headers["cache-control"]
                seen = json.loads(body) + seen
            assert seen == list(range(120))

    run(main())


def test_a_tag_that_fits_is_not_modified(run: Run[None]) -> None:
    """The same page again is 304, also of the last records, as long as nothing was appended."""

    async def main() -> None:
        async with served() as (hub, client):
            answer, _ = await client.request("GET", f"{URL}?last=50")
            tag = {"if-none-match": answer.headers["etag"]}
            again, body = await client.request("GET", f"{URL}?last=50", headers=tag)
            assert (again.status, body) == (304, b"")
            await hub.append("s", 1)
            assert (await client.request("GET", f"{URL}?last=50", headers=tag))[0].status == 200

    run(main())


def test_bytes_of_a_text(run: Run[None]) -> None:
    """They begin with a character, and the pages are the text."""

    async def main() -> None:
        async with served() as (_, client):
            _, whole = await client.request("GET", TEXT)
            answer, body = await client.request("GET", f"{TEXT}?last_bytes=25")
            seen = body
            while (before := answer.headers.get("stream-previous-offset")) is not None:
                answer, body = await client.request("GET", f"{TEXT}?before={before}&last_bytes=25")
                assert 22 <= len(body) <= 25 or "stream-previous-offset" not in answer.headers
                body.decode()
                seen = body + seen
            assert seen == whole

    run(main())


def test_a_page_has_its_bound(run: Run[None]) -> None:
    """More than `read_bytes` is left out, the oldest first, and asked for with the next page."""

    async def main() -> None:
        async with served(limits=Limits(read_bytes=100)) as (_, client):
            answer, body = await client.request("GET", f"{URL}?last=1000")
            values = json.loads(body)
            assert values == list(range(120 - len(values), 120))
            assert 90 <= len("".join(map(str, values))) <= 100
            assert "stream-previous-offset" in answer.headers
            _, body = await client.request("GET", f"{TEXT}?last_bytes=500")
            assert 97 <= len(body) <= 100

    run(main())


@pytest.mark.parametrize("accept", ["text/event-stream", "application/x-ndjson"])
def test_a_live_read_begins_with_the_last_records(run: Run[None], accept: str) -> None:
    """It says where that is, and goes on with what comes; an event's id wins over `last`."""

    async def main() -> None:
        async with served() as (hub, client):
            page, _ = await client.request("GET", f"{URL}?last=3")
            before = page.headers["stream-previous-offset"]
            async with client.open("GET", f"{URL}?last=3", headers={"accept": accept}) as answer:
                text = await told(answer, b"119")
                assert b"117" in text
                assert b"116" not in text
                assert answer.headers["stream-previous-offset"] == before
                await hub.append("s", "new")
                await told(answer, b'"new"')
            if accept == "text/event-stream":
                headers = {"accept": accept, "last-event-id": (await hub.info("s")).tail}
                async with client.open("GET", f"{URL}?last=3", headers=headers) as answer:
                    await hub.append("s", "newer")
                    assert b"119" not in await told(answer, b"newer")

    run(main())


@pytest.mark.parametrize("live", ["sse", "long-poll"])
def test_the_protocols_live_reads_begin_there_too(run: Run[None], live: str) -> None:
    """Without an offset; a long-poll has what is there, or waits."""

    async def main() -> None:
        async with served() as (hub, client):
            async with client.open("GET", f"{URL}?live={live}&last=2") as answer:
                await told(answer, b"[118,119]")
            await hub.create("empty", content_type=JSON)
            waiting = asyncio.create_task(client.request("GET", f"/v1/stream/empty?live={live}&last=2"))
            while not hub.reader_count("empty"):  # noqa: ASYNC110
                await asyncio.sleep(0)
            await hub.append("empty", 7)
            await hub.close("empty")
            assert b"[7]" in (await waiting)[1]

    run(main())


def test_a_long_poll_from_behind_is_for_this_moment(run: Run[None]) -> None:
    """It says where it begins, is asked for again by caches, and has a tag that changes with what it holds."""

    async def main() -> None:
        async with served() as (hub, client):
            page, _ = await client.request("GET", f"{URL}?last=3")
            answer, body = await client.request("GET", f"{URL}?live=long-poll&last=3")
            assert json.loads(body) == [117, 118, 119]
            for name in ("stream-previous-offset", "stream-next-offset", "etag", "cache-control"):
                assert answer.headers[name] == page.headers[name]
            assert answer.headers["cache-control"] == "private, no-cache"
            await hub.append("s", 120)
            again, body = await client.request("GET", f"{URL}?live=long-poll&last=3")
            assert (json.loads(body), again.headers["etag"] != answer.headers["etag"]) == ([118, 119, 120], True)
            whole, body = await client.request("GET", f"{URL}?live=long-poll&last=1000")
            assert (len(json.loads(body)), "stream-previous-offset" in whole.headers) == (121, False)

    run(main())


def test_a_long_poll_of_now_is_kept_by_nobody(run: Run[None]) -> None:
    """The next one with the same URL begins elsewhere, so that a stored response would give old records again."""

    async def main() -> None:
        async with served() as (hub, client):
            before = hub.reader_count("s")
            waiting = asyncio.create_task(client.request("GET", f"{URL}?live=long-poll&offset=now"))
            while hub.reader_count("s") == before:  # noqa: ASYNC110
                await asyncio.sleep(0)
            await hub.append("s", 120)
            answer, body = await waiting
            assert json.loads(body) == [120]
            assert (answer.headers["cache-control"], "etag" in answer.headers) == ("no-store", False)

    run(main())


def test_pages_that_hold_nothing_new_but_differ_have_other_tags(run: Run[None]) -> None:
    """Of a page the tag names the range and the form; a head names neither, and is not kept."""

    async def main() -> None:
        async with served() as (hub, client):
            tags = set()
            for query in ("last=2", "last=3", "last=2&envelope=1"):
                answer, _ = await client.request("GET", f"{URL}?{query}")
                assert answer.headers["cache-control"] == "private, no-cache"
                tags.add(answer.headers["etag"])
                fits = {"if-none-match": answer.headers["etag"]}
                again, body = await client.request("GET", f"{URL}?{query}", headers=fits)
                assert (again.status, body) == (304, b"")
                for name in ("etag", "cache-control", "stream-previous-offset", "stream-next-offset", "vary"):
                    assert again.headers[name] == answer.headers[name]
            assert len(tags) == 3
            head, _ = await client.request("HEAD", f"{URL}?last=2")
            assert (head.headers["cache-control"], head.headers["etag"] in tags) == ("no-store", False)
            tail = (await hub.info("s")).tail
            fixed, _ = await client.request("GET", f"{URL}?before={tail}&last=2")
            assert fixed.headers["cache-control"].startswith("private, max-age")
            await hub.close("s")
            closed, _ = await client.request("GET", f"{URL}?last=2")
            assert closed.headers["etag"] not in tags

    run(main())


def test_a_live_page_larger_than_a_piece_comes_whole(run: Run[None]) -> None:
    """What is asked for comes in pieces of `buffer_bytes`, all of it, and nothing before it."""

    async def main() -> None:
        async with served(limits=Limits(buffer_bytes=50, read_bytes=10_000)) as (_, client):
            async with client.open("GET", f"{URL}?last=100", headers={"accept": "application/x-ndjson"}) as answer:
                text = await told(answer, b"up-to-date")
            lines = [json.loads(line) for line in text.splitlines()]
            assert [line["data"] for line in lines if "data" in line] == list(range(20, 120))

    run(main())


BAD: Final = {
    f"{URL}?last=0": "1 to 1000",
    f"{URL}?last=1001": "1 to 1000",
    f"{URL}?last=-1": "whole number from 1 to 1000",
    f"{URL}?last=": "whole number",
    f"{URL}?last=5&last=6": "once",
    f"{URL}?last=5&offset=-1": "offset, or last",
    f"{URL}?last=5&last_bytes=5": "one of last and last_bytes",
    f"{URL}?last_bytes=5": "counted in records",
    f"{URL}?before=now": "needs last",
    f"{URL}?before=x&last=5": "not an offset",
    f"{URL}?live=sse&last=5&before=now": "no before",
    f"{TEXT}?last=5": "counted in bytes: ask for last_bytes",
    f"{TEXT}?last_bytes=0": "last_bytes must be a whole number from 1 to",
}


@pytest.mark.parametrize("url", BAD)
def test_what_makes_no_sense_is_refused(run: Run[None], url: str) -> None:
    """With 400, and a sentence that says what to ask for."""

    async def main() -> None:
        async with served() as (_, client):
            for accept in ("*/*", "text/event-stream"):
                answer, body = await client.request("GET", url, headers={"accept": accept})
                if accept == "*/*" or answer.status != 400:
                    assert (answer.status, BAD[url] in json.loads(body)["detail"]) == (400, True), body

    run(main())


def test_a_place_of_another_life_is_gone(run: Run[None]) -> None:
    """410, with the first offset that is kept."""

    async def main() -> None:
        async with served() as (hub, client):
            old = (await hub.info("s")).tail
            await hub.delete("s")
            await hub.create("s", content_type=JSON)
            answer, body = await client.request("GET", f"{URL}?last=5&before={old}")
            assert (answer.status, json.loads(body)["code"]) == (410, "offset-gone")

    run(main())


def test_in_process(run: Run[None]) -> None:
    """`Hub.page` and `Hub.read(last=...)`; fifty without a number."""

    async def main() -> None:
        async with served() as (hub, _):
            page = await hub.page("s")
            assert [record.json() for record in page.batch.records] == list(range(70, 120))
            before = await hub.page("s", 3, before=page.batch.offset)
            assert ([record.json() for record in before.batch.records], before.has_earlier) == ([67, 68, 69], True)
            assert [record.json() async for record in hub.read("s", last=2)] == [118, 119]
            assert b"".join([record.data async for record in hub.read("t", last_bytes=8)]) == b" 119 \xc3\xa4\n"
            for bad in ({"last": 0}, {"last": 3, "last_bytes": 3}, {"offset": "now", "last": 3}, {"last_bytes": 3}):
                with pytest.raises(BadRequest, match="last"):
                    async for _ in hub.read("s", **bad):
                        pass

    run(main())
