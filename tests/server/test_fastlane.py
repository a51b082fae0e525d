"""The fast lane: what it takes, and that its answers are those of ASGI."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from headwater import Hub
from headwater.errors import HeadwaterError, StoreUnavailable
from headwater.model import Appended, Failure, Mode, Producer
from headwater.protocol.ledger import Append
from headwater.protocol.requests import Inspect, Read, Write
from headwater.server.fastlane import MAX_BODY_BYTES, FastLane, Plan
from headwater.stores.base import Done

Run = Callable[[Coroutine[Any, Any, Any]], Any]
JSON = b"content-type: application/json"
DATE = [(b"date", b"now")]


def head(method: bytes, url: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join([method + b" " + url + b" HTTP/1.1", b"host: localhost", *headers, b"", b""])


def length(size: int) -> bytes:
    return b"content-length: %d" % size


@pytest.mark.parametrize(
    ("request_head", "kind"),
    [
        (head(b"POST", b"/v1/stream/s", JSON, length(1)), Write),
        (head(b"POST", b"/v1/stream/s", JSON, length(MAX_BODY_BYTES)), Write),
        (head(b"POST", b"/v1/stream/s", b"stream-closed: true", length(0)), Write),
        (head(b"POST", b"/v1/stream/s", b"producer-id: p", b"producer-epoch: 0", b"producer-seq: 0", length(1)), Write),
        (head(b"GET", b"/v1/stream/s"), Read),
        (head(b"GET", b"/v1/stream/s?offset=-1&x=1"), Read),
        (head(b"HEAD", b"/v1/stream/a/b"), Inspect),
    ],
)
def test_plain_requests_are_taken(run: Run, request_head: bytes, kind: type) -> None:
    """Small appends and closes, catch-up reads, HEAD."""

    async def main() -> None:
        async with Hub() as hub:
            plan = FastLane(hub, "/v1/stream/").plan(request_head)
            assert isinstance(plan, Plan)
            assert isinstance(plan.command, kind)

    run(main())


@pytest.mark.parametrize(
    ("request_head", "mode"),
    [
        (head(b"GET", b"/v1/stream/s", b"accept: text/event-stream"), Mode.EVENTS),
        (head(b"GET", b"/v1/stream/s", b"accept: application/x-ndjson"), Mode.NDJSON),
        (head(b"GET", b"/v1/stream/s?offset=-1&live=sse&reader=me"), Mode.SSE),
    ],
)
def test_live_reads_are_taken(run: Run, request_head: bytes, mode: Mode) -> None:
    """In each format, of clients that are no page and behind no proxy."""

    async def main() -> None:
        async with Hub() as hub:
            command = FastLane(hub, "/v1/stream/").live(request_head)
            assert command is not None
            assert command.mode is mode
            assert FastLane(hub, "/v1/stream/").live(head(b"GET", b"/v1/stream/s")) is None

    run(main())


@pytest.mark.parametrize(
    "request_head",
    [
        head(b"PUT", b"/v1/stream/s", length(1)),
        head(b"DELETE", b"/v1/stream/s"),
        head(b"OPTIONS", b"/v1/stream/s"),
        head(b"POST", b"/elsewhere", length(1)),
        head(b"POST", b"/v1/stream/a%20b", length(1)),
        head(b"POST", b"/v1/stream/a#b", length(1)),
        head(b"POST", b"/v1/stream/s?x=1", length(1)),
        head(b"POST", b"http://localhost/v1/stream/s", length(1)),
        head(b"POST", b"/v1/stream/s"),
        head(b"POST", b"/v1/stream/s", length(MAX_BODY_BYTES + 1)),
        head(b"POST", b"/v1/stream/s", b"content-length: -1"),
        head(b"POST", b"/v1/stream/s", b"transfer-encoding: chunked"),
        head(b"POST", b"/v1/stream/s", length(1), b"expect: 100-continue"),
        head(b"POST", b"/v1/stream/s", length(1), b"origin: http://localhost"),
        head(b"POST", b"/v1/stream/s", length(1), b"connection: close"),
        head(b"POST", b"/v1/stream/s", length(1), b"producer-id: p"),
        head(b"POST", b"/v1/stream/s", length(1), b"content-type: nonsense"),
        head(b"GET", b"/v1/stream/s", length(1)),
        head(b"GET", b"/v1/stream/s", b"accept: text/event-stream", b"origin: http://localhost"),
        head(b"GET", b"/v1/stream/s", b"accept: text/event-stream", b"x-forwarded-for: 10.0.0.1"),
        head(b"GET", b"/v1/stream/s", b"accept: text/event-stream", b"x-forwarded-proto: https"),
        head(b"GET", b"/v1/stream/s?offset=-1&live=sse", length(1)),
        head(b"GET", b"/v1/stream/s?live=sse"),
        head(b"GET", b"/v1/stream/s?offset=-1&live=long-poll"),
        head(b"GET", b"/v1/stream/s?offset=nonsense"),
        head(b"GET", b"/v1/stream/" + b"x" * 2000),
        head(b"GET", b"/v1/stream/s").replace(b"localhost", b"elsewhere.example"),
    ],
)
def test_what_is_not_plain_goes_the_usual_way(run: Run, request_head: bytes) -> None:
    """Anything with extras, pages, what came through a proxy, and whatever is wrong with a head is left to ASGI."""

    async def main() -> None:
        async with Hub() as hub:
            assert FastLane(hub, "/v1/stream/", ("localhost",)).plan(request_head) is None

    run(main())


def test_a_hub_that_is_not_open_goes_the_usual_way(run: Run) -> None:
    """There the answer says what was forgotten; nothing of it is remembered."""
    request_head = head(b"POST", b"/v1/stream/s", JSON, length(1))

    async def main() -> None:
        hub = Hub()
        lane = FastLane(hub, "/v1/stream/")
        assert lane.plan(request_head) is None
        async with hub:
            assert lane.plan(request_head) is not None
        assert lane.plan(request_head) is None

    run(main())


def test_numbers_of_a_request_are_not_those_of_another(run: Run) -> None:
    """Heads that name a producer or a sequence are read anew each time."""

    async def main() -> None:
        async with Hub() as hub:
            lane = FastLane(hub, "/v1/stream/")
            for number in range(3):
                numbers = (b"producer-id: p", b"producer-epoch: 0", b"producer-seq: %d" % number)
                plan = lane.plan(head(b"POST", b"/v1/stream/s", JSON, length(1), *numbers))
                assert plan is not None
                assert isinstance(plan.command, Write)
                assert plan.command.producer == Producer("p", 0, number)

    run(main())


class Broken(Hub):
    """A hub with a bug."""

    def post(self, path: str, request: Append, done: Done) -> None:
        raise ZeroDivisionError("secret detail")


def test_refusals_and_bugs_are_answers(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    """Each is counted; a bug tells nothing of the inside."""

    async def ask(hub: Hub, body: bytes) -> bytes:
        lane = FastLane(hub, "/v1/stream/")
        plan = lane.plan(head(b"POST", b"/v1/stream/none", JSON, length(len(body))))
        assert plan is not None
        assert isinstance(plan.command, Write)
        done: asyncio.Future[Appended | Exception] = asyncio.get_running_loop().create_future()
        lane.append(plan.command, body, done.set_result)
        return lane.appended(await done, plan, DATE, keep_alive=True)

    async def main() -> None:
        async with Hub() as hub:
            assert (await ask(hub, b"1")).startswith(b"HTTP/1.1 404 Not Found\r\ndate: now\r\n")
            assert (await ask(hub, b"")).startswith(b"HTTP/1.1 400 ")
            assert (hub.stats.errors["stream-not-found"], hub.stats.errors["bad-request"]) == (1, 1)
        async with Broken() as hub:
            answer = await ask(hub, b"1")
            assert answer.startswith(b"HTTP/1.1 %d " % HeadwaterError.status)
            assert b"secret" not in answer

    run(main())
    assert "secret detail" in caplog.text


def test_answers_are_put_together_once_for_a_date(run: Run) -> None:
    """The kept form has another offset and the newest date; closures, failures and producers are told."""

    async def main() -> None:
        async with Hub() as hub:
            lane = FastLane(hub, "/v1/stream/")
            plan = lane.plan(head(b"POST", b"/v1/stream/s", JSON, length(1)))
            assert plan is not None

            def answer(outcome: Appended, date: list[tuple[bytes, bytes]] = DATE, *, keep_alive: bool = True) -> bytes:
                return lane.appended(outcome, plan, date, keep_alive=keep_alive)

            first = answer(Appended("1_1", False))
            assert first.startswith(b"HTTP/1.1 204 No Content\r\ndate: now\r\nstream-next-offset: 1_1\r\n")
            assert first.endswith(b"\r\n\r\n")
            assert answer(Appended("1_2", False)) == first.replace(b"1_1", b"1_2")
            later = [(b"date", b"later")]
            assert answer(Appended("1_1", False), later) == first.replace(b"now", b"later")
            assert b"stream-closed: true\r\n" in answer(Appended("1_1", True), later)
            assert b"stream-closed" not in answer(Appended("1_1", False), later)
            assert b"connection: close\r\n" in answer(Appended("1_1", False), keep_alive=False)
            assert b"producer-seq: 7\r\n" in answer(Appended("1_1", False, producer=Producer("p", 0, 7)))
            assert b"boom" in answer(Appended("1_1", True, failure=Failure("boom")))

    run(main())


def test_a_store_without_callbacks_is_served_too(run: Run) -> None:
    """By a task for each append: `Posting` is an ability, no duty."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("s", content_type="application/json")
            memory, slow = hub.store, Hub(OnlyAwaited(hub.store))  # type: ignore[arg-type]
            async with slow:
                outcomes: list[asyncio.Future[Appended | Exception]] = []
                for body in (b"1", b"nonsense", b"2"):
                    outcomes.append(asyncio.get_running_loop().create_future())
                    slow.post("s", Append(body), outcomes[-1].set_result)
                found = [type(await outcome).__name__ for outcome in outcomes]
                assert found == ["Appended", "InvalidBody", "Appended"]
            assert [record.data for record in (await memory.read("s", "-1")).records] == [b"1", b"2"]

    run(main())


class OnlyAwaited:
    """A store that has what `Store` asks for, and no more."""

    def __init__(self, store: object) -> None:
        for name in ("open", "aclose", "create", "append", "read", "info", "delete", "list", "count", "watch"):
            setattr(self, name, getattr(store, name))


def test_a_cancelled_append_is_answered(run: Run) -> None:
    """When somebody ends the store's tasks."""

    async def main() -> None:
        async with Hub() as hub:
            never = OnlyAwaited(hub.store)
            never.append = lambda path, request: asyncio.sleep(3600)  # type: ignore[attr-defined]
            async with Hub(never) as slow:  # type: ignore[arg-type]
                outcome: asyncio.Future[Appended | Exception] = asyncio.get_running_loop().create_future()
                slow.post("s", Append(b"1"), outcome.set_result)
                for task in asyncio.all_tasks() - {asyncio.current_task()}:
                    if "sleep" in repr(task.get_coro()):
                        task.cancel()
                assert isinstance(await outcome, StoreUnavailable)

    run(main())
