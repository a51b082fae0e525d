"""What a server says for its clients' sake: heartbeats, transports, and how long it knows a producer."""

from __future__ import annotations

import time
from typing import Final

import pytest
from tests.conftest import Run

from headwater import Hub, Limits
from headwater.asgi import App
from headwater.protocol.producers import KEPT_SECONDS
from headwater.testing.asgi import AsgiClient, AsgiResponse

URL: Final = "/v1/stream/s"
JSON: Final = {"content-type": "application/json"}
#: Ways to read live: the query, what is accepted, and how a heartbeat begins.
WAYS: Final = [
    ("", "text/event-stream", b":"),
    ("live=sse&offset=-1", "*/*", b":"),
    ("", "application/x-ndjson", b'{"control":"keepalive"'),
]
SELDOM: Final = Limits(heartbeat_seconds=90)


async def told(answer: AsgiResponse, word: bytes) -> None:
    """Read up to a word."""
    text = b""
    while word not in text:
        part = await answer.part()
        assert part is not None, text
        text += part


@pytest.mark.parametrize(("query", "accept", "beat"), WAYS)
def test_a_live_response_says_how_often_it_is_heard(run: Run[None], query: str, accept: str, beat: bytes) -> None:
    """`Stream-Heartbeat`: the setting; and what the read asks for, which is also kept."""

    async def main() -> None:
        async with Hub(limits=SELDOM) as hub:
            await hub.create("s", content_type="application/json", body=b"[1]")
            client = AsgiClient(App(hub))
            async with client.open("GET", f"{URL}?{query}", headers={"accept": accept}) as answer:
                await answer.part()
                assert answer.headers["stream-heartbeat"] == "90"
            async with client.open("GET", f"{URL}?{query}&heartbeat=1", headers={"accept": accept}) as answer:
                began = time.monotonic()
                await told(answer, b"\n" + beat)
                assert answer.headers["stream-heartbeat"] == "1"
                assert time.monotonic() - began > 0.5

    run(main())


def test_who_asks_for_the_same_shares_a_timer(run: Run[None]) -> None:
    """Readers of one stream, form and heartbeat are one group; others are another."""

    async def main() -> None:
        async with Hub(limits=SELDOM) as hub:
            await hub.create("s", content_type="application/json")
            client = AsgiClient(App(hub))
            lines = {"accept": "application/x-ndjson"}
            async with (
                client.open("GET", f"{URL}?heartbeat=5", headers=lines) as first,
                client.open("GET", f"{URL}?heartbeat=5", headers=lines) as second,
                client.open("GET", f"{URL}?heartbeat=6", headers=lines) as third,
                client.open("GET", URL, headers=lines) as fourth,
            ):
                for answer in (first, second, third, fourth):
                    await told(answer, b"up-to-date")
                stream = hub.live._streams["s"]
                assert sorted(len(group.members) for group in stream._groups.values()) == [1, 1, 2]
                beats = sorted(group.place.cursor.next_timer() - time.monotonic() for group in stream._groups.values())
                assert beats[0] < 5 < beats[1] < 6 < 80 < beats[2] <= 90

    run(main())


@pytest.mark.parametrize("path", ["absent?missing=wait&heartbeat=1", "-/many?stream=s&heartbeat=1"])
def test_who_waits_and_who_reads_many_are_heard_too(run: Run[None], path: str) -> None:
    """As often as they ask for."""

    async def main() -> None:
        async with Hub(limits=SELDOM) as hub:
            await hub.create("s", content_type="application/json")
            client = AsgiClient(App(hub, multi=True))
            async with client.open("GET", f"/v1/stream/{path}", headers={"accept": "application/x-ndjson"}) as answer:
                await told(answer, b"keepalive")
                assert answer.headers["stream-heartbeat"] == "1"

    run(main())


@pytest.mark.parametrize("value", ["0", "121", "1.5", "soon"])
def test_another_heartbeat_is_refused(run: Run[None], value: str) -> None:
    """400 with the bounds; a read that has no heartbeats does not look at it."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("s", content_type="application/json")
            client = AsgiClient(App(hub))
            answer, _ = await client.request("GET", f"{URL}?heartbeat={value}", headers={"accept": "text/event-stream"})
            assert answer.status == 400
            answer, _ = await client.request("GET", f"{URL}?heartbeat={value}")
            assert answer.status == 200

    run(main())


def test_what_a_client_needs_to_know_is_told_beforehand(run: Run[None]) -> None:
    """`Stream-Transports` and `Stream-Producer-Age` at PUT and HEAD; the latter also at a producer's first append."""

    async def main() -> None:
        async with Hub() as hub:
            client = AsgiClient(App(hub, multi=True))
            made, _ = await client.request("PUT", URL, headers=JSON)
            head, _ = await client.request("HEAD", URL)
            for answer in (made, head):
                assert answer.headers["stream-transports"] == "sse, ndjson, long-poll, live-sse, websocket"
                assert answer.headers["stream-producer-age"] == str(int(KEPT_SECONDS))
            ages = []
            for number in ("0", "0", "1"):
                producer = {"producer-id": "p", "producer-epoch": "0", "producer-seq": number}
                answer, _ = await client.request("POST", URL, b"1", headers={**JSON, **producer})
                ages.append(answer.headers.get("stream-producer-age"))
            assert ages == [str(int(KEPT_SECONDS)), str(int(KEPT_SECONDS)), None]
            plain, _ = await client.request("POST", URL, b"1", headers=JSON)
            assert "stream-producer-age" not in plain.headers

    run(main())


def test_a_connection_is_not_offered_where_it_is_not_served(run: Run[None]) -> None:
    """A hub behind a guard of paths has no `-/connect`."""

    async def main() -> None:
        async with Hub() as hub:
            client = AsgiClient(App(hub))
            made, _ = await client.request("PUT", URL, headers=JSON)
            assert made.headers["stream-transports"] == "sse, ndjson, long-poll, live-sse"
            answer, _ = await client.request(
                "POST", "/v1/stream/-/append", b"{}", {"content-type": "application/x-ndjson"}
            )
            assert answer.status == 403

    run(main())
