"""Members of one room over all wires: each writes, reads, is a member, is cut, and comes back."""

from __future__ import annotations

import asyncio
import json
import random
from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final

from tests.protocol.presence.room_model import key_of
from tests.support.mortal import Mortal, Producer
from tests.support.subprotocols import SUBPROTOCOLS
from tests.support.wanderer import CutClient, Source
from tests.support.websocket import CONNECT, Packs

from headwater.protocol.sse import Parser

ROOM: Final = "room"
#: The last record of the room.
OVER: Final = "over"


class Talk:
    """What all members know of each other.

    Attributes:
        server: where the room is.
        draw: where connections are cut.
        each: records of each member.
        is_calm: nobody is cut any more.
        moved: set when somebody was told something.
    """

    def __init__(self, server: Mortal, seed: int, each: int) -> None:
        self.server = server
        self.draw = random.Random(seed)
        self.each = each
        self.is_calm = False
        self.moved = asyncio.Event()


class Member(ABC):
    """One of them.

    Attributes:
        name: of the member.
        records: that it was told.
        there: ids of those who are there; None: it was not told yet.
        written: of its records, how many were acknowledged.
        stays: it comes back.
        cuts: how often it was cut.
    """

    def __init__(self, talk: Talk, number: int) -> None:
        self.name = f"m{number}"
        self.records: list[Any] = []
        self.there: set[str] | None = None
        self.written = 0
        self.stays = True
        self.cuts = 0
        self._talk = talk
        self._offset = "-1"
        self._key = key_of(self.name)
        self._going = asyncio.Event()

    async def run(self) -> None:
        """Be there, until it has left."""
        going = asyncio.create_task(self._going.wait())
        while self.stays:
            draw, budget = self._talk.draw, None
            if not self._talk.is_calm and draw.random() < 0.7:
                budget = draw.randrange(1, draw.choice((300, 2000, 20_000)))
            with await self._talk.server.connect() as sock, suppress(EOFError, ConnectionError):
                coming = asyncio.create_task(self._come(Source(sock, budget)))
                await asyncio.wait((coming, going), return_when=asyncio.FIRST_COMPLETED)
                coming.cancel()
                with suppress(asyncio.CancelledError):
                    await coming
            self.cuts += 1
            self.there = None
        self._going.set()
        await going

    async def leave(self) -> None:
        """Leave, and say so."""
        self.stays = False
        await self._leave()
        self._going.set()

    async def _leave(self) -> None:
        body = json.dumps({"id": self.name, "key": self._key, "leave": True})
        assert await self._talk.server.post(f"{ROOM}/-/presence", body) == 204

    @abstractmethod
    async def _come(self, source: Source) -> None:
        """One connection, until it is cut."""

    @property
    def _next(self) -> list[Any] | None:
        """The record to write next; None: it has written all."""
        return [self.name, self.written] if self.written < self._talk.each else None

    def _took(self, offset: str, records: Iterable[Any]) -> None:
        self.records += records
        self._offset = offset
        self._talk.moved.set()

    def _heard(self, told: dict[str, Any]) -> None:
        """Who is there, by a line, an event or a message."""
        if "members" in told:
            self.there = {each["id"] for each in told["members"]}
        assert self.there is not None
        self.there |= {each["id"] for each in told.get("joined", ())}
        self.there -= set(told.get("left", ()))
        self._talk.moved.set()


class Subscriber(Member):
    """By `-/connect`."""

    def __init__(self, talk: Talk, number: int, packs: Packs) -> None:
        super().__init__(talk, number)
        self._packs = packs
        self._is_binary = packs.name != SUBPROTOCOLS[0].name
        self._client: CutClient | None = None

    async def _come(self, source: Source) -> None:
        client = self._client = CutClient(source, self._packs)
        header = b"sec-websocket-protocol: %b\r\n" % self._packs.name.encode()
        assert await client.handshake(CONNECT, header) == 101
        await client.send(t="hello", name=self.name)
        await client.send(t="sub", id=1, path=ROOM, from_=self._offset, presence=True)
        await client.send(t="here", id=2, path=ROOM, key=self._key)
        await self._say(client)
        while True:
            await self._hear(client, await client.next())

    async def _say(self, client: CutClient) -> None:
        if (record := self._next) is not None:
            value = json.dumps(record).encode() if self._is_binary else record
            await client.send(t="append", id=3, path=ROOM, r=[value], p=[self.name, 0, self.written])

    async def _hear(self, client: CutClient, told: dict[str, Any]) -> None:
        assert told["t"] != "err", told
        if told["t"] == "ok" and told["id"] == 3:
            self.written += 1
            await self._say(client)
        elif told["t"] == "data":
            self._took(told["o"], told["r"] if "r" in told else map(json.loads, told["b"]))
            await client.send(t="ack", s=told["s"], o=told["o"])
        elif told["t"] == "presence":
            self._heard({name: _plain(value) for name, value in told.items()})

    async def _leave(self) -> None:
        assert self._client is not None
        await self._client.send(t="here", path=ROOM, state=b"null" if self._is_binary else None)


def _plain(value: Any) -> Any:
    """Members as JSON has them."""
    if hasattr(value, "member"):
        value = list(value.member)
    return (
        [json.loads(each) if isinstance(each, bytes) else each for each in value] if isinstance(value, list) else value
    )


class Page(Member):
    """By `EventSource` and POST."""

    async def _come(self, source: Source) -> None:
        query = f"presence=join&member={self.name}&member_key={self._key}&offset=-1"
        since = "" if self._offset == "-1" else f"last-event-id: {self._offset}\r\n"
        head = f"GET /v1/stream/{ROOM}?{query} HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n{since}\r\n"
        await asyncio.get_running_loop().sock_sendall(source.sock, head.encode())
        status = await source.until(b"\r\n\r\n")
        assert b" 200 " in status.partition(b"\r\n")[0], status
        parser = Parser()
        async for part in source.chunks():
            for event in parser.feed(part):
                if event.event == b"stream-presence":
                    self._heard(json.loads(event.data))
                else:
                    assert not event.event, event
                    self._took(event.id.decode(), [json.loads(event.data)])

    async def run(self) -> None:
        """See `Member.run`; it writes meanwhile."""
        producer = Producer(self._talk.server, self.name)
        writing = asyncio.create_task(self._write(producer))
        await super().run()
        await writing

    async def _write(self, producer: Producer) -> None:
        while (record := self._next) is not None:
            await producer.write(ROOM, json.dumps([record]))
            self.written += 1
            self._talk.moved.set()


class Bare(Member):
    """By a WebSocket at the stream's own URL; it joins by POST."""

    async def _come(self, source: Source) -> None:
        body = json.dumps({"id": self.name, "key": self._key})
        assert await self._talk.server.post(f"{ROOM}/-/presence", body) == 200
        client = CutClient(source)
        query = f"offset={self._offset}&presence=1&producer={self.name}"
        assert await client.handshake(f"/v1/stream/{ROOM}?{query}") == 101
        # Messages are counted from the first one on; what came before is not written again.
        for number in range(self.written):
            await client.text(json.dumps([[self.name, number]]))
        again = self.written
        await self._say(client)
        while True:
            line = json.loads(await client.message())
            if "data" in line:
                self._took(line["offset"], [line["data"]])
            elif line["control"] == "presence":
                self._heard(line)
            elif line["control"] == "appended" and again:
                again -= 1
            elif line["control"] == "appended":
                self.written += 1
                await self._say(client)
            else:
                assert line["control"] == "up-to-date", line

    async def _say(self, client: CutClient) -> None:
        if (record := self._next) is not None:
            await client.text(json.dumps([record]))


def members(talk: Talk, count: int) -> list[Member]:
    """So many, a fifth over each wire."""
    found: list[Member] = []
    for number in range(count):
        kind = number % 5
        if kind < len(SUBPROTOCOLS):
            found.append(Subscriber(talk, number, SUBPROTOCOLS[kind]))
        else:
            found.append((Page if kind == len(SUBPROTOCOLS) else Bare)(talk, number))
    return found
