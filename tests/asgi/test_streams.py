"""Answers to reads: what they ask of the log, and what their heads promise when the body comes in pieces."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest
from tests.conftest import Run

from headwater import Compression, Hub, Limits
from headwater.asgi import App
from headwater.testing.asgi import AsgiClient

URL: Final = "/v1/stream/s"
JSON, TEXT = "application/json", "text/plain"
VALUES: Final = [{"n": number, "padding": "x" * 40} for number in range(100)]


@asynccontextmanager
async def served(content_type: str = JSON, count: int = 100) -> AsyncIterator[tuple[Hub, AsgiClient, list[str]]]:
    """A stream of many pieces, a client, and the offsets at which the log was read."""
    async with Hub(limits=Limits(read_bytes=500)) as hub:
        await hub.create("s", content_type=content_type)
        for value in VALUES[:count]:
            await hub.append("s", json.dumps(value).encode())
        asked: list[str] = []
        inner = hub.store.read

        async def read(path: str, offset: str, **bounds: Any) -> object:
            asked.append(offset)
            return await inner(path, offset, **bounds)

        hub.store.read = read  # type: ignore[method-assign, assignment]
        yield hub, AsgiClient(App(hub, compression=Compression(min_bytes=1))), asked


@pytest.mark.parametrize("count", [3, 100])
@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_a_tag_that_fits_and_a_head_read_nothing(run: Run[None], count: int, coding: str) -> None:
    """Both follow from where the stream begins and ends; a tag that fits no more is answered with the whole."""

    async def main() -> None:
        async with served(count=count) as (hub, client, asked):
            accepts = {"accept-encoding": coding}
            first, body = await client.request("GET", URL, headers=accepts)
            assert len(asked) == (1 if count == 3 else len(asked)) > 0
            asked.clear()
            tag = {**accepts, "if-none-match": first.headers["etag"]}
            found, empty = await client.request("GET", URL, headers=tag)
            assert (found.status, empty, found.headers["etag"]) == (304, b"", first.headers["etag"])
            found, _ = await client.request("HEAD", URL)
            for name in ("content-type", "stream-next-offset"):
                assert found.headers[name] == first.headers[name]
            assert asked == []
            other, _ = await client.request("GET", URL, headers={**tag, "accept-encoding": "br"})
            assert other.status == 200
            await hub.close("s")
            found, again = await client.request("GET", URL, headers=tag)
            assert (found.status, found.headers["stream-closed"], again) == (200, "true", body)

    run(main())


def test_the_head_of_many_pieces_tells_the_end(run: Run[None]) -> None:
    """Of a failed stream its failure; and a long-poll goes on page by page."""

    async def main() -> None:
        async with served() as (hub, client, asked):
            await hub.fail("s", "timeout", "no more")
            found, body = await client.request("GET", URL)
            assert json.loads(body) == VALUES
            assert (found.headers["stream-up-to-date"], found.headers["stream-closed"]) == ("true", "true")
            assert (found.headers["stream-failure"], found.headers["stream-failure-message"]) == ("timeout", "no more")
            assert found.headers["stream-next-offset"] == (await hub.info("s")).tail
            assert (hub.stats.reads, "content-length" in found.headers, len(asked) > 10) == (1, False, True)
            page, part = await client.request("GET", f"{URL}?live=long-poll&offset=-1")
            assert len(part) < 600
            assert "stream-up-to-date" not in page.headers
            assert "stream-closed" not in page.headers

    run(main())


def test_the_coding_of_many_pieces(run: Run[None]) -> None:
    """One body over all pieces; its length is told for bytes as they are, and not for coded ones."""

    async def main() -> None:
        async with served(TEXT) as (_, client, _):
            plain, expected = await client.request("GET", URL)
            assert plain.headers["content-length"] == str(len(expected))
            found, body = await client.request("GET", URL, headers={"accept-encoding": "gzip"})
            assert (gzip.decompress(body), found.headers["content-encoding"]) == (expected, "gzip")
            assert "content-length" not in found.headers
            assert len(body) < len(expected) / 4
            assert found.headers["etag"] == plain.headers["etag"][:-1] + ':gzip"'
            assert found.headers["vary"] == plain.headers["vary"]

    run(main())
