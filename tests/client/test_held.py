"""A server may hold a long-poll for as long as it likes to: that is no trouble."""

from __future__ import annotations

import asyncio

import httpx2
from tests.client.played import Played, Player, known

from headwater.client import Ending, ReaderState, Retry, Stream
from headwater.client.reading import Reading, Request
from headwater.client.sync import Stream as SyncStream
from headwater.client.transports import HELD

PAGE = {"content-type": "application/json", "stream-next-offset": "02", "stream-up-to-date": "true"}
CONNECT = Retry(connect=7.0)


def answered(request: httpx2.Request, asked: list[tuple[str, float]]) -> httpx2.Response:
    """A page with one record, then the end; notes for how long each answer is waited for."""
    asked.append((str(request.url.params.get("live", request.method)), request.extensions["timeout"]["read"]))
    if len(asked) == 3:
        return httpx2.Response(204, headers={**PAGE, "stream-closed": "true"})
    return httpx2.Response(200, headers=PAGE, content=b"" if request.method == "HEAD" else b"[1]")


#: Any answer has so long, history too, and one that is held longer.
EXPECTED = [("HEAD", 7.0), ("GET", 7.0), ("long-poll", 7.0 + HELD)]


def test_a_head_that_is_held_is_waited_for() -> None:
    """Longer than the head of any other answer."""
    asked: list[tuple[str, float]] = []

    async def test() -> list[int]:
        client = httpx2.AsyncClient(transport=httpx2.MockTransport(lambda request: answered(request, asked)))
        async with client, Stream("http://there/a", transport="long-poll", retry=CONNECT, http=client) as stream:
            return [item.data async for item in stream]

    assert asyncio.run(test()) == [1]
    assert asked == EXPECTED


def test_a_head_that_is_held_is_waited_for_without_asyncio() -> None:
    """The same."""
    asked: list[tuple[str, float]] = []
    client = httpx2.Client(transport=httpx2.MockTransport(lambda request: answered(request, asked)))
    with client, SyncStream("http://there/a", transport="long-poll", retry=CONNECT, http=client) as stream:
        assert [item.data for item in stream] == [1]
    assert asked == EXPECTED


def test_who_waits_at_the_tail_is_live() -> None:
    """Poll after poll; no attempt is counted, and the requests follow each other."""
    states: list[ReaderState] = []

    def held(request: Request, now: float) -> Played:
        states.append(player.session.state)
        assert request.hold == (HELD if "live" in request.query else 0.0)
        if "live" not in request.query:
            return Played(200, PAGE, [b"[]"])
        return Played(204, PAGE, takes=25.0)

    player = Player(held, Reading(transport="long-poll"), info=known())
    player.play(600)
    assert states[0] is ReaderState.CONNECTING
    assert set(states[1:]) == {ReaderState.LIVE}
    assert player.session.attempt == 0
    assert len(player.requests) == 25
    assert max(player.waits) == 0.0


def test_the_answer_says_how_often_its_heart_beats() -> None:
    """HEAD does not: a server whose heartbeats are far apart is not taken for dead, and one that is dead is noticed."""
    session = Player(lambda *_: Played(), Reading(transport="ndjson"), info=known()).session
    for beat, silence in ((None, 37.5), ("60", 150.0), ("1", 2.5), ("soon", 37.5)):
        session.begin(0.0)
        headers = {"content-type": "application/x-ndjson", **({} if beat is None else {"stream-heartbeat": beat})}
        session.head(200, headers, b"", None, 0.0)
        assert session.silence == silence


def test_who_closes_does_not_wait_for_a_head_that_is_held() -> None:
    """The reader comes to its end at once, in the middle of a poll."""

    async def test() -> None:
        asked = asyncio.Event()

        async def held(request: httpx2.Request) -> httpx2.Response:
            asked.set()
            await asyncio.Event().wait()
            raise AssertionError

        client = httpx2.AsyncClient(transport=httpx2.MockTransport(held))
        kind = "application/json"
        async with client, Stream("http://there/a", transport="long-poll", content_type=kind, http=client) as stream:
            reader = stream.read()
            reading = asyncio.create_task(anext(aiter(reader), None))
            await asked.wait()
            await reader.close()
            assert await reading is None
            assert reader.end is not None
            assert reader.end.kind is Ending.STOPPED

    asyncio.run(asyncio.wait_for(test(), 10))
