"""A room of many members over real sockets: churn, cuts, a server that is killed; every reader has the same list."""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import suppress
from typing import Any, Final

import pytest
from tests.protocol.presence.room_model import Reader, key_of
from tests.support.http import call, opened
from tests.support.processes import ServerProcess, headwater_server
from tests.support.wanderer import Dialled
from tests.support.websocket import CONNECT, JSON_PROTOCOL, Client

MEMBERS: Final = 200
STREAM: Final = "/v1/stream/rooms/7"
JSON: Final = {"content-type": "application/json"}
GRACE: Final = 2.0


class Page:
    """A member: it reads as one by plain SSE or NDJSON, and comes back when it is cut; its state goes by POST.

    Attributes:
        id: of the member.
        state: as it was accepted last.
        list: what it was told.
        is_open: it comes back.
    """

    def __init__(self, server: ServerProcess, number: int) -> None:
        self.id = f"m{number}"
        self.state: Any = None
        self.list = Reader()
        self.is_open = True
        self._server = server
        self._as_lines = number % 2 == 1
        self._writer: asyncio.StreamWriter | None = None

    async def run(self) -> None:
        """Read until it is closed."""
        while self.is_open:
            with suppress(OSError):
                await self._read()
            await asyncio.sleep(random.random() / 5)  # as clients do

    def cut(self) -> None:
        """The network fails."""
        if self._writer is not None:
            self._writer.transport.abort()

    async def close(self) -> None:
        """It leaves, and says so."""
        self.is_open = False
        await self._post({"leave": True})
        self.cut()

    async def change(self, state: Any) -> None:
        """Have another state, however often the server is killed meanwhile."""
        while not await self._post({"state": state}):  # noqa: ASYNC110 - nothing tells it
            await asyncio.sleep(0.1)
        self.state = state

    async def _read(self) -> None:
        reader, self._writer = await asyncio.open_connection("127.0.0.1", self._server.port)
        accept = "application/x-ndjson" if self._as_lines else "text/event-stream"
        self._writer.write(
            f"GET {STREAM}?offset=now&presence=join&member={self.id}&member_key={key_of(self.id)} HTTP/1.1\r\n"
            f"host: 127.0.0.1\r\naccept: {accept}\r\n\r\n".encode()
        )
        first, now = True, asyncio.get_running_loop().time
        try:
            while line := await reader.readline():
                found = line.removeprefix(b"data:")
                if found.startswith(b"{") and b'"version":' in found:
                    fields = json.loads(found)
                    if first:  # a server that was killed begins anew
                        assert fields.keys() >= {"members"}
                        self.list.version, first = -1, False
                    self.list.take(fields, now())
        finally:
            self._writer.transport.abort()

    async def _post(self, fields: dict[str, Any]) -> bool:
        body = json.dumps({"id": self.id, "key": key_of(self.id), **fields}).encode()
        with suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", self._server.port)
            head = f"POST {STREAM}/-/presence HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n"
            writer.write(head.encode() + b"content-length: %d\r\n\r\n" % len(body) + body)
            try:
                answer = await reader.read()
            finally:
                writer.transport.abort()
            status = int(answer.split()[1]) if answer else 0
            assert status in (0, 200, 204, 429, 503), answer
            return status in (200, 204)
        return False


async def until_all_know(pages: list[Page], truth: dict[str, Any], seconds: float) -> None:
    """Wait until every list is the truth."""

    def missing() -> list[str]:
        return [page.id for page in pages if page.list.members != truth]

    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while missing():  # noqa: ASYNC110 - nothing tells it
                await asyncio.sleep(0.02)
    assert not missing(), (len(missing()), len(truth), pages[0].list.count)


@pytest.mark.slow
def test_two_hundred_members_have_the_same_list() -> None:
    flags = ["--presence-grace", str(GRACE), "--presence-changes", "1000", "--presence-joins", "1000"]
    with headwater_server("memory:", *flags) as server:

        async def main() -> None:
            pages = [Page(server, number) for number in range(MEMBERS)]
            assert call(server, "PUT", STREAM, **JSON).status == 201
            tasks = [asyncio.create_task(page.run()) for page in pages]
            await until_all_know(pages, {page.id: None for page in pages}, 60)

            # Churn: states change, connections are cut and come back within the grace.
            for page in pages:
                page.list.events.clear()
            for round in range(3):
                for page in random.sample(pages, 20):
                    await page.change({"round": round})
                for page in random.sample(pages, 20):
                    page.cut()
            truth = {page.id: page.state for page in pages}
            await until_all_know(pages, truth, 60)
            assert {event for page in pages for event, _ in page.list.events} <= {"changed"}

            # Explicit leaves are known within two seconds; on a busy machine of somebody's they are waited for.
            gone, pages = pages[:20], pages[20:]
            for page in gone:
                await page.close()
            truth = {page.id: page.state for page in pages}
            await until_all_know(pages, truth, 60)

            # Cuts that do not come back, after the grace.
            lost, pages = pages[:20], pages[20:]
            for page in lost:
                page.is_open = False
                page.cut()
            truth = {page.id: page.state for page in pages}
            await until_all_know(pages, truth, 60)

            # The server is killed. What it knew is gone; everybody comes back with its key, and its state.
            server.kill()
            server.start()
            assert call(server, "PUT", STREAM, **JSON).status == 201
            for page in pages:
                await page.change(page.state)
            await until_all_know(pages, truth, 60)
            for page in pages:
                told = page.list.told
                assert page.list.members == truth
                assert all(later - at >= 0.9 for at, later in zip(told, told[5:], strict=False))
                page.is_open = False
                page.cut()
            await asyncio.gather(*tasks)

        asyncio.run(main())


def status_of_join(server: ServerProcess, way: str, member: str, key: str) -> tuple[int, str]:
    """Status and code of a join; 200 and nothing of one that is there."""
    if way == "post":
        reply = call(server, "POST", f"{STREAM}/-/presence", json.dumps({"id": member, "key": key}))
        return reply.status, "" if reply.status == 200 else reply.json()["code"]
    if way == "door":
        return asyncio.run(_of_door(server, member, key))
    query = f"{STREAM}?offset=now&presence=join&member={member}&member_key={key}"
    with opened(server, "GET", query, accept="text/event-stream") as answer:
        return answer.status, "" if answer.status == 200 else json.loads(answer.read())["code"]


async def _of_door(server: ServerProcess, member: str, key: str) -> tuple[int, str]:
    with await Dialled(server).connect() as sock:
        client = Client(sock)
        assert await client.handshake(CONNECT, JSON_PROTOCOL) == 101
        await client.send(t="hello")
        told = await client.ask("here", path="rooms/7", member=member, key=key)
        assert (await client.ask("ping"))["t"] == "pong"
        return (200, "") if told["t"] == "here" else (told["status"], told["code"])


@pytest.mark.slow
def test_keys_of_others_and_more_joins_than_a_client_may_have() -> None:
    """However it is tried: who is there is untouched, and the limit is named. Nobody else is refused for it."""
    with headwater_server("memory:", "--presence-joins", "10", "--presence-grace", "60") as server:
        assert call(server, "PUT", STREAM, **JSON).status == 201
        for way in ("post", "events", "door"):
            member, right, wrong = f"ada-{way}", key_of("right"), key_of("wrong")
            assert status_of_join(server, way, member, right) == (200, "")
            for attack in ("post", "events", "door"):
                assert status_of_join(server, attack, member, wrong) == (403, "member-taken")
                body = json.dumps({"id": member, "key": wrong, "leave": True})
                assert call(server, "POST", f"{STREAM}/-/presence", body).json()["code"] == "member-taken"
            assert status_of_join(server, way, member, right) == (200, "")
        members = call(server, "GET", f"{STREAM}/-/presence").json()
        assert {each["id"] for each in members["members"]} == {"ada-post", "ada-events", "ada-door"}
        told = [call(server, "POST", f"{STREAM}/-/presence", _joining(number)) for number in range(200)]
        refused = [reply for reply in told if reply.status != 200]
        assert {(reply.status, reply.json()["code"]) for reply in refused} == {(429, "rate-limited")}
        assert all("presence_joins=10" in reply.json()["detail"] for reply in refused)
        assert refused
        assert status_of_join(server, "post", "ada-post", key_of("right")) == (200, "")
        assert call(server, "GET", "/-/stats").json()["members"] == 3 + len(told) - len(refused)


def _joining(number: int) -> str:
    return json.dumps({"id": f"bot-{number}", "key": key_of("bot")})
