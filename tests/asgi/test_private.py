"""Streams that are not served: every door is shut, nothing tells what there is, and one option opens all of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.conftest import Run

from headwater import Hub
from headwater.asgi import App
from headwater.testing.asgi import AsgiClient

JSON = {"content-type": "application/json"}
SSE = {"accept": "text/event-stream"}
LINES = {"accept": "application/x-ndjson"}

REQUESTS: list[tuple[str, str, bytes, dict[str, str]]] = [
    ("PUT", "{}", b"", JSON),
    ("POST", "{}", b"1", JSON),
    ("POST", "{}", b"", {"stream-closed": "true"}),
    ("GET", "{}", b"", {}),
    ("GET", "{}?offset=-1&live=long-poll", b"", {}),
    ("GET", "{}?offset=-1&live=sse", b"", {}),
    ("GET", "{}", b"", SSE),
    ("GET", "{}", b"", LINES),
    ("HEAD", "{}", b"", {}),
    ("DELETE", "{}", b"", {}),
    ("OPTIONS", "{}", b"", {}),
    ("PUT", "fork", b"", {"stream-forked-from": "{}"}),
]


@pytest.mark.parametrize("path", ["runs/r1", "runs/none", "runs", "runs-records/r1", "run%73/r1", "answers/r1"])
@pytest.mark.parametrize(("method", "url", "body", "headers"), REQUESTS)
def test_a_private_stream_is_refused_at_every_door(
    run: Run[None], method: str, url: str, body: bytes, headers: dict[str, str], path: str
) -> None:
    """403 with a code, whether there is such a stream or not; however the path is spelled; and nothing is changed."""

    async def main() -> None:
        async with Hub() as hub:
            hub.private.add("answers")
            for stream in ("runs/r1", "runs-records/r1", "answers/r1"):
                await hub.create(stream, content_type="application/json", body=b"1")
            for app, prefix in ((App(hub), "/v1/stream/"), (hub.asgi, "/")):
                sent = {name: value.format(prefix + path) for name, value in headers.items()}
                found, text = await AsgiClient(app).request(method, prefix + url.format(path), body, sent)
                assert found.status == 403
                assert method == "HEAD" or json.loads(text)["code"] == "stream-private"
            streams = [info.path for info in await hub.list()]
            assert streams == ["answers/r1", "runs-records/r1", "runs/r1"]
            assert [(await hub.info(stream)).closed for stream in streams] == [False] * 3

    run(main())


def test_streams_beside_are_served(run: Run[None]) -> None:
    """Only whole segments count."""

    async def main() -> None:
        async with Hub() as hub:
            client = AsgiClient(App(hub))
            for path in ("runs2/x", "a/runs/x", "runsx", "runs-of-others/x"):
                assert (await client.request("PUT", f"/v1/stream/{path}", headers=JSON))[0].status == 201

    run(main())


def test_private_streams_are_counted_and_not_named(run: Run[None]) -> None:
    """A run's id is all that one needs to see it, where nobody is told who asks."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("runs/secret", content_type="application/json")
            await hub.create("open", content_type="application/json")
            client = AsgiClient(App(hub))

            async def get(route: str) -> Any:
                return json.loads((await client.request("GET", f"/-/{route}"))[1])

            with (
                await hub.live.open_reader("runs/secret", "-1"),
                await hub.live.open_reader("open", "-1"),
            ):
                streams = await get("streams?prefix=runs")
                assert (streams["streams"], streams["next"]) == ([], None)
                readers = await get("readers")
                assert ([reader["path"] for reader in readers["readers"]], readers["total"]) == (["open"], 2)
                assert (await get("readers?path=runs/secret"))["readers"] == []
                overview = await get("overview")
                assert overview["busiest"] == [{"path": "open", "readers": 1}]
                assert "secret" not in json.dumps(overview)
                assert b"secret" not in (await client.request("GET", "/-/metrics"))[1]

    run(main())


def test_a_private_source_is_not_named(run: Run[None]) -> None:
    """The program may fork a private stream; the fork is served, and nothing says of what it is one."""

    async def main() -> None:
        async with Hub() as hub:
            for source in ("runs/r1", "open"):
                await hub.create(source, body=b"1")
                await hub.fork(f"fork-of-{source[-2:]}", source)
            page = json.loads((await AsgiClient(App(hub)).request("GET", "/-/streams"))[1])
            sources = {stream["path"]: stream["forked_from"] for stream in page["streams"]}
            assert sources == {"fork-of-r1": None, "fork-of-en": "open", "open": None}

    run(main())


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_lists_pass_over_private_streams(run: Run[None], limit: int) -> None:
    """Pages are as long as ever, and where the next one begins tells nothing."""

    async def main() -> None:
        async with Hub() as hub:
            shown = ["a", "run", "runs-", "runs-keyz", "runs.", "runs0", "x/runs", "z"]
            hidden = [
                "runs",
                *(f"runs/{number}" for number in range(5)),
                "runs-keys/x",
                "runs-keys/y",
                "runs-records/0",
            ]
            for path in (*shown, *hidden):
                await hub.create(path, content_type="application/json")
            client = AsgiClient(App(hub))
            found: list[str] = []
            after: str | None = ""
            while after is not None:
                page = json.loads((await client.request("GET", f"/-/streams?limit={limit}&after={after}"))[1])
                assert len(page["streams"]) == limit or page["next"] is None
                found += [stream["path"] for stream in page["streams"]]
                after = page["next"]
            assert found == sorted(shown)

    run(main())


def test_one_option_serves_them(run: Run[None]) -> None:
    """To whoever reaches the application, as all other streams."""

    async def main() -> None:
        async with Hub(serve_private=True) as hub:
            await hub.create("runs/r1", content_type="application/json", body=b"1")
            for app, prefix in ((App(hub, serve_private=True), "/v1/stream/"), (hub.asgi, "/")):
                found, text = await AsgiClient(app).request("GET", f"{prefix}runs/r1")
                assert (found.status, text) == (200, b"[1]")
                assert b"runs/r1" in (await AsgiClient(app).request("GET", "/-/streams"))[1]

    run(main())
