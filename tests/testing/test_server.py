"""The server for tests of applications: the real one, that fails when it is told to."""

from __future__ import annotations

import asyncio
import json
import threading
import urllib.error
import urllib.request

import httpx2
import pytest
from tests.conftest import Run

from headwater.testing.server import running_server, server_in_thread

JSON = "application/json"
LINES = {"accept": "application/x-ndjson"}


def test_it_serves_as_the_real_one(run: Run[None]) -> None:
    """What the test appends is read, the other way round, and every request is told."""

    async def main() -> None:
        async with running_server() as server, httpx2.AsyncClient() as client:
            await server.hub.create("jobs/7", content_type=JSON)
            url = f"{server.url}jobs/7"
            assert (await client.post(url, json=1)).status_code == 204
            await server.hub.append("jobs/7", 2)
            assert (await client.get(url, params={"offset": "-1"}, headers={"x-mine": "yes"})).json() == [1, 2]
            last = server.requests[-1]
            assert (last.method, last.path, last.query) == ("GET", "/v1/stream/jobs/7", "offset=-1")
            assert last.headers["x-mine"] == "yes"

    run(main())


def test_the_next_requests_are_refused(run: Run[None]) -> None:
    """As often as the test says, with the table's own answer; also for a head that is known already."""

    async def main() -> None:
        async with running_server() as server, httpx2.AsyncClient() as client:
            await server.hub.create("s", content_type=JSON)
            url = f"{server.url}s"
            assert (await client.get(url)).status_code == 200
            server.refuse("unavailable", times=2)
            server.refuse("not-authorized")
            answers = [await client.get(url) for _ in range(4)]
            assert [answer.status_code for answer in answers] == [503, 503, 401, 200]
            assert answers[0].json()["code"] == "unavailable"
            assert answers[0].headers["retry-after"] == "1"
            with pytest.raises(ValueError, match="no error 'unavailible'"):
                server.refuse("unavailible")

    run(main())


def test_connections_are_cut(run: Run[None]) -> None:
    """Also those of live readers; who comes back is served."""

    async def main() -> None:
        async with running_server() as server, httpx2.AsyncClient() as client:
            await server.hub.create("s", content_type=JSON, body=b"[1]")
            url = f"{server.url}s"
            async with client.stream("GET", url, headers=LINES) as answer:
                lines = answer.aiter_lines()
                assert json.loads(await anext(lines))["data"] == 1
                server.cut()
                with pytest.raises(httpx2.HTTPError):
                    async for _ in lines:
                        pass
            assert (await client.get(url)).json() == [1]

    run(main())


def test_nothing_is_left_behind(run: Run[None]) -> None:
    """Readers that are there at the end of the test do not keep it."""

    async def main() -> None:
        async with httpx2.AsyncClient() as client:
            async with running_server() as server:
                await server.hub.create("s", content_type=JSON)
                reading = asyncio.create_task(client.get(f"{server.url}s", headers=LINES))
                while not server.requests:  # noqa: ASYNC110 - the server has no event for it
                    await asyncio.sleep(0)
            with pytest.raises(httpx2.HTTPError):
                await reading

    run(main())


def test_in_a_thread() -> None:
    """For tests that are not asynchronous."""
    with server_in_thread() as server:
        server.hub(lambda hub: hub.create("s", content_type=JSON, body=b"[1]"))
        with urllib.request.urlopen(f"{server.url}s", timeout=10) as answer:
            assert json.loads(answer.read()) == [1]
        server.refuse("refused")
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{server.url}s", timeout=10)
        refused.value.close()
        assert refused.value.code == 403
        assert [asked.method for asked in server.requests] == ["GET", "GET"]
        server.cut()
    assert not [thread for thread in threading.enumerate() if thread.name == "headwater.testing"]
