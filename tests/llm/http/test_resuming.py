"""Runs that are cut and resumed, in every dialect and on every transport: nothing lost, nothing repeated."""

from __future__ import annotations

import asyncio
import json
import random
import re
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from tests.llm.chat_app import token
from tests.llm.readers import Seen, read
from tests.llm.sample_runs import told
from websockets.asyncio.client import connect

from headwater.llm.answer import Answer
from headwater.llm.parts import decode_part
from headwater.llm.providers.registry import DIALECTS
from headwater.llm.providers.wire import FORMS

if TYPE_CHECKING:
    from tests.support.processes import ServerProcess

RUNS = 200
AT_ONCE = 20
#: What tells how a run ends; one whose ends are cuts is seen in `test_clients`.
NAMES = [name for name, made in DIALECTS.items() if made.tells_ends]
#: Images and citations, as any dialect spells them.
MARKS = re.compile(rb"https://cited\.example/\d+|IMAGE\d+")

pytestmark = pytest.mark.slow


class Trial:
    """One run, cut once and resumed in one of three ways.

    Args:
        client: of the application.
        number: of the run; decides everything that is random.
    """

    def __init__(self, client: httpx2.AsyncClient, number: int) -> None:
        self.client = client
        self.number = number
        self.random = random.Random(number)
        self.tokens = self.random.randrange(5, 60)
        self.whole = "".join(token(index) for index in range(self.tokens))
        self.dialect = self.random.choice(NAMES)
        self.run = ""

    async def go(self) -> None:
        """Start, read, cut, resume, compare."""
        cut_at = self.random.randrange(0, 6000)
        script = json.dumps({"tokens": self.tokens, "pause": self.random.choice([0, 0.002, 0.01]), "rich": True})
        message = {"id": "m", "role": "user", "parts": [{"type": "text", "text": script}]}
        body = {"id": f"c{self.number}", "messages": [message]}
        first = await self._read_some("POST", f"/api/chat?dialect={self.dialect}", cut_at, json=body)
        resume = self.random.choice([self._from_the_start, self._from_an_event, self._from_the_log])
        await resume(first)

    async def _read_some(self, method: str, path: str, cut_at: int, **more: Any) -> bytes:
        """The first bytes of an answer, in as many pieces as come, and not one more; then the connection is cut."""
        found = b""
        async with self.client.stream(method, path, **more) as answer:
            assert answer.status_code == 200
            self.run = answer.headers["headwater-run"]
            async for data in answer.aiter_raw():
                found += data
                if len(found) >= cut_at:
                    break
        return found[:cut_at]

    async def _whole(self, path: str) -> bytes:
        answer = await self.client.get(path)
        assert answer.status_code == 200
        return answer.content

    async def _check(self, dialect: str, body: bytes) -> Seen:
        """What was read is what the whole log tells who was there from its start: the text, thinking, calls, images,
        citations, tokens, the end."""
        seen = read(dialect, body)
        assert seen.text == self.whole
        assert seen.error is None
        assert seen.done or dialect == "ag-ui"
        uncut = told(dialect, [part for _, part in await self._parts("-1")])
        wanted = read(dialect, uncut)
        wanted.last_id = seen.last_id
        assert seen == wanted
        assert marks(body) == marks(uncut)
        lacks = DIALECTS[dialect].lacks
        assert (seen.reasoning != "") == (self.tokens > 1 and "thinking" not in lacks)
        first_call = 5 if "hosted calls" in lacks else 2
        assert (seen.tools != []) == (self.tokens > first_call and "calls" not in lacks)
        return seen

    async def _from_the_start(self, first: bytes) -> None:
        """In another dialect, as a second tab or the AI SDK does it; ids are the same each time."""
        dialect = self.random.choice(NAMES)
        seen = await self._check(dialect, await self._whole(f"/runs/{self.run}/stream?dialect={dialect}"))
        assert seen.id == read(dialect, await self._whole(f"/runs/{self.run}/stream?dialect={dialect}")).id
        end = {"lines": b"\n", "array": b"}"}.get(FORMS.get(self.dialect, "sse"), b"\n\n")
        before = read(self.dialect, first[: first.rfind(end) + len(end)] if end in first else b"")
        assert self.whole.startswith(before.text)
        if dialect == self.dialect and before.id:
            assert seen.id == before.id

    async def _from_an_event(self, first: bytes) -> None:
        """In the same dialect, behind the last event that was whole and had an id: one continuous answer."""
        whole, offset = up_to_an_id(first) if DIALECTS[self.dialect].has_ids else (b"", "")
        rest = await self._whole(f"/runs/{self.run}/stream?dialect={self.dialect}&offset={offset or '-1'}")
        await self._check(self.dialect, whole + rest)

    async def _from_the_log(self, first: bytes) -> None:
        """From the stream itself, by NDJSON, long-polls or a WebSocket, at the offset that the dialect gave."""
        _, offset = up_to_an_id(first)
        start = await self._parts("-1")
        answer = Answer([part for at, part in start if offset and at <= offset])
        follow = self.random.choice([self._lines, self._poll, self._listen])
        await follow(answer, offset or "-1")
        assert answer.text == self.whole
        assert answer.finish is not None
        assert answer == Answer(part for _, part in await self._parts("-1"))

    async def _parts(self, offset: str) -> list[tuple[str, Any]]:
        lines = await self.client.get(
            f"/streams/runs/{self.run}?offset={offset}", headers={"accept": "application/x-ndjson"}
        )
        values = [json.loads(line) for line in lines.text.splitlines()]
        assert values[-1]["control"] == "closed"
        return [
            (value["offset"], decode_part(json.dumps(value["data"]).encode())) for value in values if "data" in value
        ]

    async def _lines(self, answer: Answer, offset: str) -> None:
        answer.add(part for _, part in await self._parts(offset))

    async def _listen(self, answer: Answer, offset: str) -> None:
        url = str(self.client.base_url).replace("http", "ws", 1).rstrip("/")
        async with connect(f"{url}/streams/runs/{self.run}?offset={offset}", max_size=None) as socket:
            async for message in socket:
                value = json.loads(message)
                if value.get("control") == "closed":
                    return
                if "data" in value:
                    answer.add([decode_part(json.dumps(value["data"]).encode())])
        raise AssertionError("the WebSocket ended before the stream did")

    async def _poll(self, answer: Answer, offset: str) -> None:
        closed = False
        while not closed:
            got = await self.client.get(f"/streams/runs/{self.run}?offset={offset}&live=long-poll")
            offset, closed = got.headers["stream-next-offset"], "stream-closed" in got.headers
            if got.status_code == 200:
                answer.add(decode_part(json.dumps(value).encode()) for value in got.json())


def marks(body: bytes) -> list[bytes]:
    """Images and citations, each once, in the order in which they came."""
    return list(dict.fromkeys(MARKS.findall(body)))


def up_to_an_id(body: bytes) -> tuple[bytes, str]:
    """The whole events up to the last one with an id, and the id."""
    whole, offset, at = b"", "", 0
    while (end := body.find(b"\n\n", at)) >= 0:
        event = body[at : end + 2]
        at = end + 2
        for line in event.splitlines():
            if line.startswith(b"id: "):
                whole, offset = body[:at], line[4:].decode()
    return whole, offset


def test_two_hundred_runs_cut_and_resumed(server: ServerProcess) -> None:
    """Each at a random byte, in a random dialect, resumed in a random way: what is read is the uncut reading."""

    async def main() -> None:
        limits = httpx2.Limits(max_connections=None)
        async with httpx2.AsyncClient(base_url=server.url, timeout=60, limits=limits) as client:
            gate = asyncio.Semaphore(AT_ONCE)

            async def one(number: int) -> None:
                async with gate:
                    try:
                        await Trial(client, number).go()
                    except Exception as error:
                        raise AssertionError(f"run {number}") from error

            await asyncio.gather(*map(one, range(RUNS)))

    asyncio.run(main())
